"""The stories that the city exists for, each over HTTP against a whole city."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from tests.running import CityProcess, city_in_process, city_process
from tests.stories import (
    Actor,
    Json,
    answer,
    ask_help,
    everything,
    log_after,
    log_end,
    offer,
    organisation,
    people,
    person,
    pledge,
    report,
    see,
    see_status,
    short,
    the_rice_story,
)


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with city_in_process(tmp_path) as client:
        yield client


async def test_neighbours_a_company_and_a_mosque_fulfil_a_request_together(city: httpx.AsyncClient) -> None:
    outcome = await the_rice_story(city)

    end = outcome.end
    assert (end.status, end.outcome) == ("closed", "fulfilled")
    assert end.needs == (("kg", 50, 50, 0), ("person", 2, 2, 0))
    assert end.contributions == (("pledge", 2, "received"), ("pledge", 10, "received"), ("sponsorship", 40, "received"))
    assert end.pledges == ((2, "completed"), (10, "completed"))
    assert end.sponsorships == ((40, "settled"),)
    assert end.ledger == (
        ("budget", 40, 40),
        ("hold", 40, 0),
        ("commit", 40, 0),
        ("deliver", 40, 0),
        ("settle", 40, 0),
    )
    assert {name: outcome.offer[name] for name in ("held", "committed", "delivered", "settled", "available")} == {
        "held": 0,
        "committed": 0,
        "delivered": 0,
        "settled": 40,
        "available": 0,
    }


async def test_the_public_thread_of_the_rice_story_tells_everything_once_and_in_causal_order(
    city: httpx.AsyncClient,
) -> None:
    events = (await the_rice_story(city)).events

    assert Counter(short(each) for each in events) == {
        "offer.drafted": 1,
        "offer.published": 1,
        "request.opened": 1,
        "sponsorship.held": 1,
        "sponsorship.committed": 1,
        "sponsorship.delivered": 1,
        "sponsorship.settled": 1,
        "contribution.proposed": 1,
        "contribution.reserved": 3,
        "contribution.delivered": 3,
        "contribution.received": 3,
        "pledge.offered": 2,
        "pledge.accepted": 2,
        "pledge.delivered": 2,
        "pledge.completed": 2,
        "request.closed": 1,
    }
    opened = next(each for each in events if short(each) == "request.opened")
    started = [short(each) for each in events if each["correlationid"] == opened["correlationid"]]
    assert started == ["request.opened", "sponsorship.held", "contribution.reserved", "sponsorship.committed"]
    said = str(events)
    assert "Sari" not in said
    assert "Budi" not in said
    assert "@example.org" not in said


async def test_an_agency_resolves_a_report_the_author_disputes_and_two_supporters_confirm(
    city: httpx.AsyncClient,
) -> None:
    author, *supporters = await people(city, 4)
    agency = await organisation(city, "agency", "Dinas")
    path = f"/api/requests/{(await report(author))['id']}"
    for each in supporters:
        await each.post(f"{path}/support")

    claimed = await agency.post(f"{path}/resolve", {"note": "Sudah diganti."})
    assert (claimed["status"], claimed["resolution"]["note"]) == ("resolved", "Sudah diganti.")
    assert (await author.post(f"{path}/dispute", {"note": "Masih gelap."}))["status"] == "disputed"
    assert (await agency.post(f"{path}/progress", {"note": "Kami kembali."}))["status"] == "in_progress"
    assert (await agency.post(f"{path}/resolve", {"note": "Kabel diganti."}))["status"] == "resolved"
    assert (await supporters[0].post(f"{path}/confirm"))["status"] == "resolved"
    assert (await supporters[0].post(f"{path}/confirm"))["status"] == "resolved"
    closed = await supporters[1].post(f"{path}/confirm")

    assert (closed["status"], closed["outcome"]) == ("closed", "confirmed")
    assert (await supporters[2].ask("POST", f"{path}/dispute")).status_code == 409
    history = [short(each) for each in (await author.get(f"{path}/history"))["items"]]
    assert history == [
        "request.opened",
        *["request.supported"] * 3,
        "request.resolved",
        "request.disputed",
        "request.progressed",
        "request.resolved",
        "request.closed",
    ]


async def test_whoever_supported_a_duplicate_follows_to_the_original(city: httpx.AsyncClient) -> None:
    first, second, *others = await people(city, 5)
    original, duplicate = await report(first), await report(second)
    assert [each["id"] for each in duplicate["similar"]] == [original["id"]]
    await others[0].post(f"/api/requests/{original['id']}/support")
    for each in others:
        await each.post(f"/api/requests/{duplicate['id']}/support")

    closed = await second.post(f"/api/requests/{duplicate['id']}/duplicate", {"duplicate_of": original["id"]})

    assert (closed["outcome"], closed["duplicate_of"]) == ("duplicate", original["id"])
    # The duplicate's author and its three supporters, one of whom was there already.
    await see(city, f"/api/requests/{original['id']}", lambda it: bool(it["supporters"] == 4))


async def test_cancelling_a_request_frees_its_helpers_and_gives_the_budget_back(city: httpx.AsyncClient) -> None:
    author, helper, waiting = await people(city, 3)
    shop = await organisation(city, "company")
    given = await offer(shop, "kg", 30, automatic=True)
    asked = await ask_help(author, ("rice", 50, "kg"), ("hands", 2, "person"))
    path = f"/api/requests/{asked['id']}"
    await see(city, path, lambda it: bool(it["needs"][0]["reserved"] == 30))
    accepted, proposed = await pledge(helper, asked, 20), await pledge(waiting, asked, 1, need=1)
    await see_status(city, f"/api/pledges/{accepted['id']}", "accepted")
    await see(city, path, lambda it: len(it["contributions"]) == 3)

    closed = await author.post(f"{path}/cancel", {"note": "Sudah dapat."})

    assert (closed["status"], closed["outcome"]) == ("closed", "cancelled")
    assert {each["status"] for each in closed["contributions"]} == {"released"}
    for each in (accepted, proposed):
        declined = await see_status(city, f"/api/pledges/{each['id']}", "declined")
        assert declined["reason"] == "The request is closed: cancelled."
    after = await see(city, f"/api/offers/{given['id']}", lambda it: bool(it["available"] == 30))
    assert after["held"] + after["committed"] == 0
    ledger = (await shop.get(f"/api/offers/{given['id']}/ledger"))["items"]
    assert [(line["movement"], line["available"]) for line in ledger] == [
        ("budget", 30),
        ("hold", 0),
        ("commit", 0),
        ("release", 30),
    ]


async def test_a_withdrawn_pledge_frees_its_quantity_and_another_takes_it(city: httpx.AsyncClient) -> None:
    author, first, second = await people(city, 3)
    asked = await ask_help(author, ("blankets", 10, "piece"))
    taken = await pledge(first, asked, 10)
    await see_status(city, f"/api/pledges/{taken['id']}", "accepted")
    refused = await pledge(second, asked, 4)
    declined = await see_status(city, f"/api/pledges/{refused['id']}", "declined")
    assert (declined["reason"], declined["missing"]) == ("Only 0 piece of blankets still missing.", 0)

    await first.post(f"/api/pledges/{taken['id']}/withdraw")
    await see(city, f"/api/requests/{asked['id']}", lambda it: bool(it["needs"][0]["missing"] == 10))
    again = await pledge(second, asked, 10)

    await see_status(city, f"/api/pledges/{again['id']}", "accepted")
    need = (await author.get(f"/api/requests/{asked['id']}"))["needs"][0]
    assert (need["reserved"], need["missing"]) == (10, 0)
    assert (await first.ask("POST", f"/api/pledges/{taken['id']}/deliver")).status_code == 409


async def test_an_offer_gives_only_while_it_is_published_and_what_was_added_to_it(city: httpx.AsyncClient) -> None:
    author = await person(city)
    shop = await organisation(city, "company")
    given = await offer(shop, "box", 5)
    path = f"/api/offers/{given['id']}"
    asked = await ask_help(author, ("water", 100, "box"))

    async def hold(quantity: int) -> httpx.Response:
        body = {"offer_id": given["id"], "request_id": asked["id"], "need_id": asked["needs"][0]["id"]}
        return await shop.ask("POST", "/api/sponsorships", {**body, "quantity": quantity})

    kept = answer(await hold(2))
    await see_status(city, f"/api/sponsorships/{kept['id']}", "committed")
    assert (await shop.post(f"{path}/pause"))["status"] == "paused"
    assert (await hold(1)).status_code == 409
    assert (await shop.post(f"{path}/resume"))["status"] == "published"
    beyond = await hold(4)
    assert (beyond.status_code, beyond.json()["available"]) == (409, 3)
    assert (await shop.post(f"{path}/top-up", {"quantity": 7}))["available"] == 10
    assert (await hold(10)).status_code == 201
    lowered = await shop.ask("POST", f"{path}/top-up", {"quantity": -1})
    assert (lowered.status_code, lowered.json()["promised"]) == (409, 12)
    assert (await shop.post(f"{path}/close"))["status"] == "closed"
    assert (await hold(1)).status_code == 409
    assert (await shop.post(f"/api/sponsorships/{kept['id']}/deliver"))["status"] == "delivered"

    lines = (await shop.get(f"{path}/ledger"))["items"]
    assert [(line["movement"], line["quantity"]) for line in lines[:4]] == [
        ("budget", 5),
        ("hold", 2),
        ("commit", 2),
        ("top-up", 7),
    ]
    assert lines[-1]["available"] == 0


async def test_of_twenty_at_once_five_get_in_and_the_others_wait_in_order(city: httpx.AsyncClient) -> None:
    organiser, *neighbours = await people(city, 21)
    path = f"/api/activities/{(await _planned(organiser, places=5))['id']}"

    async def join(who: Actor) -> tuple[Actor, Json]:
        return who, await who.post(f"{path}/join", {"role": "angkut"})

    joined = await asyncio.gather(*(join(each) for each in neighbours))

    inside = [who for who, place in joined if place["place"] == "in"]
    waiting = {place["position"]: who for who, place in joined if place["place"] == "waiting"}
    assert len(inside) == 5
    assert sorted(waiting) == list(range(1, 16))
    role = (await organiser.get(path))["roles"][0]
    assert (role["taken"], role["waiting"]) == (5, 15)

    await inside[0].post(f"{path}/leave")
    await inside[1].post(f"{path}/leave")
    for position, who in waiting.items():
        mine = (await who.get(path))["mine"]
        expected = ("in", None) if position <= 2 else ("waiting", position - 2)
        assert (mine["place"], mine["position"]) == expected
    assert "mine" not in await inside[0].get(path)


async def test_lists_go_on_where_the_page_before_ended_however_they_are_asked_for(city: httpx.AsyncClient) -> None:
    author = await person(city)
    made = [(await report(author, title=f"Lubang {number}"))["id"] for number in range(7)]
    for asked in (
        "/api/requests",
        "/api/requests?area=31",
        "/api/requests?status=open,resolved",
        "/api/requests?q=lubang",
        "/api/requests?category=street-light&kind=report",
        "/api/requests?near=106.83,-6.2",
        "/api/requests?near=106.83,-6.2&radius=300&order=nearest",
        "/api/requests?bbox=106.8,-6.3,106.9,-6.1",
        "/api/requests?bbox=106.8,-6.3,106.9,-6.1&near=106.83,-6.2&order=nearest&area=31",
    ):
        found = await everything(city, asked, limit=3)
        assert sorted(each["id"] for each in found) == sorted(made), asked


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityProcess]:
    with city_process(tmp_path_factory.mktemp("city")) as running:
        yield running


@pytest.fixture
async def served(server: CityProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        yield client


async def test_a_follower_whose_connection_is_cut_goes_on_without_missing_or_repeating(
    served: httpx.AsyncClient,
) -> None:
    since = await log_end(served)
    author = await person(served)
    telling = asyncio.create_task(_reports(author, 60))

    seen: list[tuple[str, Json]] = []
    while len(seen) < 60:
        async with aclosing(_follow(served, last=seen[-1][0] if seen else since)) as stream:
            async for each in stream:
                seen.append(each)
                if len(seen) % 7 == 0 or len(seen) == 60:  # the follower hangs up, whatever is on its way
                    break
    made = await telling

    opened = [event["subject"] for _, event in seen]
    assert sorted(opened) == sorted(made)
    positions = [int(position) for position, _ in seen]
    assert positions == sorted(set(positions))
    assert [event for _, event in seen] == await log_after(served, since)


async def test_following_from_the_beginning_tells_what_pulling_page_by_page_tells(served: httpx.AsyncClient) -> None:
    await the_rice_story(served)
    await _reports(await person(served), 20)
    pulled = await log_after(served, limit=9)

    followed = []
    async with aclosing(_follow(served, last="0")) as stream:
        async for _, event in stream:
            followed.append(event)
            if len(followed) == len(pulled):
                break

    assert followed == pulled
    assert len({each["id"] for each in pulled}) == len(pulled)
    assert await log_after(served, "-3") == pulled[-3:]


async def test_a_follower_gets_only_what_its_filter_lets_through(served: httpx.AsyncClient) -> None:
    author, since = await person(served), await log_end(served)
    first, second = await _reports(author, 2)
    await author.post(f"/api/requests/{first}/progress", {"note": "a"})
    await author.post(f"/api/requests/{second}/progress", {"note": "b"})
    await author.post(f"/api/requests/{second}/cancel")
    for asked, expected in (
        (f"subject={second}", ["request.opened", "request.progressed", "request.closed"]),
        ("type=org.gotongroyong.request.closed", ["request.closed"]),
        ("area=31&category=street-light&type=org.gotongroyong.request.p", ["request.progressed"] * 2),
    ):
        seen: list[str] = []
        async with aclosing(_follow(served, last=since, asked=asked)) as stream:
            async for _, event in stream:
                seen.append(short(event))
                if len(seen) == len(expected):
                    break
        assert seen == expected
    assert (await author.get(f"/api/events?after={since}&area=31.72"))["items"] == []


async def test_pulling_with_a_filter_moves_on_although_nothing_fits_also_after_a_restart(server: CityProcess) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as before:
        author = await person(before)
        quiet = (await report(author))["id"]
        last = (await _reports(author, 5))[-1]
        await see(before, f"/api/events?subject={last}", lambda page: len(page["items"]) == 1)
        end = await log_end(before)
        asked = f"/api/events?after=0&subject={quiet}"
        assert (await author.get(asked))["next"] == end
    server.restart()
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as after:
        page = answer(await after.get(asked))
        assert (len(page["items"]), page["next"]) == (1, end)


async def _reports(author: Actor, count: int) -> list[str]:
    return [(await report(author, location=None, area="31.71"))["id"] for _ in range(count)]


async def _follow(city: httpx.AsyncClient, last: str, asked: str = "") -> AsyncGenerator[tuple[str, Json]]:
    """The events of a stream with their ids, from after `last` on."""
    async with city.stream("GET", f"/api/events/stream?{asked}", headers={"Last-Event-ID": last}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        frame: dict[str, str] = {}
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if name:
                frame[name] = value
            elif "data" in frame:
                event: Json = json.loads(frame["data"])
                assert frame["event"] == event["type"]
                yield frame["id"], event
                frame = {}
            else:
                frame = {}


async def _planned(organiser: Actor, places: int) -> Json:
    body = {
        "title": "Kerja bakti",
        "location": {"lon": 106.83, "lat": -6.2},
        "starts_at": "2099-01-01T08:00:00+07:00",
        "ends_at": "2099-01-01T11:00:00+07:00",
        "roles": [{"name": "angkut", "capacity": places}],
    }
    return await organiser.create("/api/activities", body)
