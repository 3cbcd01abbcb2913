"""Decides how contributions are reserved, delivered, received and released; never more than a need asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.requests.domain import commands as command
from services.requests.domain.state import Contribution, Need, Request
from shared.contracts import requests as event
from shared.decider import Command
from shared.errors import Forbidden, NotFound, Rejected
from shared.events import Event

MOST_CONTRIBUTIONS = 10_000


def decide(wish: Any, state: Request) -> Sequence[Event]:
    """The events that a command about a contribution leads to."""
    match wish:
        case command.ReserveNeed():
            return reserve(wish, state)
        case command.ApproveContribution():
            return approve(wish, state)
        case command.DeclineContribution():
            return decline(wish, state)
        case command.DeliverContribution():
            return deliver(wish, state)
        case command.ReceiveContribution():
            return receive(wish, state)
        case command.ReleaseContribution():
            return release(wish, state)
    raise TypeError(f"a request takes no {type(wish).__name__}")


def reserve(wish: command.ReserveNeed, state: Request) -> Sequence[Event]:
    """Reserved, or proposed where the requester wants to approve, or refused with what is missing."""
    if state.contribution(wish.contribution_id) or wish.contribution_id in state.private.refused:
        return []
    asked: dict[str, Any] = {
        "at": wish.at,
        "contribution_id": wish.contribution_id,
        "need_id": wish.need_id,
        "quantity": wish.quantity,
        "source": wish.source,
        "by": wish.by,
    }
    need = state.need(wish.need_id)
    if refusal := _refusal(wish, state, need):
        missing = need.missing if need and state.live else 0
        return [event.ContributionRefused(**asked, reason=refusal, missing=missing)]
    waits = need is not None and need.approval == "by_requester" and wish.source == "pledge"
    return [event.ContributionProposed(**asked) if waits else event.ContributionReserved(**asked)]


def _refusal(wish: command.ReserveNeed, state: Request, need: Need | None) -> str | None:
    if not state.exists:
        return "There is no such request."
    if not state.live:
        return f"The request is {state.status}."
    if need is None:
        return "The request has no such need."
    if wish.by == state.author:
        return "This is your own request."
    if wish.quantity > need.missing:
        return f"Only {need.missing} {need.unit} of {need.label} still missing."
    if len(state.contributions) >= MOST_CONTRIBUTIONS:
        return f"This request has {MOST_CONTRIBUTIONS} contributions already."
    return None


def approve(wish: command.ApproveContribution, state: Request) -> Sequence[Event]:
    """The requester takes what was proposed, as far as it still fits."""
    each = _own(wish, state, wish.contribution_id)
    if each.status in ("reserved", "delivered", "received"):
        return []
    need = _need(state, each)
    if each.status == "released":
        raise Rejected("This contribution is off.")
    if not state.live:
        raise Rejected(f"This request is {state.status}.")
    if each.quantity > need.missing:
        raise Rejected(f"Only {need.missing} {need.unit} of {need.label} still missing.", missing=need.missing)
    return [event.ContributionReserved(**_about(wish, each))]


def decline(wish: command.DeclineContribution, state: Request) -> Sequence[Event]:
    """The requester does not take it."""
    each = _own(wish, state, wish.contribution_id)
    if each.status == "released":
        return []
    if each.status in ("delivered", "received"):
        raise Rejected("This was brought already.")
    return [_released(wish, state, each, wish.reason or "The requester declined.")]


def deliver(wish: command.DeliverContribution, state: Request) -> Sequence[Event]:
    """The helper brought it; said of anything not reserved, it changes nothing."""
    each = state.contribution(wish.contribution_id)
    if each is None or each.status != "reserved":
        return []
    return [event.ContributionDelivered(**_about(wish, each))]


def receive(wish: command.ReceiveContribution, state: Request) -> Sequence[Event]:
    """The requester has it, even where the helper forgot to say so; the last one fulfils the request."""
    each = _own(wish, state, wish.contribution_id)
    if each.status == "received":
        return []
    if each.status not in ("reserved", "delivered"):
        raise Rejected(f"This contribution is {each.status}.")
    about = _about(wish, each)
    brought = [event.ContributionDelivered(**about)] if each.status == "reserved" else []
    got: list[Event] = [*brought, event.ContributionReceived(**about)]
    if state.status == "closed" or not _all_received(state, each):
        return got
    left = release_open(wish, state, "The request is fulfilled.", besides=each.id)
    return [*got, *left, event.RequestClosed(at=wish.at, by=wish.by, outcome="fulfilled")]


def release(wish: command.ReleaseContribution, state: Request) -> Sequence[Event]:
    """The pledge or sponsorship is off; what was brought stays brought."""
    each = state.contribution(wish.contribution_id)
    if each is None or each.status not in ("proposed", "reserved"):
        return []
    return [_released(wish, state, each, wish.reason)]


def release_open(wish: Command, state: Request, reason: str, besides: str | None = None) -> list[Event]:
    """Releases of everything that is only proposed or reserved."""
    events: list[Event] = []
    back = dict.fromkeys((need.id for need in state.needs), 0)
    for each in state.contributions.values():
        if each.status in ("proposed", "reserved") and each.id != besides:
            events.append(_released(wish, state, each, reason, back[each.need_id]))
            back[each.need_id] += each.quantity if each.status == "reserved" else 0
    return events


def _released(wish: Command, state: Request, each: Contribution, reason: str, back: int = 0) -> Event:
    """The release of one; `back` is what others released by the same command gave back to its need already."""
    missing = _need(state, each).missing + back + (each.quantity if each.status == "reserved" else 0)
    return event.ContributionReleased(**_about(wish, each), reason=reason, missing=missing)


def _all_received(state: Request, last: Contribution) -> bool:
    return all(
        need.received + (last.quantity if need.id == last.need_id else 0) == need.quantity for need in state.needs
    )


def _own(wish: Command, state: Request, contribution_id: str) -> Contribution:
    if wish.by != state.author:
        raise Forbidden("Only the author of the request decides about its contributions.")
    each = state.contribution(contribution_id)
    if each is None:
        raise NotFound(f"This request has no contribution {contribution_id}.")
    return each


def _need(state: Request, each: Contribution) -> Need:
    need = state.need(each.need_id)
    assert need is not None, "a contribution is only taken for a need of its request"
    return need


def _about(wish: Command, each: Contribution) -> dict[str, Any]:
    return {
        "at": wish.at,
        "contribution_id": each.id,
        "need_id": each.need_id,
        "quantity": each.quantity,
        "source": each.source,
        "by": each.by,
    }
