"""What may be wished of an activity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from shared.decider import Command
from shared.text import Body, Code, Id, Input, Location, Moment, Name, Title

LONGEST = timedelta(days=14)


class RoleInput(Input):
    """Places for one kind of work."""

    name: Name
    capacity: Annotated[int, Field(strict=True, ge=1, le=10_000)]


class ActivityInput(Input):
    """Communal work at a place and time."""

    title: Title
    body: Body = ""
    location: Location
    area: Code | None = None
    starts_at: Moment
    ends_at: Moment
    roles: Annotated[tuple[RoleInput, ...], Field(min_length=1, max_length=20)]
    request_id: Id | None = None

    @field_validator("ends_at")
    @classmethod
    def _in_order(cls, ends_at: datetime, given: ValidationInfo) -> datetime:
        starts_at: datetime | None = given.data.get("starts_at")
        if starts_at is not None and ends_at <= starts_at:
            raise ValueError("ends_at must be after starts_at")
        if starts_at is not None and ends_at - starts_at > LONGEST:
            raise ValueError(f"an activity lasts {LONGEST.days} days at most")
        return ends_at

    @field_validator("roles")
    @classmethod
    def _different(cls, roles: tuple[RoleInput, ...]) -> tuple[RoleInput, ...]:
        if len({role.name for role in roles}) < len(roles):
            raise ValueError("roles must have different names")
        return roles


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanActivity(Command):
    """Let us do this together."""

    asked: ActivityInput
    area: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinActivity(Command):
    """I come along, in this role."""

    person: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveActivity(Command):
    """I cannot come."""

    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn(Command):
    """Somebody came: said by themself around the time, or by the organiser."""

    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelActivity(Command):
    """It does not take place; by the organiser."""

    reason: str = ""
