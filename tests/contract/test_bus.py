"""What every bus promises, the same tests for each adapter: a new one adds a parameter to `open_bus`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.bus import PUBLIC, Bus, topic
from shared.bus import embedded as embedded_bus
from shared.bus.embedded import EmbeddedBus
from shared.events import Envelope
from shared.store import Unavailable
from tests.kernel import T0, Said, Whispered, sealed, until

REQUESTS, OFFERS = topic("requests"), topic("offers")
OpenBus = Callable[[], Bus]


@pytest.fixture(params=["embedded"])
def open_bus(request: pytest.FixtureRequest, tmp_path: Path) -> OpenBus:
    """Opens the one bus of a test: whatever was published to it before is in it."""
    openers: dict[str, OpenBus] = {"embedded": lambda: EmbeddedBus(tmp_path / "bus.db")}
    return openers[request.param]


class Group:
    """A consumer group that remembers what it got. A batch waits until it `may_finish`; `failures` come first."""

    def __init__(self, name: str, *topics: str, types: Sequence[str] | None = None) -> None:
        self.name, self.topics, self.types = name, topics or (REQUESTS,), types
        self.batches: list[list[Envelope]] = []
        self.failed: list[list[Envelope]] = []
        self.failures: list[Exception] = []
        self.may_finish = asyncio.Event()
        self.may_finish.set()

    @property
    def got(self) -> list[Envelope]:
        """What it has finished, in that order."""
        return [each for batch in self.batches for each in batch]

    async def handle(self, envelopes: Sequence[Envelope]) -> None:
        self.begun = len(envelopes)
        await self.may_finish.wait()
        if self.failures:
            self.failed.append(list(envelopes))
            raise self.failures.pop(0)
        self.batches.append(list(envelopes))

    async def has(self, count: int) -> None:
        """Wait until it has finished so many; it has no more than these."""
        await until(lambda: len(self.got) >= count)
        assert len(self.got) == count

    def sequences(self, subject: str) -> list[int]:
        """Of one subject's events, in the order in which they came."""
        return [each.sequence for each in self.got if each.subject == subject]


@asynccontextmanager
async def running(open_bus: OpenBus, *groups: Group) -> AsyncIterator[Bus]:
    """The bus with these groups, from its start to its stop."""
    bus = open_bus()
    for each in groups:
        bus.subscribe(each.topics, each.name, each.handle, each.types)
    await bus.start()
    try:
        yield bus
    finally:
        for each in groups:
            each.may_finish.set()
        await bus.stop()


async def publish(open_bus: OpenBus, envelopes: Sequence[Envelope]) -> None:
    """Publish as a process that does nothing else and ends."""
    async with running(open_bus) as bus:
        await bus.publish(envelopes)


def some(count: int, subject: str = "a", **more: Any) -> list[Envelope]:
    """The first events of one subject."""
    return [sealed(subject, number, **more) for number in range(1, count + 1)]


def ids(envelopes: Sequence[Envelope]) -> list[str]:
    return [each.id for each in envelopes]


async def handled_up(bus: Bus, group: Group) -> None:
    async def caught_up() -> bool:
        return (await bus.lag())[group.name] == 0

    await until(caught_up)


async def test_what_was_published_is_there_when_the_bus_is_opened_again(open_bus: OpenBus) -> None:
    sent = some(3)
    await publish(open_bus, sent)
    group = Group("g")
    async with running(open_bus, group):
        await group.has(3)
    assert group.got == sent


async def test_an_event_arrives_as_it_was_written(open_bus: OpenBus) -> None:
    sent = sealed("a", 1, Said(at=T0, text='Banjir di "Kampung Melayu" \u2014 \U0001f30a\n\u0000 50 % naik'))
    group = Group("g")
    async with running(open_bus, group) as bus:
        await bus.publish([sent])
        await group.has(1)
    assert group.got[0].body == sent.body
    assert group.got == [sent]


async def test_publishing_nothing_delivers_nothing(open_bus: OpenBus) -> None:
    group = Group("g")
    async with running(open_bus, group) as bus:
        await bus.publish([])
        await bus.publish(some(1))
        await group.has(1)
    assert [len(batch) for batch in group.batches] == [1]


async def test_the_events_of_a_subject_come_in_their_order(open_bus: OpenBus) -> None:
    sent = [sealed(f"subject {which}", number) for number in range(1, 401) for which in range(4)]
    group = Group("g")
    async with running(open_bus, group) as bus:
        for start in range(0, len(sent), 320):
            await bus.publish(sent[start : start + 320])
        await group.has(1_600)
    for which in range(4):
        assert group.sequences(f"subject {which}") == list(range(1, 401))


async def test_every_group_gets_everything(open_bus: OpenBus) -> None:
    groups = [Group(f"g{number}") for number in range(3)]
    sent = some(700)
    async with running(open_bus, *groups) as bus:
        await bus.publish(sent)
        for each in groups:
            await each.has(700)
    assert all(ids(each.got) == ids(sent) for each in groups)


