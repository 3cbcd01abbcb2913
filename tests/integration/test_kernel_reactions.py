"""From events to reactions over the embedded store: in order per subject, and what fails is set aside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.consumer import Consumer
from shared.events import Envelope
from shared.parked import PARKED_EVENTS
from shared.runtime import Context
from shared.service import Service
from shared.store import Query, Unavailable
from tests.kernel import T0, HandClock, Said, WatchedStore, Whispered, context_over, sealed, until


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[WatchedStore]:
    made = WatchedStore(tmp_path / "counting.db")
    yield made
    await made.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def context(store: WatchedStore, tmp_path: Path, clock: HandClock) -> Context:
    return context_over(store, tmp_path, clock)


class Reactions:
    """A service whose reaction fails at what it is told to fail at."""

    def __init__(self, context: Context) -> None:
        self.failing: dict[str, Exception] = {}
        self.tried: list[str] = []
        self.done: list[str] = []
        self.consumer = Consumer(Service("reacting", (), subscribers={Said: [self.react]}), context)
        self._context = context

    async def react(self, context: Context, said: Said, envelope: Envelope) -> None:
        self.tried.append(said.text)
        await asyncio.sleep(0)
        if said.text in self.failing:
            raise self.failing[said.text]
        self.done.append(said.text)

    async def take(self, *texts: str) -> None:
        """A batch of events: `a 2` is the second of the subject `a`."""
        await self.consumer.handle([said(text) for text in texts])

    async def retry(self) -> list[str]:
        """What is tried in one round of retries."""
        before = len(self.tried)
        await self.consumer.parking.retry_due()
        return self.tried[before:]

    async def parked(self, status: str | None = None) -> list[str]:
        """What is set aside, with its number of tries as it is listed."""
        where = {} if status is None else {"status": status}
        found = await self._context.store.find(PARKED_EVENTS.kind, Query(where=where, limit=1_000))
        return [f"{subject} {int(number)}" for subject, number, _ in (each.document.key.split("/") for each in found)]


_SAID: dict[str, Envelope] = {}


def said(text: str) -> Envelope:
    """The event of this text, the same one every time."""
    subject, number = text.split()
    return _SAID.setdefault(text, sealed(subject, int(number)))


@pytest.fixture
def reactions(context: Context) -> Reactions:
    return Reactions(context)


POISON = RuntimeError("poison")


async def test_events_of_one_subject_are_reacted_to_in_order_and_subjects_side_by_side(reactions: Reactions) -> None:
    await reactions.take("a 1", "a 2", "b 1", "a 3", "b 2")
    assert [text for text in reactions.done if text[0] == "a"] == ["a 1", "a 2", "a 3"]
    assert [text for text in reactions.done if text[0] == "b"] == ["b 1", "b 2"]
    assert set(reactions.tried[:2]) == {"a 1", "b 1"}


async def test_events_that_nobody_listens_to_are_passed_over(reactions: Reactions) -> None:
    await reactions.consumer.handle([sealed("a", 1, Whispered(at=T0)), said("a 2")])
    assert reactions.done == ["a 2"]


async def test_a_failing_reaction_parks_its_event_and_the_later_ones_of_its_subject_only(reactions: Reactions) -> None:
    reactions.failing = {"a 2": POISON}
    await reactions.take("a 1", "b 1", "a 2", "b 2", "a 3")
    await reactions.take("a 4", "b 3", "c 1")
    assert sorted(reactions.done) == ["a 1", "b 1", "b 2", "b 3", "c 1"]
    assert reactions.tried.count("a 2") == 1
    assert await reactions.parked() == ["a 2", "a 3", "a 4"]
    assert await reactions.consumer.parking.subjects(["a", "b", "c"]) == {"a"}


async def test_a_parked_event_is_tried_again_after_each_pause_and_is_dead_in_the_end(
    reactions: Reactions, clock: HandClock
) -> None:
    reactions.failing = {"a 1": POISON}
    await reactions.take("a 1", "a 2")
    for pause in (0.1, 1, 5, 15):
        assert await reactions.parked("dead") == []
        clock.go(pause - 0.01)
        assert await reactions.retry() == []
        clock.go(0.02)
        assert await reactions.retry() == ["a 1"]
    assert await reactions.parked("dead") == ["a 1"]
    await reactions.take("a 3", "b 1")
    for _ in range(10):
        clock.go(3600)
        assert await reactions.retry() == []
    assert await reactions.parked("waiting") == ["a 2", "a 3"]
    assert reactions.done == ["b 1"]


async def test_after_recovery_the_events_of_the_subject_are_handled_in_order_and_new_ones_directly(
    reactions: Reactions, clock: HandClock
) -> None:
    reactions.failing = {"a 1": POISON}
    await reactions.take("a 1", "a 2")
    await reactions.take("a 3")
    clock.go(0.2)
    assert await reactions.retry() == ["a 1"]
    clock.go(0.3)
    assert await reactions.retry() == []
    reactions.failing = {}
    clock.go(0.8)
    assert await reactions.retry() == ["a 1", "a 2", "a 3"]
    assert await reactions.parked() == []
    await reactions.take("a 4")
    assert reactions.done == ["a 1", "a 2", "a 3", "a 4"]


async def test_a_second_failure_behind_the_first_has_all_its_tries(reactions: Reactions, clock: HandClock) -> None:
    reactions.failing = {"a 1": POISON, "a 2": POISON}
    await reactions.take("a 1", "a 2", "a 3")
    del reactions.failing["a 1"]
    clock.go(0.2)
    assert await reactions.retry() == ["a 1", "a 2"]
    for pause in (1, 5):
        clock.go(pause + 0.01)
        assert await reactions.retry() == ["a 2"]
    reactions.failing = {}
    clock.go(15.01)
    assert await reactions.retry() == ["a 2", "a 3"]
    assert reactions.done == ["a 1", "a 2", "a 3"]


async def test_many_events_behind_a_dead_one_do_not_keep_another_subject_from_its_retries(
    reactions: Reactions, clock: HandClock
) -> None:
    reactions.failing = {"a 1": POISON, "b 1": POISON}
    await reactions.take(*(f"a {number}" for number in range(1, 302)))
    for pause in (0.1, 1, 5, 15):
        clock.go(pause + 0.01)
        assert await reactions.retry() == ["a 1"]
    await reactions.take("b 1")
    reactions.failing = {}
    clock.go(100)

    async def recovered() -> bool:
        await reactions.retry()
        return reactions.done == ["b 1"]

    await until(recovered, within_s=5)
    assert len(await reactions.parked()) == 301


async def test_two_poisoned_subjects_are_retried_each_for_itself(reactions: Reactions, clock: HandClock) -> None:
    reactions.failing = {"a 1": POISON, "b 1": POISON}
    await reactions.take("a 1")
    clock.go(0.05)
    await reactions.take("b 1")
    clock.go(0.06)
    assert await reactions.retry() == ["a 1"]
    clock.go(0.05)
    assert await reactions.retry() == ["b 1"]
    reactions.failing = {}
    clock.go(5)
    assert sorted(await reactions.retry()) == ["a 1", "b 1"]


async def test_a_batch_that_comes_again_leaves_what_is_parked_as_it_is(reactions: Reactions, clock: HandClock) -> None:
    reactions.failing = {"a 1": POISON}
    await reactions.take("a 1", "a 2")
    clock.go(0.2)
    assert await reactions.retry() == ["a 1"]
    await reactions.take("a 1", "a 2")
    assert await reactions.parked() == ["a 1", "a 2"]
    clock.go(0.2)
    assert await reactions.retry() == []  # its second pause is a second, whether it came again or not


async def test_an_event_that_cannot_be_read_is_parked_like_any_other(reactions: Reactions) -> None:
    envelope = sealed("a", 1)
    envelope.data["text"] = ["not", "a", "text"]
    await reactions.consumer.handle([envelope, said("a 2"), said("b 1")])
    assert await reactions.parked() == ["a 1", "a 2"]
    assert reactions.done == ["b 1"]


async def test_while_the_store_is_away_a_batch_is_refused_and_comes_again(
    reactions: Reactions, store: WatchedStore, clock: HandClock
) -> None:
    store.away = True
    with pytest.raises(Unavailable):
        await reactions.take("a 1", "b 1")
    store.away = False
    reactions.failing = {"a 1": Unavailable("The store is away.")}
    with pytest.raises(Unavailable):
        await reactions.take("a 1", "a 2", "b 1")
    assert "a 2" not in reactions.tried
    assert await reactions.parked() == []
    reactions.failing = {}
    await reactions.take("a 1", "a 2", "b 1")
    assert [text for text in reactions.done if text[0] == "a"] == ["a 1", "a 2"]


async def test_a_retry_while_the_store_is_away_is_no_try(
    reactions: Reactions, store: WatchedStore, clock: HandClock
) -> None:
    reactions.failing = {"a 1": POISON}
    await reactions.take("a 1")
    reactions.failing = {"a 1": Unavailable("The store is away.")}
    for _ in range(8):
        clock.go(60)
        with pytest.raises(Unavailable):
            await reactions.retry()
    reactions.failing = {}
    assert await reactions.retry() == ["a 1"]
    assert await reactions.parked() == []


async def test_retries_run_by_themselves_until_they_are_stopped(
    reactions: Reactions, store: WatchedStore, clock: HandClock
) -> None:
    reactions.failing = {"a 1": POISON}
    await reactions.take("a 1", "a 2")
    store.away = True
    running = asyncio.create_task(reactions.consumer.parking.run())
    await until(lambda: store.refused > 0)
    store.away, reactions.failing = False, {}
    clock.go(1)
    await until(lambda: reactions.done == ["a 1", "a 2"])
    reactions.consumer.parking.stop()
    await asyncio.wait_for(running, 5)
