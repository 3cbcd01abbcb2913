"""Who has a place in communal work, who waits for one, who came, and for how long they worked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.requests.domain.commands import GiveSupport
from services.volunteering.domain.activity import ACTIVITY, Activity
from services.volunteering.domain.activity_commands import (
    ActivityInput,
    CancelActivity,
    CheckIn,
    JoinActivity,
    LeaveActivity,
    RoleInput,
)
from services.volunteering.domain.activity_rules import EARLY
from shared.contracts import volunteering as event
from shared.decider import Command, PassTime
from shared.errors import Forbidden, Invalid, NotFound, Rejected
from shared.events import SYSTEM, Party
from tests.given import ANI, BUDI, CITRA, DAY, DEWI, HOUR, KEY, MONAS, T0, Given, cells, to_plan, wish

START, END = T0 + DAY, T0 + DAY + 4 * HOUR
NOTHING = Given(ACTIVITY)


def join(who: Party, role: int = 0, at: datetime = T0) -> JoinActivity:
    return wish(JoinActivity, who, at, person=who.id, role=f"role {role}")


def leave(who: Party, at: datetime = T0) -> LeaveActivity:
    return wish(LeaveActivity, who, at, person=who.id)


def check_in(who: Party, at: datetime = START, by: Party | None = None) -> CheckIn:
    return wish(CheckIn, by or who, at, person=who.id)


def cancel(by: Party = ANI, at: datetime = T0) -> CancelActivity:
    return wish(CancelActivity, by, at, reason="Rain")


def planned(*capacities: int) -> Given[Activity]:
    return NOTHING.but(to_plan(*capacities))


def places(given: Given[Activity], role: int = 0) -> tuple[int, int, list[str]]:
    """How many have a place in a role, how many wait, and who waits, the first one first."""
    state = given.state
    return state.roles[role].taken, state.roles[role].waiting, state.queue(f"role {role}")


EMPTY = planned(1, 2)
# Budi has the one place, Citra waits for it, Dewi is not here.
BUSY = EMPTY.but(join(BUDI), join(CITRA))
STATUSES = {
    "absent": NOTHING,
    "planned": BUSY,
    "started": BUSY.but(check_in(BUDI)),
    "cancelled": BUSY.but(cancel()),
    "ended": BUSY.but(wish(PassTime, SYSTEM, END)),
}
WISHES: dict[str, Command] = {
    "plan": to_plan(1, 2),
    "plan-other": to_plan(1, 2, fingerprint="other"),
    "join": join(DEWI, 1),
    "join-full": join(DEWI),
    "join-again": join(BUDI),
    "join-other": join(BUDI, 1),
    "leave": leave(BUDI),
    "leave-queue": leave(CITRA),
    "leave-none": leave(DEWI),
    "check-in": check_in(BUDI),
    "check-in-wait": check_in(CITRA),
    "check-in-none": check_in(DEWI),
    "cancel": cancel(),
    "time": wish(PassTime, SYSTEM, END - timedelta(microseconds=1)),
    "time-after": wish(PassTime, SYSTEM, END),
}
LIFE = """
              absent  planned   started   cancelled ended
