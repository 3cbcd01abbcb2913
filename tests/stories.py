"""What people do with the city, told over HTTP alone: the same stories run over every kind of store and bus."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx

Json = dict[str, Any]
T = TypeVar("T")

# A relay that was killed leaves its lease behind for ten seconds; everything else is a matter of milliseconds.
PATIENCE_S = 40.0
PASSWORD = "correct horse battery"
HOME = {"lon": 106.83, "lat": -6.2}
SEEN = "org.gotongroyong."


class Unexpected(AssertionError):
    """The city answered otherwise than the story goes."""


@dataclass(frozen=True)
class Actor:
    """Somebody with an access token, perhaps acting for an organisation. `id` is the one that others see."""

    city: httpx.AsyncClient
    id: str
    headers: dict[str, str]

    async def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        """Call the city, whatever it answers."""
        headers = self.headers if key is None else {**self.headers, "Idempotency-Key": key}
        return await self.city.request(method, path, json=body, headers=headers)

    async def get(self, path: str) -> Json:
        """What a GET answers; it has to be 200."""
        return answer(await self.ask("GET", path))

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Json:
        """What a POST answers; it has to be 200 or 201."""
        return answer(await self.ask("POST", path, body, key=key))

    async def create(self, path: str, body: Json) -> Json:
        """Make something, under a key of its own: called again after a cut connection it is still made once."""
        return await self.post(path, body, key=uuid.uuid4().hex)

    def acting_for(self, organisation: str) -> Actor:
        """The same person, acting for an organisation."""
        return replace(self, id=organisation, headers={**self.headers, "Act-For": organisation})


def answer(response: httpx.Response) -> Json:
    """The body of a good answer."""
    if response.status_code not in (200, 201):
        asked = response.request
        raise Unexpected(f"{asked.method} {asked.url.path} answered {response.status_code}: {response.text}")
    body: Json = response.json()
    return body


async def until(look: Callable[[], Awaitable[T]], fits: Callable[[T], bool], patience_s: float = PATIENCE_S) -> T:
    """Look until what is seen fits; Unexpected, with the last sight, where it does not in time."""
    deadline = time.monotonic() + patience_s
    while not fits(seen := await look()):
        if time.monotonic() > deadline:
            raise Unexpected(f"after {patience_s} s it was still: {seen}")
        await asyncio.sleep(0.01)
    return seen


async def see(city: httpx.AsyncClient, path: str, fits: Callable[[Json], bool]) -> Json:
    """GET until the answer fits."""

    async def look() -> Json:
        return answer(await city.get(path))

    return await until(look, fits)


async def see_status(city: httpx.AsyncClient, path: str, status: str) -> Json:
    """GET until it has this status."""
    return await see(city, path, lambda it: bool(it["status"] == status))


async def person(city: httpx.AsyncClient, name: str = "Sari") -> Actor:
    """Somebody new, signed in."""
    email = f"{uuid.uuid4().hex}@example.org"
    joined = {"email": email, "password": PASSWORD, "display_name": name}
    made = answer(await city.post("/api/people", json=joined))
    token = answer(await city.post("/api/tokens", json={"email": email, "password": PASSWORD}))
    return Actor(city, made["id"], {"Authorization": f"Bearer {token['access_token']}"})


async def people(city: httpx.AsyncClient, count: int) -> list[Actor]:
    """Several new people."""
    return list(await asyncio.gather(*(person(city, f"Warga {number}") for number in range(count))))


async def organisation(city: httpx.AsyncClient, kind: str, name: str = "Bersama") -> Actor:
    """A new organisation, acted for by its owner."""
    owner = await person(city, f"Pemilik {name}")
    made = await owner.create("/api/organisations", {"name": name, "kind": kind})
    return owner.acting_for(made["id"])


async def ask_help(author: Actor, *needs: tuple[str, int, str], **more: Any) -> Json:
    """A request for help with these needs: (label, quantity, unit)."""
    listed = [{"label": label, "quantity": quantity, "unit": unit} for label, quantity, unit in needs]
    body = {"kind": "help", "title": "Bantuan", "category": "food", "location": HOME, "needs": listed, **more}
    return await author.create("/api/requests", body)


async def report(author: Actor, **more: Any) -> Json:
    """A report of something broken in a public place."""
    body = {"kind": "report", "title": "Lampu jalan padam", "category": "street-light", "location": HOME, **more}
    return await author.create("/api/requests", body)


async def offer(giver: Actor, unit: str, budget: int, **more: Any) -> Json:
    """A published offer."""
    body = {"title": "Bantuan kami", "unit": unit, "budget": budget, "publish": True, **more}
    return await giver.create("/api/offers", body)


async def pledge(helper: Actor, request: Json, quantity: int, need: int = 0) -> Json:
    """A promise towards one of a request's needs."""
    asked = {"request_id": request["id"], "need_id": request["needs"][need]["id"], "quantity": quantity}
    return await helper.create("/api/pledges", asked)


async def everything(city: httpx.AsyncClient, path: str, limit: int = 200) -> list[Json]:
    """All items of a list, page by page; no item may come twice."""
    items: list[Json] = []
    after = ""
    while True:
        page = answer(await city.get(f"{path}{'&' if '?' in path else '?'}limit={limit}{after}"))
        items += page["items"]
        if page["next"] is None:
            assert len({each["id"] for each in items}) == len(items), f"an item of {path} came twice"
            return items
        after = f"&after={page['next']}"


