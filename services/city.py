"""All services of the city, and how a process hosts some of them."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from joserfc.jwk import KeySet

from services.accounts.keys import verifying_keys
from services.accounts.service import SERVICE as ACCOUNTS
from services.feeds.service import SERVICE as FEEDS
from services.offers.service import SERVICE as OFFERS
from services.requests.service import SERVICE as REQUESTS
from services.volunteering.service import SERVICE as VOLUNTEERING
from services.web.service import SERVICE as WEB
from shared.app import make_app
from shared.errors import Rejected
from shared.hosting import Host
from shared.runtime import Clock, utc_now
from shared.service import Service
from shared.settings import Settings

SERVICES: dict[str, Service] = {
    service.name: service for service in (REQUESTS, VOLUNTEERING, OFFERS, FEEDS, ACCOUNTS, WEB)
}

# Seconds that calls under way have to come to their end when the city stops.
_PATIENCE_S = 3
_log = logging.getLogger("gotong.city")

Ready = Callable[[str], None]
Beside = Callable[[FastAPI], Coroutine[Any, Any, None]]


def build(
    settings: Settings, services: Sequence[Service] = tuple(SERVICES.values()), clock: Clock = utc_now
) -> FastAPI:
    """The application of a process that hosts these services."""
    folder = Path(settings.data) / "keys"

    @lru_cache
    def keys() -> KeySet:
        return verifying_keys(folder)

    return make_app(Host(services, settings, clock), keys)


class CityServer(uvicorn.Server):
    """A uvicorn server whose application starts before it listens and stops after its last connection.

    `run` raises what keeps the city from starting. `ready` is told the address once it answers; `beside` then runs
    next to it until the city stops.
    """

    def __init__(
        self, config: uvicorn.Config, app: FastAPI, ready: Ready | None = None, beside: Beside | None = None
    ) -> None:
        super().__init__(config)
        self._app, self._ready, self._beside = app, ready, beside
        self._hosting = AsyncExitStack()
        self._besides: list[asyncio.Task[None]] = []

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        # Bound before anything is opened: a port in use is told at once, and 0 becomes a real one.
        super().run(sockets or [_bound(self.config.host, self.config.port)])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._hosting.enter_async_context(self._app.router.lifespan_context(self._app))
        await super().startup(sockets)
        if self._ready is not None:
            self._ready(_address(self.servers[0].sockets[0]))
        if self._beside is not None:
            self._besides = [asyncio.create_task(self._beside(self._app))]
            self._besides[0].add_done_callback(_tell_failure)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in self._besides:
            task.cancel()
        await asyncio.gather(*self._besides, return_exceptions=True)
        # Event streams end now: the server waits for all that is under way, and they never end by themselves.
        self._app.state.host.let_go()
        hanging_up = asyncio.get_running_loop().call_later(_PATIENCE_S, self._hang_up)
        await super().shutdown(sockets)
        hanging_up.cancel()
        if not self.force_exit:
            await self._hosting.aclose()

    def _hang_up(self) -> None:
        """Cut what is still connected: somebody who neither reads nor writes any more would be waited for in vain."""
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


def serve(
    settings: Settings, services: Sequence[Service], ready: Ready | None = None, beside: Beside | None = None
) -> CityServer:
    """A server for these services, ready to `run`."""
    app = build(settings, services)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=2 * _PATIENCE_S,
        timeout_keep_alive=30,
        server_header=False,
        proxy_headers=False,
    )
    return CityServer(config, app, ready, beside)


@contextmanager
def alone(settings: Settings, names: Sequence[str]) -> Iterator[None]:
    """Hold these services' part of the data folder; Rejected where another process has it, or it is not writable."""
    folder = Path(settings.data)
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            locks = [held.enter_context((folder / f"{name}.lock").open("w")) for name in names]
        except OSError as error:
            raise Rejected(f"The data folder {folder} cannot be written: {error.strerror}.") from error
        try:
            for lock in locks:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Rejected(f"Another process runs over {folder} already: stop it, or set GOTONG_DATA.") from error
        yield


def _bound(host: str, port: int) -> socket.socket:
    """A socket with its port that does not listen yet; Rejected where it cannot have it."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = min(found)  # IPv4 goes first: a name such as localhost often has both
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except UnicodeError as error:
        raise Rejected(f"GOTONG_HOST is no name of a host: {host!r}.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            detail = f"Port {port} of {host} is in use: stop what runs there, or set GOTONG_PORT to another one."
            raise Rejected(detail) from error
        raise Rejected(f"The city cannot listen at {host}, port {port}: {error.strerror}.") from error
    return bound


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _log.error("what runs beside the city failed", exc_info=error)


def _address(listening: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
