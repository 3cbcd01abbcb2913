"""Volunteering: pledges towards needs, and communal work."""

from services.volunteering import subscribers as react
from services.volunteering.activities import router as activities
from services.volunteering.domain.activity import ACTIVITY
from services.volunteering.domain.pledge import PLEDGE
from services.volunteering.pledges import router as pledges
from shared.contracts.requests import (
    ContributionReceived,
    ContributionRefused,
    ContributionReleased,
    ContributionReserved,
)
from shared.membership import MEMBERSHIP_REACTIONS, MEMBERSHIPS
from shared.service import Service

SERVICE = Service(
    name="volunteering",
    routers=(pledges, activities),
    deciders=(PLEDGE, ACTIVITY),
    views=(MEMBERSHIPS,),
    subscribers={
        **MEMBERSHIP_REACTIONS,
        ContributionReserved: (react.accept_pledge,),
        ContributionRefused: (react.decline_pledge,),
        ContributionReleased: (react.decline_pledge,),
        ContributionReceived: (react.complete_pledge,),
    },
    timed=(PLEDGE, ACTIVITY),
)
