"""The doors of accounts: people, tokens, organisations and their members."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from email_validator import validate_email
from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, StringConstraints, model_validator

from services.accounts.credentials import Credentials
from services.accounts.domain import (
    ORGANISATION,
    PERSON,
    AddMember,
    ChangePerson,
    Language,
    MemberInput,
    Organisation,
    OrganisationInput,
    Person,
    RegisterOrganisation,
    RegisterPerson,
    RemoveMember,
)
from services.accounts.doors import Anybody, Somebody
from shared.auth import Unauthenticated
from shared.decider import public_json
from shared.errors import Forbidden, Invalid
from shared.events import Party
from shared.http import Door, Visit, listed, shown
from shared.listing import After, Limit, page
from shared.problems import RESPONSES
from shared.text import Code, Id, Input, Name


def _email_address(text: str) -> str:
    """In its usual form. Inner networks' names are fine; that mail arrives is not asked here."""
    address = validate_email(text, check_deliverability=False, globally_deliverable=False)
    if "." not in address.domain:
        raise ValueError("the domain of an e-mail address has a dot in it")
    return address.normalized


router = APIRouter(prefix="/api", tags=["accounts"], route_class=Door, responses=RESPONSES)

Email = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, max_length=254), AfterValidator(_email_address)
]
# Eight at least and no other rule: NIST SP 800-63B, 3.1.1.2.
Password = Annotated[str, StringConstraints(strict=True, min_length=8, max_length=200)]


class PersonInput(Input):
    """Who joins."""

    email: Email
    password: Password
    display_name: Name
    language: Language = "id"
    area: Code | None = None


class PersonChange(Input):
    """What changes; what is left out stays."""

    display_name: Name | None = None
    language: Language | None = None
    area: Code | None = None


