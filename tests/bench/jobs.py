"""The jobs that are measured; each gives rows of (job, what was seen, target, whether it was met)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson

from tests.bench.city import City
from tests.bench.client import Connection, Timing, together

_random = random.Random(20170221)
_WEST, _SOUTH, _EAST, _NORTH = 106.70, -6.33, 106.95, -6.12


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    job: str
    seen: str
    target: str
    met: bool


def a_request(number: int) -> dict[str, object]:
    """A request somewhere in the city, like those of a flood day; every second one asks for something."""
    needs = [{"label": "beras", "quantity": 50, "unit": "kg"}, {"label": "tenaga", "quantity": 4, "unit": "person"}]
    return {
        "kind": "help" if number % 2 else "report",
        "title": f"Banjir di RT {number % 17} RW {number % 11}",
        "body": "Air naik sejak subuh, drainase mampet dan jalan tidak bisa dilewati. Mohon bantuannya.",
        "category": "flood",
        "location": {"lon": _random.uniform(_WEST, _EAST), "lat": _random.uniform(_SOUTH, _NORTH)},
        "needs": needs if number % 2 else [],
    }


async def creating(city: City, calls: int = 10_000, clients: int = 32) -> list[Row]:
    """Create requests, and wait until the last event is in the public log."""
    cpu = city.cpu_s()
    timing, whole = await timed_creating(city, calls, clients)
    busy = (city.cpu_s() - cpu) / calls * 1e6
    p95 = timing.percentile(0.95)
    seen = (
        f"{timing.per_second:,.0f}/s, p95 {p95:.1f} ms; {whole:,.0f}/s until published; {busy:,.0f} µs processor each"
    )
    met = whole >= 1500 and p95 <= 40
    return [Row(f"create a request, {clients} clients", seen, "1,500/s, p95 ≤ 40 ms", met)]


async def timed_creating(city: City, calls: int, clients: int) -> tuple[Timing, float]:
    """The calls, and how many a second until all of them are published."""
    connections = [Connection(city.port, city.token()) for _ in range(clients)]
    bodies = [a_request(number) for number in range(calls)]

    async def one(client: int, number: int) -> None:
        status, body = await connections[client].call("POST", "/api/requests", bodies[number])
        assert status == 201, body

    already = await _log_end(connections[0])
    began = time.perf_counter()
    timing = await together(clients, calls, one)
    await published(connections[0], already, already + calls)
    return timing, calls / (time.perf_counter() - began)


async def _log_end(connection: Connection) -> int:
    """The last position of the public log."""
    after, reached = -1, 0
    while reached != after:
        after = reached
        _, body = await connection.call("GET", f"/api/events?after={after}&limit=200")
        reached = int(orjson.loads(body)["next"])
    return reached


async def published(connection: Connection, after: int, count: int) -> None:
    """Wait until the public log has at least so many events."""
    while after < count:
        _, body = await connection.call("GET", f"/api/events?after={after}&limit=200")
        reached = int(orjson.loads(body)["next"])
        if reached == after:
            await asyncio.sleep(0.005)
        after = reached


async def listing(city: City, calls: int = 4_000, clients: int = 16) -> list[Row]:
    """The newest 100 of an area."""
    timing = await timed_listing(city, calls, clients)
    p99 = timing.percentile(0.99)
    seen = f"{timing.per_second:,.0f}/s, p99 {p99:.1f} ms"
    met = timing.per_second >= 1200 and p99 <= 30
    return [Row(f"newest 100 of an area, {clients} clients", seen, "1,200/s, p99 ≤ 30 ms", met)]


async def timed_listing(city: City, calls: int, clients: int) -> Timing:
    """The calls, over the whole city and three of its parts."""
    connections = [Connection(city.port) for _ in range(clients)]
    areas = ["31", "31.71", "31.74", "31.75"]

    async def one(client: int, number: int) -> None:
        path = f"/api/requests?area={areas[number % 4]}&limit=100"
        status, body = await connections[client].call("GET", path)
        assert status == 200
        assert len(body) > 20_000

    return await together(clients, calls, one)


async def joining(city: City, people: int = 2_000, places: int = 50, clients: int = 32) -> list[Row]:
    """Many people for few places of one activity: exactly as many get in, the others wait in order."""
    organiser = Connection(city.port, city.token())
    plan = {
        "title": "Kerja bakti",
        "location": {"lon": 106.83, "lat": -6.2},
        "starts_at": "2099-01-01T08:00:00+07:00",
        "ends_at": "2099-01-01T10:00:00+07:00",
        "roles": [{"name": "helper", "capacity": places}],
    }
    _, body = await organiser.call("POST", "/api/activities", plan)
    activity = orjson.loads(body)["id"]
    tokens = [city.token() for _ in range(people)]
    got: list[dict[str, object]] = []

    async def one(client: int, number: int) -> None:
        connection = Connection(city.port, tokens[number])
        status, body = await connection.call("POST", f"/api/activities/{activity}/join", {"role": "helper"})
        connection.close()
        assert status == 200, body
        got.append(orjson.loads(body))

    timing = await together(clients, people, one)
    inside = sum(1 for each in got if each["place"] == "in")
    positions = sorted(int(str(each["position"])) for each in got if each["place"] == "waiting")
    exact = inside == places and positions == list(range(1, people - places + 1))
    seen = f"{timing.per_second:,.0f} attempts/s, {inside} in, {len(positions)} waiting"
    target = f"800 attempts/s, exactly {places}"
    return [Row(f"{people:,} people for {places} places", seen, target, exact and timing.per_second >= 800)]


async def pledging(city: City, attempts: int = 4_000, units: int = 1_000, clients: int = 32) -> list[Row]:
    """Many pledges on one need, through both services and back: exactly as many are accepted."""
    author = Connection(city.port, city.token())
    asked = {**a_request(1), "needs": [{"label": "beras", "quantity": units, "unit": "kg"}]}
    request = orjson.loads((await author.call("POST", "/api/requests", asked))[1])
    pledge = {"request_id": request["id"], "need_id": request["needs"][0]["id"], "quantity": 1}
    connections = [Connection(city.port, city.token()) for _ in range(clients)]
    ids: list[str] = []

    async def one(client: int, number: int) -> None:
        status, body = await connections[client].call("POST", "/api/pledges", pledge)
        assert status == 201, body
        ids.append(orjson.loads(body)["id"])

    began = time.perf_counter()
    await together(clients, attempts, one)
    answers: list[str] = []
    for each in ids:
        while (found := orjson.loads((await author.call("GET", f"/api/pledges/{each}"))[1]))["status"] == "offered":
            await asyncio.sleep(0.01)
        answers.append(found["status"])
    rate = attempts / (time.perf_counter() - began)
    accepted = answers.count("accepted")
    seen = f"{rate:,.0f} attempts/s until all are answered, {accepted} accepted"
    job = f"{attempts:,} pledges for {units:,} units, to the answer"
    return [Row(job, seen, f"800 attempts/s, exactly {units:,}", accepted == units and rate >= 800)]


async def reacting(city: City, commands: int = 2_000, rate: float = 200.0) -> list[Row]:
    """From a pledge sent to its reservation seen in the public stream, at a steady rate."""
    author = Connection(city.port, city.token())
    asked = {**a_request(1), "needs": [{"label": "beras", "quantity": 10**6, "unit": "kg"}]}
    requests = [orjson.loads((await author.call("POST", "/api/requests", asked))[1]) for _ in range(20)]
    began: dict[str, float] = {}
    seen_at: dict[str, float] = {}
    done = asyncio.Event()

    async def follow() -> None:
        async for data in _events(city, "org.gotongroyong.contribution.reserved"):
            seen_at[data["data"]["contribution_id"]] = time.perf_counter()
            if len(seen_at) == commands:
                done.set()

    following = asyncio.create_task(follow())
    await asyncio.sleep(0.2)
    pledges = [{"request_id": one["id"], "need_id": one["needs"][0]["id"], "quantity": 1} for one in requests]
    idle = [Connection(city.port, city.token()) for _ in range(32)]

    async def one(number: int) -> None:
        connection = idle.pop() if idle else Connection(city.port, city.token())
        sent = time.perf_counter()
        _, body = await connection.call("POST", "/api/pledges", pledges[number % len(pledges)])
        began[orjson.loads(body)["id"]] = sent
        idle.append(connection)

    tasks = []
    start = time.perf_counter()
    for number in range(commands):
        await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    await asyncio.wait_for(done.wait(), 30)
    following.cancel()
    timing = Timing([seen_at[key] - began[key] for key in began], 1.0)
    p50, p99 = timing.percentile(0.5), timing.percentile(0.99)
    seen = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    return [Row("POST to a reaction seen, 200 commands/s", seen, "p50 ≤ 15 ms, p99 ≤ 60 ms", p50 <= 15 and p99 <= 60)]


async def following(city: City, followers: int = 1_000, events: int = 100, burst: int = 2_000) -> list[Row]:
    """One event to many followers of the public stream, and how many deliveries a second in a burst."""
    seen: list[float] = []
    counts = [0] * followers
    sent = 0.0

    async def follow(number: int) -> None:
        async for line in Connection(city.port).lines("/api/events/stream?type=org.gotongroyong.request.opened"):
            if line.startswith(b"data:"):
                counts[number] += 1
                seen.append(time.perf_counter() - sent)

    tasks = [asyncio.create_task(follow(number)) for number in range(followers)]
    await asyncio.sleep(3)
    poster = Connection(city.port, city.token())
    alone: list[float] = []
    for number in range(events // 10):
        seen.clear()
        sent = time.perf_counter()
        await poster.call("POST", "/api/requests", a_request(number * 2))
        await _until(seen, followers)
        alone += seen
    before, began = sum(counts), time.perf_counter()
    posters = [Connection(city.port, city.token()) for _ in range(32)]

    async def one(client: int, number: int) -> None:
        await posters[client].call("POST", "/api/requests", a_request(number * 2))

    await together(32, burst, one)
    while sum(counts) - before < followers * burst and time.perf_counter() - began < 120:
        await asyncio.sleep(0.05)
    rate = (sum(counts) - before) / (time.perf_counter() - began)
    complete = sum(counts) - before == followers * burst
    for task in tasks:
        task.cancel()
    p99 = Timing(alone, 1.0).percentile(0.99)
    return [
        Row(f"one event to {followers:,} followers", f"p99 {p99:.0f} ms", "p99 ≤ 500 ms", p99 <= 500),
        Row("deliveries in a burst", f"{rate:,.0f}/s, none lost: {complete}", "20,000/s", complete and rate >= 20_000),
    ]


async def _until(seen: list[float], count: int) -> None:
    for _ in range(2_000):
        if len(seen) >= count:
            return
        await asyncio.sleep(0.005)
    raise RuntimeError(f"only {len(seen)} of {count} were delivered")


async def _events(city: City, prefix: str) -> AsyncIterator[dict[str, dict[str, str]]]:
    async for line in Connection(city.port).lines(f"/api/events/stream?type={prefix}"):
        if line.startswith(b"data:"):
            yield orjson.loads(line[5:])
