"""All services of the city, and how a process hosts some of them."""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from socket import socket
from typing import IO

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
    service.name: service for service in (ACCOUNTS, REQUESTS, VOLUNTEERING, OFFERS, FEEDS, WEB)
}


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
    """A uvicorn server that lets the event streams end before it waits for connections to close."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._app.state.host.let_go()
        await super().shutdown(sockets)


def serve(settings: Settings, services: Sequence[Service]) -> CityServer:
    """A server for these services, ready to `run`."""
    app = build(settings, services)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=30,
        server_header=False,
    )
    return CityServer(config, app)


def alone(settings: Settings, name: str) -> IO[str]:
    """Hold the data folder for this process; Rejected where another process has it."""
    Path(settings.data).mkdir(parents=True, exist_ok=True)
    held = (Path(settings.data) / f"{name}.lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise Rejected(f"Another process runs over {settings.data} already.") from error
    return held
