"""Doors: who visits and why, and how a visit reads its input and begins a command."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from shared.areas import Areas
from shared.auth import Actor, Unauthenticated, Verifier
from shared.decider import Command, Decider, State, fingerprint, public_json
from shared.errors import Invalid, Problem
from shared.events import Cause
from shared.ids import derived_id, new_id
from shared.membership import acting_for
from shared.runtime import Context
from shared.settings import Settings

S = TypeVar("S", bound=State)

_CORRELATION = re.compile(r"[A-Za-z0-9._-]{1,64}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
MOST_BYTES = 1_000_000
_ETAG = re.compile(r'(?:W/)?"(\d{1,15})"')


class TooLarge(Problem):
    """The body is over the limit."""

    status = 413
    title = "Too large"


@dataclass(frozen=True)
class Building:
    """What all doors of a process share: each service's context, and who verifies tokens."""

    contexts: Mapping[str, Context]
    verifier: Verifier
    areas: Areas
    settings: Settings
    health: Callable[[], Awaitable[dict[str, str]]]


@dataclass(slots=True)
class Visit:
    """One call: the service it enters, its cause, the time it came, and who is asking, if anybody is."""

    request: Request
    context: Context
    cause: Cause
    now: datetime
    asking: Actor | None

    @property
    def actor(self) -> Actor:
        """Who is asking; Unauthenticated where nobody is."""
        if self.asking is None:
            raise Unauthenticated("This needs an access token: Authorization: Bearer ...")
        return self.asking

    @property
    def given(self) -> dict[str, Any]:
        """What the door puts into every command."""
        return {"by": self.actor.party, "at": self.now, "expected": _expected(self.request)}

    async def execute(self, decider: Decider[S], key: str, command: Command) -> S:
        """Run a command for this visit."""
        return await self.context.execute(decider, key, command, self.cause)

    async def create(self, decider: Decider[S], body: BaseModel, command: Callable[..., Command]) -> S:
        """Run a command that makes an aggregate, and give it as it was then.

        With an Idempotency-Key the key names the aggregate, so the same call again finds it made. `command` is called
        with `fingerprint` (of the body) besides what is given to every command.
        """
        key = idempotency_key(self.request)
        made = command(**self.given, fingerprint=fingerprint(body.model_dump(mode="json")))
        if key is None:
            return await self.context.execute(decider, new_id(), made, self.cause, fresh=True)
        place = derived_id(decider.kind, self.actor.party.id, key)
        await self.execute(decider, place, made)
        return await self.context.first(decider, place)


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key header, checked; None where there is none."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Invalid("Idempotency-Key", "An Idempotency-Key is 1 to 255 visible ASCII characters.")
    return key


def visitor(service: str, *, known: bool = False) -> Callable[[Request], Awaitable[Visit]]:
    """The dependency that makes a call a visit to a service; with `known`, somebody must be asking."""

    async def visit(request: Request) -> Visit:
        made = await _visit(request, service)
        if known:
            _ = made.actor  # says that nobody is asking before anything else is found wrong
        return made

    return visit


async def _visit(request: Request, service: str) -> Visit:
    building: Building = request.app.state.building
    context = building.contexts[service]
    asking = await _actor(request, building.verifier, context)
    correlation = request.headers.get("x-correlation-id", "")
    if not _CORRELATION.fullmatch(correlation):
        correlation = new_id()
    cause = Cause(correlation, new_id(), asking.kind if asking else "resident")
    return Visit(request, context, cause, context.clock(), asking)


async def _actor(request: Request, verifier: Verifier, context: Context) -> Actor | None:
    header = request.headers.get("authorization")
    organisation = request.headers.get("act-for")
    if header is None:
        if organisation is not None:
            raise Unauthenticated("Act-For needs an access token: Authorization: Bearer ...")
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send the access token as Authorization: Bearer ...")
    person = verifier.person(token.strip())
    return Actor(person) if organisation is None else await acting_for(context, person, organisation)


def _expected(request: Request) -> int | None:
    header = request.headers.get("if-match")
    if header is None or header == "*":
        return None
    match = _ETAG.fullmatch(header.strip())
    if match is None:
        raise Invalid("If-Match", 'Give the version in quotes, such as If-Match: "3".')
    return int(match[1])


def shown(state: State, status: int = 200, *, location: str | None = None, body: bytes | None = None) -> Response:
    """A state as JSON, with its version as ETag."""
    headers = {"ETag": f'"{state.version}"'}
    if location is not None:
        headers["Location"] = location
    return Response(body or public_json(state), status, headers, "application/json")


def listed(items: list[bytes], next_cursor: str | None) -> Response:
    """A page of a list, from items that are JSON already."""
    tail = b"null" if next_cursor is None else b'"' + next_cursor.encode() + b'"'
    return Response(b'{"items":[' + b",".join(items) + b'],"next":' + tail + b"}", media_type="application/json")


class _StrictRequest(Request):
    """Refuses bodies that are too large, and what JSON libraries wave through: repeated names, NaN and Infinity."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        said = self.headers.get("content-length", "")
        read = int(said) if said.isdecimal() else 0
        _check_size(read)
        read = 0
        async for part in super().stream():
            read += len(part)
            _check_size(read)
            yield part

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = _parsed(await self.body())
        return self._json


def _check_size(read: int) -> None:
    if read > MOST_BYTES:
        raise TooLarge(f"A body may have {MOST_BYTES:,} bytes.")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError as error:
        raise Invalid("body", "JSON is UTF-8 text; this is not.") from error
    except RecursionError as error:
        raise Invalid("body", "This is nested too deeply.") from error
    except ValueError as error:
        raise Invalid("body", "A number has too many digits.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise Invalid(repeated.encode("utf-8", "replace").decode(), "This name is given more than once.")
    return found


def _no_constant(name: str) -> Any:
    raise Invalid("body", f"{name} is not a JSON number.")


class Door(APIRoute):
    """A route that refuses unknown and repeated query parameters as well as ambiguous JSON."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()
        allowed = _query_names(self.dependant)

        async def strictly(request: Request) -> Response:
            _check_query(request, allowed)
            try:
                return await handle(_StrictRequest(request.scope, request.receive))
            except RequestValidationError as error:
                error.body = None  # it may hold what must not be told or cannot be written
                raise
            except HTTPException as error:
                if isinstance(error.__cause__, Problem):  # FastAPI makes a plain 400 of what is wrong with a body
                    raise error.__cause__ from None
                raise

        return strictly


def _query_names(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_query_names(each) for each in dependant.dependencies))


def _check_query(request: Request, allowed: set[str]) -> None:
    if not request.scope["query_string"]:
        return
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in allowed:
            raise Invalid(name, f"There is no such parameter here; there are: {', '.join(sorted(allowed)) or 'none'}.")
        if given.count(name) > 1:
            raise Invalid(name, "This parameter is given more than once.")
