"""Opens the stores of the contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from shared.decider import Collection
from shared.store import Store
from tests.contract.stores import COLLECTIONS, STORES, OpenStore


@pytest.fixture(params=sorted(STORES))
def adapter(request: pytest.FixtureRequest) -> str:
    """Which store."""
    name: str = request.param
    return name


@pytest.fixture
async def open_store(adapter: str, tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Opens the one store of a test, as often as it is called: what was saved through one is there for all."""
    opened: list[Store] = []

    def open_it(collections: Iterable[Collection] = COLLECTIONS) -> Store:
        opened.append(STORES[adapter](tmp_path)(collections))
        return opened[-1]

    yield open_it
    for each in opened:
        await each.close()


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    """A store with nothing in it."""
    return open_store(COLLECTIONS)
