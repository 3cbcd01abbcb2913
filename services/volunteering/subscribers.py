"""How volunteering reacts: what a need says of a contribution is what becomes of its pledge."""

from __future__ import annotations

from typing import Any

from services.volunteering.domain.pledge import PLEDGE, AcceptPledge, CompletePledge, DeclinePledge
from shared.contracts.requests import (
    ContributionReceived,
    ContributionRefused,
    ContributionReleased,
    ContributionReserved,
)
from shared.decider import Command
from shared.events import SYSTEM, Envelope
from shared.runtime import Context


async def accept_pledge(context: Context, event: ContributionReserved, envelope: Envelope) -> None:
    """The need has reserved it."""
    await _tell(context, event, envelope, AcceptPledge(by=SYSTEM, at=context.clock()))


async def decline_pledge(
    context: Context, event: ContributionRefused | ContributionReleased, envelope: Envelope
) -> None:
    """The need does not take it, or no longer."""
    wish = DeclinePledge(by=SYSTEM, at=context.clock(), reason=event.reason, missing=event.missing)
    await _tell(context, event, envelope, wish)


async def complete_pledge(context: Context, event: ContributionReceived, envelope: Envelope) -> None:
    """The requester has it."""
    await _tell(context, event, envelope, CompletePledge(by=SYSTEM, at=context.clock()))


async def _tell(context: Context, event: Any, envelope: Envelope, wish: Command) -> None:
    if event.source == "pledge":
        await context.execute(PLEDGE, event.contribution_id, wish, envelope.cause)
