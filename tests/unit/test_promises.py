"""Whatever is wished, repeated or lost, in any order: no need, budget or role is exceeded, and history tells all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.offers.domain import OFFER
from services.offers.domain import commands as offers
from services.requests.domain import REQUEST
from services.requests.domain import commands as requests
from services.volunteering.domain import activity_commands as activities
from services.volunteering.domain.activity import ACTIVITY
from shared.contracts import offers as offered
from shared.contracts import requests as happened
from shared.decider import Command, Decider, PassTime, private_json, public_json
from shared.errors import Problem
from shared.events import SYSTEM, Event, Party
from shared.text import Unit
from tests.given import (
    ANI,
    BUDI,
    CITRA,
    DAY,
    DINAS,
    HOUR,
    KEY,
    MASJID,
    T0,
    TOKO,
    an_id,
    replayed,
    to_draft,
    to_hold,
    to_open,
    to_plan,
    wish,
)

MODERATE = settings(max_examples=100, stateful_step_count=40, deadline=None)
NUMBERS = st.integers(0, 100)
SHARES = st.sampled_from([1, 2, 2, 3, 3, 4, 5])
CROWD = st.sampled_from([ANI, BUDI, CITRA, DINAS, MASJID])
SOURCES = st.sampled_from(["pledge", "pledge", "sponsorship"])
PEOPLE = [Party(kind="resident", id=f"person {number}") for number in range(7)]


def part(whole: int, share: int) -> int:
    """All of what there is, a half, a third ... or, for a share of 1, one more than all of it."""
    return whole + 1 if share == 1 else max(1, whole // (share - 1))


class Aggregate(RuleBasedStateMachine):
    """One aggregate and its past. What changed something changes nothing when it is wished again at once."""

    decider: ClassVar[Decider[Any]]

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.past: list[Event] = []
        self.state: Any = self.decider.initial(KEY)

    def do(self, asked: Command) -> Sequence[Event]:
        """Run a wish, possible or not."""
        try:
            events = self.decider.decide(asked, self.state)
        except Problem:
            return ()
        for each in events:
            self.state = self.decider.step(self.state, each)
            self.past.append(each)
            self.told(each)
        if not getattr(asked, "note", ""):
            assert not events or list(self.decider.decide(asked, self.state)) == []
        return events

    def told(self, event: Event) -> None:
        """Checks an event against the state right after it."""

    def wait(self, hours: int) -> None:
        """Time goes on; whatever was due is not due any more."""
        self.now += hours * HOUR
        self.do(PassTime(by=SYSTEM, at=self.now))
        due = self.decider.index(self.state).get("due_at")
        assert due is None or due > self.now.timestamp()

    def teardown(self) -> None:
        assert self.decider.fold(KEY, self.past) == self.state
        again = replayed(self.decider, KEY, self.past)
        assert again.model_dump() == self.state.model_dump()
        assert again.private.model_dump() == self.state.private.model_dump()
        assert self.decider.parse(public_json(self.state), private_json(self.state)) == self.state


class AnyRequest(Aggregate):
    """What may happen to every request, and what holds for all of them."""

    decider = REQUEST

    @rule(kind=st.sampled_from([requests.GiveSupport, requests.ReportProgress]), by=CROWD)
    def live(self, kind: type[Command], by: Party) -> None:
        self.do(wish(kind, by, self.now))

    @rule(kind=st.sampled_from([requests.CancelRequest, requests.RejectRequest]))
    @precondition(lambda self: len(self.past) > 10)
    def end(self, kind: type[Command]) -> None:
        more = {"reason": "No"} if kind is requests.RejectRequest else {}
        self.do(wish(kind, DINAS if more else ANI, self.now, **more))

    @rule(hours=st.sampled_from([1, 4, 30, 200]))
    @precondition(lambda self: len(self.past) > 6)
    def time(self, hours: int) -> None:
        self.wait(hours)

    def told(self, event: Event) -> None:
        if isinstance(event, happened.ContributionReleased | happened.ContributionRefused):
            need = self.state.need(event.need_id)
            refused_at_once = isinstance(event, happened.ContributionRefused) and not self.state.live
            assert event.missing == (0 if need is None or refused_at_once else need.missing)

    @invariant()
    def no_need_is_exceeded(self) -> None:
        for need in self.state.needs:
            mine = [each for each in self.state.contributions.values() if each.need_id == need.id]
            for status in ("reserved", "delivered", "received"):
                assert getattr(need, status) == sum(each.quantity for each in mine if each.status == status)
            assert 0 <= need.reserved + need.delivered + need.received <= need.quantity

    @invariant()
    def the_end_is_the_end(self) -> None:
        closed = [each for each in self.past if isinstance(each, happened.RequestClosed)]
        assert len(closed) == (self.state.status == "closed")
        if self.state.status == "closed":
            assert not [each for each in self.state.contributions.values() if each.status in ("proposed", "reserved")]
        if self.state.outcome == "fulfilled":
            assert self.state.needs
            assert all(need.received == need.quantity for need in self.state.needs)


class AnyHelp(AnyRequest):
    """A request with one or two needs, and those who promise something."""

    @initialize(
        needs=st.lists(
            st.tuples(st.integers(3, 12), st.sampled_from(["kg", "person", "person"])), min_size=1, max_size=2
        ),
        expires=st.sampled_from([None, T0 + 2 * DAY]),
    )
    def opens(self, needs: list[tuple[int, Unit]], expires: Any) -> None:
        self.do(to_open(*needs, expires_at=expires))

    def reserve(self, need: int, quantity: int, source: Any, by: Party, number: int) -> None:
        asked = wish(
            requests.ReserveNeed,
            by,
            self.now,
            contribution_id=f"c{number}",
            need_id=self.state.needs[need % len(self.state.needs)].id,
            quantity=quantity,
            source=source,
        )
        self.do(asked)

    @rule(need=st.integers(0, 1), share=SHARES, source=SOURCES, by=st.sampled_from([BUDI, CITRA, TOKO]))
    def promise(self, need: int, share: int, source: Any, by: Party) -> None:
        missing = self.state.needs[need % len(self.state.needs)].missing
        number = len(self.state.contributions) + len(self.state.private.refused)
        self.reserve(need, part(missing, share), source, by, number)

    @rule(need=st.integers(0, 1), by=st.sampled_from([ANI, BUDI]), number=st.integers(0, 5), source=SOURCES)
    def promise_again(self, need: int, by: Party, number: int, source: Any) -> None:
        self.reserve(need, 1, source, by, number)

    def move(self, number: int, kind: type[Command], by: Party = ANI, **more: Any) -> None:
        if there := list(self.state.contributions):
            self.do(wish(kind, by, self.now, contribution_id=there[number % len(there)], **more))

    @rule(number=NUMBERS)
    def approve(self, number: int) -> None:
        self.move(number, requests.ApproveContribution)

    @rule(number=NUMBERS)
    def deliver(self, number: int) -> None:
        self.move(number, requests.DeliverContribution, BUDI)

    @rule(number=NUMBERS)
    def receive(self, number: int) -> None:
        self.move(number, requests.ReceiveContribution)

    @rule(number=NUMBERS)
    def decline(self, number: int) -> None:
        self.move(number, requests.DeclineContribution)

    @rule(number=NUMBERS)
    def release(self, number: int) -> None:
        self.move(number, requests.ReleaseContribution, SYSTEM, reason="Off")


class AnyReport(AnyRequest):
    """A request without needs: somebody says that it is solved, others agree or do not."""

    @initialize(expires=st.sampled_from([None, T0 + 2 * DAY]))
    def opens(self, expires: Any) -> None:
        self.do(to_open(expires_at=expires))

    @rule(by=CROWD)
    def claim(self, by: Party) -> None:
        self.do(wish(requests.ClaimResolution, by, self.now, note="Done"))

    @rule(kind=st.sampled_from([requests.ConfirmResolution, requests.DisputeResolution]), by=CROWD)
    def answer(self, kind: type[Command], by: Party) -> None:
        self.do(wish(kind, by, self.now))

    @invariant()
    def nobody_closes_a_report_alone_but_its_author(self) -> None:
        closed = self.past[-1] if self.past and self.state.outcome == "confirmed" else None
        if isinstance(closed, happened.RequestClosed) and closed.by != ANI:
            agreed = {party for party, agrees in self.state.private.seconds.items() if agrees}
            assert len(agreed - {self.state.resolution.by.id}) == 2


class AnyOffer(Aggregate):
    """An offer with limits, its giver, and needs that answer."""

    decider = OFFER

    @initialize(
        budget=st.integers(5, 40),
        limits=st.fixed_dictionaries(
            {name: st.none() | st.integers(3, 30) for name in ("per_request_limit", "per_area_limit", "per_day_limit")}
        ),
        ends=st.sampled_from([None, T0 + 3 * DAY]),
    )
    def drafts(self, budget: int, limits: dict[str, Any], ends: Any) -> None:
        self.do(to_draft(budget, ends_at=ends, **limits))

    @rule(share=SHARES, up_to=st.booleans(), request=st.integers(0, 1), again=st.none() | NUMBERS)
    def hold(self, share: int, up_to: bool, request: int, again: int | None) -> None:
        began, quantity = self.now.replace(hour=0), part(self.state.available, share)
        each = f"s{len(self.state.sponsorships) if again is None else again % 8}"
        self.do(to_hold(quantity, each, at=self.now, up_to=up_to, request_id=an_id(f"request {request}"), day=began))

    @rule(
        number=NUMBERS,
        kind=st.sampled_from([offers.CommitSponsorship, offers.DeliverSponsorship, offers.SettleSponsorship]),
    )
    def move(self, number: int, kind: type[Command]) -> None:
        if there := list(self.state.sponsorships):
            self.do(wish(kind, TOKO, self.now, sponsorship_id=there[number % len(there)]))

    @rule(number=NUMBERS, own=st.booleans())
    def release(self, number: int, own: bool) -> None:
        if there := list(self.state.sponsorships):
            each = there[number % len(there)]
            self.do(wish(offers.ReleaseSponsorship, TOKO, self.now, sponsorship_id=each, reason="Off", own=own))

    @rule(share=SHARES, sign=st.sampled_from([-1, 1]))
    def budget(self, share: int, sign: int) -> None:
        before, by = self.state.budget, sign * part(self.state.available, share)
        try:
            events = OFFER.decide(wish(offers.ChangeBudget, TOKO, self.now, change=by), self.state)
        except Problem:
            return
        for each in events:
            self.state = OFFER.step(self.state, each)
            self.past.append(each)
            self.told(each)
        assert self.state.budget == before + by

    @rule(kind=st.sampled_from([offers.PauseOffer, offers.ResumeOffer, offers.ResumeOffer, offers.CloseOffer]))
    @precondition(lambda self: len(self.past) > 6)
    def turn(self, kind: type[Command]) -> None:
        self.do(wish(kind, TOKO, self.now))

    @rule(hours=st.sampled_from([1, 4, 25, 400]))
    def time(self, hours: int) -> None:
        self.wait(hours)

    def told(self, event: Event) -> None:
        assert getattr(event, "available", self.state.available) == self.state.available, event

    @invariant()
    def no_budget_is_exceeded(self) -> None:
        state = self.state
        for status in ("held", "committed", "delivered", "settled"):
            mine = [each.quantity for each in state.sponsorships.values() if each.status == status]
            assert getattr(state, status) == sum(mine)
        assert 0 <= state.held + state.committed + state.delivered + state.settled <= state.budget

    @invariant()
    def the_ledger_adds_up(self) -> None:
        balance = 0
        for each in self.past:
            match each:
                case offered.OfferDrafted():
                    balance += each.budget
                case offered.OfferBudgetChanged():
                    balance += each.change
                case offered.SponsorshipHeld():
                    balance -= each.quantity
                case offered.SponsorshipReleased():
                    balance += each.quantity
        assert balance == self.state.available


class AnyActivity(Aggregate):
    """An activity with one or two roles, beside a plain list of who stands where."""

    decider = ACTIVITY

    @initialize(capacities=st.lists(st.integers(1, 2), min_size=1, max_size=2))
    def plans(self, capacities: list[int]) -> None:
        self.do(to_plan(*capacities))
        # Per role, everybody in the order in which they came: the first ones have the places.
        self.lines: dict[str, list[str]] = {role.name: [] for role in self.state.roles}

    @rule(who=st.sampled_from(PEOPLE), role=st.integers(0, 1))
    def join(self, who: Party, role: int) -> None:
        name = f"role {role % len(self.state.roles)}"
        if self.do(wish(activities.JoinActivity, who, self.now, person=who.id, role=name)):
            self.lines[name].append(who.id)

    @rule(who=st.sampled_from(PEOPLE))
    def leave(self, who: Party) -> None:
        if self.do(wish(activities.LeaveActivity, who, self.now, person=who.id)):
            self.lines = {role: [each for each in line if each != who.id] for role, line in self.lines.items()}

    @rule(who=st.sampled_from(PEOPLE), by=st.sampled_from([ANI, *PEOPLE]))
    def check_in(self, who: Party, by: Party) -> None:
        self.do(wish(activities.CheckIn, by, self.now, person=who.id))

    @rule(by=st.sampled_from([ANI, *PEOPLE]))
    @precondition(lambda self: len(self.past) > 12)
    def cancel(self, by: Party) -> None:
        self.do(wish(activities.CancelActivity, by, self.now))

    @rule(hours=st.sampled_from([1, 3, 12]))
    @precondition(lambda self: len(self.past) > 8)
    def time(self, hours: int) -> None:
        self.wait(hours)

    @invariant()
    def the_first_ones_have_the_places_and_the_others_wait_in_order(self) -> None:
        people = [each.person for each in self.state.private.volunteers.values()]
        assert len(people) == len(set(people))
        for role in self.state.roles:
            line = self.lines[role.name]
            taken = [
                each for each in self.state.private.volunteers.values() if each.role == role.name and each.place == "in"
            ]
            assert {each.person for each in taken} == set(line[: role.capacity])
            assert self.state.queue(role.name) == line[role.capacity :]
            assert (role.taken, role.waiting) == (len(taken), len(line) - len(taken))
            assert role.taken <= role.capacity


AnyHelp.TestCase.settings = settings(MODERATE, max_examples=150)
AnyReport.TestCase.settings = MODERATE
AnyOffer.TestCase.settings = MODERATE
AnyActivity.TestCase.settings = MODERATE
TestAnyHelp = AnyHelp.TestCase
TestAnyReport = AnyReport.TestCase
TestAnyOffer = AnyOffer.TestCase
TestAnyActivity = AnyActivity.TestCase
