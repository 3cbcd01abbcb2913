"""A store that cannot write says so, loses nothing and goes on when it can; two processes share one store."""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.store import Query, Store, Unavailable
from tests.contract.stores import COLLECTIONS, OpenStore, count_up, entries, thing

ROOT = Path(__file__).parents[2]

_COUNT = """
import asyncio, sys
from pathlib import Path
from tests.contract.stores import count_up
asyncio.run(count_up(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.fixture
def _a_file(adapter: str) -> None:
    """Only a store in a file of this process can be short of disk here."""
    if adapter != "sqlite":
        pytest.skip(f"{adapter} keeps its files elsewhere")


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """No file may grow beyond what the largest one in the folder has now: a write gets an error, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(each.stat().st_size for each in folder.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def sequences(store: Store, subject: str = "a") -> list[int]:
    return [each.envelope.sequence for each in await store.history(subject)]


@pytest.mark.usefixtures("_a_file")
async def test_a_full_disk_is_said_and_once_there_is_room_all_goes_on(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(COLLECTIONS)
    await store.save(thing("a", n=1, tags=("x",)), 0, entries("a", 1))
    great = thing("great", n=2, tags=("x",), private=b'"%s"' % (b"x" * 5_000_000))
    with full_disk(tmp_path):
        for _ in range(2):
            with pytest.raises(Unavailable):
                await store.save(great, 0, entries("great", 1))
        with pytest.raises(Unavailable):
            await store.put([great])
        there = await store.load("thing", "a")
        assert there is not None
        assert await store.load("thing", "great") is None
        assert await store.backlog() == 1
        assert len(await store.find("thing", Query(has=(("x",),)))) == 1
    await store.save(great, 0, entries("great", 1))
    await store.save(thing("a", 2), 1, entries("a", 2))
    await store.close()
    again = open_store(COLLECTIONS)
    assert (await sequences(again), await sequences(again, "great"), await again.backlog()) == ([1, 2], [1], 3)


@pytest.mark.usefixtures("_a_file")
async def test_nothing_that_was_answered_is_lost_while_the_disk_fills_up(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(COLLECTIONS)
    await store.save(thing("first"), 0)
    saves = [
        store.save(thing(f"k{number}", private=b'"%s"' % (b"x" * 20_000)), 0, entries(f"k{number}", 1))
        for number in range(400)
    ]
    with full_disk(tmp_path):
        answers = await asyncio.gather(*saves, return_exceptions=True)
    assert {type(each) for each in answers if each is not None} == {Unavailable}
    await store.close()
    again = open_store(COLLECTIONS)
    kept = [await again.load("thing", f"k{number}") is not None for number in range(400)]
    assert kept == [answer is None for answer in answers]
    assert await again.backlog() == answers.count(None)


async def test_two_processes_over_one_store_lose_nothing_of_each_other(
    open_store: OpenStore, adapter: str, tmp_path: Path
) -> None:
    open_store(COLLECTIONS)
    others = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _COUNT, adapter, str(tmp_path), "60", cwd=ROOT)
        for _ in range(2)
    ]
    await count_up(adapter, tmp_path, 60)
    assert [await asyncio.wait_for(each.wait(), 60) for each in others] == [0, 0]
    store = open_store(COLLECTIONS)
    assert await sequences(store, "counter") == list(range(1, 181))
    assert [each.document.version for each in await store.find("thing", Query(has=(("x",),)))] == [180]
    assert [each.envelope.sequence for each in await store.pending()] == list(range(1, 181))
