"""The relay between the embedded store and bus, and the lease by which there is one of it at a time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from shared.bus import topic
from shared.bus.embedded import EmbeddedBus
from shared.events import Envelope
from shared.lease import SECONDS, Lease
from shared.relay import Relay
from shared.runtime import Context
from tests.kernel import HandClock, WatchedStore, context_over, increased, opened, until


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[WatchedStore]:
    made = WatchedStore(tmp_path / "counting.db")
    yield made
    await made.close()


@pytest.fixture
async def second_store(tmp_path: Path) -> AsyncIterator[WatchedStore]:
    """The same file as another process has it open."""
    made = WatchedStore(tmp_path / "counting.db")
    yield made
    await made.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def context(store: WatchedStore, tmp_path: Path, clock: HandClock) -> Context:
    return context_over(store, tmp_path, clock)


class Recording(EmbeddedBus):
    """A bus that knows what was published; `crash`: its publisher does not live to hear that it was."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.batches: list[list[str]] = []
        self.crash = False

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        await super().publish(envelopes)
        self.batches.append([each.id for each in envelopes])
        if self.crash:
            raise ConnectionResetError("the process ended here")

    @property
    def published(self) -> list[str]:
        return [each for batch in self.batches for each in batch]


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Recording]:
    made = Recording(tmp_path / "bus.db")
    yield made
    await made.stop()


async def saved_ids(context: Context, key: str = "one") -> list[str]:
    return [each.envelope.id for each in await context.store.history(key)]


async def test_a_crash_between_publishing_and_noting_it_repeats_the_same_events(
    context: Context, bus: Recording
) -> None:
    await opened(context)
    await increased(context)
    bus.crash = True
    with pytest.raises(ConnectionResetError):
        await Relay(context, bus).publish()
    bus.crash = False
    await increased(context)
    while await Relay(context, bus).publish():
        pass
    ids = await saved_ids(context)
    assert bus.published == [*ids[:2], *ids]
    assert await context.store.backlog() == 0


async def test_a_relay_publishes_a_long_backlog_in_order_each_once(context: Context, bus: Recording) -> None:
    await opened(context)
    await asyncio.gather(*(increased(context) for _ in range(1_200)))
    relay = Relay(context, bus)
    counts = [await relay.publish() for _ in range(4)]
    assert (sum(counts), counts[-1]) == (1_201, 0)
    assert bus.published == await saved_ids(context)


async def test_a_stopping_relay_publishes_what_is_saved_and_another_goes_on_at_once(
    context: Context, second_store: WatchedStore, tmp_path: Path, bus: Recording, clock: HandClock
) -> None:
    await opened(context)
    first, second = Relay(context, bus), Relay(context_over(second_store, tmp_path, clock), bus)
    first.stop()
    await asyncio.wait_for(first.run(), 5)
    assert bus.published == await saved_ids(context)
    await increased(context)
    second.stop()
    await asyncio.wait_for(second.run(), 5)  # the clock stands: only a lease that was given up can be taken
    assert bus.published == await saved_ids(context)


async def test_of_two_relays_only_the_holder_of_the_lease_publishes(
    context: Context, second_store: WatchedStore, tmp_path: Path, bus: Recording, clock: HandClock
) -> None:
    other_bus = Recording(tmp_path / "bus.db")
    other = context_over(second_store, tmp_path, clock)
    relays = Relay(context, bus), Relay(other, other_bus)
    running = [asyncio.create_task(each.run()) for each in relays]
    await opened(context)
    await opened(other, "two")
    for _ in range(50):
        await asyncio.gather(increased(context), increased(other, "two"))
    await until(lambda: len(bus.published) + len(other_bus.published) >= 102)
    for each in relays:
        each.stop()
    await asyncio.gather(*running)
    await other_bus.stop()
    silent, speaking = sorted([bus.published, other_bus.published])
    assert silent == []
    assert sorted(speaking) == sorted(await saved_ids(context) + await saved_ids(context, "two"))


