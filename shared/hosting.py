"""One process: the services it hosts over one store each and one bus, and everything that runs in the background."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from shared.areas import Areas
from shared.bus import topic
from shared.bus.embedded import EmbeddedBus
from shared.consumer import Consumer
from shared.events import Event
from shared.lease import LEASES
from shared.metrics import LAG
from shared.parked import PARKED_EVENTS
from shared.relay import Relay
from shared.runtime import Clock, Context, utc_now
from shared.service import Service
from shared.settings import Settings
from shared.store import Unavailable
from shared.store.sqlite import SqliteStore
from shared.timers import Timers

_log = logging.getLogger("gotong.hosting")


def open_context(service: Service, settings: Settings, areas: Areas, clock: Clock = utc_now) -> Context:
    """A service's store and what its commands need; enough to run commands, with nothing in the background."""
    kinds = [*(each.collection for each in service.deciders), *service.views, LEASES, PARKED_EVENTS]
    store = SqliteStore(Path(settings.data) / f"{service.name}.db", kinds)
    return Context(service.name, store, areas, settings, clock)


def load_areas(settings: Settings) -> Areas:
    """The city's areas, with the boundaries that were imported, if any were."""
    return Areas.load(settings.city, boundaries_file(settings))


def boundaries_file(settings: Settings) -> Path:
    """Where imported boundaries are kept."""
    return Path(settings.data) / "boundaries.geojson"


class _Running(Protocol):
    """What goes on in the background until it is told to stop."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class Host:
    """The services of this process, started and stopped together."""

    services: Sequence[Service]
    settings: Settings
    clock: Clock = utc_now
    contexts: dict[str, Context] = field(default_factory=dict)
    _relays: list[Relay] = field(default_factory=list)
    _consumers: list[Consumer] = field(default_factory=list)
    _timers: list[Timers] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Open the stores and the bus, then let relays, consumers and timers run."""
        self.areas = areas = load_areas(self.settings)
        self.bus = EmbeddedBus(Path(self.settings.data) / "bus.db")
        for service in filter(_keeps, self.services):
            context = open_context(service, self.settings, areas, self.clock)
            self.contexts[service.name] = context
            if service.startup is not None:
                await service.startup(context)
            self._subscribe(service, context)
            self._relays.append(Relay(context, self.bus))
            self._timers.append(Timers(context, service.timed))
        await self.bus.start()
        _calm_the_collector()
        self._tasks = [asyncio.create_task(_guarded(each)) for each in self._running()]

    def _running(self) -> list[_Running]:
        return [*self._relays, *self._timers, *(each.parking for each in self._consumers)]

    def _subscribe(self, service: Service, context: Context) -> None:
        consumer = Consumer(service, context)
        self._consumers.append(consumer)
        if service.subscribers:
            topics = sorted({topic(_producer(event)) for event in service.subscribers})
            types = [event.type for event in service.subscribers]
            self.bus.subscribe(topics, service.name, consumer.handle, types)
        for followed, follower in service.follows.items():
            self.bus.subscribe([followed], f"{service.name}:{followed}", partial(follower, context))

    def let_go(self) -> None:
        """End what keeps connections open."""
        for service in self.services:
            if service.stopping is not None and service.name in self.contexts:
                service.stopping(self.contexts[service.name])

    async def health(self) -> dict[str, str]:
        """What is wrong, by part; nothing where all is well."""
        wrong = {}
        for name, context in self.contexts.items():
            try:
                waiting = await context.store.backlog()
            except Unavailable as error:
                wrong[f"store of {name}"] = error.detail
                continue
            if waiting > self.settings.outbox_limit:
                wrong[f"outbox of {name}"] = f"{waiting} events wait to be published"
        try:
            for group, behind in (await self.bus.lag()).items():
                LAG.labels(group).set(behind)
        except Unavailable as error:
            wrong["bus"] = error.detail
        return wrong

    async def stop(self) -> None:
        """Finish what is under way, publish what is saved, close everything."""
        self.let_go()
        for running in self._running():
            running.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.bus.stop()
        for context in self.contexts.values():
            await context.store.close()


def _calm_the_collector() -> None:
    """What is here at the start stays: the garbage collector need not look at it again, nor look so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _guarded(running: _Running) -> None:
    """A background task that fails unexpectedly is said so, and begun again."""
    while True:
        try:
            await running.run()
            return
        except Exception:
            _log.exception("%s failed; it begins again", type(running).__name__)
            await asyncio.sleep(1)


def _keeps(service: Service) -> bool:
    """Whether a service keeps anything: the gateway does not."""
    return bool(service.deciders or service.views)


def _producer(event: type[Event]) -> str:
    """The service whose contract the event is in: there is one file per service."""
    return event.__module__.rsplit(".", 1)[1]
