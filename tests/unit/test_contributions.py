"""What becomes of contributions to the needs of a request: never more than is asked for, and nothing twice."""

from __future__ import annotations

import pytest

from services.requests.domain import REQUEST
from services.requests.domain import commands as c
from services.requests.domain.state import Request
from shared.contracts import requests as event
from shared.contracts.requests import ContributionSource
from shared.decider import Command, PassTime
from shared.errors import Rejected
from shared.events import SYSTEM, Party
from tests.given import ANI, BUDI, CITRA, DAY, HOUR, T0, TOKO, Given, cells, need_id, to_open, wish

RICE, HANDS = need_id(0), need_id(1)
ASKED = Given(REQUEST).but(to_open((50, "kg"), (4, "person"), expires_at=T0 + DAY))


def reserve(
    quantity: int, who: str = "p1", *, by: Party = BUDI, need: str = RICE, source: ContributionSource = "pledge"
) -> Command:
    return wish(c.ReserveNeed, by, contribution_id=who, need_id=need, quantity=quantity, source=source)


def approve(who: str = "p1") -> Command:
    return wish(c.ApproveContribution, ANI, contribution_id=who)


def decline(who: str = "p1", reason: str = "") -> Command:
    return wish(c.DeclineContribution, ANI, contribution_id=who, reason=reason)


def deliver(who: str = "p1") -> Command:
    return wish(c.DeliverContribution, BUDI, contribution_id=who)


def receive(who: str = "p1") -> Command:
    return wish(c.ReceiveContribution, ANI, contribution_id=who)


def release(who: str = "p1") -> Command:
    return wish(c.ReleaseContribution, SYSTEM, contribution_id=who, reason="The helper withdrew.")


def counts(given: Given[Request], need: str = RICE) -> tuple[int, int, int, int]:
    found = given.state.need(need)
    assert found is not None
    return found.reserved, found.delivered, found.received, found.missing


PROPOSED = ASKED.but(reserve(2, need=HANDS))
RESERVED = PROPOSED.but(approve())
STATUSES = {
    "absent": Given(REQUEST),
    "none": ASKED,
    "proposed": PROPOSED,
    "reserved": RESERVED,
    "delivered": RESERVED.but(deliver()),
    "received": RESERVED.but(receive()),
    "released": RESERVED.but(release()),
    "refused": ASKED.but(reserve(5, need=HANDS)),
    "cancelled": RESERVED.but(wish(c.CancelRequest, ANI)),
}
WISHES = {
    "reserve": reserve(2, need=HANDS),
    "approve": approve(),
    "decline": decline(),
    "deliver": deliver(),
    "receive": receive(),
    "release": release(),
}
LIVES = """
        absent  none     proposed reserved delivered received released refused  cancelled
reserve Refused Proposed -        -        -         -        -        -        -
approve none    none     Reserved -        -         -        no       none     no
decline none    none     Released Released no        no       -        none     -
deliver -       -        -        Delivered -        -        -        -        -
receive none    none     no       got      Received  -        no       none     no
release -       -        Released Released -         -        -        -        -
"""
SHORT = {"none": "NotFound", "no": "Rejected", "-": "-", "got": "ContributionDelivered+ContributionReceived"}


@pytest.mark.parametrize(("name", "status", "expected"), list(cells(LIVES)))
def test_every_wish_has_one_answer_in_every_status_of_a_contribution(name: str, status: str, expected: str) -> None:
    assert STATUSES[status].outcome(WISHES[name]) == SHORT.get(expected, f"Contribution{expected}")


@pytest.mark.parametrize(
    ("name", "status"), [(name, status) for name, status, outcome in cells(LIVES) if outcome not in ("no", "none", "-")]
)
def test_what_happened_to_a_contribution_does_not_happen_twice(name: str, status: str) -> None:
    assert STATUSES[status].but(WISHES[name]).when(WISHES[name]) == []


