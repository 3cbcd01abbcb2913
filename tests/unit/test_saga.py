"""Promises and contributions agree in the end, however late, repeated or out of step the messages between them are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.offers.domain import OFFER
from services.offers.domain import commands as offers
from services.offers.service import SERVICE as OFFERS
from services.requests.domain import REQUEST
from services.requests.domain import commands as requests
from services.requests.service import SERVICE as REQUESTS
from services.volunteering.domain.pledge import PLEDGE, DeliverPledge, WithdrawPledge
from services.volunteering.service import SERVICE as VOLUNTEERING
from shared.contracts.requests import RequestClosed
from shared.events import Party
from shared.membership import MEMBERSHIP_REACTIONS
from tests.given import (
    ANI,
    BUDI,
    CITRA,
    DAY,
    PABRIK,
    T0,
    TOKO,
    an_id,
    need_id,
    to_draft,
    to_hold,
    to_open,
    to_pledge,
    wish,
)
from tests.saga import REACTIONS, Saga

QUANTITIES = st.integers(1, 6)
NUMBERS = st.integers(0, 100)
Turn = Literal["approve", "receive", "decline", "deliver", "take back", "time out"]
TURNS = st.sampled_from(get_args(Turn))
_REQUESTER: dict[str, Any] = {
    "approve": requests.ApproveContribution,
    "receive": requests.ReceiveContribution,
    "decline": requests.DeclineContribution,
}
_HELPER: dict[str, Any] = {"deliver": DeliverPledge, "take back": WithdrawPledge}
_GIVER: dict[str, Any] = {"deliver": offers.DeliverSponsorship, "take back": offers.ReleaseSponsorship}


class TheSaga(RuleBasedStateMachine):
    """Two requests, pledges, an automatic and a chosen offer; messages are late, repeated and out of step."""

    def __init__(self) -> None:
        super().__init__()
        self.saga = Saga()
        self.pledges: list[str] = []
        self.sponsorships: list[str] = []

    @initialize(first=st.booleans(), budget=st.integers(3, 9), limit=st.none() | st.integers(2, 9))
    def begins(self, first: bool, budget: int, limit: int | None) -> None:
        self.saga.run(OFFER, an_id("auto"), to_draft(budget, automatic=True, per_request_limit=limit))
        self.saga.run(OFFER, an_id("chosen"), to_draft(budget, by=PABRIK))
        self.saga.run(REQUEST, an_id("r0"), to_open((20, "kg"), (9, "person")))
        if first:
            self.saga.settle()
        self.saga.run(REQUEST, an_id("r1"), to_open((12, "kg"), expires_at=T0 + 3 * DAY))

    @rule(who=st.sampled_from([BUDI, CITRA]), request=st.integers(0, 1), need=st.integers(0, 1), quantity=QUANTITIES)
    @precondition(lambda self: len(self.pledges) < 8)
    def pledge(self, who: Party, request: int, need: int, quantity: int) -> None:
        key, to = an_id(f"p{len(self.pledges)}"), an_id(f"r{request}")
        asked = to_pledge(quantity, by=who, at=self.saga.now, request_id=to, need_id=need_id(need, to))
        self.saga.run(PLEDGE, key, asked)
        self.pledges.append(key)

    @rule(request=st.integers(0, 1), quantity=QUANTITIES)
    @precondition(lambda self: len(self.sponsorships) < 8)
    def sponsor(self, request: int, quantity: int) -> None:
        each, to = f"s{len(self.sponsorships)}", an_id(f"r{request}")
        asked = to_hold(
            quantity, each, by=PABRIK, at=self.saga.now, request_id=to, need_id=need_id(0, to), day=self.saga.now
        )
        self.saga.ask(OFFER, an_id("chosen"), asked)
        self.sponsorships.append(each)

    @rule(number=NUMBERS, turn=TURNS)
    def one_side(self, number: int, turn: Turn) -> None:
        self.act(number, [turn])

    @rule(number=NUMBERS, turns=st.permutations(list(get_args(Turn))))
    def both_sides(self, number: int, turns: list[Turn]) -> None:
        """Before any message arrives, both sides decide about one promise."""
        self.act(number, turns[:3])

    def act(self, number: int, turns: Sequence[Turn]) -> None:
        there = [
            (key, each) for key in (an_id("r0"), an_id("r1")) for each in self.saga.states[key].contributions.values()
        ]
        if not there:
            return
        request, each = there[number % len(there)]
        for turn in turns:
            if turn in _REQUESTER:
                wished = wish(_REQUESTER[turn], ANI, self.saga.now, contribution_id=each.id)
                self.saga.ask(REQUEST, request, wished)
            elif turn == "time out":
                self.saga.pass_time("pledge" if each.source == "pledge" else "offer", 340)
            elif each.source == "pledge":
                self.saga.ask(PLEDGE, each.id, wish(_HELPER[turn], each.by, self.saga.now))
            else:
                more: dict[str, Any] = {"reason": "Back", "own": True} if turn == "take back" else {}
                wished = wish(_GIVER[turn], each.by, self.saga.now, sponsorship_id=each.id, **more)
                self.saga.ask(OFFER, an_id("auto" if each.by == TOKO else "chosen"), wished)

    @rule(request=st.integers(0, 1))
    @precondition(lambda self: len(self.pledges) > 4)
    def cancel(self, request: int) -> None:
        self.saga.ask(REQUEST, an_id(f"r{request}"), wish(requests.CancelRequest, ANI, self.saga.now))

    @rule(change=st.integers(-6, 3))
    @precondition(lambda self: len(self.sponsorships) > 1)
    def budget(self, change: int) -> None:
        self.saga.ask(OFFER, an_id("chosen"), wish(offers.ChangeBudget, PABRIK, self.saga.now, change=change))

    @rule(kind=st.sampled_from(["pledge", "offer", "request"]), hours=st.sampled_from([1, 1, 49, 340]))
    @precondition(lambda self: len(self.pledges) > 2)
    def time(self, kind: str, hours: int) -> None:
        self.saga.pass_time(kind, hours)

    @rule()
    def calm(self) -> None:
        """Every message arrives, and both sides agree."""
        self.saga.settle()
        self.saga.check_agreement()

    @rule(number=NUMBERS, count=st.integers(1, 6))
    def arrive(self, number: int, count: int) -> None:
        for _ in range(count):
            if waiting := self.saga.waiting():
                self.saga.hear(waiting[number % len(waiting)])

    @rule(number=NUMBERS, place=NUMBERS)
    def arrive_again(self, number: int, place: int) -> None:
        if heard := sorted(each for each, so_far in self.saga.heard.items() if so_far):
            reader = heard[number % len(heard)]
            self.saga.hear_again(reader, place % self.saga.heard[reader])

    @rule(number=NUMBERS, back=st.integers(1, 5))
    def the_batch_comes_again(self, number: int, back: int) -> None:
        if heard := sorted(each for each, so_far in self.saga.heard.items() if so_far):
            reader = heard[number % len(heard)]
            self.saga.heard[reader] = max(0, self.saga.heard[reader] - back)

    @invariant()
    def nothing_is_exceeded(self) -> None:
        self.saga.check()

    def teardown(self) -> None:
        self.saga.settle()
        self.saga.check()
        self.saga.check_agreement()


def test_the_saga_here_has_every_reaction_of_the_services() -> None:
    others = {*MEMBERSHIP_REACTIONS, RequestClosed}
    for service in (REQUESTS, VOLUNTEERING, OFFERS):
        assert set(service.subscribers) - others == set(REACTIONS[service.name])


TheSaga.TestCase.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
TestTheSaga = TheSaga.TestCase
