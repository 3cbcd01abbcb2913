"""The public log as those who read it meet it: filters, cursors, and the places where a page ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
import pytest

from services.feeds.filters import Filter
from shared.events import Envelope
from tests.running import city_in_process
from tests.stories import person, report, see

TITLES = [f"Lampu jalan mati {number}" for number in range(6)]
AREAS = ["31.71.06.1001", "31.74.01.1001"]


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A city in which six reports were opened, in turn in two areas."""
    async with city_in_process(tmp_path) as client:
        author = await person(client)
        for number, title in enumerate(TITLES):
            await report(author, title=title, area=AREAS[number % 2], category=f"lampu-{number % 3}")
        await see(client, "/api/events?after=-1", lambda page: bool(page["items"]) and said(page)[-1] == TITLES[-1])
        yield client


def said(page: dict[str, list[dict[str, dict[str, str]]]]) -> list[str]:
    """The titles in a page of events."""
    return [event["data"].get("title", "") for event in page["items"]]


async def titles(city: httpx.AsyncClient, query: str) -> list[str]:
    """The titles of the requests that were opened, of a whole query."""
    found: list[str] = []
    after = ""
    while True:
        page = (await city.get(f"/api/events?type=org.gotongroyong.request.opened&limit=2{query}{after}")).json()
        if not page["items"]:
            return found
        found += said(page)
        after = f"&after={page['next']}"


async def test_a_whole_log_is_read_page_by_page(city: httpx.AsyncClient) -> None:
    assert await titles(city, "") == TITLES


async def test_an_area_holds_what_happened_in_all_of_its_parts(city: httpx.AsyncClient) -> None:
    assert await titles(city, "&area=31") == TITLES
    assert await titles(city, "&area=31.71") == TITLES[::2]
    assert await titles(city, f"&area={AREAS[1]}") == TITLES[1::2]
    assert await titles(city, "&area=31.75") == []


async def test_a_category_is_matched_whole(city: httpx.AsyncClient) -> None:
    assert await titles(city, "&category=lampu-1") == TITLES[1::3]
    assert await titles(city, "&category=lampu") == []


async def test_all_filters_must_fit(city: httpx.AsyncClient) -> None:
    assert await titles(city, "&category=lampu-1&area=31.71") == [TITLES[4]]


async def test_a_subject_has_its_own_thread(city: httpx.AsyncClient) -> None:
    event = (await city.get("/api/events?after=-1")).json()["items"][0]
    assert await titles(city, f"&subject={event['subject']}") == [TITLES[-1]]
    assert await titles(city, f"&correlationid={event['correlationid']}") == [TITLES[-1]]


async def test_a_negative_cursor_counts_from_the_end(city: httpx.AsyncClient) -> None:
    page = (await city.get("/api/events?after=-2")).json()
    assert said(page) == TITLES[-2:]
    everything = (await city.get("/api/events?after=-999999")).json()
    assert said(everything)[-6:] == TITLES


async def test_there_is_always_a_place_to_go_on_from(city: httpx.AsyncClient) -> None:
    end = (await city.get("/api/events?after=-1")).json()["next"]
    page = (await city.get(f"/api/events?after={end}&type=org.nothing.like.it")).json()
    assert page == {"items": [], "next": end}


async def test_what_does_not_fit_is_passed_over_in_one_call(city: httpx.AsyncClient) -> None:
    end = (await city.get("/api/events?after=-1")).json()["next"]
    page = (await city.get("/api/events?type=org.nothing.like.it")).json()
    assert page == {"items": [], "next": end}


@pytest.mark.parametrize("cursor", ["abc", "1.5", "--1", "-", "99999999999999999", "%31%20"])
async def test_what_is_no_cursor_is_refused(city: httpx.AsyncClient, cursor: str) -> None:
    refused = await city.get(f"/api/events?after={cursor}")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "after"


def envelope(**changes: str | None) -> Envelope:
    """An event of nobody in particular."""
    usual = {
        "id": "1",
        "type": "org.gotongroyong.request.opened.v1",
        "source": "/requests",
        "subject": "s",
        "time": "2026-11-25T00:00:00.000000Z",
        "sequence": 1,
        "correlationid": "c",
        "causationid": "d",
        "actorkind": "resident",
        "visibility": "public",
        "data": {},
    }
    return Envelope.from_json(orjson.dumps({**usual, **changes}))


def test_an_area_code_is_not_a_text_prefix() -> None:
    assert not Filter(area="31.7").matches(envelope(area="31.71"))
    assert Filter(area="31.71").matches(envelope(area="31.71.06"))
    assert not Filter(area="31").matches(envelope())


def test_an_empty_filter_takes_everything() -> None:
    assert Filter().matches(envelope())
    assert not Filter(subject="other").matches(envelope())
    assert not Filter(correlationid="other").matches(envelope())