def test_things_are_reserved_at_once_and_the_request_is_in_progress() -> None:
    given = ASKED.but(reserve(20))
    assert counts(given) == (20, 0, 0, 30)
    assert given.state.status == "in_progress"
    (each,) = given.state.contributions.values()
    assert (each.id, each.need_id, each.status, each.source, each.by) == ("p1", RICE, "reserved", "pledge", BUDI)


def test_people_are_proposed_first_and_reserve_nothing() -> None:
    assert counts(PROPOSED, HANDS) == (0, 0, 0, 4)
    assert PROPOSED.state.status == "open"
    assert counts(RESERVED, HANDS) == (2, 0, 0, 2)


def test_a_sponsor_needs_no_approval() -> None:
    assert ASKED.outcome(reserve(4, need=HANDS, by=TOKO, source="sponsorship")) == "ContributionReserved"


def test_a_quantity_moves_on_and_is_never_in_two_places() -> None:
    given = ASKED.but(reserve(20))
    assert counts(given.but(deliver())) == (0, 20, 0, 30)
    assert counts(given.but(receive())) == (0, 0, 20, 30)
    assert counts(given.but(deliver(), receive())) == (0, 0, 20, 30)
    assert counts(given.but(release())) == (0, 0, 0, 50)


CLOSED = ASKED.but(wish(c.CancelRequest, ANI))
CLAIMED = Given(
    REQUEST,
    (
        *PROPOSED.history,
        event.RequestResolved(at=T0, by=BUDI, note="Before requests with needs were kept open", confirm_by=T0 + DAY),
    ),
)


