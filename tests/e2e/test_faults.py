"""Faults on the way: repeated deliveries, crashes, rival writers and poison events change the end of no story."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.city import SERVICES
from services.offers.domain import OFFER
from services.offers.domain.commands import PauseOffer, ResumeOffer
from services.requests.domain import REQUEST
from services.requests.domain.commands import GiveSupport
from shared.bus import Bus, Handler
from shared.contracts.requests import RequestOpened, RequestSupported
from shared.decider import Command, Decider
from shared.errors import Rejected
from shared.events import Cause, Envelope, Event, Party
from shared.hosting import Host, load_areas, open_context
from shared.ids import new_id
from shared.parked import PARKED_EVENTS
from shared.relay import Relay
from shared.runtime import Clock, Context, Reaction, utc_now
from shared.store import Query, Unavailable
from tests.crowd import Crowd, check_histories
from tests.running import (
    application,
    city_in_process,
    city_process,
    outlasting_client,
    settings_for,
    started,
)
from tests.stories import (
    End,
    ask_help,
    log_after,
    log_end,
    offer,
    organisation,
    person,
    pledge,
    see,
    see_status,
    short,
    the_rice_story,
    until,
)

COMMANDS = 5_000
CLIENTS = 32


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> End:
    """How the rice story ends where nothing goes wrong."""

    async def tell() -> End:
        async with city_in_process(tmp_path_factory.mktemp("undisturbed")) as client:
            return (await the_rice_story(client)).end

    return asyncio.run(tell())


class Rough(Bus):
    """A bus that behaves as badly as its promise allows: at least once, in order per subject."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._published = 0

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        await self._bus.publish(envelopes)

    def subscribe(
        self, topics: Sequence[str], group: str, handler: Handler, types: Sequence[str] | None = None
    ) -> None:
        self._bus.subscribe(topics, group, handler, types)

    async def start(self) -> None:
        await self._bus.start()

    async def stop(self) -> None:
        await self._bus.stop()

    async def lag(self) -> dict[str, int]:
        return await self._bus.lag()


class Repeating(Rough):
    """Hands every batch over twice, and once more together with the batch after it."""

    def subscribe(
        self, topics: Sequence[str], group: str, handler: Handler, types: Sequence[str] | None = None
    ) -> None:
        before: list[Envelope] = []

        async def again(envelopes: Sequence[Envelope]) -> None:
            await handler(envelopes)
            await handler(envelopes)
            await handler([*before, *envelopes])
            before[:] = envelopes

        super().subscribe(topics, group, again, types)


class Faltering(Rough):
    """Of every five batches one is not taken, and one is taken without a word: its relay sends both once more."""

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        self._published += 1
        if self._published % 5 == 1:
            raise Unavailable("The bus is away.")
        await super().publish(envelopes)
        if self._published % 5 == 3:
            raise Unavailable("The bus went away before it could answer.")


def host_over(rough: type[Rough]) -> type[Host]:
    """A Host that puts a rough bus around whichever one it opens."""

    class OverRoughBus(Host):
        @property
        def bus(self) -> Any:
            return self._rough

        @bus.setter
        def bus(self, opened: Bus) -> None:
            self._rough = rough(opened)

    return OverRoughBus


@pytest.mark.parametrize("rough", [Repeating, Faltering])
async def test_the_rice_story_ends_the_same_over_a_bus_that_repeats_and_falters(
    tmp_path: Path, undisturbed: End, rough: type[Rough]
) -> None:
    async with started(application(tmp_path, host_over(rough))) as client:
        assert (await the_rice_story(client)).end == undisturbed


async def test_the_rice_story_ends_the_same_when_the_city_is_killed_twice_on_the_way(
    tmp_path: Path, undisturbed: End
) -> None:
    with city_process(tmp_path) as city:
        async with outlasting_client(city) as client:
            story = asyncio.create_task(the_rice_story(client))
            for so_far in (4, 13):  # while the sponsorship is on its way, and while things are being delivered

                async def told() -> int:
                    return len(await log_after(client))

                await until(told, lambda count, least=so_far: count >= least)  # type: ignore[misc]
                await asyncio.to_thread(city.restart)
            assert (await story).end == undisturbed


