"""What becomes of a pledge: who may do what with it, and when it ends by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.requests.domain.commands import GiveSupport
from services.volunteering.domain.pledge import (
    ANSWER_WITHIN,
    LEASE,
    PLEDGE,
    AcceptPledge,
    CompletePledge,
    DeclinePledge,
    DeliverPledge,
    Pledge,
    WithdrawPledge,
)
from shared.contracts import volunteering as event
from shared.decider import Command, PassTime
from shared.errors import Forbidden, Invalid, NotFound, Rejected
from shared.events import SYSTEM
from tests.given import ANI, BUDI, DAY, HOUR, KEY, T0, Given, cells, need_id, to_pledge, wish

NOTHING = Given(PLEDGE)
OFFERED = NOTHING.but(to_pledge(5, note="In the evening"))
LATER = T0 + HOUR
ACCEPTED = OFFERED.but(wish(AcceptPledge, SYSTEM, LATER))
WITHDRAW = wish(WithdrawPledge, BUDI)
STATUSES = {
    "absent": NOTHING,
    "offered": OFFERED,
    "accepted": ACCEPTED,
    "delivered": ACCEPTED.but(wish(DeliverPledge, BUDI)),
    "completed": ACCEPTED.but(wish(CompletePledge, SYSTEM)),
    "declined": OFFERED.but(wish(DeclinePledge, SYSTEM, reason="Only 3 kg still missing.", missing=3)),
    "withdrawn": OFFERED.but(WITHDRAW),
    "expired": ACCEPTED.but(wish(PassTime, SYSTEM, LATER + LEASE)),
}
WISHES: dict[str, Command] = {
    "offer": to_pledge(5, note="In the evening"),
    "offer-other": to_pledge(fingerprint="other"),
    "accept": wish(AcceptPledge, SYSTEM, LATER),
    "decline": wish(DeclinePledge, SYSTEM, reason="No", missing=0),
    "complete": wish(CompletePledge, SYSTEM),
    "deliver": wish(DeliverPledge, BUDI),
    "withdraw": WITHDRAW,
    "time": wish(PassTime, SYSTEM, LATER),
    "time-after": wish(PassTime, SYSTEM, T0 + 365 * DAY),
}
LIFE = """
            absent  offered   accepted  delivered completed declined withdrawn expired
