"""The offer aggregate: a budget in one unit, its rules, and the sponsorships held from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.offers.domain import commands as command
from services.offers.domain import sponsoring
from services.offers.domain.state import Offer, evolve
from shared.contracts import offers as event
from shared.contracts.offers import OfferKept
from shared.decider import Collection, Decider, Index, PassTime
from shared.errors import Forbidden, Invalid, NotFound, Rejected
from shared.events import Event
from shared.idempotency import same_or_other_body


def decide(wish: Any, state: Offer) -> Sequence[Event]:
    """The events that a command leads to."""
    match wish:
        case command.DraftOffer():
            return _draft(wish, state)
        case _ if not state.exists:
            raise NotFound(f"There is no offer {state.id}.")
        case command.HoldSponsorship():
            return sponsoring.hold(wish, state)
        case command.CommitSponsorship():
            return sponsoring.commit(wish, state)
        case command.DeliverSponsorship():
            return sponsoring.deliver(wish, state)
        case command.SettleSponsorship():
            return sponsoring.settle(wish, state)
        case command.ReleaseSponsorship():
            return sponsoring.release(wish, state)
        case PassTime():
            return [*sponsoring.expire(wish, state), *_run_out(wish, state)]
        case command.ChangeBudget():
            return _change_budget(wish, state)
        case _:
            return _turn(wish, state)


def _draft(wish: command.DraftOffer, state: Offer) -> Sequence[Event]:
    if state.exists:
        return same_or_other_body(state.private.fingerprint, wish.fingerprint)
    asked = wish.asked
    if asked.ends_at is not None and asked.ends_at <= wish.at:
        raise Invalid("ends_at", "This time has passed.")
    drafted = event.OfferDrafted(
        at=wish.at,
        title=asked.title,
        unit=asked.unit,
        budget=asked.budget,
        available=asked.budget,
        terms=asked.terms(),
        by=wish.by,
        private=OfferKept(fingerprint=wish.fingerprint),
    )
    return [drafted, event.OfferPublished(at=wish.at, by=wish.by)] if asked.publish else [drafted]


def _turn(wish: Any, state: Offer) -> Sequence[Event]:
    """Publish, pause, resume, close; by whoever gives."""
    _own(wish, state)
    match wish, state.status:
        case command.PublishOffer(), "draft":
            return [event.OfferPublished(at=wish.at, by=wish.by)]
        case command.PauseOffer(), "published":
            return [event.OfferPaused(at=wish.at, by=wish.by)]
        case command.ResumeOffer(), "paused":
            return [event.OfferResumed(at=wish.at, by=wish.by)]
        case command.CloseOffer(), "draft" | "published" | "paused":
            return [event.OfferClosed(at=wish.at, by=wish.by)]
        case (
            (command.PublishOffer() | command.ResumeOffer(), "published")
            | (command.PauseOffer(), "paused")
            | (command.CloseOffer(), "closed")
        ):
            return []
    raise Rejected(f"This offer is {state.status}.")


def _change_budget(wish: command.ChangeBudget, state: Offer) -> Sequence[Event]:
    _own(wish, state)
    if state.status == "closed":
        raise Rejected("This offer is closed.")
    if wish.change == 0:
        return []
    budget = state.budget + wish.change
    if budget < state.promised or budget < 1:
        raise Rejected(f"{state.promised} {state.unit} are promised already.", promised=state.promised)
    changed = event.OfferBudgetChanged(
        at=wish.at, by=wish.by, change=wish.change, budget=budget, available=budget - state.promised
    )
    return [changed]


def _run_out(wish: PassTime, state: Offer) -> list[Event]:
    """The window is over."""
    ends = state.terms.ends_at
    if state.status == "closed" or ends is None or ends > wish.at:
        return []
    return [event.OfferClosed(at=wish.at, by=wish.by)]


def _own(wish: Any, state: Offer) -> None:
    if wish.by != state.by:
        raise Forbidden("This is somebody else's offer.")


def index(state: Offer) -> Index:
    """By giver and status, newest first; by sponsorship and sponsored request; the automatic ones by unit."""
    drafted = state.drafted_at and int(state.drafted_at.timestamp() * 1000)
    tags = {"all", f"by:{state.by.id}"} if state.exists else set()
    if state.status == "published" and state.terms.automatic:
        tags.add(f"automatic:{state.unit}")
    for each in state.sponsorships.values():
        tags |= {f"sponsorship:{each.id}", f"request:{each.request_id}"}
    times = [sponsoring.first_due(state), None if state.status == "closed" else state.terms.ends_at]
    due = min((time.timestamp() for time in times if time is not None), default=None)
    return {"drafted": drafted, "status": state.status, "due_at": due, "tags": tags}


OFFER: Decider[Offer] = Decider(
    collection=Collection("offer", ("drafted", "status", "due_at"), (("due_at",),), ordered_by="drafted"),
    state=Offer,
    decide=decide,
    evolve=evolve,
    events=event.EVENTS,
    index=index,
)
