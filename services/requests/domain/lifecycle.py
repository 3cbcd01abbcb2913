"""Decides how a request opens, goes on and ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.requests.domain import commands as command
from services.requests.domain.contributing import release_open
from services.requests.domain.state import Request
from shared.contracts import requests as event
from shared.contracts.requests import NeedAsked, OpeningKept, Outcome
from shared.decider import Command, PassTime
from shared.errors import Forbidden, Invalid, Rejected
from shared.events import Event, Party
from shared.idempotency import same_or_other_body
from shared.ids import derived_id

CONFIRM_WITHIN = timedelta(days=7)
SECONDS_NEEDED = 2


COMMANDS = (
    command.OpenRequest,
    command.GiveSupport,
    command.ReportProgress,
    command.ClaimResolution,
    command.ConfirmResolution,
    command.DisputeResolution,
    command.CancelRequest,
    command.RejectRequest,
    command.MarkDuplicate,
    PassTime,
)


def decide(wish: Any, state: Request) -> Sequence[Event]:
    """The events that a command about the request as a whole leads to."""
    match wish:
        case command.OpenRequest():
            return open_request(wish, state)
        case command.GiveSupport():
            return support(wish, state)
        case command.ReportProgress():
            return progress(wish, state)
        case command.ClaimResolution():
            return claim(wish, state)
        case command.ConfirmResolution():
            return answer(wish, state, agrees=True)
        case command.DisputeResolution():
            return answer(wish, state, agrees=False)
        case command.CancelRequest():
            return cancel(wish, state)
        case command.RejectRequest():
            return reject(wish, state)
        case command.MarkDuplicate():
            return mark_duplicate(wish, state)
        case PassTime():
            return pass_time(wish, state)
    raise TypeError(f"a request takes no {type(wish).__name__}")


def open_request(wish: command.OpenRequest, state: Request) -> Sequence[Event]:
    """A new request; the same call again finds it made."""
    if state.exists:
        return same_or_other_body(state.private.fingerprint, wish.fingerprint)
    asked = wish.asked
    if asked.expires_at is not None and asked.expires_at <= wish.at:
        raise Invalid("expires_at", "This time has passed.")
    kept = OpeningKept(
        fingerprint=wish.fingerprint,
        exact=asked.location if wish.place == "blurred" else None,
        on_behalf_of=asked.on_behalf_of,
    )
    opened = event.RequestOpened(
        at=wish.opened_at or wish.at,
        kind=asked.kind,
        title=asked.title,
        body=asked.body,
        category=asked.category,
        area=wish.area,
        area_source=wish.area_source,
        location=wish.shown,
        place=wish.place,
        needs=tuple(_need(state.id, number, asked) for number in range(len(asked.needs))),
        author=wish.by,
        expires_at=asked.expires_at,
        private=kept,
    )
    return [opened]


def _need(request_id: str, number: int, asked: command.RequestInput) -> NeedAsked:
    need = asked.needs[number]
    usual = "by_requester" if need.unit == "person" else "automatic"
    return NeedAsked(
        id=derived_id("need", request_id, str(number)),
        label=need.label,
        unit=need.unit,
        quantity=need.quantity,
        approval=asked.approval or usual,
    )


def support(wish: command.GiveSupport, state: Request) -> Sequence[Event]:
    """Once per actor; the author counts as one already."""
    if wish.by == state.author or wish.by in state.private.supporters:
        return []
    _still(state.status != "closed", "This request is closed.")
    return [event.RequestSupported(at=wish.at, by=wish.by, supporters=state.supporters + 1)]


def progress(wish: command.ReportProgress, state: Request) -> Sequence[Event]:
    """By the author, a helper, an agency or a community."""
    _may(wish.by == state.author or _works_on(wish.by, state), "Only the author, a helper, an agency or a community.")
    if state.status == "in_progress" and not wish.note:
        return []
    _still(state.live, f"This request is {state.status}.")
    return [event.RequestProgressed(at=wish.at, by=wish.by, note=wish.note)]


def claim(wish: command.ClaimResolution, state: Request) -> Sequence[Event]:
    """A claim with evidence. The author's own word needs nobody's confirmation."""
    _may(wish.by == state.author or _works_on(wish.by, state), "Only the author, a helper, an agency or a community.")
    said = state.resolution is not None and state.resolution.by == wish.by
    if said and (state.status == "resolved" or state.outcome in ("confirmed", "unconfirmed")):
        return []
    _still(state.live, f"This request is {state.status}.")
    _still(not state.needs, "This request has needs; it is fulfilled when all of them are received.")
    confirm_by = wish.at + CONFIRM_WITHIN
    claimed = event.RequestResolved(at=wish.at, by=wish.by, note=wish.note, photo=wish.photo, confirm_by=confirm_by)
    return [claimed, *close(wish, state, "confirmed")] if wish.by == state.author else [claimed]


def answer(
    wish: command.ConfirmResolution | command.DisputeResolution, state: Request, *, agrees: bool
) -> Sequence[Event]:
    """The author settles a claim alone; of the supporters it takes two."""
    supporter = wish.by in state.private.supporters
    _may(wish.by == state.author or supporter, "Only the author and supporters confirm or dispute.")
    settled = (state.status == "closed" and state.outcome == "confirmed") if agrees else state.status == "disputed"
    if settled or state.private.seconds.get(wish.by.id) == agrees:
        return []
    _still(state.status == "resolved", f"There is no resolution to answer: this request is {state.status}.")
    claimant = state.resolution is not None and state.resolution.by == wish.by
    _may(not (agrees and claimant), "Whoever claims a resolution does not confirm it.")
    seconded: list[Event] = []
    if wish.by != state.author:
        seconded = [event.ResolutionSeconded(at=wish.at, by=wish.by, agrees=agrees)]
        same = sum(1 for other in state.private.seconds.values() if other == agrees)
        if same + 1 < SECONDS_NEEDED:
            return seconded
    if agrees:
        return [*seconded, *close(wish, state, "confirmed")]
    note = wish.note if isinstance(wish, command.DisputeResolution) else ""
    return [*seconded, event.RequestDisputed(at=wish.at, by=wish.by, note=note)]


def cancel(wish: command.CancelRequest, state: Request) -> Sequence[Event]:
    """By the author, as long as nothing brought waits to be received."""
    _may(wish.by == state.author, "Only the author cancels a request.")
    if state.status == "closed" and state.outcome == "cancelled":
        return []
    return _end(wish, state, "cancelled", wish.reason)


def reject(wish: command.RejectRequest, state: Request) -> Sequence[Event]:
    """By an agency, with the reason."""
    _may(wish.by.kind == "agency", "Only an agency rejects a request.")
    if state.status == "closed" and state.outcome == "rejected":
        return []
    return _end(wish, state, "rejected", wish.reason)


def mark_duplicate(wish: command.MarkDuplicate, state: Request) -> Sequence[Event]:
    """By the author or an agency; whoever supports it follows to the original."""
    _may(wish.by == state.author or wish.by.kind == "agency", "Only the author or an agency marks a duplicate.")
    if wish.original == state.id:
        raise Invalid("duplicate_of", "A request is not a duplicate of itself.")
    if state.duplicate_of == wish.original:
        return []
    return _end(wish, state, "duplicate", "", wish.original)


def pass_time(wish: PassTime, state: Request) -> Sequence[Event]:
    """Silence closes a claim unconfirmed; an expiry ends what is still live."""
    if state.status == "resolved" and state.resolution is not None and state.resolution.confirm_by <= wish.at:
        return close(wish, state, "unconfirmed")
    if state.live and state.expires_at is not None and state.expires_at <= wish.at:
        return close(wish, state, "expired")
    return []


def close(
    wish: Command, state: Request, outcome: Outcome, reason: str = "", original: str | None = None
) -> list[Event]:
    """The end: what is only proposed or reserved is released, what was brought stays."""
    closed = event.RequestClosed(at=wish.at, by=wish.by, outcome=outcome, reason=reason, duplicate_of=original)
    return [*release_open(wish, state, f"The request is closed: {outcome}."), closed]


def _end(wish: Command, state: Request, outcome: Outcome, reason: str, original: str | None = None) -> Sequence[Event]:
    _still(state.status != "closed", f"This request is closed: {state.outcome}.")
    waiting = [each for each in state.contributions.values() if each.status == "delivered"]
    _still(not waiting, "Something was brought and waits to be received first.")
    return close(wish, state, outcome, reason, original)


def _works_on(party: Party, state: Request) -> bool:
    helps = any(
        each.by == party and each.status not in ("proposed", "released") for each in state.contributions.values()
    )
    return helps or party.kind in ("agency", "community")


def _may(allowed: bool, detail: str) -> None:
    if not allowed:
        raise Forbidden(detail)


def _still(possible: bool, detail: str) -> None:
    if not possible:
        raise Rejected(detail)
