"""Runs the city for tests: as a process of its own that can be killed, or inside the test's own event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO

import httpx
from fastapi import FastAPI
from joserfc.jwk import KeySet

from services.accounts.keys import verifying_keys
from services.city import SERVICES
from shared.app import make_app
from shared.hosting import Host
from shared.runtime import Clock, utc_now
from shared.service import Service
from shared.settings import Settings

ROOT = Path(__file__).parent.parent
READY_WITHIN_S = 30.0
STOPPED_WITHIN_S = 30.0
# The cheapest password hashing that the city can be set to: tests register hundreds of people.
CHEAP_PASSWORDS_KIB = 64
_PORTS = range(8200, 8300)


def free_port() -> int:
    """A port of the tests' own range on which nothing listens, beginning at another one in every process."""
    for number in range(len(_PORTS)):
        port = _PORTS[(os.getpid() + number) % len(_PORTS)]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port from {_PORTS.start} to {_PORTS.stop - 1} is free")


class CityProcess:
    """`python -m services` over a folder. It keeps folder and port over restarts, so a restarted city is the same."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = {
            "GOTONG_DATA": str(folder / "data"),
            "GOTONG_DEMO": "0",
            "GOTONG_PORT": str(self.port),
            "GOTONG_LOG_LEVEL": "warning",
            "GOTONG_ARGON2_MEMORY_KIB": str(CHEAP_PASSWORDS_KIB),
            **{f"GOTONG_{name.upper()}": value for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What the city said since it was first started."""
        return (self.folder / "city.log").read_text(errors="replace")

    def start(self) -> None:
        """Start, and wait until it says that it is ready."""
        self._log = (self.folder / "city.log").open("ab")
        environment = {**os.environ, **self._settings}
        command = [sys.executable, "-m", "services"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=self._log, stderr=self._log)
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill9()
                raise AssertionError(f"the city did not get ready:\n{self.log[-4000:]}")
            time.sleep(0.02)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def kill9(self) -> None:
        """End it as a power cut would, at whatever it is doing."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop, as an operator does; it has to, in time."""
        if self._process is not None:
            assert self._end(signal.SIGTERM) in (0, -signal.SIGTERM), self.log[-4000:]

    def restart(self) -> None:
        """Kill it and start it again over the same folder and port."""
        self.kill9()
        self.start()

    def _end(self, how: signal.Signals) -> int:
        assert self._process is not None
        assert self._log is not None
        self._process.send_signal(how)
        try:
            return self._process.wait(STOPPED_WITHIN_S)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._log.close()
            self._process = None


@contextmanager
def city_process(folder: Path, **settings: str) -> Iterator[CityProcess]:
    """A running city in a process of its own."""
    city = CityProcess(folder, **settings)
    city.start()
    try:
        yield city
    finally:
        city.stop()


def settings_for(folder: Path) -> Settings:
    """The settings of a city in the test's own process."""
    return Settings(data=folder / "data", demo=False, argon2_memory_kib=CHEAP_PASSWORDS_KIB)


def application(
    folder: Path,
    make_host: Callable[[Sequence[Service], Settings, Clock], Host] = Host,
    services: Sequence[Service] = tuple(SERVICES.values()),
    clock: Clock = utc_now,
) -> FastAPI:
    """The whole city's application, with another Host, other services or another clock where a test has its own."""
    settings = settings_for(folder)

    @lru_cache
    def keys() -> KeySet:
        return verifying_keys(settings.data / "keys")

    return make_app(make_host(services, settings, clock), keys)


@asynccontextmanager
async def started(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application in this process, between its start and its stop."""
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client that calls an application in this process; what the application does not catch, the caller gets."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://city", timeout=60)


@asynccontextmanager
async def city_in_process(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole city in this process."""
    async with started(application(folder)) as client:
        yield client


class Outlasting(httpx.AsyncBaseTransport):
    """Sends a call again while the city is away. What is sent has to be harmless when it arrives twice."""

    def __init__(self, connections: int, patience_s: float = 60.0) -> None:
        # One transport each: a pool of httpx looks at all of its connections for every call.
        limits = httpx.Limits(max_connections=1)
        self._all = [httpx.AsyncHTTPTransport(limits=limits) for _ in range(connections)]
        self._free: asyncio.LifoQueue[httpx.AsyncHTTPTransport] = asyncio.LifoQueue()
        for each in self._all:
            self._free.put_nowait(each)
        self._patience_s = patience_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        deadline = time.monotonic() + self._patience_s
        connection = await self._free.get()
        try:
            while True:
                try:
                    return await _whole(await connection.handle_async_request(request))
                except httpx.TransportError:
                    if time.monotonic() > deadline:
                        raise
                    await asyncio.sleep(0.05)
        finally:
            self._free.put_nowait(connection)

    async def aclose(self) -> None:
        for each in self._all:
            await each.aclose()


async def _whole(response: httpx.Response) -> httpx.Response:
    """The answer with all of its body, so that a connection that ends within it is noticed here."""
    content = await response.aread()
    await response.aclose()
    return httpx.Response(response.status_code, headers=response.headers, content=content)


def outlasting_client(city: CityProcess, connections: int = 32) -> httpx.AsyncClient:
    """A client that does not notice when the city is killed and started again."""
    return httpx.AsyncClient(transport=Outlasting(connections), base_url=city.url, timeout=60)
