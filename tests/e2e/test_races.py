"""What happens when everybody comes at once: exactly as many get in as there is room, and each call counts once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from shared.ids import derived_id
from tests.running import city_in_process
from tests.stories import (
    HOME,
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
    report,
    see,
    see_status,
    short,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 70
LATER = {"starts_at": "2099-01-01T08:00:00+07:00", "ends_at": "2099-01-01T11:00:00+07:00"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    async with city_in_process(tmp_path_factory.mktemp("city")) as client:
        yield client


async def test_of_fifty_who_pledge_one_of_ten_at_once_ten_are_accepted_and_forty_told_why(
    city: httpx.AsyncClient,
) -> None:
    author, *helpers = await people(city, 51)
    asked = await ask_help(author, ("mattresses", 10, "piece"))
    body = {"request_id": asked["id"], "need_id": asked["needs"][0]["id"], "quantity": 1}

    made = await asyncio.gather(*(each.post("/api/pledges", body) for each in helpers))

    ends = await asyncio.gather(*(_answered(city, each["id"]) for each in made))
    assert Counter(each["status"] for each in ends) == {"accepted": 10, "declined": 40}
    told = {(each["reason"], each["missing"]) for each in ends if each["status"] == "declined"}
    assert told == {("Only 0 piece of mattresses still missing.", 0)}
    need = (await author.get(f"/api/requests/{asked['id']}"))["needs"][0]
    assert (need["reserved"], need["missing"]) == (10, 0)


async def test_of_a_hundred_sponsorships_at_once_the_budget_takes_exactly_what_fits(city: httpx.AsyncClient) -> None:
    author = await person(city)
    firm = await organisation(city, "company")
    given = await offer(firm, "IDR", 1_000_000)
    asked = await ask_help(author, ("school books", 5_000_000, "IDR"))
    body = {"offer_id": given["id"], "request_id": asked["id"], "need_id": asked["needs"][0]["id"], "quantity": 30_000}

    answers = await asyncio.gather(*(firm.ask("POST", "/api/sponsorships", body) for _ in range(100)))

    assert Counter(each.status_code for each in answers) == {201: 33, 409: 67}
    assert {each.json()["available"] for each in answers if each.status_code == 409} == {10_000}
    path = f"/api/offers/{given['id']}"
    end = await see(city, path, lambda it: bool(it["committed"] == 990_000))
    assert (end["held"], end["available"]) == (0, 10_000)
    ledger = (await firm.get(f"{path}/ledger?limit=200"))["items"]
    assert Counter(line["movement"] for line in ledger) == {"budget": 1, "hold": 33, "commit": 33}
    assert min(line["available"] for line in ledger) == 10_000


async def test_several_offers_and_many_helpers_at_once_never_promise_more_than_is_asked(
    city: httpx.AsyncClient,
) -> None:
    author, *helpers = await people(city, 21)
    firms = await asyncio.gather(*(organisation(city, "company", f"Toko {number}") for number in range(4)))
    offers = await asyncio.gather(*(offer(each, "pack", 100, automatic=True) for each in firms))
    asked = await ask_help(author, ("noodles", 107, "pack"))
    need = asked["needs"][0]["id"]

    await asyncio.gather(
        *(
            helper.post("/api/pledges", {"request_id": asked["id"], "need_id": need, "quantity": 3})
            for helper in helpers
        )
    )

    # Automatic offers ask again for what is left after a refusal, so in the end nothing is missing.
    end = await see(city, f"/api/requests/{asked['id']}", lambda it: bool(it["needs"][0]["missing"] == 0))
    taken = [each["quantity"] for each in end["contributions"] if each["status"] == "reserved"]
    assert sum(taken) == 107

    async def held() -> int:
        return sum([(await author.get(f"/api/offers/{each['id']}"))["held"] for each in offers])

    await until(held, lambda left: left == 0)
    for each in await everything(city, f"/api/pledges?request_id={asked['id']}"):
        await _answered(city, each["id"])


async def _answered(city: httpx.AsyncClient, pledge: str) -> Json:
    return await see(city, f"/api/pledges/{pledge}", lambda it: bool(it["status"] != "offered"))


class _Doors:
    """What can be made under an Idempotency-Key: by whom, where, with which body and which other body."""

    def __init__(self, city: httpx.AsyncClient) -> None:
        self.city = city

    async def set_up(self) -> None:
        self.author, self.helper = await people(self.city, 2)
        self.firm = await organisation(self.city, "company")
        self.given = await offer(self.firm, "kg", 100)
        self.asked = await ask_help(self.author, ("rice", 100, "kg"))

    async def of(self, name: str) -> tuple[Actor, Actor, str, Json, Json]:
        need = {"request_id": self.asked["id"], "need_id": self.asked["needs"][0]["id"]}
        place = {"title": "Kerja bakti", "location": HOME, **LATER, "roles": [{"name": "angkut", "capacity": 3}]}
        wanted: Json = {"kind": "help", "title": "Air", "category": "water", "location": HOME}
        wanted["needs"] = [{"label": "water", "quantity": 9, "unit": "box"}]
        bodies: dict[str, tuple[str, Any, Json]] = {
            "requests": ("/api/requests", wanted, {"title": "Air bersih"}),
            "pledges": ("/api/pledges", {**need, "quantity": 2}, {"quantity": 3}),
            "sponsorships": (
                "/api/sponsorships",
                {**need, "offer_id": self.given["id"], "quantity": 2},
                {"quantity": 3},
            ),
            "offers": ("/api/offers", {"title": "Beras", "unit": "kg", "budget": 5}, {"budget": 6}),
            "activities": ("/api/activities", place, {"title": "Senam"}),
            "organisations": ("/api/organisations", {"name": "Karang Taruna", "kind": "community"}, {"name": "PKK"}),
            "comments": (f"/api/requests/{self.asked['id']}/comments", {"text": "Semangat!"}, {"text": "Siap."}),
        }
        path, body, change = bodies[name]
        who, another = self.author, self.helper
        if name in ("pledges", "comments"):
            who, another = self.helper, await person(self.city)
        if name in ("offers", "sponsorships"):
            who, another = self.firm, await organisation(self.city, "company", "Lain")
        return who, another, path, body, {**body, **change}


@pytest_asyncio.fixture(loop_scope="module")
async def doors(city: httpx.AsyncClient) -> _Doors:
    made = _Doors(city)
    await made.set_up()
    return made


NAMES = ["requests", "pledges", "sponsorships", "offers", "activities", "organisations", "comments"]


@pytest.mark.parametrize("name", NAMES)
async def test_seventy_identical_posts_at_once_make_one_thing_and_answer_alike(doors: _Doors, name: str) -> None:
    who, _, path, body, _ = await doors.of(name)
    helped, since = await organisation(doors.city, "company", "Otomatis"), await log_end(doors.city)
    await offer(helped, "box", 9, automatic=True)  # reacts to the request while the others still ask for it

    async def late(number: int) -> httpx.Response:
        await asyncio.sleep(number * 0.0005)
        return await who.ask("POST", path, body, key="tujuh-puluh")

    answers = await asyncio.gather(*(late(number) for number in range(AT_ONCE)))

    assert Counter(each.status_code for each in answers) == {201: AT_ONCE}
    assert len({each.content for each in answers}) == 1
    assert len({str(each.headers.get("location")) + str(each.headers.get("etag")) for each in answers}) == 1
    made = answers[0].json()
    await _settled(doors.city, name, made, since)
    assert (await who.ask("POST", path, body, key="tujuh-puluh")).content == answers[0].content
    happened = [each for each in await log_after(doors.city, since) if made["id"] in str(each)]
    beginnings = ("request.opened", "pledge.offered", "sponsorship.held", "offer.drafted", "activity.planned")
    began = [each for each in happened if short(each) in (*beginnings, "organisation.registered", "comment.added")]
    of_its_kind = [each for each in began if made["id"] in (each["subject"], each["data"].get("sponsorship_id"))]
    assert len(of_its_kind) == 1


async def _settled(city: httpx.AsyncClient, name: str, made: Json, since: str) -> None:
    """Wait until what was made has gone on, so that a repeated call finds it changed, and it is in the log."""
    match name:
        case "requests":
            await see(city, f"/api/requests/{made['id']}", lambda it: bool(it["needs"][0]["reserved"] == 9))
        case "pledges":
            await see_status(city, f"/api/pledges/{made['id']}", "accepted")
        case "sponsorships":
            await see_status(city, f"/api/sponsorships/{made['id']}", "committed")

    async def look() -> bool:
        return made["id"] in str(await log_after(city, since))

    await until(look, bool)


@pytest.mark.parametrize("name", NAMES)
async def test_a_key_used_again_for_another_body_is_refused_and_nothing_is_made(doors: _Doors, name: str) -> None:
    who, _, path, body, other = await doors.of(name)
    made = await who.post(path, body, key="satu")

    refused = await who.ask("POST", path, other, key="satu")

    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["errors"][0]["field"] == "Idempotency-Key"
    assert (await who.post(path, body, key="satu"))["id"] == made["id"]


@pytest.mark.parametrize("name", NAMES)
async def test_two_bodies_at_once_under_one_key_make_one_thing(doors: _Doors, name: str) -> None:
    who, _, path, body, other = await doors.of(name)

    answers = await asyncio.gather(*(who.ask("POST", path, each, key="dua") for each in [body, other] * 10))

    assert Counter(each.status_code for each in answers) == {201: 10, 422: 10}
    assert len({each.json()["id"] for each in answers if each.status_code == 201}) == 1


@pytest.mark.parametrize("name", NAMES)
async def test_a_key_is_its_actors_own(doors: _Doors, name: str) -> None:
    who, another, path, body, _ = await doors.of(name)
    if name == "sponsorships":
        theirs = await offer(another, "kg", 100)
        other_body = {**body, "offer_id": theirs["id"]}
    else:
        other_body = body

    mine, theirs = await who.post(path, body, key="tiga"), await another.post(path, other_body, key="tiga")

    assert mine["id"] != theirs["id"]


async def test_one_key_for_two_offers_at_once_holds_from_one_of_them(doors: _Doors) -> None:
    firm, _, path, body, _ = await doors.of("sponsorships")
    second = await offer(firm, "kg", 100)
    other = {**body, "offer_id": second["id"]}

    answers = await asyncio.gather(*(firm.ask("POST", path, each, key="empat") for each in [body, other] * 10))

    assert Counter(each.status_code for each in answers) == {201: 10, 422: 10}
    offers = [await firm.get(f"/api/offers/{each['offer_id']}") for each in (body, other)]
    assert sorted(each["held"] + each["committed"] for each in offers) == [0, 2]


async def test_the_same_words_under_one_key_to_two_requests_are_not_taken_for_one_comment(doors: _Doors) -> None:
    who, _, path, body, _ = await doors.of("comments")
    second = await report(doors.author)
    await who.post(path, body, key="lima")

    again = await who.ask("POST", f"/api/requests/{second['id']}/comments", body, key="lima")

    assert again.status_code == 422
    assert again.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_a_pledge_to_a_request_that_is_not_there_yet_does_not_disturb_its_opening(doors: _Doors) -> None:
    author, helper, path, body, _ = await doors.of("requests")
    place = derived_id("request", author.id, "enam")
    early = {"request_id": place, "need_id": place, "quantity": 1}
    declined = await _answered(doors.city, (await helper.post("/api/pledges", early))["id"])
    assert declined["reason"] == "There is no such request."

    opened = [await author.post(path, body, key="enam") for _ in range(2)]

    assert opened[0] == opened[1]
    assert (opened[0]["id"], opened[0]["status"], opened[0]["title"]) == (place, "open", body["title"])


async def test_forty_who_support_twice_at_once_are_counted_once_each(city: httpx.AsyncClient) -> None:
    author, *others = await people(city, 41)
    asked = await report(author)

    await asyncio.gather(*(each.post(f"/api/requests/{asked['id']}/support") for each in [*others, *others, author]))

    assert (await author.get(f"/api/requests/{asked['id']}"))["supporters"] == 40


async def test_of_two_edits_of_the_same_version_one_is_told_that_it_is_stale(city: httpx.AsyncClient) -> None:
    author = await person(city)
    asked = await report(author)

    async def cancel() -> httpx.Response:
        headers = {**author.headers, "If-Match": '"1"'}
        return await city.post(f"/api/requests/{asked['id']}/cancel", headers=headers)

    answers = await asyncio.gather(cancel(), cancel())

    assert sorted(each.status_code for each in answers) == [200, 412]
    assert answer(await city.get(f"/api/requests/{asked['id']}"))["version"] == 2
