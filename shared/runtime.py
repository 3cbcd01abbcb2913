"""How a command runs: load, decide, fold, one save of the new state together with its events; again on conflict."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, TypeVar, cast

from shared.areas import Areas
from shared.decider import Command, Decider, State, private_json, public_json
from shared.errors import NotFound, Rejected, Stale
from shared.events import Cause, Envelope, Event, seal
from shared.ids import new_id
from shared.metrics import COMMANDS
from shared.settings import Settings
from shared.store import Conflict, Document, Entry, Store

_ATTEMPTS = 10
_TOGETHER = 100
_log = logging.getLogger("gotong.command")

S = TypeVar("S", bound=State)
Clock = Callable[[], datetime]
Reaction = Callable[["Context", Any, Envelope], Awaitable[object]]


def utc_now() -> datetime:
    """The clock of a running city."""
    return datetime.now(UTC)


@dataclass(slots=True)
class _Turn:
    """A command that waits for its turn at an aggregate."""

    command: Command
    cause: Cause
    done: asyncio.Future[State]
    began: float
    fresh: bool
    answer: State | Exception | None = None
    events: Sequence[Event] = ()


@dataclass
class Context:
    """What a service's doors and reactions work with: its name, store, areas, settings, the clock, and `execute`."""

    service: str
    store: Store
    areas: Areas
    settings: Settings
    clock: Clock = utc_now
    saved: asyncio.Event = field(default_factory=asyncio.Event)
    # What a service sets up once, at its start, for all its doors and reactions.
    parts: dict[str, Any] = field(default_factory=dict)
    _waiting: dict[tuple[str, str], list[_Turn]] = field(default_factory=dict)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def load(self, decider: Decider[S], key: str) -> S | None:
        """The aggregate as it is, or None."""
        document = await self.store.load(decider.kind, key)
        return None if document is None else decider.parse(document.state, document.private)

    async def require(self, decider: Decider[S], key: str) -> S:
        """The aggregate as it is; NotFound where there is none."""
        state = await self.load(decider, key)
        if state is None or not state.exists:
            raise NotFound(f"There is no {decider.kind} {key}.")
        return state

    async def execute(self, decider: Decider[S], key: str, command: Command, cause: Cause, *, fresh: bool = False) -> S:
        """Run a command and give the new state; raises what `decide` raises, or Rejected after ten conflicts.

        `fresh` says that the key was made up just now, so that there is nothing to load. Commands on one aggregate take
        turns in this process, and those that wait together share one save.
        """
        turn = _Turn(command, cause, asyncio.get_running_loop().create_future(), time.perf_counter(), fresh)
        if fresh:  # nobody else can know the key, so there is no turn to wait for
            await self._settle(decider, key, [turn])
            return cast(S, await turn.done)
        place = (decider.kind, key)
        if place in self._waiting:
            self._waiting[place].append(turn)
        else:
            self._waiting[place] = [turn]
            serving = asyncio.create_task(self._serve(decider, place))
            self._serving.add(serving)
            serving.add_done_callback(self._serving.discard)
        return cast(S, await turn.done)

    async def first(self, decider: Decider[S], key: str) -> S:
        """The aggregate as the command that made it left it."""
        vocabulary, state, maker = decider.vocabulary(), decider.initial(key), None
        while entries := await self.store.history(key, after=state.version, limit=100):
            for entry in entries:
                if maker not in (None, entry.envelope.causationid):
                    return state
                state = decider.step(state, vocabulary.read(entry.envelope, entry.private))
                if maker is None and state.exists:
                    maker = entry.envelope.causationid
        return state

    async def _serve(self, decider: Decider[Any], place: tuple[str, str]) -> None:
        while turns := self._waiting[place][:_TOGETHER]:
            del self._waiting[place][: len(turns)]
            try:
                await self._settle(decider, place[1], turns)
            except Exception as error:
                for turn in turns:
                    _answer(turn, error)
        del self._waiting[place]

    async def _settle(self, decider: Decider[Any], key: str, turns: list[_Turn]) -> None:
        for attempt in range(_ATTEMPTS):
            if attempt > 0:
                await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311
            fresh = turns[0].fresh and attempt == 0
            document = None if fresh else await self.store.load(decider.kind, key)
            before = decider.initial(key) if document is None else decider.parse(document.state, document.private)
            after, entries = self._decide(decider, before, turns)
            try:
                if entries:
                    await self.store.save(_document(decider, after), before.version, entries)
                    self.saved.set()
                break
            except Conflict:
                continue
        else:
            raise Rejected("Too many others changed this at the same moment; try again.")
        for turn in turns:
            self._tell(decider, key, turn)
            _answer(turn, turn.answer)

    def _decide(self, decider: Decider[Any], state: Any, turns: list[_Turn]) -> tuple[Any, list[Entry]]:
        entries: list[Entry] = []
        for turn in turns:
            try:
                _check_version(turn.command, state)
                turn.events = decider.decide(turn.command, state)
                steps = list(accumulate(turn.events, decider.step, initial=state))[1:]
                made = [self._entry(decider, *step, turn.cause) for step in zip(steps, turn.events, strict=True)]
            except Exception as error:
                # Its own answer alone: those who wait with it are not to blame, whatever went wrong.
                turn.answer, turn.events = error, ()
                continue
            entries += made
            turn.answer = state = steps[-1] if steps else state
        return state, entries

    def _entry(self, decider: Decider[Any], state: Any, event: Event, cause: Cause) -> Entry:
        envelope = seal(
            event,
            id=new_id(),
            service=self.service,
            subject=state.id,
            sequence=state.version,
            cause=cause,
            attributes=decider.about(state),
        )
        return Entry(envelope, private_json(event))

    def _tell(self, decider: Decider[Any], key: str, turn: _Turn) -> None:
        name, took = type(turn.command).__name__, time.perf_counter() - turn.began
        outcome = type(turn.answer).__name__.lower() if isinstance(turn.answer, Exception) else "done"
        COMMANDS.labels(self.service, name, outcome).observe(took)
        _log.info(
            name,
            extra={
                "service": self.service,
                "key": key,
                "outcome": outcome,
                "events": len(turn.events),
                "ms": round(took * 1000, 1),
                "correlationid": turn.cause.correlationid,
            },
        )


def _check_version(command: Command, state: State) -> None:
    if command.expected not in (None, state.version):
        raise Stale(f"It is at version {state.version} now, not {command.expected}.", version=state.version)


def _document(decider: Decider[S], state: S) -> Document:
    return Document(
        decider.kind, state.id, state.version, public_json(state), private_json(state), decider.index(state)
    )


def _answer(turn: _Turn, answer: State | Exception | None) -> None:
    if turn.done.cancelled():
        return
    if isinstance(answer, Exception):
        turn.done.set_exception(answer)
    else:
        turn.done.set_result(cast(State, answer))
