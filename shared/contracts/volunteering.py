"""What the service `volunteering` publishes. The subject is the pledge's or activity's id."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from shared.events import Event, Party, Visibility
from shared.text import Location


class MadeKept(BaseModel):
    """What stays here of the call that made something."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    note: str = ""


class PledgeOffered(Event):
    """Somebody promises a quantity towards a need."""

    type: ClassVar[str] = "org.gotongroyong.pledge.offered.v1"

    request_id: str
    need_id: str
    quantity: int
    until: datetime | None = None
    by: Party
    private: SkipJsonSchema[MadeKept | None] = Field(default=None, exclude=True)


class _Pledge(Event):
    request_id: str
    by: Party


class PledgeAccepted(_Pledge):
    """The quantity is reserved until `until`."""

    type: ClassVar[str] = "org.gotongroyong.pledge.accepted.v1"

    until: datetime


class PledgeDeclined(_Pledge):
    """The pledge is not taken, or no longer. `missing` is what the need lacks."""

    type: ClassVar[str] = "org.gotongroyong.pledge.declined.v1"
    visibility: ClassVar[Visibility] = "parties"

    reason: str
    missing: int


class PledgeDelivered(_Pledge):
    """The helper brought it."""

    type: ClassVar[str] = "org.gotongroyong.pledge.delivered.v1"


class PledgeCompleted(_Pledge):
    """The requester received it."""

    type: ClassVar[str] = "org.gotongroyong.pledge.completed.v1"


class PledgeWithdrawn(_Pledge):
    """The helper cannot after all."""

    type: ClassVar[str] = "org.gotongroyong.pledge.withdrawn.v1"


class PledgeExpired(_Pledge):
    """It was not delivered in time; the quantity is free again."""

    type: ClassVar[str] = "org.gotongroyong.pledge.expired.v1"


class RolePlanned(BaseModel):
    """Places for one kind of work."""

    model_config = ConfigDict(frozen=True)

    name: str
    capacity: int


class ActivityPlanned(Event):
    """Communal work at a place and time."""

    type: ClassVar[str] = "org.gotongroyong.activity.planned.v1"

    title: str
    body: str
    location: Location
    area: str | None
    starts_at: datetime
    ends_at: datetime
    roles: tuple[RolePlanned, ...]
    request_id: str | None = None
    by: Party
    private: SkipJsonSchema[MadeKept | None] = Field(default=None, exclude=True)


class _Volunteer(Event):
    visibility: ClassVar[Visibility] = "parties"

    person: str
    role: str


class VolunteerJoined(_Volunteer):
    """Somebody has a place in a role, or (`place` "waiting") stands on its waiting list."""

    type: ClassVar[str] = "org.gotongroyong.activity.joined.v1"

    place: Literal["in", "waiting"]


class VolunteerLeft(_Volunteer):
    """Somebody gave up a place, or left the waiting list."""

    type: ClassVar[str] = "org.gotongroyong.activity.left.v1"


class VolunteerPromoted(_Volunteer):
    """The first one waiting has a place now."""

    type: ClassVar[str] = "org.gotongroyong.activity.promoted.v1"


class VolunteerCheckedIn(_Volunteer):
    """Somebody came."""

    type: ClassVar[str] = "org.gotongroyong.activity.checked-in.v1"


class ActivityCancelled(Event):
    """It does not take place."""

    type: ClassVar[str] = "org.gotongroyong.activity.cancelled.v1"

    by: Party
    reason: str = ""


class ActivityEnded(Event):
    """It is over; `attended` counts those who checked in, `hours` what they worked together."""

    type: ClassVar[str] = "org.gotongroyong.activity.ended.v1"

    attended: int
    hours: float


PLEDGE_EVENTS: tuple[type[Event], ...] = (
    PledgeOffered,
    PledgeAccepted,
    PledgeDeclined,
    PledgeDelivered,
    PledgeCompleted,
    PledgeWithdrawn,
    PledgeExpired,
)
ACTIVITY_EVENTS: tuple[type[Event], ...] = (
    ActivityPlanned,
    VolunteerJoined,
    VolunteerLeft,
    VolunteerPromoted,
    VolunteerCheckedIn,
    ActivityCancelled,
    ActivityEnded,
)
EVENTS = (*PLEDGE_EVENTS, *ACTIVITY_EVENTS)
