"""How offers react: automatic ones answer new needs, and what a need says of a contribution is what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.offers.asked import asking
from services.offers.days import day_began
from services.offers.domain import OFFER
from services.offers.domain import commands as command
from services.offers.domain.state import Offer
from services.offers.views import offer_of
from shared.contracts.requests import (
    ContributionReceived,
    ContributionRefused,
    ContributionReleased,
    ContributionReserved,
    RequestOpened,
)
from shared.decider import Command
from shared.events import SYSTEM, Envelope, Party
from shared.ids import derived_id
from shared.runtime import Context
from shared.store import Query


async def sponsor_automatically(context: Context, event: RequestOpened, envelope: Envelope) -> None:
    """Every automatic offer, the oldest first, holds what its rules allow, up to what is missing."""
    if not event.needs:
        return
    known = await asking(context, envelope.subject)
    for need in event.needs:
        missing = need.quantity
        for offer in await _automatic(context, need.unit):
            if missing > 0 and offer.by != event.author:
                sponsorship = derived_id("sponsorship", offer.id, envelope.subject, need.id)
                missing -= await _hold(context, offer, sponsorship, envelope.subject, need.id, missing, known, envelope)


async def release_refused(context: Context, event: ContributionRefused, envelope: Envelope) -> None:
    """The need did not take it; an automatic sponsorship tries once more with what is still missing."""
    offer = await _offer_of(context, event)
    if offer is None:
        return
    refused = offer.sponsorships[event.contribution_id]
    wish = command.ReleaseSponsorship(by=SYSTEM, at=context.clock(), sponsorship_id=refused.id, reason=event.reason)
    await context.execute(OFFER, offer.id, wish, envelope.cause)
    if refused.automatic and 0 < event.missing < refused.quantity:
        again = derived_id("sponsorship again", refused.id)
        known = await asking(context, refused.request_id)
        await _hold(context, offer, again, refused.request_id, refused.need_id, event.missing, known, envelope)


async def commit_sponsorship(context: Context, event: ContributionReserved, envelope: Envelope) -> None:
    """The need took it."""
    await _tell(context, event, envelope, command.CommitSponsorship)


async def settle_sponsorship(context: Context, event: ContributionReceived, envelope: Envelope) -> None:
    """The requester has it."""
    await _tell(context, event, envelope, command.SettleSponsorship)


async def release_sponsorship(context: Context, event: ContributionReleased, envelope: Envelope) -> None:
    """The need does not want it any more."""
    await _tell(context, event, envelope, command.ReleaseSponsorship, reason=event.reason)


async def _automatic(context: Context, unit: str) -> list[Offer]:
    found = await context.store.find(OFFER.kind, Query(has=((f"automatic:{unit}",),), limit=200, short=True))
    return [OFFER.parse(each.document.state, each.document.private) for each in found]


async def _hold(
    context: Context,
    offer: Offer,
    sponsorship_id: str,
    request_id: str,
    need_id: str,
    missing: int,
    known: command.Asking | None,
    envelope: Envelope,
) -> int:
    """How much of what is missing an offer holds now, or held before."""
    wish = command.HoldSponsorship(
        by=Party(kind=offer.by.kind, id=offer.by.id),
        at=context.clock(),
        sponsorship_id=sponsorship_id,
        request_id=request_id,
        need_id=need_id,
        quantity=missing,
        day=day_began(context.clock(), context.settings.zone),
        asking=known,
        up_to=True,
    )
    after = await context.execute(OFFER, offer.id, wish, envelope.cause)
    held = after.sponsorships.get(sponsorship_id)
    return held.quantity if held else 0


async def _tell(context: Context, event: Any, envelope: Envelope, make: Callable[..., Command], **more: str) -> None:
    offer = await _offer_of(context, event)
    if offer is not None:
        wish = make(by=SYSTEM, at=context.clock(), sponsorship_id=event.contribution_id, **more)
        await context.execute(OFFER, offer.id, wish, envelope.cause)


async def _offer_of(context: Context, event: Any) -> Offer | None:
    return await offer_of(context, event.contribution_id) if event.source == "sponsorship" else None
