"""The embedded bus: an append-only log and each group's position in one SQLite file."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from shared.bus import PUBLIC, Handler, topic
from shared.events import Envelope
from shared.sqlite import Connection, Database
from shared.store import Unavailable

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS log (position INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, "
    "topic TEXT NOT NULL, type TEXT NOT NULL, public INTEGER NOT NULL, body TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS reached (name TEXT PRIMARY KEY, position INTEGER NOT NULL)",
)
_APPEND = (
    "INSERT INTO log (at, topic, type, public, body) SELECT json_extract(value, '$[0]'), "
    "json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]'), "
    "json_extract(value, '$[4]') FROM json_each(?)"
)
_REACH = (
    "INSERT INTO reached VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = max(position, excluded.position)"
)
_PRUNE = "DELETE FROM log WHERE at < ? AND position <= (SELECT coalesce(min(position), 0) FROM reached)"

RETENTION_S = 72 * 3600
_BATCH = 500
_POLL_S = 0.1
_MOST_PAUSE_S = 15.0
_PASS_OVER_EVERY_S = 5.0
_NO_END = 2**62
_PRUNE_EVERY_S = 600
_log = logging.getLogger("gotong.bus")


@dataclass(frozen=True, slots=True)
class _Append:
    envelopes: Sequence[Envelope]


@dataclass(frozen=True, slots=True)
class _Reached:
    group: str
    position: int


@dataclass(frozen=True, slots=True)
class _Prune:
    before: float


_Job = _Append | _Reached | _Prune


@dataclass(slots=True)
class _Subscription:
    topics: Sequence[str]
    group: str
    handler: Handler
    types: Sequence[str] | None = None
    position: int = 0
    passed_over_at: float = 0.0
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def wants(self, envelope: Envelope) -> bool:
        """Whether the group follows this event; the same rule as `_of`."""
        there = topic(envelope.service) in self.topics or (PUBLIC in self.topics and envelope.visibility == "public")
        return there and (self.types is None or envelope.type in self.types)


class EmbeddedBus:
    """The Bus protocol over one file; a group is followed by one process at a time."""

    def __init__(self, path: Path) -> None:
        self._database: Database[_Job] = Database(path, _SCHEMA, _apply)
        self._subscriptions: list[_Subscription] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        await self._database.write(_Append(envelopes))
        for each in self._subscriptions:
            if any(map(each.wants, envelopes)):
                each.more.set()

    def subscribe(
        self, topics: Sequence[str], group: str, handler: Handler, types: Sequence[str] | None = None
    ) -> None:
        self._subscriptions.append(_Subscription(topics, group, handler, types))

    async def start(self) -> None:
        for each in self._subscriptions:
            # From now on the log keeps what this group has not had, though it never finished a batch.
            await self._database.write(_Reached(each.group, 0))
        self._tasks = [asyncio.create_task(self._follow(each)) for each in self._subscriptions]
        self._tasks.append(asyncio.create_task(self._prune()))

    async def stop(self) -> None:
        self._stopping.set()
        for each in self._subscriptions:
            each.more.set()
        if self._tasks:
            *following, pruning = self._tasks
            pruning.cancel()
            await asyncio.gather(*following, return_exceptions=True)
        await self._database.close()

    async def lag(self) -> dict[str, int]:
        behind: dict[str, int] = {}
        for each in self._subscriptions:
            where, parameters = _of(each)
            sql = f"SELECT count(*) FROM log WHERE position > ? AND {where}"  # noqa: S608
            ((behind[each.group],),) = await self._database.query(sql, (each.position, *parameters))
        return behind

    async def _follow(self, subscription: _Subscription) -> None:
        """Deliver batch after batch. A failing handler gets the same batch again, a little later each time."""
        pause, known = _POLL_S, False
        while not self._stopping.is_set():
            subscription.more.clear()
            try:
                if not known:
                    subscription.position, known = self._reached(subscription.group), True
                if not await self._deliver(subscription):
                    await _until(subscription.more, _POLL_S)
                pause = _POLL_S
                continue
            except Unavailable as error:
                _log.error("group %s waits: %s", subscription.group, error.detail)
            except Exception:
                _log.exception("group %s failed at a batch after %d", subscription.group, subscription.position)
            await _until(self._stopping, pause)
            pause = min(pause * 2, _MOST_PAUSE_S)

    async def _deliver(self, subscription: _Subscription) -> bool:
        """One batch; True if there may be more at once."""
        rows = self._after(subscription)
        if not rows:
            await self._pass_over(subscription)
            return False
        await subscription.handler([Envelope.from_json(body) for _, body in rows])
        position: int = rows[-1][0]
        await self._database.write(_Reached(subscription.group, position))
        subscription.position = position
        return len(rows) == _BATCH

    def _after(self, subscription: _Subscription, end: int = _NO_END) -> list[tuple[Any, ...]]:
        where, parameters = _of(subscription)
        return self._database.read(
            f"SELECT position, body FROM log WHERE position > ? AND position <= ? AND {where} "  # noqa: S608
            "ORDER BY position LIMIT ?",
            (subscription.position, end, *parameters, _BATCH),
        )

    async def _pass_over(self, subscription: _Subscription) -> None:
        """Leave behind, now and then, the events of others: they need not be looked at again, and may be pruned."""
        if time.monotonic() < subscription.passed_over_at + _PASS_OVER_EVERY_S:
            return
        subscription.passed_over_at = time.monotonic()
        ((end,),) = self._database.read("SELECT coalesce(max(position), 0) FROM log")
        if end > subscription.position and not self._after(subscription, end):
            await self._database.write(_Reached(subscription.group, end))
            subscription.position = end

    def _reached(self, group: str) -> int:
        rows = self._database.read("SELECT position FROM reached WHERE name = ?", (group,))
        return int(rows[0][0]) if rows else 0

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(_PRUNE_EVERY_S)
            try:
                await self._database.write(_Prune(time.time() - RETENTION_S))
            except Unavailable as error:
                _log.error("old events could not be removed: %s", error.detail)


def _apply(connection: Connection, jobs: list[_Job]) -> list[Any]:
    now = time.time()
    rows: list[list[Any]] = []
    for job in jobs:
        match job:
            case _Append(envelopes):
                rows += [[now, topic(e.service), e.type, e.visibility == "public", e.body.decode()] for e in envelopes]
            case _Reached(group, position):
                connection.execute(_REACH, (group, position))
            case _Prune(before):
                connection.execute(_PRUNE, (before,))
    if rows:
        connection.execute(_APPEND, (orjson.dumps(rows).decode(),))
    return [None] * len(jobs)


def _of(subscription: _Subscription) -> tuple[str, list[str]]:
    """Which rows a group follows. A public event is one row, found under both of its topics."""
    own = [each for each in subscription.topics if each != PUBLIC]
    parts = [f"topic IN ({', '.join('?' * len(own))})"] if own else []
    if PUBLIC in subscription.topics:
        parts.append("public = 1")
    where = f"({' OR '.join(parts)})"
    if subscription.types is None:
        return where, own
    return f"{where} AND type IN ({', '.join('?' * len(subscription.types))})", [*own, *subscription.types]


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