async def test_a_relay_goes_on_when_the_store_is_back(context: Context, store: WatchedStore, bus: Recording) -> None:
    await opened(context)
    store.away = True
    relay = Relay(context, bus)
    running = asyncio.create_task(relay.run())
    await until(lambda: store.refused > 0)
    assert bus.published == []
    store.away = False
    ids = await saved_ids(context)
    await until(lambda: bus.published == ids)
    relay.stop()
    await running


async def test_what_the_relay_publishes_is_what_was_saved(context: Context, tmp_path: Path, bus: Recording) -> None:
    await opened(context)
    await increased(context)
    await Relay(context, bus).publish()
    got: list[Envelope] = []

    async def handle(envelopes: Sequence[Envelope]) -> None:
        got.extend(envelopes)

    bus.subscribe([topic("counting")], "reader", handle)
    await bus.start()
    await until(lambda: len(got) == 2)
    assert got == [each.envelope for each in await context.store.history("one")]


@pytest.fixture
def leases(context: Context, second_store: WatchedStore, tmp_path: Path, clock: HandClock) -> tuple[Lease, Lease]:
    """The same lease, as two instances of a service see it."""
    return Lease(context, "relay"), Lease(context_over(second_store, tmp_path, clock), "relay")


async def holders(leases: Sequence[Lease]) -> list[bool]:
    return [await each.held() for each in leases]


async def test_a_lease_has_one_holder_who_keeps_it_by_asking(leases: tuple[Lease, Lease], clock: HandClock) -> None:
    assert await holders(leases) == [True, False]
    for _ in range(20):
        clock.go(SECONDS * 0.8)
        assert await holders(leases) == [True, False]


async def test_of_two_that_ask_at_once_one_gets_it(leases: tuple[Lease, Lease], clock: HandClock) -> None:
    for _ in range(10):
        assert sorted(await asyncio.gather(*(each.held() for each in leases))) == [False, True]
        clock.go(SECONDS + 1)


async def test_a_lease_that_is_not_renewed_goes_to_another(leases: tuple[Lease, Lease], clock: HandClock) -> None:
    one, two = leases
    assert await one.held()
    clock.go(SECONDS - 0.01)
    assert not await two.held()
    clock.go(0.02)
    assert await two.held()
    assert not await one.held()


async def test_a_lease_that_is_given_up_is_free_at_once(leases: tuple[Lease, Lease]) -> None:
    one, two = leases
    assert await one.held()
    await two.release()  # it has nothing to give up
    assert not await two.held()
    await one.release()
    assert await two.held()
    assert not await one.held()


@pytest.mark.parametrize("back", [0.5, 4, 5, 9.9, 10, 10.1, 15, 20, 30, 3600, 1e6])
@pytest.mark.parametrize("asked_first", [0, 1])
async def test_a_clock_that_is_set_back_makes_no_second_holder_and_locks_nobody_out(
    leases: tuple[Lease, Lease], clock: HandClock, back: float, asked_first: int
) -> None:
    assert await leases[0].held()
    clock.go(-back)
    for _ in range(30):
        answers = [await leases[asked_first].held(), await leases[1 - asked_first].held()]
        assert sum(answers) == 1
        clock.go(1)


@pytest.mark.parametrize("back", [0, 9, 15, 3600, 1e6])
async def test_a_lease_whose_holder_is_gone_goes_to_another_wherever_the_clock_is_set(
    leases: tuple[Lease, Lease], clock: HandClock, back: float
) -> None:
    assert await leases[0].held()
    clock.go(-back)
    await leases[1].held()
    clock.go(2 * SECONDS)
    assert await leases[1].held()


async def test_no_walk_of_the_clock_makes_two_holders(leases: tuple[Lease, Lease], clock: HandClock) -> None:
    chance = random.Random(7)
    changes, before = 0, None
    for _ in range(600):
        order = chance.sample((0, 1), 2)
        holding = [which for which in order if await leases[which].held()]
        assert len(holding) <= 1
        changes, before = changes + (holding != before), holding
        clock.go(chance.choice((0.2, 1, 4, 6, 11, -0.5, -3, -9, -12, -40)))
    assert changes > 10
