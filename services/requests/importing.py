"""Imports the rows of a file as requests: each of them once, however often and in whatever file it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal
from uuid import UUID

from pydantic import ValidationError

from services.requests.domain import REQUEST
from services.requests.domain.commands import OpenRequest, RequestInput
from services.requests.placing import placing
from shared.areas import Areas
from shared.contracts.requests import RequestKind
from shared.errors import Invalid, Problem, Stale
from shared.events import SYSTEM, Cause
from shared.ids import derived_id, new_id
from shared.importing import Refusal, Row
from shared.runtime import Clock, Context
from shared.store import Unavailable

TOGETHER = 200
"""Rows that go to the store together. Between two such bursts nothing is written, so that a running city gets its turn:
SQLite lets writers in by luck, and one who never pauses would keep the others out for seconds.
"""

Result = Literal["imported", "repeated", "refused"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the row that begins at `line`; a refusal has its reason, the others the id of the request."""

    line: int
    result: Result
    request_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """How rows become requests: of which kind, where they lie, and whose keys they have.

    Rows with one key are one request, in whatever file they come. `system` keeps the keys of several systems apart
    that number their reports alike.
    """

    areas: Areas
    clock: Clock
    kind: RequestKind = "report"
    system: str | None = None

    async def run(self, context: Context, rows: Iterable[Row | Refusal]) -> AsyncGenerator[Outcome, None]:
        """Open a request for every row that has none yet; outcomes come in the order of the rows.

        Raises `Unavailable` if the store cannot be written; what was told by then is kept, and an import that is
        begun again finds it.
        """
        visit, waiting = new_id(), iter(rows)
        while burst := list(islice(waiting, TOGETHER)):
            for outcome in await asyncio.gather(*(self._settle(context, row, visit) for row in burst)):
                yield outcome

    async def rehearse(self, context: Context | None, rows: Iterable[Row | Refusal]) -> AsyncGenerator[Outcome, None]:
        """Tell what `run` would do, and write nothing. `context` is None where nothing is stored yet.

        Sixteen bytes of every row are held in memory, to know it again.
        """
        seen: set[bytes] = set()
        for row in rows:
            if isinstance(row, Refusal):
                yield Outcome(row.line, "refused", reason=row.reason)
                continue
            key = self._request_id(row)
            known = UUID(key).bytes
            try:
                self._command(row, key)
            except Problem as problem:
                yield Outcome(row.line, "refused", reason=_reason(problem))
                continue
            there = known in seen or (context is not None and await context.load(REQUEST, key) is not None)
            seen.add(known)
            yield Outcome(row.line, "repeated" if there else "imported", key)

    async def _settle(self, context: Context, row: Row | Refusal, visit: str) -> Outcome:
        if isinstance(row, Refusal):
            return Outcome(row.line, "refused", reason=row.reason)
        key = self._request_id(row)
        try:
            await context.execute(REQUEST, key, self._command(row, key), Cause(visit, new_id(), "system"))
        except Stale:
            return Outcome(row.line, "repeated", key)
        except Unavailable:
            raise
        except Problem as problem:
            return Outcome(row.line, "refused", reason=_reason(problem))
        return Outcome(row.line, "imported", key)

    def _request_id(self, row: Row) -> str:
        return derived_id("import", row.key) if self.system is None else derived_id("import", self.system, row.key)

    def _command(self, row: Row, key: str) -> OpenRequest:
        """The command for a row; `Invalid` for what no request may have."""
        asked = self._asked(row)
        where = placing(asked, self.areas)
        return OpenRequest(
            by=SYSTEM,
            at=self.clock(),
            # For a request that nobody has opened yet: whoever comes second is told so, also by another process.
            expected=0,
            asked=asked,
            shown=where.shown,
            place=where.place,
            area=where.area,
            area_source=where.area_source,
            fingerprint=key,
            opened_at=row.opened_at,
        )

    def _asked(self, row: Row) -> RequestInput:
        given: dict[str, Any] = {
            "kind": self.kind,
            "title": row.title,
            "body": row.body,
            "category": row.category,
            "location": row.location and dict(zip(("lon", "lat"), row.location, strict=True)),
            "area": row.area,
        }
        try:
            return RequestInput.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise Invalid(".".join(map(str, first["loc"])), str(first["msg"]).removeprefix("Value error, ")) from error


def _reason(problem: Problem) -> str:
    """One line, with the field where it is one field's fault."""
    detail = " ".join(problem.detail.split())
    return f"{problem.field}: {detail}" if isinstance(problem, Invalid) else detail
