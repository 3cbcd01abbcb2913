"""A small HTTP client that is cheap enough to leave the second core to the city: keep-alive, one call at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import orjson


class Connection:
    """One keep-alive connection."""

    def __init__(self, port: int, token: str | None = None, act_for: str | None = None) -> None:
        self._port = port
        more = f"Authorization: Bearer {token}\r\n" if token else ""
        more += f"Act-For: {act_for}\r\n" if act_for else ""
        self._head = f"Host: localhost\r\n{more}".encode()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """The status and body of one call."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        assert self._reader is not None
        data = b"" if body is None else orjson.dumps(body)
        typed = b"Content-Type: application/json\r\n" if data else b""
        self._writer.write(
            b"%s %s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s"
            % (method.encode(), path.encode(), self._head, typed, len(data), data)
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        return int(head[9:12]), await self._reader.readexactly(length)

    async def lines(self, path: str) -> AsyncIterator[bytes]:
        """The lines of an endless answer."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        self._writer.write(b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), self._head))
        await self._reader.readuntil(b"\r\n\r\n")
        while line := await self._reader.readline():
            yield line

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()


@dataclass
class Timing:
    """How long calls took, in seconds, and how long all of them together."""

    took: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Calls per second."""
        return len(self.took) / self.seconds

    def percentile(self, share: float) -> float:
        """The time within which this share of the calls ended, in milliseconds."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


async def together(clients: int, calls: int, one: Callable[[int, int], Awaitable[None]]) -> Timing:
    """Have `clients` make `calls` calls in all, each client one after the other: `one(client, number)`."""
    timing = Timing()
    numbers = iter(range(calls))

    async def work(client: int) -> None:
        for number in numbers:
            began = time.perf_counter()
            await one(client, number)
            timing.took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(work(client) for client in range(clients)))
    timing.seconds = time.perf_counter() - began
    return timing