async def test_nothing_acknowledged_is_lost_doubled_or_overdrawn_when_the_city_is_killed_under_load(
    tmp_path: Path,
) -> None:
    with city_process(tmp_path) as city:
        async with outlasting_client(city, connections=CLIENTS) as client:
            crowd = Crowd(client)
            await crowd.gather()
            acting = asyncio.create_task(crowd.act(COMMANDS, CLIENTS))

            async def done() -> int:
                return crowd.done

            await until(done, lambda count: count >= COMMANDS // 2, patience_s=120)
            await asyncio.to_thread(city.restart)
            assert not acting.done(), "the city was killed too late to matter"
            await acting
            await crowd.settled()
            await crowd.check_answers()
            log = await log_after(client)
    await check_histories(settings_for(tmp_path), log)


class Unrelayed(Host):
    """A Host that falls between saving and publishing: its relays never run."""

    def _running(self) -> list[Any]:
        return [each for each in super()._running() if not isinstance(each, Relay)]


async def test_what_was_saved_and_not_published_before_a_crash_is_published_after_it(tmp_path: Path) -> None:
    async with city_in_process(tmp_path) as client:
        author, helper = await person(client), await person(client)
        firm = await organisation(client, "company")
        await offer(firm, "kg", 5, automatic=True)
        await until(lambda: log_after(client), lambda seen: [short(e) for e in seen][-1:] == ["offer.published"])

    async with started(application(tmp_path, Unrelayed)) as client:
        since = await log_end(client)
        asked = await ask_help(replace(author, city=client), ("rice", 8, "kg"))
        promised = await pledge(replace(helper, city=client), asked, 3)
        assert await log_after(client, since) == []

    async with city_in_process(tmp_path) as client:
        await see_status(client, f"/api/pledges/{promised['id']}", "accepted")
        await see(client, f"/api/requests/{asked['id']}", lambda it: bool(it["needs"][0]["missing"] == 0))
        wanted = {"request.opened", "pledge.offered", "sponsorship.held", "pledge.accepted", "sponsorship.committed"}

        async def told() -> set[str]:
            return {short(each) for each in await log_after(client, since)}

        await until(told, wanted.__le__)


class Rival:
    """A second writer over the same files, with connections of its own, that changes what the story changes."""

    def __init__(self, folder: Path) -> None:
        settings = settings_for(folder)
        areas = load_areas(settings)
        self._contexts = {name: open_context(SERVICES[name], settings, areas) for name in ("requests", "offers")}
        self.changes = self.refused = 0

    async def run(self) -> None:
        """Support the request and turn the offer off and on, as soon as the one holds a part of the other."""
        while True:
            for found in await self._contexts["offers"].store.find(OFFER.kind, Query(limit=10)):
                state = OFFER.parse(found.document.state, found.document.private)
                for sponsorship in state.sponsorships.values():
                    supporter = Party(kind="resident", id=new_id())
                    await self._do("requests", REQUEST, sponsorship.request_id, GiveSupport(by=supporter, at=utc_now()))
                    await self._do("offers", OFFER, state.id, PauseOffer(by=state.by, at=utc_now()))
                    await self._do("offers", OFFER, state.id, ResumeOffer(by=state.by, at=utc_now()))
            await asyncio.sleep(0)

    async def _do(self, service: str, decider: Decider[Any], key: str, command: Command) -> None:
        try:
            await self._contexts[service].execute(decider, key, command, Cause(new_id(), new_id(), "resident"))
            self.changes += 1
        except Rejected:
            self.refused += 1  # the request is closed, and the story at its end

    async def close(self) -> None:
        for context in self._contexts.values():
            await context.store.close()


async def test_the_rice_story_ends_the_same_beside_a_second_writer_on_the_same_aggregates(
    tmp_path: Path, undisturbed: End
) -> None:
    async with city_in_process(tmp_path) as client:
        rival = Rival(tmp_path)
        writing = asyncio.create_task(rival.run())
        outcomes = [await the_rice_story(client) for _ in range(3)]
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await rival.close()

    assert rival.changes > 30
    theirs = {"request.supported", "offer.paused", "offer.resumed"}
    for end in (each.end for each in outcomes):
        own = tuple(tuple(each for each in happened if each not in theirs) for happened in end.happened)
        assert replace(end, happened=own) == undisturbed


class Poison:
    """Two more reactions in offers: one fails at certain requests until it is healed, both tell what came through."""

    def __init__(self) -> None:
        self.failing = True
        self.tries = 0
        self.seen: list[tuple[str, int]] = []

    async def at_opening(self, _: Context, event: RequestOpened, envelope: Envelope) -> None:
        if event.title == "Racun":
            self.tries += 1
            if self.failing:
                raise ValueError("this one is poison")
        self.seen.append((envelope.subject, envelope.sequence))

    async def at_support(self, _: Context, event: RequestSupported, envelope: Envelope) -> None:
        self.seen.append((envelope.subject, envelope.sequence))

    def host(self, folder: Path, clock: Clock = utc_now) -> Any:
        offers = SERVICES["offers"]
        opened, supported = offers.subscribers[RequestOpened], offers.subscribers.get(RequestSupported, ())
        more: dict[type[Event], Sequence[Reaction]] = {
            RequestOpened: (self.at_opening, *opened),
            RequestSupported: (self.at_support, *supported),
        }
        poisoned = replace(offers, subscribers={**offers.subscribers, **more})
        services = [poisoned if each is offers else each for each in SERVICES.values()]
        return application(folder, services=services, clock=clock)


async def test_a_poison_event_waits_with_those_behind_it_while_others_go_on(tmp_path: Path) -> None:
    poison = Poison()
    async with started(poison.host(tmp_path)) as client:
        author, friend = await person(client), await person(client)
        await offer(await organisation(client, "company"), "kg", 100, automatic=True)
        bad = await ask_help(author, ("rice", 10, "kg"), title="Racun")
        await friend.post(f"/api/requests/{bad['id']}/support")
        good = [await ask_help(author, ("rice", 10, "kg")) for _ in range(3)]
        for each in good:
            await friend.post(f"/api/requests/{each['id']}/support")
            await see(client, f"/api/requests/{each['id']}", lambda it: bool(it["needs"][0]["reserved"] == 10))

        async def passed() -> int:
            return len(poison.seen)

        await until(passed, lambda count: count == 6)
        assert bad["id"] not in {subject for subject, _ in poison.seen}
        assert (await author.get(f"/api/requests/{bad['id']}"))["needs"][0]["reserved"] == 0

        poison.failing = False
        await see(client, f"/api/requests/{bad['id']}", lambda it: bool(it["needs"][0]["reserved"] == 10))
        await until(passed, lambda count: count == 8)
        assert poison.seen[6:] == [(bad["id"], 1), (bad["id"], 2)]


async def test_an_event_that_fails_at_every_try_becomes_a_dead_letter_and_nothing_is_lost(tmp_path: Path) -> None:
    poison, hours = Poison(), _Forward()
    app = poison.host(tmp_path, hours)
    async with started(app) as client:
        store = app.state.host.contexts["offers"].store
        author = await person(client)
        bad = await ask_help(author, ("rice", 10, "kg"), title="Racun")
        await author.post(f"/api/requests/{bad['id']}/progress", {"note": "a"})

        async def dead() -> int:
            await hours.pass_by(2)
            return len(await store.find(PARKED_EVENTS.kind, Query({"status": "dead"})))

        await until(dead, lambda count: count == 1)
        assert poison.tries == 5
        kept = await store.find(PARKED_EVENTS.kind, Query({"subject": bad["id"]}, limit=10))
        assert f"{bad['id']}/{1:012d}" in kept[0].document.key


class _Forward:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self._by = 0.0

    def __call__(self) -> datetime:
        return utc_now() + timedelta(seconds=self._by)

    async def pass_by(self, seconds: float) -> None:
        self._by += seconds
        await asyncio.sleep(0.01)
