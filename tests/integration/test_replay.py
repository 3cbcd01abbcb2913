"""A replay against a server of its own over real HTTP: order, pace, repeats, and what it does when turned away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.web import replay_client
from services.web.replay import ReplayReport, replay
from shared.errors import Invalid, Rejected

Answer = Response | None


class City:
    """The three calls that a replay needs, with answers that a test can put before the usual ones."""

    def __init__(self, expires_in: float = 900) -> None:
        self.people: list[dict[str, Any]] = []
        self.tokens = 0
        self.posts: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.bearers: list[str] = []
        self.at: list[float] = []
        self.first: deque[Answer] = deque()
        self.now = self.most = 0
        self.delay = 0.0
        self._made: dict[str, str] = {}
        self._expires_in = expires_in

    def app(self) -> Starlette:
        routes = [("/api/people", self.register), ("/api/tokens", self.sign_in), ("/api/requests", self.open_request)]
        return Starlette(routes=[Route(path, call, methods=["POST"]) for path, call in routes])

    async def register(self, request: Request) -> Response:
        self.people.append(await request.json())
        return JSONResponse({"id": f"person-{len(self.people)}"}, 201)

    async def sign_in(self, request: Request) -> Response:
        body = await request.json()
        assert body == {"email": self.people[-1]["email"], "password": self.people[-1]["password"]}
        self.tokens += 1
        return JSONResponse({"access_token": f"token-{self.tokens}", "expires_in": self._expires_in})

    async def open_request(self, request: Request) -> Response:
        self.now += 1
        self.most = max(self.most, self.now)
        self.at.append(asyncio.get_running_loop().time())
        self.bearers.append(request.headers["Authorization"])
        body = await request.json()
        await asyncio.sleep(self.delay)
        self.now -= 1
        if self.first and (answer := self.first.popleft()) is not None:
            return answer
        key = request.headers["Idempotency-Key"]
        self.posts.append(body)
        self.keys.append(key)
        return JSONResponse({"id": self._made.setdefault(key, f"request-{len(self._made) + 1}")}, 201)


@contextlib.asynccontextmanager
async def serving(city: City) -> AsyncIterator[str]:
    """Run the city on a free port of this machine; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(city.app(), log_config=None, lifespan="off", ws="none"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


def file_of(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "reports.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def at(seconds: float, text: str, **more: Any) -> dict[str, Any]:
    return {"at": f"2017-02-21T03:{seconds // 60:02.0f}:{seconds % 60:06.3f}+07:00", "text": text} | more


async def played(path: Path, address: str, **options: Any) -> ReplayReport:
    usual: dict[str, Any] = {"speed": float("inf"), "token": "given", "default_category": "flood"}
    return await replay(path, base_url=address, **usual | options)


def accounted(report: ReplayReport) -> bool:
    return report.sent == report.created + report.repeated + report.refused + report.failed


async def test_reports_are_sent_in_the_order_and_at_the_pace_of_their_times(tmp_path: Path) -> None:
    rows = [at(120, "third"), at(0, "first", lon=106.8, lat=-6.2, depth_cm=30), at(60, "second", area="31.74")]
    city, seen = City(), list[tuple[int, int]]()
    async with serving(city) as address:
        report = await played(
            file_of(tmp_path, *rows), address, speed=200, progress=lambda done, of: seen.append((done, of))
        )
    assert [post["title"] for post in city.posts] == ["first", "second", "third"]
    assert city.posts[0] == {
        "kind": "report",
        "title": "first",
        "body": "first\n\nWater depth: 30 cm.",
        "category": "flood",
        "location": {"lon": 106.8, "lat": -6.2},
    }
    assert city.posts[1]["area"] == "31.74"
    assert city.at[2] - city.at[0] >= 0.55
    assert report.seconds >= 0.6
    assert (report.sent, report.created, accounted(report)) == (3, 3, True)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert 0 < report.p50 <= report.p95 <= report.p99


async def test_a_replay_sent_again_uses_the_same_keys_and_makes_nothing_new(tmp_path: Path) -> None:
    path = file_of(tmp_path, *(at(each, "same") for each in (1, 1, 2)), at(3, "x", id="7"), at(3, "x", id="7"))
    city = City()
    async with serving(city) as address:
        first = await played(path, address)
        await played(path, address)
    assert (first.created, first.repeated, accounted(first)) == (4, 1, True)
    assert len(set(city.keys[:5])) == 4
    assert sorted(city.keys[5:]) == sorted(city.keys[:5])
    assert set(city.bearers) == {"Bearer given"}


async def test_a_city_that_is_busy_is_asked_again_after_the_time_it_names(tmp_path: Path) -> None:
    city = City()
    city.first.extend([Response(status_code=503, headers={"Retry-After": "1"}), None, Response(status_code=429)])
    async with serving(city) as address:
        report = await played(file_of(tmp_path, at(0, "one"), at(0, "two")), address)
    assert city.at[-1] - city.at[0] >= 0.95
    assert sorted(post["title"] for post in city.posts) == ["one", "two"]
    assert (report.created, report.failed, report.problems) == (2, 0, [])


@pytest.mark.parametrize("seconds", [0, 2, None])
async def test_a_retry_after_may_be_a_date_and_an_unreadable_one_is_passed_over(
    tmp_path: Path, seconds: int | None
) -> None:
    when = "soon" if seconds is None else format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    city = City()
    city.first.append(Response(status_code=503, headers={"Retry-After": when}))
    async with serving(city) as address:
        report = await played(file_of(tmp_path, at(0, "one")), address)
    assert report.created == 1
    assert city.at[1] - city.at[0] >= (0.9 if seconds else 0.0)


async def test_what_the_city_refuses_is_counted_with_its_line_and_reason(tmp_path: Path) -> None:
    problem = JSONResponse({"detail": "This place is not served."}, 422, media_type="application/problem+json")
    city = City()
    city.first.extend([problem, None, Response("gone", 404)])
    rows = [at(0, "one"), {"at": "never", "text": "x"}, at(60, "two"), at(120, "three")]
    async with serving(city) as address:
        report = await played(file_of(tmp_path, *rows), address, speed=1_000)
    assert (report.sent, report.created, report.refused, report.unreadable) == (3, 1, 2, 1)
    assert report.problems[0][0] == 2
    assert report.problems[1:] == [
        (1, "422 Unprocessable Entity: This place is not served."),
        (4, "404 Not Found"),
    ]


async def test_only_the_first_problems_are_kept(tmp_path: Path) -> None:
    city = City()
    city.first.extend(Response(status_code=403) for _ in range(50))
    async with serving(city) as address:
        report = await played(file_of(tmp_path, *(at(0, "x") for _ in range(50))), address)
    assert (report.refused, len(report.problems)) == (50, 20)


async def test_a_slow_city_is_not_flooded_and_reports_lag(tmp_path: Path) -> None:
    city = City()
    city.delay = 0.1
    async with serving(city) as address:
        report = await played(file_of(tmp_path, *(at(0, f"report {each}") for each in range(100))), address)
    assert city.most <= replay_client.CONCURRENCY
    assert report.created == 100
    assert report.lag >= 0.25


async def test_without_a_token_a_person_is_registered_and_the_token_renewed_before_it_ends(tmp_path: Path) -> None:
    city = City(expires_in=0.5)
    async with serving(city) as address:
        report = await played(file_of(tmp_path, at(0, "one"), at(60, "two")), address, speed=100, token=None)
    (person,) = city.people
    assert person["email"].startswith("replay-")
    assert person["email"].endswith("@example.org")
    assert person["display_name"]
    assert city.bearers == ["Bearer token-1", "Bearer token-2"]
    assert report.created == 2


async def test_a_city_that_registers_nobody_rejects_the_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def closed(_: Request) -> Response:
        return JSONResponse({"detail": "Registration is closed."}, 403, media_type="application/problem+json")

    city = City()
    monkeypatch.setattr(city, "register", closed)
    async with serving(city) as address:
        with pytest.raises(Rejected, match="POST /api/people: 403 Forbidden: Registration is closed"):
            await played(file_of(tmp_path, at(0, "one")), address, token=None)
    assert city.posts == []


async def test_a_token_that_is_refused_early_is_renewed(tmp_path: Path) -> None:
    city = City()
    city.first.append(Response(status_code=401))
    async with serving(city) as address:
        report = await played(file_of(tmp_path, at(0, "one")), address, token=None)
    assert (report.created, city.tokens) == (1, 2)


async def test_a_given_token_that_is_refused_is_counted_and_not_replaced(tmp_path: Path) -> None:
    city = City()
    city.first.append(Response(status_code=401))
    async with serving(city) as address:
        report = await played(file_of(tmp_path, at(0, "one")), address)
    assert (report.refused, city.people) == (1, [])


async def test_a_city_that_comes_back_gets_what_it_missed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
        away = asyncio.create_task(played(file_of(tmp_path, at(0, "one")), f"http://127.0.0.1:{port}"))
        connection, _ = await asyncio.to_thread(reserved.accept)
        connection.close()
    city = City()
    server = uvicorn.Server(uvicorn.Config(city.app(), port=port, log_config=None, lifespan="off", ws="none"))
    running = asyncio.create_task(server.serve())
    report = await away
    server.should_exit = True
    await running
    assert (report.created, len(city.posts)) == (1, 1)


async def test_a_city_that_never_answers_fails_each_report_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_client, "BACKOFF", 0.001)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    report = await played(file_of(tmp_path, at(0, "one"), at(0, "two")), address)
    assert (report.failed, report.sent, accounted(report)) == (2, 2, True)
    assert "No answer to POST /api/requests after 10 attempts; the last: ConnectError" in report.problems[0][1]
    with pytest.raises(Rejected, match="No answer to POST /api/people"):
        await played(file_of(tmp_path, at(0, "one")), address, token=None)


async def test_an_answer_without_an_id_is_no_answer(tmp_path: Path) -> None:
    city = City()
    city.first.extend([Response("<html>"), JSONResponse([])])
    async with serving(city) as address:
        report = await played(file_of(tmp_path, at(0, "one"), at(0, "two")), address)
    assert (report.failed, report.created) == (2, 0)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"speed": 0}, "speed"),
        ({"speed": -1}, "speed"),
        ({"speed": float("nan")}, "speed"),
        ({"address": "localhost:8000"}, "base_url"),
        ({"timezone": "Mars"}, "timezone"),
    ],
)
async def test_a_wrong_option_is_invalid(tmp_path: Path, options: dict[str, Any], field: str) -> None:
    path = file_of(tmp_path, at(0, "one"))
    with pytest.raises(Invalid) as caught:
        await played(path, **{"address": "http://127.0.0.1:1"} | options)
    assert caught.value.field == field


async def test_a_file_without_rows_calls_nobody(tmp_path: Path) -> None:
    assert await played(file_of(tmp_path), "http://127.0.0.1:1", token=None) == ReplayReport()
