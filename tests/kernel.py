"""A small aggregate, events, a clock and a store on which the kernel is tried without any service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from shared.areas import Areas
from shared.decider import Collection, Command, Decider, PassTime, State
from shared.errors import NotFound, Rejected
from shared.events import Cause, Envelope, Event, Party, Visibility, seal
from shared.ids import new_id
from shared.lease import LEASES
from shared.parked import PARKED_EVENTS
from shared.runtime import Clock, Context, utc_now
from shared.settings import Settings
from shared.store import Document, Entry, Found, Query, Unavailable
from shared.store.sqlite import SqliteStore

T0 = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
ANI = Party(kind="resident", id="ani")
WITHIN_S = 20.0


async def until(condition: Callable[[], bool | Awaitable[bool]], within_s: float = WITHIN_S) -> None:
    """Wait for a condition; an AssertionError where it does not come true in time."""
    deadline = time.monotonic() + within_s
    while True:
        met = condition()
        if met if isinstance(met, bool) else await met:
            return
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.005)


class Said(Event):
    """Something anybody may hear."""

    type: ClassVar[str] = "org.gotongroyong.test.said.v1"

    text: str = ""


class Whispered(Event):
    """Something for the services only."""

    type: ClassVar[str] = "org.gotongroyong.test.whispered.v1"
    visibility: ClassVar[Visibility] = "internal"


def sealed(subject: str, sequence: int, event: Event | None = None, service: str = "requests") -> Envelope:
    """One event of a subject, as a service publishes it."""
    cause = Cause("visit", "command", "resident")
    event = event or Said(at=T0, text=f"{subject} {sequence}")
    return seal(event, id=new_id(), service=service, subject=subject, sequence=sequence, cause=cause, attributes={})


class Kept(BaseModel):
    """What a counter does not tell."""

    model_config = ConfigDict(frozen=True)

    secret: str = ""


class Opened(Event):
    """A counter is there."""

    type: ClassVar[str] = "org.gotongroyong.counter.opened.v1"

    limit: int
    due_at: float | None = None
    private: Kept | None = Field(default=None, exclude=True)


class Increased(Event):
    """One more."""

    type: ClassVar[str] = "org.gotongroyong.counter.increased.v1"


class Rang(Event):
    """Its time came."""

    type: ClassVar[str] = "org.gotongroyong.counter.rang.v1"


class Counter(State):
    """Counts up to a limit."""

    total: int = 0
    limit: int = 0
    rung: int = 0
    due_at: float | None = None
    private: Kept = Field(default=Kept(), exclude=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(Command):
    """A counter with a limit that rings at its time; opening it again changes nothing."""

    limit: int = 1_000_000
    due_at: float | None = None
    secret: str = "hush"


@dataclass(frozen=True, slots=True, kw_only=True)
class Increase(Command):
    """One more, if the limit allows it."""


def _decide(command: Command, state: Counter) -> Sequence[Event]:
    match command:
        case Open() if state.exists:
            return []
        case Open(at=at, limit=limit, due_at=due_at, secret=secret):
            return [Opened(at=at, limit=limit, due_at=due_at, private=Kept(secret=secret))]
        case Increase() if not state.exists:
            raise NotFound("There is no such counter.")
        case Increase() if state.total == state.limit:
            raise Rejected("It is full.")
        case Increase():
            return [Increased(at=command.at)]
        case PassTime() if state.limit == 0:
            raise Rejected("It does not ring.")
        case PassTime() if state.limit < 0:
            raise ArithmeticError("a fault in the decider")
        case _:
            return [Rang(at=command.at)] if state.due_at and state.due_at <= command.at.timestamp() else []


def _evolve(state: Counter, event: Event) -> Counter:
    match event:
        case Opened():
            changes: dict[str, Any] = {"limit": event.limit, "due_at": event.due_at, "private": event.private}
            return state.model_copy(update=changes)
        case Increased():
            return state.model_copy(update={"total": state.total + 1})
        case _:
            return state.model_copy(update={"rung": state.rung + 1, "due_at": None})


COUNTER = Decider(
    collection=Collection("counter", ("due_at",), (("due_at",),)),
    state=Counter,
    decide=_decide,
    evolve=_evolve,
    events=(Opened, Increased, Rang),
    index=lambda state: {"due_at": state.due_at},
)
KINDS = (COUNTER.collection, LEASES, PARKED_EVENTS)


class HandClock:
    """A clock that goes only when it is told to, forwards or back."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        """Move it on, or back where negative."""
        self.now += timedelta(seconds=seconds)


class WatchedStore(SqliteStore):
    """The embedded store, which counts its saves and refusals and can be out of reach."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, KINDS)
        self.saves = 0
        self.away = False
        self.refused = 0

    def _reach(self) -> None:
        if self.away:
            self.refused += 1
            raise Unavailable("The store is away.")

    async def load(self, kind: str, key: str) -> Document | None:
        self._reach()
        return await super().load(kind, key)

    async def save(self, document: Document, expected: int, entries: Sequence[Entry] = ()) -> None:
        self._reach()
        self.saves += 1
        await super().save(document, expected, entries)

    async def put(self, documents: Sequence[Document]) -> None:
        self._reach()
        await super().put(documents)

    async def find(self, kind: str, query: Query) -> list[Found]:
        self._reach()
        return await super().find(kind, query)


def context_over(store: SqliteStore, folder: Path, clock: Clock = utc_now) -> Context:
    """A service without a city around it."""
    return Context("counting", store, Areas((), folder / "none"), Settings(data=folder), clock)


def caused() -> Cause:
    """The cause of one call."""
    call = new_id()
    return Cause(call, call, "resident")


async def opened(context: Context, key: str = "one", **more: Any) -> Counter:
    """A counter that was just made."""
    return await context.execute(COUNTER, key, Open(by=ANI, at=context.clock(), **more), caused(), fresh=True)


async def increased(context: Context, key: str = "one", expected: int | None = None) -> Counter:
    """A counter after one more."""
    return await context.execute(COUNTER, key, Increase(by=ANI, at=context.clock(), expected=expected), caused())
