"""A city with a million requests: the same two jobs, beside a city with ten thousand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from services.requests.domain import REQUEST
from services.requests.domain.commands import OpenRequest, RequestInput
from services.requests.placing import placing
from services.requests.service import SERVICE
from shared.decider import private_json, public_json
from shared.events import Party
from shared.hosting import load_areas, open_context
from shared.ids import new_id
from shared.runtime import Context
from shared.store import Document
from tests.bench import jobs
from tests.bench.city import City
from tests.bench.jobs import Row
from tests.running import settings_for

_AT_ONCE = 2_000


def a_million(count: int = 1_000_000) -> list[Row]:
    """Creating and listing with so many requests stored, and the ratio to the same with ten thousand."""
    few, many = _with_stored(10_000), _with_stored(count)
    rows = []
    for job, before, after in zip(("create a request", "newest 100 of an area"), few, many, strict=True):
        ratio = before / after
        seen = f"{after:,.0f}/s, at 10,000: {before:,.0f}/s, {ratio:.2f} times slower"
        rows.append(Row(f"{job}, {count:,} stored", seen, "within 2 times", ratio <= 2))
    return rows


def _with_stored(count: int) -> tuple[float, float]:
    with TemporaryDirectory() as folder:
        asyncio.run(fill(Path(folder), count))
        city = City(Path(folder), log_level="info")
        city.start()
        try:
            return asyncio.run(_rates(city))
        finally:
            city.stop()


async def _rates(city: City) -> tuple[float, float]:
    created, _ = await jobs.timed_creating(city, 4_000, 32)
    listed = await jobs.timed_listing(city, 4_000, 16)
    return created.per_second, listed.per_second


async def fill(folder: Path, count: int) -> None:
    """Store so many requests as the service itself would have, a second apart, without their events."""
    settings = settings_for(folder)
    areas = load_areas(settings)
    context = open_context(SERVICE, settings, areas)
    start = datetime.now(UTC) - timedelta(seconds=count)
    for begin in range(0, count, _AT_ONCE):
        documents = [_document(context, begin + number, start) for number in range(_AT_ONCE)]
        await context.store.put(documents)
    await context.store.close()


def _document(context: Context, number: int, start: datetime) -> Document:
    asked = RequestInput.model_validate(jobs.a_request(number))
    where = placing(asked, context.areas)
    wish = OpenRequest(
        by=Party(kind="resident", id=new_id()),
        at=start + timedelta(seconds=number),
        asked=asked,
        shown=where.shown,
        place=where.place,
        area=where.area,
        area_source=where.area_source,
        fingerprint="",
    )
    state = REQUEST.initial(new_id())
    for event in REQUEST.decide(wish, state):
        state = REQUEST.step(state, event)
    return Document(
        REQUEST.kind, state.id, state.version, public_json(state), private_json(state), REQUEST.index(state)
    )
