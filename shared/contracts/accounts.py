"""What the service `accounts` publishes. No event carries a name of a person, an address or a secret."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from shared.events import Event, Party, Visibility

OrganisationKind = Literal["company", "agency", "community"]
Role = Literal["owner", "staff"]


class PersonRegisteredKept(BaseModel):
    """What stays in accounts."""

    model_config = ConfigDict(frozen=True)

    email: str
    display_name: str


class PersonChangedKept(BaseModel):
    """What stays in accounts."""

    model_config = ConfigDict(frozen=True)

    display_name: str


class OrganisationKept(BaseModel):
    """What stays in accounts."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str


class PersonRegistered(Event):
    """A person joined."""

    type: ClassVar[str] = "org.gotongroyong.person.registered.v1"
    visibility: ClassVar[Visibility] = "internal"

    language: Literal["id", "en"]
    area: str | None = None
    private: SkipJsonSchema[PersonRegisteredKept | None] = Field(default=None, exclude=True)


class PersonChanged(Event):
    """A person changed their language or home area (or a name, which is not told)."""

    type: ClassVar[str] = "org.gotongroyong.person.changed.v1"
    visibility: ClassVar[Visibility] = "internal"

    language: Literal["id", "en"]
    area: str | None = None
    private: SkipJsonSchema[PersonChangedKept | None] = Field(default=None, exclude=True)


class OrganisationRegistered(Event):
    """A company, agency or community joined."""

    type: ClassVar[str] = "org.gotongroyong.organisation.registered.v1"

    name: str
    kind: OrganisationKind
    areas: tuple[str, ...] = ()
    private: SkipJsonSchema[OrganisationKept | None] = Field(default=None, exclude=True)


class MemberAdded(Event):
    """A person may act for an organisation from now on."""

    type: ClassVar[str] = "org.gotongroyong.organisation.member-added.v1"
    visibility: ClassVar[Visibility] = "internal"

    person: str
    role: Role
    by: Party


class MemberRemoved(Event):
    """A person may no longer act for an organisation."""

    type: ClassVar[str] = "org.gotongroyong.organisation.member-removed.v1"
    visibility: ClassVar[Visibility] = "internal"

    person: str
    by: Party


PERSON_EVENTS: tuple[type[Event], ...] = (PersonRegistered, PersonChanged)
ORGANISATION_EVENTS: tuple[type[Event], ...] = (OrganisationRegistered, MemberAdded, MemberRemoved)
EVENTS = (*PERSON_EVENTS, *ORGANISATION_EVENTS)
