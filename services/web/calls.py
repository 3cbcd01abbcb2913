"""Asks the city's API as any client would: in this process without a network, and under the same rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import Request


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came back with; `body` is empty where it was no JSON object."""

    status: int
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        return self.status == 200

    @property
    def items(self) -> list[dict[str, Any]]:
        """The entries of a list; none where the call failed."""
        found: list[dict[str, Any]] = self.body.get("items", []) if self.ok else []
        return found


async def get(request: Request, path: str, **query: str | int) -> Answer:
    """GET a path of the API. A service that is down is an answer too: 503."""
    # An error inside the city is logged where it happens, and is an answer here.
    transport = httpx.ASGITransport(app=request.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://city", trust_env=False) as http:
        try:
            answer = await http.get(path, params=query)
            body = answer.json()
        except (httpx.TransportError, ValueError):
            return Answer(503, {})
    return Answer(answer.status_code, body if isinstance(body, dict) else {})
