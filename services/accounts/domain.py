"""People and organisations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from shared.contracts import accounts as event
from shared.contracts.accounts import ORGANISATION_EVENTS, PERSON_EVENTS, OrganisationKind, Role
from shared.decider import Collection, Command, Decider, Index, State
from shared.errors import Forbidden, NotFound, Rejected
from shared.events import Event
from shared.idempotency import same_or_other_body
from shared.text import Code, Id, Input, Name

Language = Literal["id", "en"]
FROZEN = ConfigDict(frozen=True)


class PersonKept(BaseModel):
    """What only the person themself sees."""

    model_config = FROZEN

    email: str = ""


class Person(State):
    """A person; others see the name only."""

    display_name: str = ""
    language: Language = "id"
    area: str | None = None
    registered_at: datetime | None = None
    private: Annotated[SkipJsonSchema[PersonKept], Field(exclude=True)] = PersonKept()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPerson(Command):
    """I join."""

    email: str
    display_name: str
    language: Language
    area: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePerson(Command):
    """Another name, language or home area; None leaves it."""

    display_name: str | None
    language: Language | None
    area: str | None


def decide_person(wish: Any, state: Person) -> Sequence[Event]:
    """The events that a command about a person leads to."""
    match wish:
        case RegisterPerson():
            if state.exists:
                return []
            kept = event.PersonRegisteredKept(email=wish.email, display_name=wish.display_name)
            return [event.PersonRegistered(at=wish.at, language=wish.language, area=wish.area, private=kept)]
        case _ if not state.exists:
            raise NotFound(f"There is no person {state.id}.")
        case ChangePerson():
            after = {
                "display_name": wish.display_name or state.display_name,
                "language": wish.language or state.language,
                "area": wish.area or state.area,
            }
            if after == {name: getattr(state, name) for name in after}:
                return []
            named = event.PersonChangedKept(display_name=after.pop("display_name") or "")
            return [event.PersonChanged(at=wish.at, **after, private=named)]
    raise TypeError(f"a person takes no {type(wish).__name__}")


def evolve_person(state: Person, happened: Any) -> Person:
    """One event later."""
    changes: dict[str, Any] = {"language": happened.language, "area": happened.area}
    if happened.private is not None:
        changes["display_name"] = happened.private.display_name
    if isinstance(happened, event.PersonRegistered):
        email = happened.private.email if happened.private else ""
        changes |= {"registered_at": happened.at, "private": PersonKept(email=email)}
    return state.model_copy(update=changes)


class OrganisationInput(Input):
    """A company, agency or community, and the areas it works in."""

    name: Name
    kind: OrganisationKind
    areas: Annotated[tuple[Code, ...], Field(max_length=50)] = ()


class MemberInput(Input):
    """Who may act for the organisation."""

    person: Id
    role: Role = "staff"


class OrganisationKept(BaseModel):
    """Who belongs to it: shown to its members only."""

    model_config = FROZEN

    fingerprint: str | None = None
    members: dict[str, Role] = Field(default_factory=dict)


class Organisation(State):
    """A company, agency or community."""

    name: str = ""
    kind: OrganisationKind = "community"
    areas: tuple[str, ...] = ()
    verified: bool = False
    registered_at: datetime | None = None
    private: Annotated[SkipJsonSchema[OrganisationKept], Field(exclude=True)] = OrganisationKept()

    @property
    def owners(self) -> list[str]:
        """Who decides about members."""
        return [person for person, role in self.private.members.items() if role == "owner"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOrganisation(Command):
    """We join; whoever says so owns it."""

    asked: OrganisationInput
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMember(Command):
    """Somebody may act for us; by an owner."""

    person: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMember(Command):
    """Somebody may no longer; by an owner, or by themself."""

    person: str


def decide_organisation(wish: Any, state: Organisation) -> Sequence[Event]:
    """The events that a command about an organisation leads to."""
    match wish:
        case RegisterOrganisation():
            return _register(wish, state)
        case _ if not state.exists:
            raise NotFound(f"There is no organisation {state.id}.")
        case AddMember():
            if wish.by.id not in state.owners:
                raise Forbidden("Only an owner decides about members.")
            if state.private.members.get(wish.person) == wish.role:
                return []
            _keep_an_owner(state, wish.person, wish.role)
            return [event.MemberAdded(at=wish.at, person=wish.person, role=wish.role, by=wish.by)]
        case RemoveMember():
            if wish.by.id not in (*state.owners, wish.person):
                raise Forbidden("Only an owner decides about members.")
            if wish.person not in state.private.members:
                return []
            _keep_an_owner(state, wish.person, None)
            return [event.MemberRemoved(at=wish.at, person=wish.person, by=wish.by)]
    raise TypeError(f"an organisation takes no {type(wish).__name__}")


def _register(wish: RegisterOrganisation, state: Organisation) -> Sequence[Event]:
    if state.exists:
        return same_or_other_body(state.private.fingerprint, wish.fingerprint)
    kept = event.OrganisationKept(fingerprint=wish.fingerprint)
    asked = wish.asked
    return [
        event.OrganisationRegistered(at=wish.at, name=asked.name, kind=asked.kind, areas=asked.areas, private=kept),
        event.MemberAdded(at=wish.at, person=wish.by.id, role="owner", by=wish.by),
    ]


def _keep_an_owner(state: Organisation, person: str, role: Role | None) -> None:
    if role != "owner" and state.owners == [person]:
        raise Rejected("An organisation needs an owner; make somebody else one first.")


def evolve_organisation(state: Organisation, happened: Any) -> Organisation:
    """One event later."""
    members = dict(state.private.members)
    match happened:
        case event.OrganisationRegistered():
            return state.model_copy(
                update={
                    "name": happened.name,
                    "kind": happened.kind,
                    "areas": happened.areas,
                    "registered_at": happened.at,
                    "private": OrganisationKept(fingerprint=happened.private and happened.private.fingerprint),
                }
            )
        case event.MemberAdded():
            members[happened.person] = happened.role
        case event.MemberRemoved():
            members.pop(happened.person, None)
    return state.model_copy(update={"private": state.private.model_copy(update={"members": members})})


def index_organisation(state: Organisation) -> Index:
    """By kind and member, newest first."""
    registered = state.registered_at and int(state.registered_at.timestamp() * 1000)
    tags = {"all"} | {f"member:{person}" for person in state.private.members}
    return {"registered": registered, "kind": state.kind, "tags": tags}


PERSON: Decider[Person] = Decider(
    collection=Collection("person"),
    state=Person,
    decide=decide_person,
    evolve=evolve_person,
    events=PERSON_EVENTS,
)
ORGANISATION: Decider[Organisation] = Decider(
    collection=Collection("organisation", ("registered", "kind"), ordered_by="registered"),
    state=Organisation,
    decide=decide_organisation,
    evolve=evolve_organisation,
    events=ORGANISATION_EVENTS,
    index=index_organisation,
)