@pytest.mark.parametrize(
    ("given", "asked", "reason", "missing"),
    [
        (Given(REQUEST), reserve(1), "There is no such request.", 0),
        (CLOSED, reserve(1), "The request is closed.", 0),
        (CLAIMED, reserve(1, "p2"), "The request is resolved.", 0),
        (ASKED, reserve(1, need="other"), "The request has no such need.", 0),
        (ASKED, reserve(1, by=ANI), "This is your own request.", 50),
        (ASKED, reserve(51), "Only 50 kg of need 0 still missing.", 50),
        (ASKED.but(reserve(30, "p0")), reserve(21), "Only 20 kg of need 0 still missing.", 20),
        (ASKED.but(reserve(50, "p0")), reserve(1), "Only 0 kg of need 0 still missing.", 0),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason_and_what_is_missing(
    given: Given[Request], asked: Command, reason: str, missing: int
) -> None:
    (refused,) = given.when(asked)
    assert isinstance(refused, event.ContributionRefused)
    assert (refused.reason, refused.missing) == (reason, missing)
    assert given.but(asked).when(asked) == []


def test_what_was_refused_stays_refused_when_there_is_room_again() -> None:
    given = ASKED.but(reserve(50, "p0"), reserve(1), release("p0"))
    assert given.when(reserve(1)) == []
    assert given.outcome(reserve(1, "p2")) == "ContributionReserved"


def test_a_request_opened_after_it_was_asked_for_remembers_what_it_refused() -> None:
    given = Given(REQUEST).but(reserve(1), to_open((50, "kg")))
    assert given.state.status == "open"
    assert given.when(reserve(1)) == []


def test_an_approval_that_no_longer_fits_says_what_is_missing() -> None:
    given = PROPOSED.but(reserve(3, "p2", need=HANDS), approve("p2"))
    problem = given.refuses(approve(), Rejected, "Only 1 person of need 1 still missing")
    assert problem.more == {"missing": 1}


def test_nothing_is_approved_while_a_request_is_resolved() -> None:
    CLAIMED.refuses(approve(), Rejected, "This request is resolved")


def test_the_requester_says_why_or_the_program_does() -> None:
    assert [given.reason for given in RESERVED.when(decline(reason="Too late"))] == ["Too late"]  # type: ignore[attr-defined]
    assert [given.reason for given in PROPOSED.when(decline())] == ["The requester declined."]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("given", "missing"), [(PROPOSED, 4), (RESERVED, 4)])
def test_a_release_says_what_the_need_lacks_now(given: Given[Request], missing: int) -> None:
    (released,) = given.when(release())
    assert isinstance(released, event.ContributionReleased)
    assert (released.missing, released.reason, released.by) == (missing, "The helper withdrew.", BUDI)
    assert counts(given.but(release()), HANDS) == (0, 0, 0, missing)


def test_the_last_one_received_fulfils_the_request_and_lets_the_others_go() -> None:
    given = ASKED.but(reserve(50, "rice"), reserve(4, "late", need=HANDS), reserve(4, need=HANDS, by=CITRA), approve())
    given = given.but(receive("rice"))
    assert given.state.status == "in_progress"
    *_, released, closed = given.when(receive())
    assert isinstance(released, event.ContributionReleased)
    assert (released.contribution_id, released.reason) == ("late", "The request is fulfilled.")
    assert isinstance(closed, event.RequestClosed)
    assert (closed.outcome, closed.by) == ("fulfilled", ANI)
    state = given.but(receive()).state
    assert all(need.received == need.quantity for need in state.needs)
    assert (state.status, state.closed_at) == ("closed", T0)


def test_closing_releases_what_is_open_and_says_each_time_what_is_missing() -> None:
    given = ASKED.but(reserve(20), reserve(10, "p2"), reserve(5, "p4"), release("p4"))
    given = given.but(reserve(3, "p3", need=HANDS), reserve(2, "p5", need=HANDS), approve("p5"))
    *released, closed = given.when(wish(c.CancelRequest, ANI, reason="Moved away"))
    assert [(each.contribution_id, each.missing, each.reason) for each in released] == [  # type: ignore[attr-defined]
        (each, missing, "The request is closed: cancelled.")
        for each, missing in (("p1", 40), ("p2", 50), ("p3", 2), ("p5", 4))
    ]
    assert isinstance(closed, event.RequestClosed)
    over = given.but(wish(c.CancelRequest, ANI))
    assert (counts(over), counts(over, HANDS)) == ((0, 0, 0, 50), (0, 0, 0, 4))


@pytest.mark.parametrize(
    "ending",
    [
        wish(c.CancelRequest, ANI),
        wish(c.RejectRequest, Party(kind="agency", id="dinas"), reason="No"),
        wish(c.MarkDuplicate, ANI, original="other"),
    ],
)
def test_nobody_closes_a_request_while_something_brought_waits(ending: Command) -> None:
    brought = ASKED.but(reserve(20), deliver())
    brought.refuses(ending, Rejected, "waits to be received")
    assert brought.but(receive()).outcome(ending) == "RequestClosed"


def test_time_closes_a_request_and_what_was_brought_can_still_be_received() -> None:
    over = ASKED.but(reserve(50), deliver(), reserve(4, "p2", need=HANDS), wish(PassTime, SYSTEM, T0 + DAY))
    assert (over.state.outcome, counts(over)) == ("expired", (0, 50, 0, 0))
    assert over.outcome(receive()) == "ContributionReceived"
    assert over.but(receive()).state.outcome == "expired"


def test_a_request_is_closed_once_only() -> None:
    asked = Given(REQUEST).but(to_open((50, "kg"), expires_at=T0 + DAY), reserve(50), deliver())
    over = asked.but(wish(PassTime, SYSTEM, T0 + DAY))
    assert over.outcome(receive()) == "ContributionReceived"
    state = over.but(receive()).state
    assert (state.outcome, state.closed_at) == ("expired", T0 + DAY)


def test_a_helper_may_report_progress_and_one_who_only_offered_may_not() -> None:
    said = wish(c.ReportProgress, BUDI, T0 + HOUR, note="On the way")
    assert PROPOSED.outcome(said) == "Forbidden"
    assert RESERVED.outcome(said) == "RequestProgressed"
    assert RESERVED.outcome(wish(c.ReportProgress, CITRA, note="I saw it")) == "Forbidden"
    assert RESERVED.but(release()).outcome(said) == "Forbidden"
