"""A lease: of several instances of a service, one at a time may do a thing. It is a document guarded by its version."""

from __future__ import annotations

import orjson

from shared.decider import Collection
from shared.ids import new_id
from shared.runtime import Context
from shared.store import Conflict, Document

LEASES = Collection("lease")
SECONDS = 10.0


class Lease:
    """The right to do `name` in a service, held for ten seconds and renewed by half of them.

    The document's version is the fence: whoever took over has raised it, so a late renewal by the former holder
    conflicts.
    """

    def __init__(self, context: Context, name: str, owner: str | None = None) -> None:
        self._context, self._name, self._owner = context, name, owner or new_id()
        self._until = 0.0

    async def held(self) -> bool:
        """True if this instance holds the lease now, taking or renewing it where that is possible."""
        now = self._context.clock().timestamp()
        # Not later than it was granted for, and not earlier either: the clock may have been set back.
        if now < self._until - SECONDS / 2 and now > self._until - 2 * SECONDS:
            return True
        document = await self._context.store.load(LEASES.kind, self._name)
        if document is not None:
            held = orjson.loads(document.state)
            others = held["owner"] != self._owner
            if others and now < held["until"] <= now + 2 * SECONDS:
                return self._lost()
        return await self._take(0 if document is None else document.version, now)

    async def release(self) -> None:
        """Let others have it at once."""
        document = await self._context.store.load(LEASES.kind, self._name)
        if document is not None and orjson.loads(document.state)["owner"] == self._owner:
            await self._take(document.version, self._context.clock().timestamp() - SECONDS)
        self._until = 0.0

    async def _take(self, version: int, now: float) -> bool:
        state = orjson.dumps({"owner": self._owner, "until": now + SECONDS})
        try:
            await self._context.store.save(Document(LEASES.kind, self._name, version + 1, state), version)
        except Conflict:
            return self._lost()
        self._until = now + SECONDS
        return True

    def _lost(self) -> bool:
        # A clock that was set back comes again to times for which this instance once held it.
        self._until = 0.0
        return False