class TokenInput(Input):
    """E-mail and password, or a refresh token."""

    email: Annotated[str, StringConstraints(max_length=254)] | None = None
    password: Annotated[str, StringConstraints(max_length=200)] | None = None
    refresh_token: Annotated[str, StringConstraints(max_length=200)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> TokenInput:
        by_password = self.email is not None and self.password is not None
        if by_password == (self.refresh_token is not None):
            raise ValueError("give email and password, or refresh_token")
        return self


class TokenShown(BaseModel):
    """An access token for `Authorization: Bearer`, good for `expires_in` seconds, and what renews it once."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105
    expires_in: int
    refresh_token: str


@router.post("/people", status_code=201, responses={201: {"model": Person}})
async def register(body: PersonInput, visit: Anybody) -> Response:
    """Join. The e-mail address is never shown to others."""
    if body.area is not None:
        visit.context.areas.require(body.area)
    person_id = await Credentials.of(visit.context).register(body.email, body.password)
    wish = RegisterPerson(
        by=Party(kind="resident", id=person_id),
        at=visit.now,
        email=body.email,
        display_name=body.display_name,
        language=body.language,
        area=body.area,
    )
    person = await visit.execute(PERSON, person_id, wish)
    return shown(person, 201, location=f"/api/people/{person.id}", body=_own(person))


@router.get("/people")
async def names(
    visit: Anybody, ids: Annotated[str, Query(max_length=4000, description="Ids with commas between.")]
) -> Response:
    """The names of people; ids that nobody has are left out."""
    found = [await visit.context.load(PERSON, one) for one in _asked(ids)]
    people = [{"id": each.id, "display_name": each.display_name} for each in found if each is not None]
    return listed([orjson.dumps(one) for one in people], None)


@router.get("/people/me", responses={200: {"model": Person}})
async def me(visit: Somebody) -> Response:
    """Oneself."""
    person = await visit.context.require(PERSON, visit.actor.person)
    return shown(person, body=_own(person))


@router.patch("/people/me", responses={200: {"model": Person}})
async def change_me(body: PersonChange, visit: Somebody) -> Response:
    """Another name, language or home area."""
    if body.area is not None:
        visit.context.areas.require(body.area)
    wish = ChangePerson(**visit.given, display_name=body.display_name, language=body.language, area=body.area)
    person = await visit.execute(PERSON, visit.actor.person, wish)
    return shown(person, body=_own(person))


@router.post("/tokens")
async def tokens(body: TokenInput, visit: Anybody, response: Response) -> TokenShown:
    """Sign in, or renew."""
    credentials = Credentials.of(visit.context)
    if body.refresh_token is not None:
        made = await credentials.refresh(body.refresh_token)
    elif body.email is not None and body.password is not None:
        made = await credentials.sign_in(body.email, body.password)
    else:
        raise Unauthenticated("Give email and password, or refresh_token.")
    response.headers["Cache-Control"] = "no-store"
    return TokenShown(access_token=made.access_token, expires_in=made.expires_in, refresh_token=made.refresh_token)


@router.get("/keys")
async def keys(visit: Anybody) -> dict[str, Any]:
    """The public keys (a JWK set) with which access tokens are verified."""
    return Credentials.of(visit.context).public_keys()


@router.post("/organisations", status_code=201, responses={201: {"model": Organisation}})
async def register_organisation(body: OrganisationInput, visit: Somebody) -> Response:
    """Register a company, agency or community; one owns it."""
    if visit.actor.organisation is not None:
        raise Forbidden("A person registers an organisation: leave Act-For out.")
    for number, code in enumerate(body.areas):
        visit.context.areas.require(code, f"areas.{number}")

    def registering(**given: Any) -> RegisterOrganisation:
        return RegisterOrganisation(**given, asked=body)

    organisation = await visit.create(ORGANISATION, body, registering)
    return shown(organisation, 201, location=f"/api/organisations/{organisation.id}")


@router.get("/organisations")
async def list_organisations(
    visit: Anybody,
    mine: Annotated[bool, Query(description="Only those one belongs to.")] = False,
    ids: Annotated[str | None, Query(max_length=4000, description="Ids with commas between.")] = None,
    after: After = None,
    limit: Limit = 50,
) -> Response:
    """Organisations, newest first."""
    where = {"key": tuple(_asked(ids)) if ids else None}
    tag = f"member:{visit.actor.person}" if mine else "all"
    return listed(*await page(visit.context, ORGANISATION, where, "registered", after, limit, tags=(tag,)))


@router.get("/organisations/{organisation_id}", responses={200: {"model": Organisation}})
async def get_organisation(organisation_id: Id, visit: Anybody) -> Response:
    """One organisation."""
    organisation = await visit.context.require(ORGANISATION, organisation_id)
    return shown(organisation)


@router.get("/organisations/{organisation_id}/members")
async def list_members(organisation_id: Id, visit: Somebody) -> Response:
    """Who may act for it; for its members."""
    organisation = await visit.context.require(ORGANISATION, organisation_id)
    return _members(organisation, visit)


@router.post("/organisations/{organisation_id}/members")
async def add_member(organisation_id: Id, body: MemberInput, visit: Somebody) -> Response:
    """Have somebody act for it, or change their role; by an owner."""
    await visit.context.require(PERSON, body.person)
    wish = AddMember(**_as_person(visit), person=body.person, role=body.role)
    return _members(await visit.execute(ORGANISATION, organisation_id, wish), visit)


@router.delete("/organisations/{organisation_id}/members/{person}")
async def remove_member(organisation_id: Id, person: Id, visit: Somebody) -> Response:
    """Have somebody no longer act for it; by an owner or that person."""
    wish = RemoveMember(**_as_person(visit), person=person)
    return _members(await visit.execute(ORGANISATION, organisation_id, wish), visit, left=person)


def _asked(ids: str) -> list[str]:
    asked = list(dict.fromkeys(ids.split(",")))
    if len(asked) > 100:
        raise Invalid("ids", "Ask for 100 ids at most.")
    return asked


def _as_person(visit: Visit) -> dict[str, Any]:
    return {**visit.given, "by": Party(kind="resident", id=visit.actor.person)}


def _members(organisation: Organisation, visit: Visit, left: str | None = None) -> Response:
    members = organisation.private.members
    if visit.actor.person not in (*members, left):
        raise Forbidden("Only members see who belongs to an organisation.")
    return listed([orjson.dumps({"person": person, "role": role}) for person, role in members.items()], None)


def _own(person: Person) -> bytes:
    return public_json(person)[:-1] + b"," + orjson.dumps({"email": person.private.email})[1:]
