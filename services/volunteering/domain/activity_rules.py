"""Decides who has a place in an activity: K places and N people give exactly K in, the others wait in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from services.volunteering.domain.activity_commands import (
    CancelActivity,
    CheckIn,
    JoinActivity,
    LeaveActivity,
    PlanActivity,
)
from shared.contracts import volunteering as event
from shared.contracts.volunteering import MadeKept, RolePlanned
from shared.decider import PassTime
from shared.errors import Forbidden, Invalid, NotFound, Rejected
from shared.events import Event
from shared.idempotency import same_or_other_body

if TYPE_CHECKING:
    from services.volunteering.domain.activity import Activity

EARLY = timedelta(hours=1)


def plan(wish: PlanActivity, state: Activity) -> Sequence[Event]:
    """A new activity, not one that is over."""
    if state.exists:
        return same_or_other_body(state.private.fingerprint, wish.fingerprint)
    asked = wish.asked
    if asked.ends_at <= wish.at:
        raise Invalid("ends_at", "This time has passed.")
    planned = event.ActivityPlanned(
        at=wish.at,
        title=asked.title,
        body=asked.body,
        location=asked.location,
        area=wish.area,
        starts_at=asked.starts_at,
        ends_at=asked.ends_at,
        roles=tuple(RolePlanned(name=role.name, capacity=role.capacity) for role in asked.roles),
        request_id=asked.request_id,
        by=wish.by,
        private=MadeKept(fingerprint=wish.fingerprint),
    )
    return [planned]


def join(wish: JoinActivity, state: Activity) -> Sequence[Event]:
    """A place while there is one, else the end of the waiting list. Joining twice changes nothing."""
    there = state.volunteer(wish.person)
    if there is not None and there.role == wish.role:
        return []
    _still_planned(state, wish.at)
    if there is not None:
        raise Rejected(f"You are in another role here already: {there.role}. Leave it first.")
    role = next((each for each in state.roles if each.name == wish.role), None)
    if role is None:
        raise Invalid("role", f"There is no such role; there are: {', '.join(each.name for each in state.roles)}.")
    place = "in" if role.taken < role.capacity else "waiting"
    return [event.VolunteerJoined(at=wish.at, person=wish.person, role=wish.role, place=place)]


def leave(wish: LeaveActivity, state: Activity) -> Sequence[Event]:
    """The place goes to the first one who waits for it."""
    there = state.volunteer(wish.person)
    if there is None:
        return []
    _still_planned(state, wish.at)
    left = event.VolunteerLeft(at=wish.at, person=wish.person, role=there.role)
    waiting = state.queue(there.role)
    if there.place == "waiting" or not waiting:
        return [left]
    return [left, event.VolunteerPromoted(at=wish.at, person=waiting[0], role=there.role)]


def check_in(wish: CheckIn, state: Activity) -> Sequence[Event]:
    """From an hour before the start to the end, for those who have a place."""
    there = state.volunteer(wish.person)
    if wish.by != state.by and wish.by.id != wish.person:
        raise Forbidden("Only the organiser checks others in.")
    if there is None or there.place != "in":
        raise NotFound("This person has no place here.")
    if there.checked_in_at is not None:
        return []
    _still_planned(state, wish.at)
    assert state.starts_at is not None
    if wish.at < state.starts_at - EARLY:
        raise Rejected("Checking in begins an hour before the start.")
    return [event.VolunteerCheckedIn(at=wish.at, person=wish.person, role=there.role)]


def cancel(wish: CancelActivity, state: Activity) -> Sequence[Event]:
    """By the organiser."""
    if wish.by != state.by:
        raise Forbidden("Only the organiser cancels an activity.")
    if state.status == "cancelled":
        return []
    _still_planned(state, wish.at)
    return [event.ActivityCancelled(at=wish.at, by=wish.by, reason=wish.reason)]


def end(wish: PassTime, state: Activity) -> Sequence[Event]:
    """It is over: who came, and for how long they worked together."""
    if state.status != "planned" or state.ends_at is None or state.ends_at > wish.at:
        return []
    came = [each.checked_in_at for each in state.private.volunteers.values() if each.checked_in_at is not None]
    hours = sum(_hours(state, moment) for moment in came)
    return [event.ActivityEnded(at=wish.at, attended=len(came), hours=round(hours, 2))]


def _hours(state: Activity, came: datetime) -> float:
    assert state.starts_at is not None
    assert state.ends_at is not None
    return max(0.0, (state.ends_at - max(came, state.starts_at)).total_seconds() / 3600)


def _still_planned(state: Activity, now: datetime) -> None:
    if state.status != "planned" or (state.ends_at is not None and state.ends_at <= now):
        raise Rejected(f"This activity is {'over' if state.status == 'planned' else state.status}.")
