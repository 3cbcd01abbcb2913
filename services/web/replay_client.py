"""Calls the city's API as one person who replays reports: signs in, keeps the token fresh, asks again when told to."""

from __future__ import annotations

import asyncio
import email.utils
import math
import random
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import httpx

from shared.ids import derived_id
from shared.importing import Row

CONCURRENCY = 32
"""Connections held open, and calls under way at the same time."""

ATTEMPTS = 10
"""How often one call is tried before it counts as failed."""

BACKOFF = 0.1
"""Seconds before the second attempt at most; doubled for every further one, up to `LONGEST_BACKOFF`."""

LONGEST_BACKOFF = 5.0

LONGEST_PAUSE = 300.0
"""Seconds that a Retry-After is followed at most before asking again."""

_AGAIN = (429, 500, 502, 503, 504)


class NoAnswer(Exception):
    """The city did not answer a call, or not so that the replay could go on."""


class Client:
    """The city's API as one person calls it."""

    def __init__(self, http: httpx.AsyncClient, token: str | None) -> None:
        self._http = http
        self._token = token
        self._own = token is None
        self._account: dict[str, str] | None = None
        self._renew_at = math.inf
        self._resume_at = 0.0
        self._lock = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def connect(cls, base_url: str, token: str | None) -> AsyncIterator[Client]:
        """Hold connections open to a city; with a token to be used as it is, else as a person yet to be registered."""
        limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
        async with httpx.AsyncClient(base_url=base_url, limits=limits, timeout=30) as http:
            yield cls(http, token)

    async def open_request(self, row: Row) -> httpx.Response:
        """Post a report under a key that follows from its row: sent again, it makes nothing new."""
        body: dict[str, Any] = {"kind": "report", "title": row.title, "category": row.category}
        if row.body:
            body["body"] = row.body
        if row.area:
            body["area"] = row.area
        if row.location:
            body["location"] = dict(zip(("lon", "lat"), row.location, strict=True))
        token = await self.token()
        answer = await self._post_as(token, row.key, body)
        if answer.status_code == 401 and self._own:
            answer = await self._post_as(await self.token(refused=token), row.key, body)
        return answer

    async def token(self, refused: str | None = None) -> str:
        """Return the token given, else one of a person registered for it, renewed before it ends or if refused."""
        async with self._lock:
            if self._token is None or self._token == refused or time.monotonic() >= self._renew_at:
                self._token = await self._sign_in()
            return self._token

    async def _sign_in(self) -> str:
        if self._account is None:
            address = f"replay-{secrets.token_hex(8)}@example.org"
            account = {"email": address, "password": secrets.token_urlsafe(24)}
            await self._made("/api/people", account | {"display_name": "Replay"}, "id")
            self._account = account
        granted = await self._made("/api/tokens", self._account, "access_token", "expires_in")
        self._renew_at = time.monotonic() + 0.8 * float(granted["expires_in"])
        return str(granted["access_token"])

    async def _made(self, path: str, body: dict[str, str], *members: str) -> dict[str, Any]:
        answer = await self._post(path, body, {"Idempotency-Key": secrets.token_hex(16)})
        if not answer.is_success:
            raise NoAnswer(f"The city did not accept POST {path}: {detail_of(answer)}")
        return document_of(answer, *members)

    async def _post_as(self, token: str, key: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": derived_id("replay", key)}
        return await self._post("/api/requests", body, headers)

    async def _post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Response:
        """Post until an answer is final; what Retry-After asks of one call, all do."""
        reason = ""
        for attempt in range(ATTEMPTS):
            await asyncio.sleep(max(0.0, self._resume_at - time.monotonic()))
            try:
                answer = await self._http.post(path, json=body, headers=headers)
                if answer.status_code not in _AGAIN:
                    return answer
                reason = detail_of(answer)
                pause = _retry_after(answer)
            except httpx.TransportError as error:
                reason, pause = f"{type(error).__name__} {error}".strip(), None
            if pause:
                self._resume_at = max(self._resume_at, time.monotonic() + pause)
            elif attempt + 1 < ATTEMPTS:
                await asyncio.sleep(min(BACKOFF * 2**attempt, LONGEST_BACKOFF) * random.uniform(0.5, 1))  # noqa: S311
        raise NoAnswer(f"No answer to POST {path} after {ATTEMPTS} attempts; the last: {reason}")


def _retry_after(answer: httpx.Response) -> float | None:
    """Return the seconds of a Retry-After header, which may be a number or a date (RFC 9110, 10.2.3)."""
    text = answer.headers.get("Retry-After", "").strip()
    seconds: float | None = None
    if text.isdecimal():
        seconds = float(text)
    elif text:
        # A date that cannot be read, or has no zone, asks for nothing: the usual pause follows.
        with suppress(ValueError, TypeError):
            seconds = (email.utils.parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_PAUSE)


def document_of(answer: httpx.Response, *members: str) -> dict[str, Any]:
    """Return the JSON object of an answer; raises `NoAnswer` if it is none or lacks one of the members."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict) or not document.keys() >= set(members):
        raise NoAnswer(f"The answer of {answer.url} is not a JSON object with {', '.join(members)}.")
    return document


def detail_of(answer: httpx.Response) -> str:
    """Return what a problem document says, else its status."""
    status = f"{answer.status_code} {answer.reason_phrase}"
    if not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        return status
    try:
        return f"{status}: {answer.json()['detail']}"
    except (ValueError, KeyError, TypeError):
        return status
