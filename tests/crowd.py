"""A crowd that uses the city at once, with a ledger of what it was told, and the checks of that ledger afterwards."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from services.city import SERVICES
from shared.decider import Decider
from shared.hosting import load_areas, open_context
from shared.runtime import Context
from shared.settings import Settings
from shared.store import Query
from tests.stories import (
    HOME,
    Actor,
    Json,
    answer,
    everything,
    offer,
    organisation,
    people,
    until,
)

OFFERS = 12
BUDGET = 400
# Needs of these units take what comes first; people ("person") would wait for an approval.
UNITS = ("kg", "box", "piece")


@dataclass
class Crowd:
    """Clients that take turns at a shared number of commands; all that was acknowledged is noted."""

    city: httpx.AsyncClient
    seed: int = 1
    done: int = 0
    people: list[Actor] = field(default_factory=list)
    offers: list[Json] = field(default_factory=list)
    requests: dict[str, Json] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    pledges: dict[str, Json] = field(default_factory=dict)
    supports: set[tuple[str, str]] = field(default_factory=set)

    async def gather(self) -> None:
        """People, and companies whose offers answer new requests by themselves."""
        self.people = await people(self.city, 16)
        firms = await asyncio.gather(*(organisation(self.city, "company", f"Toko {n}") for n in range(OFFERS)))
        for number, firm in enumerate(firms):
            terms = {"automatic": True, "per_request_limit": 20}
            self.offers.append(await offer(firm, UNITS[number % len(UNITS)], BUDGET, **terms))

    async def act(self, commands: int, clients: int) -> None:
        """Do so many commands: open requests, pledge towards needs, support, each client one after the other."""
        left = iter(range(commands))

        async def client(number: int) -> None:
            chance = random.Random(self.seed * 1_000 + number)
            for _ in left:
                await self._one(chance)
                self.done += 1

        async with asyncio.TaskGroup() as group:
            for number in range(clients):
                group.create_task(client(number))

    async def _one(self, chance: random.Random) -> None:
        who, dice = chance.choice(self.people), chance.random()
        if dice < 0.35 or not self.requests:
            await self._ask(who, chance)
        elif dice < 0.7:
            await self._pledge(who, chance)
        else:
            await self._support(who, chance)

    async def _ask(self, who: Actor, chance: random.Random) -> None:
        needs = [{"label": unit, "unit": unit, "quantity": chance.randint(5, 60)} for unit in chance.sample(UNITS, k=2)]
        body = {"kind": "help", "title": "Bantuan", "category": "food", "location": HOME, "needs": needs}
        made = await who.create("/api/requests", body)
        self.requests[made["id"]] = made
        self._told(made)

    async def _pledge(self, who: Actor, chance: random.Random) -> None:
        request = self.requests[chance.choice(list(self.requests))]
        need = chance.choice(request["needs"])
        body = {"request_id": request["id"], "need_id": need["id"], "quantity": chance.randint(1, 15)}
        made = await who.create("/api/pledges", body)
        self.pledges[made["id"]] = made
        self._told(made)

    async def _support(self, who: Actor, chance: random.Random) -> None:
        request = chance.choice(list(self.requests))
        self._told(await who.post(f"/api/requests/{request}/support"))
        if self.requests[request]["author"]["id"] != who.id:
            self.supports.add((request, who.id))

    def _told(self, state: Json) -> None:
        self.versions[state["id"]] = max(state["version"], self.versions.get(state["id"], 0))

    async def settled(self) -> None:
        """Wait until every saga has come to its end: no pledge is only offered, no sponsorship only held."""

        async def held() -> int:
            return sum([answer(await self.city.get(f"/api/offers/{each['id']}"))["held"] for each in self.offers])

        async def offered() -> int:
            return sum(each["status"] == "offered" for each in await everything(self.city, "/api/pledges"))

        await until(held, lambda left: left == 0)
        await until(offered, lambda left: left == 0)
        await until(held, lambda left: left == 0)

    async def check_answers(self) -> None:
        """Everything acknowledged is there, at least as new as it was told; no need and no budget is exceeded."""
        requests = {each["id"]: each for each in await everything(self.city, "/api/requests")}
        pledges = {each["id"]: each for each in await everything(self.city, "/api/pledges")}
        assert requests.keys() == self.requests.keys()
        assert pledges.keys() == self.pledges.keys()
        for state in (*requests.values(), *pledges.values()):
            assert state["version"] >= self.versions[state["id"]]
        supporters = Counter(request for request, _ in self.supports)
        assert {key: each["supporters"] for key, each in requests.items()} == {k: supporters[k] for k in requests}
        for each in requests.values():
            self._check_needs(each)
        accepted = {c["id"] for each in requests.values() for c in each["contributions"] if c["source"] == "pledge"}
        assert accepted == {key for key, each in pledges.items() if each["status"] == "accepted"}
        for given in self.offers:
            await self._check_ledger(given["id"])

    def _check_needs(self, request: Json) -> None:
        for need in request["needs"]:
            taken = [each["quantity"] for each in request["contributions"] if each["need_id"] == need["id"]]
            assert sum(taken) == need["reserved"] <= need["quantity"], request["id"]

    async def _check_ledger(self, offer_id: str) -> None:
        lines = answer(await self.city.get(f"/api/offers/{offer_id}/ledger?limit=200"))["items"]
        change = {"budget": 1, "hold": -1, "release": 1}
        left = 0
        for line in lines:
            left += change.get(line["movement"], 0) * line["quantity"]
            assert 0 <= left == line["available"], offer_id


async def check_histories(settings: Settings, log: list[Json]) -> None:
    """Over the stores of a stopped city: histories have no gaps, lead to the states, and the log tells all of them."""
    public: dict[str, str] = {}
    for name in ("accounts", "requests", "volunteering", "offers"):
        context = open_context(SERVICES[name], settings, load_areas(settings))
        try:
            for decider in SERVICES[name].deciders:
                async for key in _keys(context, decider):
                    public |= await _check_history(context, decider, key)
            assert await context.store.backlog() == 0, f"{name} has events that it never published"
        finally:
            await context.store.close()
    told = Counter(each["id"] for each in log)
    assert set(told.values()) <= {1}, "an event is in the log twice"
    assert told.keys() == public.keys()


async def _keys(context: Context, decider: Decider[Any]) -> AsyncIterator[str]:
    after = None
    while found := await context.store.find(decider.kind, Query(order="key", after=after, limit=1_000)):
        for each in found:
            yield each.document.key
        after = found[-1].position


async def _check_history(context: Context, decider: Decider[Any], key: str) -> dict[str, str]:
    """The ids of an aggregate's public events, once its history is found to be whole."""
    document = await context.store.load(decider.kind, key)
    assert document is not None
    entries = await context.store.history(key)
    envelopes = [each.envelope for each in entries]
    assert [each.sequence for each in envelopes] == list(range(1, document.version + 1)), f"{decider.kind} {key}"
    vocabulary = decider.vocabulary()
    folded = decider.fold(key, [vocabulary.read(each.envelope, each.private) for each in entries])
    kept = decider.parse(document.state, document.private)
    assert orjson.loads(folded.model_dump_json()) == orjson.loads(kept.model_dump_json()), f"{decider.kind} {key}"
    assert len({each.id for each in envelopes}) == len(envelopes)
    return {each.id: key for each in envelopes if each.visibility == "public"}
