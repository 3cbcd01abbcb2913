"""Offers: what companies and agencies put in."""

from services.offers import subscribers as react
from services.offers.asked import ASKED, keep_asked
from services.offers.domain import OFFER
from services.offers.offers_api import router as offers
from services.offers.sponsorships_api import CLAIMS
from services.offers.sponsorships_api import router as sponsorships
from shared.contracts.requests import (
    ContributionReceived,
    ContributionRefused,
    ContributionReleased,
    ContributionReserved,
    RequestOpened,
)
from shared.membership import MEMBERSHIP_REACTIONS, MEMBERSHIPS
from shared.service import Service

SERVICE = Service(
    name="offers",
    routers=(offers, sponsorships),
    deciders=(OFFER,),
    views=(MEMBERSHIPS, ASKED, CLAIMS),
    subscribers={
        **MEMBERSHIP_REACTIONS,
        RequestOpened: (keep_asked, react.sponsor_automatically),
        ContributionReserved: (react.commit_sponsorship,),
        ContributionRefused: (react.release_refused,),
        ContributionReceived: (react.settle_sponsorship,),
        ContributionReleased: (react.release_sponsorship,),
    },
    timed=(OFFER,),
)
