"""A pledge: a person's or community's promise towards a need, with a lease that ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from shared.contracts import volunteering as event
from shared.contracts.volunteering import PLEDGE_EVENTS, MadeKept
from shared.decider import Collection, Command, Decider, Index, PassTime, State
from shared.errors import Forbidden, Invalid, NotFound, Rejected
from shared.events import SYSTEM, Event, Party
from shared.idempotency import same_or_other_body
from shared.text import Id, Input, Moment, Note, Quantity

LEASE = timedelta(hours=48)
# A requester has a week to approve; after that the helper is free again.
ANSWER_WITHIN = timedelta(days=7)

Status = Literal["absent", "offered", "accepted", "delivered", "completed", "declined", "withdrawn", "expired"]


class PledgeInput(Input):
    """A promise. `until` is when it ends if not delivered; 48 h after acceptance where it is left out."""

    request_id: Id
    need_id: Id
    quantity: Quantity
    note: Note = ""
    until: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferPledge(Command):
    """I will bring this."""

    asked: PledgeInput
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptPledge(Command):
    """The need has reserved it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclinePledge(Command):
    """The need does not take it, or no longer."""

    reason: str
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverPledge(Command):
    """I brought it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletePledge(Command):
    """The requester has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPledge(Command):
    """I cannot after all."""


class Kept(BaseModel):
    """What lists and events do not show."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str | None = None
    note: str = ""


class Pledge(State):
    """A pledge as anybody may read it."""

    status: Status = "absent"
    request_id: str = ""
    need_id: str = ""
    quantity: int = 0
    by: Party = SYSTEM
    offered_at: datetime | None = None
    until: datetime | None = None
    reason: str | None = None
    missing: int | None = None
    private: Annotated[SkipJsonSchema[Kept], Field(exclude=True)] = Kept()


def decide(wish: Any, state: Pledge) -> Sequence[Event]:
    """The events that a command leads to."""
    about = {"at": wish.at, "request_id": state.request_id, "by": state.by}
    match wish, state.status:
        case OfferPledge(), "absent":
            return _offer(wish)
        case OfferPledge(), _:
            return same_or_other_body(state.private.fingerprint, wish.fingerprint)
        case _, "absent":
            raise NotFound(f"There is no pledge {state.id}.")
        case AcceptPledge(), "offered":
            return [event.PledgeAccepted(**about, until=state.until or wish.at + LEASE)]
        case DeclinePledge(), "offered" | "accepted":
            return [event.PledgeDeclined(**about, reason=wish.reason, missing=wish.missing)]
        case CompletePledge(), "accepted" | "delivered" | "withdrawn" | "expired":
            return [event.PledgeCompleted(**about)]
        case AcceptPledge() | DeclinePledge() | CompletePledge(), _:
            return []
        case PassTime(), _:
            return [event.PledgeExpired(**about)] if _over(state, wish.at) else []
        case ((DeliverPledge() | WithdrawPledge()), _):
            return _by_helper(wish, state, about)
    raise TypeError(f"a pledge takes no {type(wish).__name__}")


def _offer(wish: OfferPledge) -> Sequence[Event]:
    asked = wish.asked
    if asked.until is not None and asked.until <= wish.at:
        raise Invalid("until", "This time has passed.")
    kept = MadeKept(fingerprint=wish.fingerprint, note=asked.note)
    offered = event.PledgeOffered(
        at=wish.at,
        request_id=asked.request_id,
        need_id=asked.need_id,
        quantity=asked.quantity,
        until=asked.until,
        by=wish.by,
        private=kept,
    )
    return [offered]


def _by_helper(wish: DeliverPledge | WithdrawPledge, state: Pledge, about: dict[str, Any]) -> Sequence[Event]:
    if wish.by != state.by:
        raise Forbidden("This is somebody else's pledge.")
    match wish, state.status:
        case DeliverPledge(), "accepted":
            return [event.PledgeDelivered(**about)]
        case DeliverPledge(), "delivered" | "completed":
            return []
        case WithdrawPledge(), "offered" | "accepted":
            return [event.PledgeWithdrawn(**about)]
        case WithdrawPledge(), "withdrawn":
            return []
    raise Rejected(f"This pledge is {state.status}.")


def _over(state: Pledge, now: datetime) -> bool:
    due = _due(state)
    return due is not None and due <= now


def _due(state: Pledge) -> datetime | None:
    match state.status:
        case "offered":
            return state.until or (state.offered_at and state.offered_at + ANSWER_WITHIN)
        case "accepted":
            return state.until
    return None


def evolve(state: Pledge, happened: Any) -> Pledge:
    """One event later."""
    match happened:
        case event.PledgeOffered():
            kept = happened.private.model_dump() if happened.private else {}
            return state.model_copy(
                update={
                    "status": "offered",
                    "request_id": happened.request_id,
                    "need_id": happened.need_id,
                    "quantity": happened.quantity,
                    "until": happened.until,
                    "by": happened.by,
                    "offered_at": happened.at,
                    "private": Kept(**kept),
                }
            )
        case event.PledgeAccepted():
            return state.model_copy(update={"status": "accepted", "until": happened.until})
        case event.PledgeDeclined():
            changes = {"status": "declined", "reason": happened.reason, "missing": happened.missing}
            return state.model_copy(update=changes)
    return state.model_copy(update={"status": _ENDS[type(happened)]})


_ENDS: dict[type, Status] = {
    event.PledgeDelivered: "delivered",
    event.PledgeCompleted: "completed",
    event.PledgeWithdrawn: "withdrawn",
    event.PledgeExpired: "expired",
}


def index(state: Pledge) -> Index:
    """By helper and by request, newest first; by when it is over."""
    due = _due(state)
    return {
        "offered": state.offered_at and int(state.offered_at.timestamp() * 1000),
        "status": state.status,
        "request_id": state.request_id,
        "helper": state.by.id,
        "due_at": due and due.timestamp(),
    }


PLEDGE: Decider[Pledge] = Decider(
    collection=Collection(
        "pledge",
        ("offered", "status", "request_id", "helper", "due_at"),
        (("request_id", "offered"), ("helper", "offered"), ("offered",), ("due_at",)),
    ),
    state=Pledge,
    decide=decide,
    evolve=evolve,
    events=PLEDGE_EVENTS,
    index=index,
)
