"""The public log: every public event once, in the order in which it arrived, under a position that only grows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.feeds.filters import Filter
from shared.decider import Collection
from shared.events import Envelope
from shared.runtime import Context
from shared.store import Conflict, Document, Query

ENTRIES = Collection(
    "entry",
    ("event_id", "subject", "correlationid"),
    (("event_id",), ("subject", "key"), ("correlationid", "key")),
)
REMEMBERED = 5_000
# One call looks at no more than this, and says where it stopped: the next one goes on from there.
SCANNED = 5_000


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An event at its position, with the bytes that an SSE follower gets."""

    position: int
    envelope: Envelope
    frame: bytes


class Log:
    """The log in the service's store, with its newest part in memory for those who follow."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._recent: list[LogEntry] = []
        self._more = asyncio.Event()
        self.closed = False
        self.last = 0

    @classmethod
    def of(cls, context: Context) -> Log:
        """The one that the service set up at its start."""
        found: Log = context.parts["log"]
        return found

    async def open(self) -> None:
        """Find the end of what is stored."""
        found = await self._context.store.find(ENTRIES.kind, Query(order="key", descending=True, limit=1))
        self.last = int(found[0].document.key) if found else 0

    async def append(self, envelopes: Sequence[Envelope]) -> None:
        """Add the events that are not there yet, durably, then wake those who follow."""
        query = Query({"event_id": tuple(each.id for each in envelopes)}, limit=len(envelopes), short=True)
        known = {Envelope.from_json(each.document.state).id for each in await self._context.store.find("entry", query)}
        new = list({each.id: each for each in envelopes if each.id not in known}.values())
        entries = [_entry(self.last + number, each) for number, each in enumerate(new, 1)]
        try:
            # Nobody else appends while this instance has the topic; if somebody did, the positions conflict.
            await asyncio.gather(*(self._context.store.save(_document(each), 0) for each in entries))
        except Conflict:
            await self.open()
            raise
        self._recent += entries
        if len(self._recent) > 2 * REMEMBERED:
            del self._recent[:-REMEMBERED]
        self.last += len(entries)
        self.wake()

    async def read(self, asked: Filter, after: int, limit: int) -> tuple[list[LogEntry], int]:
        """Up to `limit` events after a position that fit, and the position up to which was looked."""
        last = self.last  # what arrives while the store is read is for the next call
        if self._recent and after >= self._recent[0].position - 1:
            # Positions follow each other without a gap, so the place in memory is known.
            source, reached = self._recent[after - self._recent[0].position + 1 :], last
        else:
            source, reached = await self._stored(asked, after, last)
        found: list[LogEntry] = []
        for each in source:
            if len(found) == limit:
                return found, found[-1].position
            if asked.matches(each.envelope):
                found.append(each)
        return found, max(after, reached)

    async def _stored(self, asked: Filter, after: int, last: int) -> tuple[list[LogEntry], int]:
        """The next stored events up to `last`, and how far they go: to `last`, unless there are more of them."""
        narrow = {"subject": asked.subject, "correlationid": asked.correlationid}
        where = {name: value for name, value in narrow.items() if value is not None}
        query = Query(where, order="key", after=(_key(after), _key(after)), limit=SCANNED)
        stored = await self._context.store.find(ENTRIES.kind, query)
        entries = [_entry(int(each.document.key), Envelope.from_json(each.document.state)) for each in stored]
        reached = last if len(stored) < SCANNED else min(last, entries[-1].position)
        return [each for each in entries if each.position <= last], reached

    async def wait(self, after: int, seconds: float) -> bool:
        """Wait until there is something after a position; False if there was nothing in time."""
        if self.last > after or self.closed:
            return True
        try:
            await asyncio.wait_for(self._more.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def wake(self) -> None:
        """Let everybody who waits look again."""
        self._more.set()
        self._more = asyncio.Event()

    def close(self) -> None:
        """End all following: the process stops."""
        self.closed = True
        self.wake()


async def keep_in_log(context: Context, envelopes: Sequence[Envelope]) -> None:
    """What happened publicly is added to the log."""
    await Log.of(context).append(envelopes)


async def set_up(context: Context) -> None:
    """For the service's start."""
    log = context.parts["log"] = Log(context)
    await log.open()


def let_go(context: Context) -> None:
    """For the service's end."""
    Log.of(context).close()


def _key(position: int) -> str:
    return f"{position:016d}"


def _entry(position: int, envelope: Envelope) -> LogEntry:
    frame = b"id: %d\nevent: %s\ndata: %s\n\n" % (position, envelope.type.encode(), envelope.body)
    return LogEntry(position, envelope, frame)


def _document(entry: LogEntry) -> Document:
    event = entry.envelope
    index = {"event_id": event.id, "subject": event.subject, "correlationid": event.correlationid}
    return Document(ENTRIES.kind, _key(entry.position), 1, event.body, index=index)