async def test_a_new_group_begins_at_the_earliest_event(open_bus: OpenBus) -> None:
    old, new = Group("old"), Group("new")
    async with running(open_bus, old) as bus:
        await bus.publish(some(5))
        await old.has(5)
    async with running(open_bus, old, new) as bus:
        await bus.publish([sealed("a", 6)])
        await old.has(6)
        await new.has(6)
    assert new.sequences("a") == old.sequences("a") == [1, 2, 3, 4, 5, 6]


async def test_a_group_goes_on_where_it_was_before_a_restart(open_bus: OpenBus) -> None:
    group = Group("g")
    for round_ in range(1, 4):
        async with running(open_bus, group) as bus:
            await bus.publish([sealed("a", round_ * 2 - 1), sealed("a", round_ * 2)])
            await group.has(round_ * 2)
    assert group.sequences("a") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("error", [RuntimeError("a fault"), Unavailable("The store is away.")])
async def test_a_batch_that_failed_comes_again_and_nothing_is_lost(open_bus: OpenBus, error: Exception) -> None:
    group = Group("g")
    group.failures = [error, error, error]
    sent = some(10)
    async with running(open_bus, group) as bus:
        await bus.publish(sent[:6])
        await until(lambda: len(group.failed) > 0)
        await bus.publish(sent[6:])
        await group.has(10)
    assert ids(group.got) == ids(sent)
    first, second, third = (ids(batch) for batch in group.failed)
    assert first == ids(sent)[: len(first)] == second[: len(first)]
    assert second == third[: len(second)]


async def test_a_group_that_failed_until_the_stop_gets_its_batch_after_the_restart(open_bus: OpenBus) -> None:
    group = Group("g")
    group.failures = [RuntimeError("a fault")] * 1_000
    async with running(open_bus, group) as bus:
        await bus.publish(some(3))
        await until(lambda: len(group.failed) >= 2)
    assert group.got == []
    group.failures = []
    async with running(open_bus, group):
        await group.has(3)
    assert group.sequences("a") == [1, 2, 3]


async def test_a_group_that_fails_or_hangs_does_not_hold_up_another(open_bus: OpenBus) -> None:
    failing, hanging, good = Group("failing"), Group("hanging"), Group("good")
    failing.failures = [RuntimeError("a fault")] * 1_000
    hanging.may_finish.clear()
    async with running(open_bus, failing, hanging, good) as bus:
        for number in range(1, 6):
            await bus.publish([sealed("a", number)])
            await good.has(number)
        assert failing.got == hanging.got == []


async def test_the_public_topic_holds_the_public_events_of_all_each_once(open_bus: OpenBus) -> None:
    public = [sealed("a", 1), sealed("b", 1, service="offers"), sealed("a", 3)]
    kept = [sealed("a", 2, Whispered(at=T0)), sealed("b", 2, Whispered(at=T0), service="offers")]
    everybody, requests = Group("everybody", PUBLIC), Group("requests", REQUESTS)
    async with running(open_bus, everybody, requests) as bus:
        await bus.publish([public[0], kept[0], public[1], kept[1], public[2]])
        await requests.has(3)
        await handled_up(bus, everybody)
    assert sorted(ids(everybody.got)) == sorted(ids(public))
    assert everybody.sequences("a") == [1, 3]
    assert ids(requests.got) == ids([public[0], kept[0], public[2]])


async def test_topics_select(open_bus: OpenBus) -> None:
    one, both, none = Group("one", OFFERS), Group("both", OFFERS, REQUESTS), Group("none", topic("accounts"))
    async with running(open_bus, one, both, none) as bus:
        await bus.publish([*some(4), *some(2, "b", service="offers"), *some(3, "c", service="volunteering")])
        await both.has(6)
        await one.has(2)
        await handled_up(bus, none)
    assert {each.service for each in one.got} == {"offers"}
    assert (both.sequences("a"), both.sequences("b")) == ([1, 2, 3, 4], [1, 2])
    assert none.got == []


async def test_types_select_and_what_is_passed_over_is_no_lag(open_bus: OpenBus) -> None:
    passed = [sealed("a", number, Whispered(at=T0)) for number in range(1, 1_301)]
    wanted = [sealed("b", 1), sealed("b", 2)]
    sent = [*passed[:600], wanted[0], *passed[600:], wanted[1]]
    group, idle = Group("g", types=[Said.type]), Group("idle", types=["org.gotongroyong.test.unheard.v1"])
    async with running(open_bus, group, idle) as bus:
        await bus.publish(sent)
        await group.has(2)
        await handled_up(bus, group)
        await handled_up(bus, idle)
    async with running(open_bus, group, idle) as bus:
        await bus.publish([sealed("b", 3)])
        await group.has(3)
        await handled_up(bus, group)
        await handled_up(bus, idle)
    assert group.sequences("b") == [1, 2, 3]
    assert idle.got == []


async def test_the_lag_counts_what_is_not_handled_yet(open_bus: OpenBus) -> None:
    slow, quick = Group("slow"), Group("quick")
    slow.may_finish.clear()
    async with running(open_bus, slow, quick) as bus:
        assert await bus.lag() == {"slow": 0, "quick": 0}
        await bus.publish(some(4))
        await bus.publish(some(3, "b"))
        await quick.has(7)
        await handled_up(bus, quick)
        assert await bus.lag() == {"slow": 7, "quick": 0}
        slow.may_finish.set()
        await slow.has(7)
        await handled_up(bus, slow)


