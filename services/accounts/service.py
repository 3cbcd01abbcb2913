"""Accounts: people, organisations, and who may act for whom."""

from services.accounts.api import router
from services.accounts.credentials import CREDENTIALS, REFRESHES, set_up
from services.accounts.domain import ORGANISATION, PERSON
from shared.membership import MEMBERSHIP_REACTIONS, MEMBERSHIPS
from shared.service import Service

SERVICE = Service(
    name="accounts",
    routers=(router,),
    deciders=(PERSON, ORGANISATION),
    views=(CREDENTIALS, REFRESHES, MEMBERSHIPS),
    subscribers=MEMBERSHIP_REACTIONS,
    startup=set_up,
)