async def log_end(city: httpx.AsyncClient) -> str:
    """The cursor after everything that is in the public log now."""
    after = "0"
    while True:
        page = answer(await city.get(f"/api/events?after={after}&limit=200"))
        if page["next"] == after:
            return after
        after = page["next"]


async def log_after(city: httpx.AsyncClient, after: str = "0", limit: int = 200) -> list[Json]:
    """Every public event after a cursor, oldest first."""
    events: list[Json] = []
    while True:
        page = answer(await city.get(f"/api/events?after={after}&limit={limit}"))
        events += page["items"]
        if page["next"] == after:
            return events
        after = page["next"]


def short(event: Json) -> str:
    """`org.gotongroyong.request.opened.v1` as `request.opened`."""
    kind: str = event["type"]
    return kind.removeprefix(SEEN).rpartition(".")[0]


@dataclass(frozen=True)
class End:
    """How a story came out, in values that do not differ from one telling to the next."""

    status: str
    outcome: str | None
    needs: tuple[tuple[str, int, int, int], ...]
    contributions: tuple[tuple[str, int, str], ...]
    pledges: tuple[tuple[int, str], ...]
    sponsorships: tuple[tuple[int, str], ...]
    ledger: tuple[tuple[str, int, int], ...]
    happened: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Outcome:
    """What a story left behind: its request, offer and events (of these and its pledges), and how it came out."""

    request: Json
    offer: Json
    events: list[Json]
    end: End


async def the_rice_story(city: httpx.AsyncClient) -> Outcome:
    """A resident asks for 50 kg of rice and two pairs of hands; a neighbour, a company and a mosque bring them."""
    since = await log_end(city)
    sari, budi = await person(city, "Sari"), await person(city, "Budi")
    shop, mosque = await organisation(city, "company", "Toko Beras"), await organisation(city, "community", "Masjid")
    given = await offer(shop, "kg", 40, automatic=True)
    asked = await ask_help(sari, ("rice", 50, "kg"), ("hands", 2, "person"))
    path = f"/api/requests/{asked['id']}"

    await see(city, path, lambda it: bool(it["needs"][0]["reserved"] == 40))
    (sponsored,) = (await sari.get(f"/api/sponsorships?request_id={asked['id']}"))["items"]
    hands = await pledge(budi, asked, 2, need=1)
    await see(city, path, lambda it: any(each["id"] == hands["id"] for each in it["contributions"]))
    await sari.post(f"{path}/contributions/{hands['id']}/approve")
    await _brought(budi, f"/api/pledges/{hands['id']}", "accepted")
    rest = await pledge(mosque, asked, 10)
    await _brought(mosque, f"/api/pledges/{rest['id']}", "accepted")
    await _brought(shop, f"/api/sponsorships/{sponsored['id']}", "committed")

    await see(city, path, lambda it: all(each["status"] == "delivered" for each in it["contributions"]))
    for each in (hands, rest, sponsored):
        await sari.post(f"{path}/contributions/{each['id']}/receive")
    await see_status(city, f"/api/sponsorships/{sponsored['id']}", "settled")
    for each in (hands, rest):
        await see_status(city, f"/api/pledges/{each['id']}", "completed")
    return await _outcome(city, since, asked["id"], given["id"], (hands["id"], rest["id"]))


async def _brought(by: Actor, path: str, once: str) -> None:
    await see_status(by.city, path, once)
    await by.post(f"{path}/deliver")


async def _outcome(
    city: httpx.AsyncClient, since: str, request_id: str, offer_id: str, pledges: tuple[str, ...]
) -> Outcome:
    request = answer(await city.get(f"/api/requests/{request_id}"))
    given = answer(await city.get(f"/api/offers/{offer_id}"))
    promised = [answer(await city.get(f"/api/pledges/{each}")) for each in pledges]
    held = answer(await city.get(f"/api/sponsorships?request_id={request_id}"))["items"]
    ledger = answer(await city.get(f"/api/offers/{offer_id}/ledger?limit=200"))["items"]
    versions = {it["id"]: it["version"] for it in (request, given, *promised)}

    async def look() -> list[Json]:
        return [each for each in await log_after(city, since) if each["subject"] in versions]

    events = await until(look, lambda seen: len(seen) >= sum(versions.values()))
    check_thread(events, versions)
    end = End(
        request["status"],
        request["outcome"],
        tuple((n["unit"], n["quantity"], n["received"], n["missing"]) for n in request["needs"]),
        tuple(sorted((c["source"], c["quantity"], c["status"]) for c in request["contributions"])),
        tuple((each["quantity"], each["status"]) for each in promised),
        tuple((each["quantity"], each["status"]) for each in held),
        tuple((line["movement"], line["quantity"], line["available"]) for line in ledger),
        tuple(tuple(sorted(short(each) for each in events if each["subject"] == it)) for it in versions),
    )
    return Outcome(request, given, events, end)


def check_thread(events: list[Json], versions: dict[str, int]) -> None:
    """Every event once, none missing up to each subject's version, no effect before its cause or without its visit."""
    places = {each["id"]: place for place, each in enumerate(events)}
    assert len(places) == len(events), "an event is in the log twice"
    for subject, version in versions.items():
        sequences = [each["sequence"] for each in events if each["subject"] == subject]
        assert len(sequences) >= version, f"{subject} is at version {version}, the log has {sequences}"
        assert sequences == list(range(1, len(sequences) + 1)), f"the log of {subject} has {sequences}"
    for place, each in enumerate(events):
        before = places.get(each["causationid"], -1)
        assert before < place, f"{short(each)} comes before what caused it"
        if before >= 0:
            assert each["correlationid"] == events[before]["correlationid"], "an effect lost its visit"