plan          Planned -         -         -         -
plan-other    Planned Invalid   Invalid   Invalid   Invalid
join          none    Joined    Joined    no        no
join-full     none    Joined    Joined    no        no
join-again    none    -         -         -         -
join-other    none    no        no        no        no
leave         none    moved     moved     no        no
leave-queue   none    Left      Left      no        no
leave-none    none    -         -         -         -
check-in      none    CheckedIn -         no        no
check-in-wait none    none      none      none      none
check-in-none none    none      none      none      none
cancel        none    Cancelled Cancelled -         no
time          none    -         -         -         -
time-after    none    Ended     Ended     -         -
"""
SHORT = {
    "-": "-",
    "no": "Rejected",
    "none": "NotFound",
    "Invalid": "Invalid",
    "moved": "VolunteerLeft+VolunteerPromoted",
    "Planned": "ActivityPlanned",
    "Cancelled": "ActivityCancelled",
    "Ended": "ActivityEnded",
}


@pytest.mark.parametrize(("name", "status", "expected"), list(cells(LIFE)))
def test_every_wish_has_one_answer_in_every_status(name: str, status: str, expected: str) -> None:
    assert STATUSES[status].outcome(WISHES[name]) == SHORT.get(expected, f"Volunteer{expected}")


@pytest.mark.parametrize(
    ("name", "status"),
    [(name, status) for name, status, short in cells(LIFE) if short not in ("-", "no", "none", "Invalid")],
)
def test_what_was_done_changes_nothing_when_it_is_wished_again(name: str, status: str) -> None:
    assert STATUSES[status].but(WISHES[name]).when(WISHES[name]) == []


def test_a_planned_activity_says_all_that_was_asked() -> None:
    state = NOTHING.but(to_plan(1, 2, body="Bring a spade", request_id=KEY)).state
    assert (state.status, state.title, state.body, state.location) == (
        "planned",
        "Clean the drain",
        "Bring a spade",
        MONAS,
    )
    assert (state.area, state.starts_at, state.ends_at, state.request_id) == ("31.74.01", START, END, KEY)
    assert (state.by, state.planned_at, state.private.fingerprint) == (ANI, T0, "first")
    assert [(each.name, each.capacity, each.taken) for each in state.roles] == [("role 0", 1, 0), ("role 1", 2, 0)]
    assert (state.attended, state.hours) == (None, None)


def test_an_activity_cannot_be_over_before_it_is_planned() -> None:
    problem = NOTHING.refuses(to_plan(1, at=END), Invalid, "passed")
    assert isinstance(problem, Invalid)
    assert problem.field == "ends_at"
    assert NOTHING.outcome(to_plan(1, at=END - timedelta(microseconds=1))) == "ActivityPlanned"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"ends_at": START}, "after starts_at"),
        ({"ends_at": START + timedelta(days=14, seconds=1)}, "14 days at most"),
        ({"roles": ()}, "at least 1"),
        ({"roles": (RoleInput(name="cook", capacity=1), RoleInput(name="cook", capacity=2))}, "different names"),
    ],
)
def test_an_activity_has_an_order_a_length_and_roles(wrong: dict[str, Any], says: str) -> None:
    right: dict[str, Any] = to_plan(1, ends_at=START + timedelta(days=14)).asked.model_dump()
    with pytest.raises(ValueError, match=says):
        ActivityInput(**(right | wrong))


def test_as_many_as_there_are_places_get_in_and_the_others_wait_in_order() -> None:
    crowd = [Party(kind="resident", id=f"person {number}") for number in range(7)]
    given = planned(3).but(*(join(each) for each in crowd))
    assert [each.place for each in given.state.private.volunteers.values()] == ["in"] * 3 + ["waiting"] * 4
    assert places(given) == (3, 4, ["person 3", "person 4", "person 5", "person 6"])


def test_the_first_one_waiting_gets_the_place() -> None:
    left, promoted = BUSY.when(leave(BUDI))
    assert isinstance(left, event.VolunteerLeft)
    assert isinstance(promoted, event.VolunteerPromoted)
    assert (left.person, left.role, promoted.person, promoted.role) == (BUDI.id, "role 0", CITRA.id, "role 0")
    after = BUSY.but(join(DEWI), leave(BUDI))
    assert places(after) == (1, 1, [DEWI.id])
    assert after.state.volunteer(BUDI.id) is None


def test_a_place_that_nobody_waits_for_is_free_again() -> None:
    given = EMPTY.but(join(BUDI))
    assert given.outcome(leave(BUDI)) == "VolunteerLeft"
    assert places(given.but(leave(BUDI))) == (0, 0, [])


def test_who_leaves_the_waiting_list_moves_nobody_into_a_place() -> None:
    given = BUSY.but(join(DEWI), leave(CITRA))
    assert places(given) == (1, 1, [DEWI.id])


def test_who_comes_back_stands_at_the_end() -> None:
    assert places(BUSY.but(join(DEWI), leave(CITRA), join(CITRA)))[2] == [DEWI.id, CITRA.id]


def test_one_role_does_not_wait_for_another() -> None:
    given = BUSY.but(join(DEWI, 1), leave(BUDI))
    assert (places(given), places(given, 1)) == ((1, 0, []), (1, 0, []))
    both = planned(1, 1).but(join(ANI), join(BUDI, 1), join(CITRA), join(DEWI, 1))
    assert (places(both)[2], places(both, 1)[2]) == ([CITRA.id], [DEWI.id])


def test_somebody_has_one_role_at_a_time() -> None:
    BUSY.refuses(join(CITRA, 1), Rejected, "another role here already: role 0")
    assert BUSY.but(leave(CITRA)).outcome(join(CITRA, 1)) == "VolunteerJoined"


def test_an_unknown_role_is_named_with_those_that_there_are() -> None:
    problem = EMPTY.refuses(join(BUDI, 7), Invalid, "there are: role 0, role 1")
    assert isinstance(problem, Invalid)
    assert problem.field == "role"


@pytest.mark.parametrize("late", [join(DEWI, at=END), leave(BUDI, at=END), cancel(at=END), check_in(BUDI, END)])
def test_nothing_is_changed_once_it_is_over(late: Command) -> None:
    BUSY.refuses(late, Rejected, "This activity is over")
    STATUSES["ended"].refuses(late, Rejected, "This activity is ended")


def test_checking_in_begins_an_hour_before_the_start() -> None:
    assert EARLY == HOUR
    BUSY.refuses(check_in(BUDI, START - EARLY - timedelta(microseconds=1)), Rejected, "an hour before")
    (came,) = BUSY.when(check_in(BUDI, START - EARLY))
    assert isinstance(came, event.VolunteerCheckedIn)
    assert (came.person, came.role) == (BUDI.id, "role 0")
    assert BUSY.outcome(check_in(BUDI, END - timedelta(microseconds=1))) == "VolunteerCheckedIn"


def test_one_checks_oneself_in_or_the_organiser_does() -> None:
    assert BUSY.outcome(check_in(BUDI, by=ANI)) == "VolunteerCheckedIn"
    BUSY.refuses(check_in(BUDI, by=CITRA), Forbidden, "Only the organiser")
    BUSY.refuses(check_in(CITRA), NotFound, "no place")
    BUSY.refuses(check_in(DEWI, by=ANI), NotFound, "no place")


def test_only_the_organiser_cancels() -> None:
    BUSY.refuses(cancel(BUDI), Forbidden, "Only the organiser")
    (gone,) = BUSY.when(cancel())
    assert isinstance(gone, event.ActivityCancelled)
    assert (gone.reason, gone.by) == ("Rain", ANI)
    assert STATUSES["cancelled"].state.reason == "Rain"
    BUSY.but(cancel()).refuses(join(DEWI), Rejected, "This activity is cancelled")


@pytest.mark.parametrize(
    ("came", "hours"),
    [
        ((), 0.0),
        ((START - EARLY,), 4.0),
        ((START, START + HOUR), 7.0),
        ((START + timedelta(minutes=100),), 2.33),
        ((START - HOUR, START + timedelta(minutes=200), END - timedelta(microseconds=1)), 4.67),
    ],
)
def test_hours_count_from_the_start_or_the_check_in(came: tuple[datetime, ...], hours: float) -> None:
    crowd = [Party(kind="resident", id=f"person {number}") for number in range(len(came) + 1)]
    given = planned(5).but(*(join(each) for each in crowd))
    given = given.but(*(check_in(each, at) for each, at in zip(crowd, came, strict=False)))
    (ended,) = given.when(wish(PassTime, SYSTEM, END + DAY))
    assert isinstance(ended, event.ActivityEnded)
    assert (ended.attended, ended.hours) == (len(came), hours)
    state = given.but(wish(PassTime, SYSTEM, END + DAY)).state
    assert (state.status, state.attended, state.hours) == ("ended", len(came), hours)


def test_a_long_activity_counts_every_hour() -> None:
    given = NOTHING.but(to_plan(1, ends_at=START + 10 * DAY), join(BUDI), check_in(BUDI))
    (ended,) = given.when(wish(PassTime, SYSTEM, START + 10 * DAY))
    assert isinstance(ended, event.ActivityEnded)
    assert ended.hours == 240.0


def test_an_activity_is_found_by_area_organiser_and_volunteer() -> None:
    assert ACTIVITY.index(BUSY.state) == {
        "starts": int(START.timestamp() * 1000),
        "status": "planned",
        "request_id": None,
        "due_at": END.timestamp(),
        "tags": {"all", "by:ani", "volunteer:budi", "volunteer:citra", "area:31", "area:31.74", "area:31.74.01"},
    }
    assert ACTIVITY.index(STATUSES["cancelled"].state)["due_at"] is None
    assert ACTIVITY.index(STATUSES["ended"].state)["due_at"] is None
    assert ACTIVITY.about(BUSY.state) == {"area": "31.74.01"}
    village = BUSY.state.model_copy(update={"area": "31.74.01.1001"})
    assert {"area:31", "area:31.74", "area:31.74.01", "area:31.74.01.1001"} <= ACTIVITY.index(village)["tags"]
    nowhere = BUSY.state.model_copy(update={"area": None})
    assert (ACTIVITY.about(nowhere), "area:31" in ACTIVITY.index(nowhere)["tags"]) == ({}, False)


def test_a_wish_or_event_of_another_kind_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="GiveSupport"):
        BUSY.when(wish(GiveSupport, BUDI))
    with pytest.raises(TypeError, match="PledgeExpired"):
        ACTIVITY.evolve(BUSY.state, event.PledgeExpired(at=T0, request_id=KEY, by=BUDI))
