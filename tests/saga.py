"""The saga in pure form: the deciders of three services, and messages that are late, repeated and out of step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.offers.domain import OFFER
from services.offers.domain import commands as offers
from services.offers.domain.state import Offer
from services.requests.domain import REQUEST
from services.requests.domain import commands as requests
from services.requests.domain.state import Request
from services.volunteering.domain.pledge import PLEDGE, AcceptPledge, CompletePledge, DeclinePledge, Pledge
from shared.contracts.offers import SponsorshipDelivered, SponsorshipHeld, SponsorshipReleased
from shared.contracts.requests import (
    ContributionReceived,
    ContributionRefused,
    ContributionReleased,
    ContributionReserved,
    RequestOpened,
)
from shared.contracts.volunteering import PledgeDelivered, PledgeExpired, PledgeOffered, PledgeWithdrawn
from shared.decider import Command, Decider, PassTime
from shared.errors import Problem
from shared.events import SYSTEM, Event
from tests.given import HOUR, T0, replayed

Subject = tuple[Decider[Any], str]
Reader = tuple[str, str]

# Which contribution goes with which promise when no message is on its way any more. "released" beside "delivered":
# the request let it go before the news came that it was brought, and what was brought nobody takes back.
PLEDGES: Mapping[str, set[str]] = {
    "offered": {"proposed"},
    "accepted": {"reserved"},
    "delivered": {"delivered", "released"},
    "completed": {"received"},
    "declined": {"refused", "released"},
    "withdrawn": {"refused", "released"},
    "expired": {"refused", "released"},
}
SPONSORSHIPS: Mapping[str, set[str]] = {
    "committed": {"reserved"},
    "delivered": {"delivered", "released"},
    "settled": {"received"},
    "released": {"refused", "released"},
}


@dataclass
class Saga:
    """Aggregates, what happened to each in order, and how far each service has heard of it."""

    now: datetime = T0
    states: dict[str, Any] = field(default_factory=dict)
    deciders: dict[str, Decider[Any]] = field(default_factory=dict)
    histories: dict[str, list[Event]] = field(default_factory=dict)
    heard: dict[Reader, int] = field(default_factory=dict)
    # Sponsorships taken back whose receipt found the budget spent on others.
    spent: set[str] = field(default_factory=set)

    def run(self, decider: Decider[Any], key: str, wish: Command) -> Any:
        """What a service does with a wish; the new state."""
        self.deciders[key] = decider
        state, past = self.states.get(key, decider.initial(key)), self.histories.setdefault(key, [])
        for each in decider.decide(wish, state):
            state = decider.step(state, each)
            past.append(each)
            assert getattr(each, "available", None) in (None, getattr(state, "available", None)), each
        self.states[key] = state
        for service in _READERS[decider.kind]:
            self.heard.setdefault((service, key), 0)
        return state

    def ask(self, decider: Decider[Any], key: str, wish: Command) -> None:
        """What somebody wishes at a door, possible or not."""
        try:
            self.run(decider, key, wish)
        except Problem:
            return

    def waiting(self) -> list[Reader]:
        """Which services have something of which subject to hear."""
        return sorted(each for each, so_far in self.heard.items() if so_far < len(self.histories[each[1]]))

    def hear(self, reader: Reader) -> None:
        """The next message of one subject arrives. No reaction may fail."""
        self.hear_again(reader, self.heard[reader])
        self.heard[reader] += 1

    def hear_again(self, reader: Reader, place: int) -> None:
        """A message arrives, be it for the first time or once more."""
        service, subject = reader
        event = self.histories[subject][place]
        reaction = REACTIONS[service].get(type(event))
        if reaction is not None:
            reaction(self, subject, event)

    def settle(self) -> None:
        """Let every message arrive; they come to an end."""
        for _ in range(1_000):
            if not (waiting := self.waiting()):
                return
            for reader in waiting:
                self.hear(reader)
        raise AssertionError("the services answer each other without end")

    def pass_time(self, kind: str, hours: int) -> None:
        """Time goes on, and the timers of one kind of aggregate look."""
        self.now += hours * HOUR
        for key, decider in self.deciders.items():
            if decider.kind == kind:
                self.run(decider, key, PassTime(by=SYSTEM, at=self.now))

    def check(self) -> None:
        """Nothing promised is exceeded, at any moment."""
        for state in self.states.values():
            match state:
                case Request():
                    for need in state.needs:
                        assert min(need.reserved, need.delivered, need.received, need.missing) >= 0
                case Offer():
                    assert min(state.held, state.committed, state.delivered, state.settled, state.available) >= 0

    def check_agreement(self) -> None:
        """With no message on its way, both sides say the same; and a rebuild finds what there is."""
        for state in self.states.values():
            match state:
                case Pledge():
                    assert self._contribution(state.request_id, state.id) in PLEDGES[state.status], state
                case Offer():
                    for each in state.sponsorships.values():
                        allowed = SPONSORSHIPS[each.status] | ({"received"} if each.id in self.spent else set())
                        assert self._contribution(each.request_id, each.id) in allowed, each
        for key, past in self.histories.items():
            assert replayed(self.deciders[key], key, past) == self.states[key]

    def _contribution(self, request_id: str, contribution_id: str) -> str | None:
        request: Request = self.states[request_id]
        if contribution_id in request.private.refused:
            return "refused"
        found = request.contribution(contribution_id)
        return None if found is None else found.status


_READERS = {"request": ("volunteering", "offers"), "pledge": ("requests",), "offer": ("requests",)}


def _reserve_pledged(saga: Saga, subject: str, event: PledgeOffered) -> None:
    wish = requests.ReserveNeed(
        by=event.by,
        at=saga.now,
        contribution_id=subject,
        need_id=event.need_id,
        quantity=event.quantity,
        source="pledge",
    )
    saga.run(REQUEST, event.request_id, wish)


def _reserve_sponsored(saga: Saga, _: str, event: SponsorshipHeld) -> None:
    wish = requests.ReserveNeed(
        by=event.by,
        at=saga.now,
        contribution_id=event.sponsorship_id,
        need_id=event.need_id,
        quantity=event.quantity,
        source="sponsorship",
    )
    saga.run(REQUEST, event.request_id, wish)


def _deliver(saga: Saga, subject: str, event: PledgeDelivered | SponsorshipDelivered) -> None:
    each = event.sponsorship_id if isinstance(event, SponsorshipDelivered) else subject
    wish = requests.DeliverContribution(by=event.by, at=saga.now, contribution_id=each)
    saga.run(REQUEST, event.request_id, wish)


def _release(saga: Saga, subject: str, event: PledgeWithdrawn | PledgeExpired | SponsorshipReleased) -> None:
    each = event.sponsorship_id if isinstance(event, SponsorshipReleased) else subject
    wish = requests.ReleaseContribution(by=SYSTEM, at=saga.now, contribution_id=each, reason="Off")
    saga.run(REQUEST, event.request_id, wish)


def _accept(saga: Saga, _: str, event: ContributionReserved) -> None:
    if event.source == "pledge":
        saga.run(PLEDGE, event.contribution_id, AcceptPledge(by=SYSTEM, at=saga.now))


def _decline(saga: Saga, _: str, event: ContributionRefused | ContributionReleased) -> None:
    if event.source == "pledge":
        wish = DeclinePledge(by=SYSTEM, at=saga.now, reason=event.reason, missing=event.missing)
        saga.run(PLEDGE, event.contribution_id, wish)


def _complete(saga: Saga, _: str, event: ContributionReceived) -> None:
    if event.source == "pledge":
        saga.run(PLEDGE, event.contribution_id, CompletePledge(by=SYSTEM, at=saga.now))


def _offer_of(saga: Saga, event: Any) -> Offer | None:
    if event.source != "sponsorship":
        return None
    found = [each for each in saga.states.values() if isinstance(each, Offer)]
    return next(each for each in found if event.contribution_id in each.sponsorships)


def _hold(saga: Saga, offer: Offer, sponsorship: str, request: str, need: str, missing: int) -> int:
    opened = saga.states[request]
    wish = offers.HoldSponsorship(
        by=offer.by,
        at=saga.now,
        sponsorship_id=sponsorship,
        request_id=request,
        need_id=need,
        quantity=missing,
        day=saga.now.replace(hour=0),
        asking=offers.Asking(
            category=opened.category,
            area=opened.area,
            requester=opened.author.kind,
            units={each.id: each.unit for each in opened.needs},
        ),
        up_to=True,
    )
    held = saga.run(OFFER, offer.id, wish).sponsorships.get(sponsorship)
    return held.quantity if held else 0


def _sponsor_automatically(saga: Saga, subject: str, event: RequestOpened) -> None:
    for need in event.needs:
        missing = need.quantity
        for offer in [each for each in saga.states.values() if isinstance(each, Offer)]:
            fits = offer.status == "published" and offer.terms.automatic and offer.unit == need.unit
            if fits and missing > 0 and offer.by != event.author:
                missing -= _hold(saga, offer, f"auto {offer.id} {need.id}", subject, need.id, missing)


def _release_refused(saga: Saga, _: str, event: ContributionRefused) -> None:
    offer = _offer_of(saga, event)
    if offer is None:
        return
    refused = offer.sponsorships[event.contribution_id]
    wish = offers.ReleaseSponsorship(by=SYSTEM, at=saga.now, sponsorship_id=refused.id, reason=event.reason)
    saga.run(OFFER, offer.id, wish)
    if refused.automatic and 0 < event.missing < refused.quantity:
        _hold(saga, offer, f"{refused.id} again", refused.request_id, refused.need_id, event.missing)


def _commit(saga: Saga, _: str, event: ContributionReserved) -> None:
    if offer := _offer_of(saga, event):
        wish = offers.CommitSponsorship(by=SYSTEM, at=saga.now, sponsorship_id=event.contribution_id)
        saga.run(OFFER, offer.id, wish)


def _settle(saga: Saga, _: str, event: ContributionReceived) -> None:
    if offer := _offer_of(saga, event):
        wish = offers.SettleSponsorship(by=SYSTEM, at=saga.now, sponsorship_id=event.contribution_id)
        after = saga.run(OFFER, offer.id, wish)
        if after.sponsorships[event.contribution_id].status == "released":
            assert event.quantity > after.available
            saga.spent.add(event.contribution_id)


def _release_sponsorship(saga: Saga, _: str, event: ContributionReleased) -> None:
    if offer := _offer_of(saga, event):
        wish = offers.ReleaseSponsorship(
            by=SYSTEM, at=saga.now, sponsorship_id=event.contribution_id, reason=event.reason
        )
        saga.run(OFFER, offer.id, wish)


# What the subscribers of each service do, as plain functions.
REACTIONS: Mapping[str, Mapping[type[Event], Callable[[Saga, str, Any], None]]] = {
    "requests": {
        PledgeOffered: _reserve_pledged,
        PledgeDelivered: _deliver,
        PledgeWithdrawn: _release,
        PledgeExpired: _release,
        SponsorshipHeld: _reserve_sponsored,
        SponsorshipDelivered: _deliver,
        SponsorshipReleased: _release,
    },
    "volunteering": {
        ContributionReserved: _accept,
        ContributionRefused: _decline,
        ContributionReleased: _decline,
        ContributionReceived: _complete,
    },
    "offers": {
        RequestOpened: _sponsor_automatically,
        ContributionReserved: _commit,
        ContributionRefused: _release_refused,
        ContributionReceived: _settle,
        ContributionReleased: _release_sponsorship,
    },
}
