"""An activity: communal work at a place and time, with places per role and a waiting list in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from services.volunteering.domain.activity_commands import (
    CancelActivity,
    CheckIn,
    JoinActivity,
    LeaveActivity,
    PlanActivity,
)
from services.volunteering.domain.activity_rules import cancel, check_in, end, join, leave, plan
from shared.contracts import volunteering as event
from shared.contracts.volunteering import ACTIVITY_EVENTS
from shared.decider import Collection, Decider, Index, PassTime, State
from shared.errors import NotFound
from shared.events import SYSTEM, Event, Party
from shared.text import Location

Status = Literal["absent", "planned", "cancelled", "ended"]


class Role(BaseModel):
    """Places for one kind of work. At every moment taken <= capacity."""

    model_config = ConfigDict(frozen=True)

    name: str
    capacity: int
    taken: int = 0
    waiting: int = 0


class Volunteer(BaseModel):
    """One person's place; those who wait stand in the order in which they came."""

    model_config = ConfigDict(frozen=True)

    person: str
    role: str
    place: Literal["in", "waiting"]
    checked_in_at: datetime | None = None


class Kept(BaseModel):
    """Who comes: not shown in lists and events."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str | None = None
    # By person, in the order in which they came.
    volunteers: dict[str, Volunteer] = Field(default_factory=dict)


class Activity(State):
    """An activity as anybody may read it."""

    status: Status = "absent"
    title: str = ""
    body: str = ""
    location: Location | None = None
    area: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    roles: tuple[Role, ...] = ()
    request_id: str | None = None
    by: Party = SYSTEM
    planned_at: datetime | None = None
    reason: str = ""
    attended: int | None = None
    hours: float | None = None
    private: Annotated[SkipJsonSchema[Kept], Field(exclude=True)] = Kept()

    def volunteer(self, person: str) -> Volunteer | None:
        """Somebody's place."""
        return self.private.volunteers.get(person)

    def queue(self, role: str) -> list[str]:
        """Who waits for a role, first one first."""
        return [
            each.person for each in self.private.volunteers.values() if each.role == role and each.place == "waiting"
        ]


def decide(wish: Any, state: Activity) -> Sequence[Event]:
    """The events that a command leads to."""
    match wish:
        case PlanActivity():
            return plan(wish, state)
        case _ if not state.exists:
            raise NotFound(f"There is no activity {state.id}.")
        case JoinActivity():
            return join(wish, state)
        case LeaveActivity():
            return leave(wish, state)
        case CheckIn():
            return check_in(wish, state)
        case CancelActivity():
            return cancel(wish, state)
        case PassTime():
            return end(wish, state)
    raise TypeError(f"an activity takes no {type(wish).__name__}")


def evolve(state: Activity, happened: Any) -> Activity:
    """One event later."""
    match happened:
        case event.ActivityPlanned():
            return _planned(state, happened)
        case event.VolunteerJoined(person=person, role=role, place=place):
            joined = Volunteer(person=person, role=role, place=place)
            return _moved(state, {**state.private.volunteers, person: joined}, role, {place: 1})
        case event.VolunteerLeft(person=person, role=role):
            others = {key: each for key, each in state.private.volunteers.items() if key != person}
            return _moved(state, others, role, {state.private.volunteers[person].place: -1})
        case event.VolunteerPromoted(person=person, role=role):
            return _moved(state, _changed(state, person, place="in"), role, {"in": 1, "waiting": -1})
        case event.VolunteerCheckedIn(person=person, role=role):
            return _moved(state, _changed(state, person, checked_in_at=happened.at), role, {})
        case event.ActivityCancelled():
            return state.model_copy(update={"status": "cancelled", "reason": happened.reason})
        case event.ActivityEnded():
            ended = {"status": "ended", "attended": happened.attended, "hours": happened.hours}
            return state.model_copy(update=ended)
    raise TypeError(f"an activity knows no {type(happened).__name__}")


def _planned(state: Activity, happened: event.ActivityPlanned) -> Activity:
    given = happened.model_dump(exclude={"roles", "location"})
    return state.model_copy(
        update=given
        | {
            "status": "planned",
            "location": happened.location,
            "by": happened.by,
            "roles": tuple(Role(**each.model_dump()) for each in happened.roles),
            "planned_at": happened.at,
            "private": Kept(fingerprint=happened.private and happened.private.fingerprint),
        }
    )


def _changed(state: Activity, person: str, **changes: Any) -> dict[str, Volunteer]:
    there = state.private.volunteers[person]
    return {**state.private.volunteers, person: there.model_copy(update=changes)}


def _moved(state: Activity, volunteers: dict[str, Volunteer], name: str, change: dict[str, int]) -> Activity:
    """The volunteers as they are now, and how many more are `in` or `waiting` in one role."""
    roles = tuple(_counted(role, change) if role.name == name else role for role in state.roles)
    private = state.private.model_copy(update={"volunteers": volunteers})
    return state.model_copy(update={"roles": roles, "private": private})


def _counted(role: Role, change: dict[str, int]) -> Role:
    taken, waiting = role.taken + change.get("in", 0), role.waiting + change.get("waiting", 0)
    return role.model_copy(update={"taken": taken, "waiting": waiting})


def index(state: Activity) -> Index:
    """By start; by area, organiser and volunteer through tags."""
    starts = state.starts_at and int(state.starts_at.timestamp() * 1000)
    tags = {"all", f"by:{state.by.id}"} | {f"volunteer:{each.person}" for each in state.private.volunteers.values()}
    if state.area:
        tags |= {f"area:{state.area[:end]}" for end in (2, 5, 8, 13) if len(state.area) >= end}
    due = state.ends_at.timestamp() if state.status == "planned" and state.ends_at else None
    return {"starts": starts, "status": state.status, "request_id": state.request_id, "due_at": due, "tags": tags}


def about(state: Activity) -> dict[str, str]:
    """The envelope's area."""
    return {"area": state.area} if state.area else {}


ACTIVITY: Decider[Activity] = Decider(
    collection=Collection(
        "activity",
        ("starts", "status", "request_id", "due_at"),
        (("request_id", "starts"), ("due_at",)),
        ordered_by="starts",
    ),
    state=Activity,
    decide=decide,
    evolve=evolve,
    events=ACTIVITY_EVENTS,
    index=index,
    about=about,
)