offer       Offered -         -         -         -         -        -         -
offer-other Offered Invalid   Invalid   Invalid   Invalid   Invalid  Invalid   Invalid
accept      none    Accepted  -         -         -         -        -         -
decline     none    Declined  Declined  -         -         -        -         -
complete    none    -         Completed Completed -         -        Completed Completed
deliver     none    no        Delivered -         -         no       no        no
withdraw    none    Withdrawn Withdrawn no        no        no       -         no
time        none    -         -         -         -         -        -         -
time-after  none    Expired   Expired   -         -         -        -         -
"""
SHORT = {"-": "-", "no": "Rejected", "none": "NotFound", "Invalid": "Invalid"}


@pytest.mark.parametrize(("name", "status", "expected"), list(cells(LIFE)))
def test_every_wish_has_one_answer_in_every_status(name: str, status: str, expected: str) -> None:
    assert STATUSES[status].outcome(WISHES[name]) == SHORT.get(expected, f"Pledge{expected}")


@pytest.mark.parametrize(
    ("name", "status"), [(name, status) for name, status, short in cells(LIFE) if short not in SHORT]
)
def test_a_repeated_wish_for_a_pledge_changes_nothing(name: str, status: str) -> None:
    assert STATUSES[status].but(WISHES[name]).when(WISHES[name]) == []


def test_the_statuses_are_those_of_the_glossary() -> None:
    assert {name: given.state.status for name, given in STATUSES.items()} == {name: name for name in STATUSES}


def test_a_pledge_keeps_its_note_between_the_two() -> None:
    (offered,) = NOTHING.when(to_pledge(5, note="In the evening"))
    assert isinstance(offered, event.PledgeOffered)
    assert (offered.request_id, offered.need_id, offered.quantity, offered.by) == (KEY, need_id(), 5, BUDI)
    state = OFFERED.state
    assert (state.private.note, state.private.fingerprint) == ("In the evening", "first")
    assert (state.offered_at, state.until, state.missing, state.reason) == (T0, None, None, None)
    untold = Given(PLEDGE, (offered.model_copy(update={"private": None}),))
    assert (PLEDGE.fold(KEY, untold.history).private.note, offered.until) == ("", None)


def test_a_pledge_cannot_be_over_before_it_begins() -> None:
    problem = NOTHING.refuses(to_pledge(until=T0), Invalid, "passed")
    assert isinstance(problem, Invalid)
    assert problem.field == "until"
    assert NOTHING.but(to_pledge(until=LATER)).state.until == LATER


@pytest.mark.parametrize("kind", [DeliverPledge, WithdrawPledge])
@pytest.mark.parametrize("status", ["offered", "accepted", "withdrawn", "delivered"])
def test_only_the_helper_brings_or_withdraws(kind: type[Command], status: str) -> None:
    STATUSES[status].refuses(wish(kind, ANI), Forbidden, "somebody else's pledge")


def test_a_refusal_names_the_status() -> None:
    OFFERED.refuses(wish(DeliverPledge, BUDI), Rejected, "This pledge is offered")
    NOTHING.refuses(WITHDRAW, NotFound, f"no pledge {KEY}")


def test_a_declined_pledge_says_why_and_what_is_missing() -> None:
    state = STATUSES["declined"].state
    assert (state.reason, state.missing) == ("Only 3 kg still missing.", 3)


def expiry(given: Given[Pledge]) -> float | None:
    due: float | None = PLEDGE.index(given.state)["due_at"]
    return due


def test_an_accepted_pledge_is_leased_for_two_days() -> None:
    assert LEASE == 2 * DAY
    until = LATER + LEASE
    assert (ACCEPTED.state.until, expiry(ACCEPTED)) == (until, until.timestamp())
    assert ACCEPTED.when(wish(PassTime, SYSTEM, until - timedelta(microseconds=1))) == []
    assert ACCEPTED.outcome(wish(PassTime, SYSTEM, until)) == "PledgeExpired"


def test_a_pledge_with_its_own_end_keeps_it() -> None:
    given = NOTHING.but(to_pledge(until=T0 + DAY))
    assert expiry(given) == (T0 + DAY).timestamp()
    accepted = given.but(wish(AcceptPledge, SYSTEM, LATER))
    assert (accepted.state.until, expiry(accepted)) == (T0 + DAY, (T0 + DAY).timestamp())
    assert given.outcome(wish(PassTime, SYSTEM, T0 + DAY)) == "PledgeExpired"


def test_an_offered_pledge_waits_a_week_for_approval() -> None:
    assert ANSWER_WITHIN == 7 * DAY
    assert expiry(OFFERED) == (T0 + ANSWER_WITHIN).timestamp()
    assert OFFERED.when(wish(PassTime, SYSTEM, T0 + ANSWER_WITHIN - timedelta(microseconds=1))) == []
    assert OFFERED.outcome(wish(PassTime, SYSTEM, T0 + ANSWER_WITHIN)) == "PledgeExpired"


@pytest.mark.parametrize("status", ["delivered", "completed", "declined", "withdrawn", "expired"])
def test_what_is_over_is_never_due(status: str) -> None:
    assert expiry(STATUSES[status]) is None


def test_a_pledge_is_found_by_helper_and_request() -> None:
    assert PLEDGE.index(OFFERED.state) == {
        "offered": int(T0.timestamp() * 1000),
        "status": "offered",
        "request_id": KEY,
        "helper": BUDI.id,
        "due_at": (T0 + ANSWER_WITHIN).timestamp(),
    }
    assert PLEDGE.index(NOTHING.state)["offered"] is None


def test_a_wish_for_something_else_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="GiveSupport"):
        OFFERED.when(wish(GiveSupport, BUDI))