async def test_two_publishers_at_once_lose_nothing_and_keep_their_orders(open_bus: OpenBus) -> None:
    group = Group("g")
    async with running(open_bus, group) as one, running(open_bus) as two:

        async def publish_all(bus: Bus, subject: str) -> None:
            for envelope in some(150, subject):
                await bus.publish([envelope])

        await asyncio.gather(*(publish_all(bus, f"{subject}") for subject, bus in enumerate((one, two, one, two))))
        await group.has(600)
    for subject in range(4):
        assert group.sequences(f"{subject}") == list(range(1, 151))


async def test_events_that_another_process_published_are_delivered_too(open_bus: OpenBus) -> None:
    group = Group("g")
    async with running(open_bus, group), running(open_bus) as other:
        for number in range(1, 4):
            await other.publish([sealed("a", number)])
            await group.has(number)


async def test_a_stop_lets_the_handler_finish_its_batch_and_begins_no_other(open_bus: OpenBus) -> None:
    group = Group("g")
    group.may_finish.clear()
    async with running(open_bus, group) as bus:
        await bus.publish([sealed("a", 1)])
        await until(lambda: hasattr(group, "begun"))
        await bus.publish([sealed("a", 2)])
        stopping = asyncio.create_task(bus.stop())
        ended, _ = await asyncio.wait([stopping], timeout=0.05)
        assert not ended
        group.may_finish.set()
        await stopping
        assert group.sequences("a") == [1]
    async with running(open_bus, group):
        await group.has(2)
    assert group.sequences("a") == [1, 2]


@asynccontextmanager
async def embedded(folder: Path, *groups: Group) -> AsyncIterator[EmbeddedBus]:
    async with running(lambda: EmbeddedBus(folder / "bus.db"), *groups) as bus:
        assert isinstance(bus, EmbeddedBus)
        yield bus


async def prune(bus: EmbeddedBus, before: float) -> None:
    """As the bus does every ten minutes."""
    await bus._database.write(embedded_bus._Prune(before))


async def left(folder: Path) -> list[int]:
    """What a group that comes only now still gets."""
    newcomer = Group(f"newcomer {time.monotonic()}")
    async with embedded(folder, newcomer) as bus:
        await bus.publish([sealed("the last", 1)])
        await until(lambda: newcomer.sequences("the last") == [1])
    return newcomer.sequences("a")


async def test_old_events_that_every_group_has_are_removed_by_and_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_bus, "RETENTION_S", -1)
    monkeypatch.setattr(embedded_bus, "_PRUNE_EVERY_S", 0.01)
    group = Group("g")
    watcher = EmbeddedBus(tmp_path / "bus.db")
    watcher.subscribe([REQUESTS], "watcher", Group("watcher").handle)

    async def in_the_log(count: int) -> None:
        async def so_many() -> bool:
            return (await watcher.lag())["watcher"] == count

        await until(so_many)

    async with embedded(tmp_path, group) as bus:
        group.may_finish.clear()
        await bus.publish(some(4))
        await in_the_log(4)
        group.may_finish.set()
        await in_the_log(0)
        await bus.publish([sealed("a", 5)])
        await group.has(5)
    await watcher.stop()


async def test_pruning_leaves_the_young_ones(tmp_path: Path) -> None:
    group = Group("g")
    async with embedded(tmp_path, group) as bus:
        await bus.publish(some(3))
        await group.has(3)
        border = time.time()
        await until(lambda: time.time() > border)
        await bus.publish([sealed("a", 4), sealed("a", 5)])
        await group.has(5)
        await handled_up(bus, group)
        await prune(bus, border)
    assert await left(tmp_path) == [4, 5]


async def test_pruning_leaves_what_a_slower_group_has_not_had(tmp_path: Path) -> None:
    quick, slow = Group("quick"), Group("slow")
    async with embedded(tmp_path, quick, slow) as bus:
        await bus.publish(some(2))
        await slow.has(2)
        await handled_up(bus, slow)
        slow.failures = [RuntimeError("a fault")] * 1_000
        await bus.publish([sealed("a", 3), sealed("a", 4)])
        await quick.has(4)
        await handled_up(bus, quick)
        await prune(bus, time.time() + 1)
        slow.failures.clear()
        await slow.has(4)
    assert slow.sequences("a") == [1, 2, 3, 4]


async def test_pruning_leaves_what_a_group_has_not_had_that_never_finished_a_batch(tmp_path: Path) -> None:
    quick, slow = Group("quick"), Group("slow")
    slow.failures = [RuntimeError("a fault")] * 1_000
    async with embedded(tmp_path, quick, slow) as bus:
        await bus.publish(some(3))
        await quick.has(3)
        await handled_up(bus, quick)
        await prune(bus, time.time() + 1)
        slow.failures.clear()
        await until(lambda: len(slow.got) == 3, within_s=5)
