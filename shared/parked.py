"""Events whose reaction failed: kept, tried again after 0.1, 1, 5 and 15 s, then a dead letter for a person to see.

The later events of the same subject are kept behind it, so that order holds; all other subjects go on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import orjson

from shared.decider import Collection
from shared.events import Envelope
from shared.metrics import PARKED
from shared.runtime import Context
from shared.store import Between, Conflict, Document, Query, Unavailable

PARKED_EVENTS = Collection(
    "parked", ("subject", "due_at", "status"), (("subject", "key"), ("due_at",), ("status", "key"))
)
PAUSES_S = (0.1, 1.0, 5.0, 15.0)
_POLL_S = 0.1
_LOOK_AGAIN_S = 60.0
# Nothing is set aside for days; another instance that did hands its subjects over more slowly than this.
_NONE_FOR_S = 1.0
_log = logging.getLogger("gotong.parked")


class Parking:
    """The events that one service has set aside."""

    def __init__(self, context: Context, react: Callable[[Envelope], Awaitable[None]]) -> None:
        self._context, self._react = context, react
        self._stopping = False
        self._none_until = 0.0

    async def subjects(self, asked: Sequence[str]) -> set[str]:
        """Which of these subjects have something set aside."""
        found: set[str] = set()
        if time.monotonic() < self._none_until:
            return found
        if not await self._context.store.find(PARKED_EVENTS.kind, Query(limit=1, short=True)):
            self._none_until = time.monotonic() + _NONE_FOR_S
            return found
        for subject in asked:
            query = Query({"subject": subject}, limit=1, short=True)
            if await self._context.store.find(PARKED_EVENTS.kind, query):
                found.add(subject)
        return found

    async def park(self, envelopes: Sequence[Envelope], cause: str) -> None:
        """Set events of one subject aside, in their order. One that is there already stays as it is."""
        due = self._context.clock().timestamp() + PAUSES_S[0]
        self._none_until = 0.0
        await self._context.store.put([_Parked(each, cause, due=due).document(1) for each in envelopes])
        PARKED.labels(self._context.service).inc(len(envelopes))

    async def run(self) -> None:
        """Try again what is due, until stopped."""
        while not self._stopping:
            try:
                await self.retry_due()
            except Unavailable as error:
                _log.error("retries of %s wait: %s", self._context.service, error.detail)
            await asyncio.sleep(_POLL_S)

    async def retry_due(self) -> None:
        """Try every subject that has something due: its first event, and while that succeeds, the ones behind it."""
        now = self._context.clock().timestamp()
        query = Query(where={"due_at": Between(None, now)}, order="due_at", limit=200, short=True)
        due = await self._context.store.find(PARKED_EVENTS.kind, query)
        for subject in dict.fromkeys(_Parked.read(each.document).envelope.subject for each in due):
            try:
                await self._retry(subject, now)
            except Conflict:
                continue  # another instance tries this subject at the same time

    async def _retry(self, subject: str, now: float) -> None:
        query = Query(where={"subject": subject}, limit=10_000)
        waiting = [each.document for each in await self._context.store.find(PARKED_EVENTS.kind, query)]
        if not waiting:
            return  # another instance was quicker
        first = _Parked.read(waiting[0])
        if first.due is None or first.due > now:
            await self._put_off(waiting[1:], now)
            return
        for document in waiting:
            if not await self._try(document):
                return
            await self._context.store.delete(PARKED_EVENTS.kind, [document.key])

    async def _try(self, document: Document) -> bool:
        parked = _Parked.read(document)
        try:
            await self._react(parked.envelope)
        except Unavailable:
            raise
        except Exception as error:
            tries = parked.tries + 1
            _log.exception("%s %s failed, try %d", parked.envelope.type, parked.envelope.id, tries + 1)
            due = None if tries >= len(PAUSES_S) else self._context.clock().timestamp() + PAUSES_S[tries]
            failed = _Parked(parked.envelope, f"{type(error).__name__}: {error}", tries, due)
            await self._context.store.save(failed.document(document.version + 1), document.version)
            return False
        return True

    async def _put_off(self, documents: Sequence[Document], now: float) -> None:
        """The one before these is not due, or dead: look at them again later."""
        for document in documents:
            parked = _Parked.read(document)
            if parked.due is not None and parked.due <= now:
                later = replace(parked, due=now + _LOOK_AGAIN_S)
                await self._context.store.save(later.document(document.version + 1), document.version)

    def stop(self) -> None:
        """Let `run` end after its round."""
        self._stopping = True


@dataclass(frozen=True, slots=True)
class _Parked:
    """An event set aside: why, how often it was tried again, and when next (epoch seconds; None: dead)."""

    envelope: Envelope
    cause: str
    tries: int = 0
    due: float | None = None

    def document(self, version: int) -> Document:
        state = {"body": self.envelope.body.decode(), "cause": self.cause, "tries": self.tries, "due": self.due}
        subject, status = self.envelope.subject, "dead" if self.due is None else "waiting"
        return Document(
            PARKED_EVENTS.kind,
            f"{subject}/{self.envelope.sequence:012d}/{self.envelope.id}",
            version,
            orjson.dumps(state),
            index={"subject": subject, "due_at": self.due, "status": status},
        )

    @classmethod
    def read(cls, document: Document) -> _Parked:
        kept = orjson.loads(document.state)
        return cls(Envelope.from_json(kept["body"].encode()), kept["cause"], kept["tries"], kept["due"])
