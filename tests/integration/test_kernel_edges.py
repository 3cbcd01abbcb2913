"""Where the kernel's promises meet: a fault among others' commands, two instances at one retry, a very long queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from services.requests.domain import REQUEST
from services.requests.domain.commands import ReserveNeed
from shared.bus.embedded import EmbeddedBus
from shared.consumer import Consumer
from shared.decider import PassTime
from shared.events import SYSTEM, Envelope
from shared.parked import PARKED_EVENTS
from shared.relay import Relay
from shared.runtime import Context
from shared.service import Service
from shared.store import Query, Store, Unavailable
from shared.store.sqlite import SqliteStore
from shared.timers import Timers
from tests.given import BUDI, KEY, need_id, to_open, wish
from tests.kernel import (
    COUNTER,
    KINDS,
    T0,
    Counter,
    HandClock,
    Said,
    WatchedStore,
    Whispered,
    caused,
    context_over,
    increased,
    opened,
    sealed,
    until,
)


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    made = context_over(WatchedStore(tmp_path / "counting.db"), tmp_path, HandClock())
    yield made
    await made.store.close()


async def test_a_fault_of_one_command_is_no_fault_of_those_that_wait_with_it(context: Context) -> None:
    await opened(context, limit=-1)  # a counter whose decider has a fault where time is concerned
    faulty = context.execute(COUNTER, "one", PassTime(by=SYSTEM, at=context.clock()), caused())
    first, fault, last = await asyncio.gather(increased(context), faulty, increased(context), return_exceptions=True)
    assert isinstance(fault, ArithmeticError)
    assert isinstance(first, Counter)
    assert isinstance(last, Counter)
    assert (await context.require(COUNTER, "one")).total == 2


async def test_a_request_that_was_asked_for_too_early_is_first_shown_as_it_was_opened(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "requests.db", [REQUEST.collection])
    context = context_over(store, tmp_path)
    early = wish(ReserveNeed, BUDI, contribution_id="p1", need_id=need_id(), quantity=1, source="pledge")
    await context.execute(REQUEST, KEY, early, caused())
    made = await context.execute(REQUEST, KEY, to_open((5, "kg")), caused())
    assert made.status == "open"
    assert (await context.first(REQUEST, KEY)).status == "open"
    await store.close()


class Reacting:
    """An instance of a service that reacts to what is said, unless it fails."""

    def __init__(self, context: Context, heard: list[str]) -> None:
        self.failing = False
        self._heard = heard
        self.consumer = Consumer(Service("reacting", (), subscribers={Said: [self.hear]}), context)

    async def hear(self, context: Context, event: Said, envelope: Envelope) -> None:
        await asyncio.sleep(0)
        if self.failing:
            raise RuntimeError("poison")
        self._heard.append(event.text)


async def parked(store: Store) -> int:
    return len(await store.find(PARKED_EVENTS.kind, Query(limit=100)))


@pytest.mark.parametrize("recovered", [True, False])
async def test_two_instances_may_try_again_at_the_same_moment(
    context: Context, tmp_path: Path, recovered: bool
) -> None:
    clock = context.clock
    assert isinstance(clock, HandClock)
    other = context_over(SqliteStore(tmp_path / "counting.db", KINDS), tmp_path, clock)
    heard: list[str] = []
    instances = [Reacting(context, heard), Reacting(other, heard)]
    instances[0].failing = True
    subjects = [f"subject-{number}" for number in range(8)]
    said = [sealed(subject, number) for subject in subjects for number in (1, 2, 3)]
    await instances[0].consumer.handle(said)
    assert await parked(context.store) == 24
    for each in instances:
        each.failing = not recovered
    clock.go(1)
    await asyncio.gather(*(each.consumer.parking.retry_due() for each in instances))
    for subject in subjects:
        firsts = [text for text in dict.fromkeys(heard) if text.startswith(subject)]
        assert firsts == ([f"{subject} {number}" for number in (1, 2, 3)] if recovered else [])
    assert await parked(context.store) == (0 if recovered else 24)
    clock.go(0.5)  # now the later ones are due, and are put off behind their first
    await asyncio.gather(*(each.consumer.parking.retry_due() for each in instances))
    await other.store.close()


async def test_a_very_long_queue_of_one_subject_hides_no_other(context: Context) -> None:
    parking = Reacting(context, []).consumer.parking
    for start in range(1, 10_002, 2_000):
        await parking.park([sealed("a", number) for number in range(start, start + 2_000)], "poison")
    await parking.park([sealed("b", 1)], "poison")
    assert await parking.subjects(["a", "b", "c"]) == {"a", "b"}


async def test_a_batch_of_which_nothing_concerns_a_service_is_done_at_once(context: Context) -> None:
    heard: list[str] = []
    assert isinstance(context.store, WatchedStore)
    context.store.away = True  # nothing is looked up for it
    await Reacting(context, heard).consumer.handle([sealed("a", 1, Whispered(at=T0))])
    assert heard == []


async def test_timers_look_by_themselves_until_they_are_stopped(context: Context) -> None:
    store = context.store
    assert isinstance(store, WatchedStore)
    await opened(context, due_at=T0.timestamp())
    timers = Timers(context, [COUNTER])
    store.away = True
    running = asyncio.create_task(timers.run())
    await asyncio.sleep(0)  # the first look finds the store away
    store.away = False

    async def rung() -> bool:
        return (await context.require(COUNTER, "one")).rung == 1

    await until(rung)
    timers.stop()
    await asyncio.wait_for(running, 5)


class Distant(EmbeddedBus):
    """A bus that can be out of reach."""

    away = True
    asked = 0

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        self.asked += 1
        if self.away:
            raise Unavailable("The bus is away.")
        await super().publish(envelopes)


async def test_a_relay_waits_for_the_bus_and_loses_nothing(context: Context, tmp_path: Path) -> None:
    bus = Distant(tmp_path / "bus.db")
    relay = Relay(context, bus)
    await opened(context)
    running = asyncio.create_task(relay.run())
    await until(lambda: bus.asked >= 2)
    assert await context.store.backlog() == 1
    bus.away = False

    async def published() -> bool:
        return await context.store.backlog() == 0

    await until(published)
    relay.stop()
    await asyncio.wait_for(running, 5)
    await bus.stop()


async def test_a_relay_that_ends_while_the_bus_is_away_leaves_the_rest_to_the_next(
    context: Context, tmp_path: Path
) -> None:
    bus = Distant(tmp_path / "bus.db")
    await opened(context)
    for each in (True, False):
        bus.away = each
        relay = Relay(context, bus)
        relay.stop()
        await asyncio.wait_for(relay.run(), 5)
        assert await context.store.backlog() == (1 if each else 0)
    await bus.stop()
