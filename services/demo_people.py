"""People of the demo city: they call its API as anybody would, and every call may be repeated."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx

PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.05

Json = dict[str, Any]


class Refused(Exception):
    """The city did not do what the story needs."""


@dataclass(frozen=True)
class Somebody:
    """A person of the demo, acting for themself or for an organisation. `id` is the one that others see."""

    http: httpx.AsyncClient
    id: str
    headers: dict[str, str]

    async def make(self, path: str, key: str, **body: Any) -> Json:
        """POST something new under a key that is the same at every start."""
        headers = {**self.headers, "Idempotency-Key": f"demo-{key}"}
        return await _call(self.http, "POST", path, headers, body)

    async def do(self, path: str, **body: Any) -> Json:
        """POST what changes nothing where it was done before."""
        return await _call(self.http, "POST", path, self.headers, body or None)

    async def see(self, path: str, fits: Callable[[Json], bool]) -> Json:
        """GET until what is seen fits: other services react when they have heard."""
        deadline = time.monotonic() + PATIENCE_S
        while not fits(seen := await _call(self.http, "GET", path, self.headers, None)):
            if time.monotonic() > deadline:
                raise Refused(f"{path} did not get on within {PATIENCE_S:.0f} s")
            await asyncio.sleep(_LOOK_EVERY_S)
        return seen

    async def founds(self, name: str, kind: str, area: str) -> Somebody:
        """The same person, acting for an organisation of their own."""
        made = await self.make("/api/organisations", "organisation", name=name, kind=kind, areas=[area])
        return replace(self, id=made["id"], headers={**self.headers, "Act-For": made["id"]})


@dataclass(frozen=True)
class People:
    """Whoever the story is about, registered when they first appear."""

    http: httpx.AsyncClient
    seed: str

    async def person(self, name: str) -> Somebody:
        """Somebody by their display name, signed in; their password follows from the seed and is told to nobody."""
        address = f"{name.lower().replace(' ', '-')}@example.org"
        password = hmac.new(self.seed.encode(), address.encode(), hashlib.sha256).hexdigest()
        account = {"email": address, "password": password}
        made = await _call(self.http, "POST", "/api/people", {}, account | {"display_name": name, "language": "id"})
        granted = await _call(self.http, "POST", "/api/tokens", {}, account)
        return Somebody(self.http, made["id"], {"Authorization": f"Bearer {granted['access_token']}"})


async def _call(http: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], body: Json | None) -> Json:
    """One call; asked to come again later (429, 503), it does."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = await http.request(method, path, json=body, headers=headers)
        if answer.status_code not in (429, 503) or time.monotonic() > deadline:
            break
        pause = answer.headers.get("Retry-After", "1")
        await asyncio.sleep(min(float(pause) if pause.isdecimal() else 1.0, PATIENCE_S))
    if not answer.is_success:
        raise Refused(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
    found: Json = answer.json()
    return found
