"""How requests react: promises become reservations, and what happens to a promise happens to its contribution."""

from __future__ import annotations

from services.requests.domain import REQUEST
from services.requests.domain import commands as command
from shared.contracts.offers import SponsorshipDelivered, SponsorshipHeld, SponsorshipReleased
from shared.contracts.requests import RequestClosed
from shared.contracts.volunteering import PledgeDelivered, PledgeExpired, PledgeOffered, PledgeWithdrawn
from shared.errors import Rejected
from shared.events import SYSTEM, Envelope
from shared.runtime import Context


async def reserve_pledged(context: Context, event: PledgeOffered, envelope: Envelope) -> None:
    """A pledge asks for its quantity."""
    wish = command.ReserveNeed(
        by=event.by,
        at=context.clock(),
        contribution_id=envelope.subject,
        need_id=event.need_id,
        quantity=event.quantity,
        source="pledge",
    )
    await context.execute(REQUEST, event.request_id, wish, envelope.cause)


async def reserve_sponsored(context: Context, event: SponsorshipHeld, envelope: Envelope) -> None:
    """A sponsorship, held already, asks for its quantity."""
    wish = command.ReserveNeed(
        by=event.by,
        at=context.clock(),
        contribution_id=event.sponsorship_id,
        need_id=event.need_id,
        quantity=event.quantity,
        source="sponsorship",
    )
    await context.execute(REQUEST, event.request_id, wish, envelope.cause)


async def deliver_pledged(context: Context, event: PledgeDelivered, envelope: Envelope) -> None:
    """What was pledged was brought."""
    wish = command.DeliverContribution(by=event.by, at=context.clock(), contribution_id=envelope.subject)
    await context.execute(REQUEST, event.request_id, wish, envelope.cause)


async def deliver_sponsored(context: Context, event: SponsorshipDelivered, envelope: Envelope) -> None:
    """What was sponsored was brought."""
    wish = command.DeliverContribution(by=event.by, at=context.clock(), contribution_id=event.sponsorship_id)
    await context.execute(REQUEST, event.request_id, wish, envelope.cause)


async def release_withdrawn(context: Context, event: PledgeWithdrawn, envelope: Envelope) -> None:
    """The helper cannot after all."""
    await _release(context, event.request_id, envelope.subject, "The helper withdrew.", envelope)


async def release_expired(context: Context, event: PledgeExpired, envelope: Envelope) -> None:
    """The helper did not come in time."""
    await _release(context, event.request_id, envelope.subject, "It was not delivered in time.", envelope)


async def release_sponsored(context: Context, event: SponsorshipReleased, envelope: Envelope) -> None:
    """The giver took it back, or it was not delivered in time."""
    await _release(context, event.request_id, event.sponsorship_id, event.reason, envelope)


async def follow_to_original(context: Context, event: RequestClosed, envelope: Envelope) -> None:
    """Whoever has a duplicate's trouble has the original's."""
    if event.duplicate_of is None:
        return
    duplicate = await context.require(REQUEST, envelope.subject)
    for party in (duplicate.author, *duplicate.private.supporters):
        wish = command.GiveSupport(by=party, at=context.clock())
        try:
            await context.execute(REQUEST, event.duplicate_of, wish, envelope.cause)
        except Rejected:
            return  # the original is closed: there is nothing left to follow


async def _release(context: Context, request_id: str, contribution_id: str, reason: str, envelope: Envelope) -> None:
    wish = command.ReleaseContribution(by=SYSTEM, at=context.clock(), contribution_id=contribution_id, reason=reason)
    await context.execute(REQUEST, request_id, wish, envelope.cause)
