"""The stores that the contract suite runs over, and what it keeps in them; the next adapter is one more entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from shared.decider import Collection
from shared.store import Conflict, Document, Entry, Store
from shared.store.sqlite import SqliteStore
from tests.kernel import sealed

OpenStore = Callable[[Iterable[Collection]], Store]

# From a folder of the test's own to its store: the same folder, the same store again.
STORES: dict[str, Callable[[Path], OpenStore]] = {
    "sqlite": lambda folder: lambda collections: SqliteStore(folder / "store.db", collections),
}

# With tags in the order of `n`; without tags; found by nothing but the key.
THINGS = Collection("thing", ("n", "word", "due"), (("word", "n"), ("due",)), ordered_by="n")
PLAIN = Collection("plain", ("word",), (("word", "key"),))
BARE = Collection("bare")
COLLECTIONS = (THINGS, PLAIN, BARE)


def thing(key: str, version: int = 1, *, kind: str = "thing", private: bytes | None = None, **index: Any) -> Document:
    """A document whose state says which version of what it is; `index` are its columns and `tags`."""
    return Document(kind, key, version, f'{{"id":"{key}","version":{version}}}'.encode(), private, index)


def entries(subject: str, *sequences: int, private: bytes | None = None) -> list[Entry]:
    """Events of one subject."""
    return [Entry(sealed(subject, sequence), private) for sequence in sequences]


async def count_up(adapter: str, folder: Path, times: int) -> None:
    """Raise a counter so many times, each time from what is there, against whoever else does so."""
    store = STORES[adapter](folder)(COLLECTIONS)
    while times:
        there = await store.load("thing", "counter")
        version = there.version if there else 0
        try:
            await store.save(
                thing("counter", version + 1, n=version, tags=("x",)), version, entries("counter", version + 1)
            )
            times -= 1
        except Conflict:
            continue
    await store.close()
