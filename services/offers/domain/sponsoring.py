"""Decides what an offer may give to whom, and what becomes of each sponsorship."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.offers.domain import commands as command
from services.offers.domain.state import Offer, Sponsorship
from shared.contracts import offers as event
from shared.contracts.offers import OfferTerms
from shared.decider import Command, PassTime
from shared.errors import Forbidden, NotFound, Rejected
from shared.events import Event

# The need answers within milliseconds; a day covers every fault on the way.
ANSWER_WITHIN = timedelta(days=1)
DELIVER_WITHIN = timedelta(days=14)
MOST_SPONSORSHIPS = 20_000


def hold(wish: command.HoldSponsorship, state: Offer) -> Sequence[Event]:
    """Within the budget and every limit; all or nothing, or (`up_to`) as much as there is."""
    if wish.sponsorship_id in state.sponsorships:
        return []
    if wish.by != state.by:
        raise Forbidden("This is somebody else's offer.")
    reason = _unfit(wish, state)
    left = 0 if reason else _left(wish, state)
    if wish.up_to:
        quantity = min(wish.quantity, left)
        return [_held(wish, state, quantity)] if quantity > 0 else []
    if reason:
        raise Rejected(reason)
    if wish.quantity > left:
        raise Rejected(f"This offer can give {left} {state.unit} here now.", available=left)
    return [_held(wish, state, wish.quantity)]


def _unfit(wish: command.HoldSponsorship, state: Offer) -> str | None:
    terms, asking = state.terms, wish.asking
    if state.status != "published":
        return f"This offer is {state.status}."
    if terms.starts_at and wish.at < terms.starts_at:
        return "This offer has not begun."
    if terms.ends_at and wish.at >= terms.ends_at:
        return "This offer is over."
    if len(state.sponsorships) >= MOST_SPONSORSHIPS:
        return f"This offer has {MOST_SPONSORSHIPS} sponsorships; publish another one."
    unit = asking.units.get(wish.need_id, state.unit) if asking else state.unit
    if unit != state.unit:
        return f"This need is in {unit}, the offer in {state.unit}."
    return _unfit_request(terms, asking)


def _unfit_request(terms: OfferTerms, asking: command.Asking | None) -> str | None:
    if asking is None:
        chooses = terms.categories or terms.areas or terms.requester_kinds or terms.per_area_limit is not None
        return "This request is not known here." if chooses else None
    if terms.categories and asking.category not in terms.categories:
        return f"This offer is not for the category {asking.category}."
    if terms.areas and not any(_within(asking.area, area) for area in terms.areas):
        return "This offer is not for this area."
    if terms.requester_kinds and asking.requester not in terms.requester_kinds:
        return f"This offer is not for a {asking.requester}."
    return None


def _left(wish: command.HoldSponsorship, state: Offer) -> int:
    """What the budget and each limit leave, the least of them."""
    live = [each for each in state.sponsorships.values() if each.status != "released"]
    terms = state.terms
    spent = [(state.budget, state.promised)]
    if terms.per_request_limit is not None:
        spent.append((terms.per_request_limit, sum(e.quantity for e in live if e.request_id == wish.request_id)))
    if terms.per_area_limit is not None:
        area = wish.asking and wish.asking.area
        spent.append((terms.per_area_limit, sum(e.quantity for e in live if e.area == area)))
    if terms.per_day_limit is not None:
        spent.append((terms.per_day_limit, sum(e.quantity for e in live if e.held_at >= wish.day)))
    return max(0, min(limit - so_far for limit, so_far in spent))


def _within(area: str | None, wider: str) -> bool:
    return area is not None and (area == wider or area.startswith(wider + "."))


def _held(wish: command.HoldSponsorship, state: Offer, quantity: int) -> Event:
    return event.SponsorshipHeld(
        at=wish.at,
        sponsorship_id=wish.sponsorship_id,
        request_id=wish.request_id,
        need_id=wish.need_id,
        quantity=quantity,
        available=state.available - quantity,
        by=state.by,
        area=wish.asking and wish.asking.area,
        automatic=wish.up_to,
        until=wish.at + ANSWER_WITHIN,
    )


def commit(wish: command.CommitSponsorship, state: Offer) -> Sequence[Event]:
    """The need took what was held."""
    each = state.sponsorships.get(wish.sponsorship_id)
    if each is None or each.status != "held":
        return []
    return [event.SponsorshipCommitted(**_about(wish, state, each), until=wish.at + DELIVER_WITHIN)]


def deliver(wish: command.DeliverSponsorship, state: Offer) -> Sequence[Event]:
    """By the giver, once the need has taken it."""
    each = _own(wish, state, wish.sponsorship_id)
    if each.status in ("delivered", "settled"):
        return []
    if each.status != "committed":
        raise Rejected(f"This sponsorship is {each.status}.")
    return [event.SponsorshipDelivered(**_about(wish, state, each))]


def settle(wish: command.SettleSponsorship, state: Offer) -> Sequence[Event]:
    """The requester has it, even where the giver forgot to say that it was brought.

    A release that crossed the receipt on its way is undone as far as the budget allows.
    """
    each = state.sponsorships.get(wish.sponsorship_id)
    if each is None or each.status == "settled":
        return []
    if each.status != "released":
        return [event.SponsorshipSettled(**_about(wish, state, each))]
    if each.quantity > state.available:
        return []
    about = {**_about(wish, state, each), "available": state.available - each.quantity}
    again = event.SponsorshipHeld(**about, area=each.area, automatic=each.automatic, until=wish.at + ANSWER_WITHIN)
    return [again, event.SponsorshipSettled(**about)]


def release(wish: command.ReleaseSponsorship, state: Offer) -> Sequence[Event]:
    """Off: the budget has it back. What was brought can be taken back by nobody's wish."""
    if wish.own:
        each: Sponsorship | None = _own(wish, state, wish.sponsorship_id)
        if each and each.status in ("delivered", "settled"):
            raise Rejected(f"This sponsorship is {each.status}.")
    else:
        each = state.sponsorships.get(wish.sponsorship_id)
    if each is None or each.status not in ("held", "committed"):
        return []
    return [released(wish, state, each, wish.reason)]


def expire(wish: PassTime, state: Offer) -> list[Event]:
    """Every hold ends: what was not taken, or not delivered, in time."""
    events: list[Event] = []
    back = 0
    for each in state.sponsorships.values():
        if each.due_at is not None and each.due_at <= wish.at:
            events.append(released(wish, state, each, "It was not delivered in time.", back))
            back += each.quantity
    return events


def released(wish: Command, state: Offer, each: Sponsorship, reason: str, back: int = 0) -> Event:
    """The release of one; `back` is what others released by the same command gave back already."""
    about = {**_about(wish, state, each), "available": state.available + back + each.quantity}
    return event.SponsorshipReleased(**about, reason=reason)


def first_due(state: Offer) -> datetime | None:
    """When the next hold ends."""
    return min((each.due_at for each in state.sponsorships.values() if each.due_at is not None), default=None)


def _own(wish: Command, state: Offer, sponsorship_id: str) -> Sponsorship:
    if wish.by != state.by:
        raise Forbidden("This is somebody else's offer.")
    each = state.sponsorships.get(sponsorship_id)
    if each is None:
        raise NotFound(f"There is no sponsorship {sponsorship_id}.")
    return each


def _about(wish: Command, state: Offer, each: Sponsorship) -> dict[str, Any]:
    return {
        "at": wish.at,
        "sponsorship_id": each.id,
        "request_id": each.request_id,
        "need_id": each.need_id,
        "quantity": each.quantity,
        "available": state.available,
        "by": each.by,
    }
