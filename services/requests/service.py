"""Requests: what people ask of each other."""

from services.requests import subscribers as react
from services.requests.api import router
from services.requests.domain import REQUEST
from services.requests.domain.comment import COMMENT
from shared.contracts.offers import SponsorshipDelivered, SponsorshipHeld, SponsorshipReleased
from shared.contracts.requests import RequestClosed
from shared.contracts.volunteering import PledgeDelivered, PledgeExpired, PledgeOffered, PledgeWithdrawn
from shared.membership import MEMBERSHIP_REACTIONS, MEMBERSHIPS
from shared.service import Service

SERVICE = Service(
    name="requests",
    routers=(router,),
    deciders=(REQUEST, COMMENT),
    views=(MEMBERSHIPS,),
    subscribers={
        **MEMBERSHIP_REACTIONS,
        PledgeOffered: (react.reserve_pledged,),
        PledgeDelivered: (react.deliver_pledged,),
        PledgeWithdrawn: (react.release_withdrawn,),
        PledgeExpired: (react.release_expired,),
        SponsorshipHeld: (react.reserve_sponsored,),
        SponsorshipDelivered: (react.deliver_sponsored,),
        SponsorshipReleased: (react.release_sponsored,),
        RequestClosed: (react.follow_to_original,),
    },
    timed=(REQUEST,),
)
