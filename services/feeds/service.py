"""Feeds: the public log of everything that happened, to pull and to follow."""

from services.feeds.api import router
from services.feeds.log import ENTRIES, keep_in_log, let_go, set_up
from shared.bus import PUBLIC
from shared.membership import MEMBERSHIP_REACTIONS, MEMBERSHIPS
from shared.service import Service

SERVICE = Service(
    name="feeds",
    routers=(router,),
    views=(ENTRIES, MEMBERSHIPS),
    subscribers=MEMBERSHIP_REACTIONS,
    follows={PUBLIC: keep_in_log},
    startup=set_up,
    stopping=let_go,
)
