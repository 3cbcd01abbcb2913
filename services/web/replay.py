"""Plays a file of reports through the city's public API, in the order and at a multiple of the pace of their times."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from services.web.replay_client import CONCURRENCY, Client, NoAnswer, detail_of, document_of
from shared.errors import Invalid, Rejected
from shared.importing import Refusal, Row, read
from shared.importing.times import Order

PROBLEMS = 20
"""How many problems are kept for the report."""


@dataclass(slots=True)
class ReplayReport:
    """What became of a file: `sent` = `created` + `repeated` + `refused` + `failed`; `unreadable` rows were never sent.

    `repeated` were answered with a request that this replay had made already, `refused` with a 4xx, `failed` not at
    all. `lag` is how many seconds late the latest report was sent, `seconds` how long it all took; `p50`, `p95` and
    `p99` are latencies of answers in milliseconds, 0 without any. `problems` are the first, as (line, reason).
    """

    sent: int = 0
    created: int = 0
    repeated: int = 0
    refused: int = 0
    failed: int = 0
    unreadable: int = 0
    lag: float = 0.0
    seconds: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    problems: list[tuple[int, str]] = field(default_factory=list)

    def note(self, line: int, reason: str) -> None:
        """Keep a problem, if there is still room."""
        if len(self.problems) < PROBLEMS:
            self.problems.append((line, reason))


async def replay(
    file: Path,
    *,
    base_url: str,
    speed: float,
    token: str | None,
    default_category: str,
    columns: Mapping[str, str] | None = None,
    timezone: str | None = None,
    encoding: str | None = None,
    dates: Order | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ReplayReport:
    """Send every report of the file at `speed` times real time; a city that is slower is not flooded, reports lag.

    All rows are held in memory, to be put in order. Without `token` a person is registered for it. `progress` is called
    with (done, of) after each report. Raises `Invalid` for a wrong option or file, `Rejected` if nobody is let in.
    """
    _check(base_url, speed)
    report = ReplayReport()

    def load() -> list[Row]:
        reading = read(
            file, columns=columns, timezone=timezone, default_category=default_category, encoding=encoding, dates=dates
        )
        return _in_order(reading.rows, report)

    rows = await asyncio.to_thread(load)
    async with Client.connect(base_url, token) as client:
        await _Run(client, report, progress).play(rows, speed)
    return report


def _check(base_url: str, speed: float) -> None:
    if not speed > 0:
        raise Invalid("speed", f"{speed} is not a speed: give a number over 0, such as 60 for an hour in a minute.")
    if not base_url.lower().startswith(("http://", "https://")):
        raise Invalid("base_url", f"{base_url!r} is not an address such as http://127.0.0.1:8000.")


def _in_order(rows: Iterator[Row | Refusal], report: ReplayReport) -> list[Row]:
    """Return the rows by time, those of the same time as in the file; count what cannot be read."""
    readable: list[Row] = []
    for row in rows:
        if isinstance(row, Refusal):
            report.unreadable += 1
            report.note(row.line, row.reason)
        else:
            readable.append(row)
    return sorted(readable, key=lambda row: (row.opened_at, row.line))


class _Run:
    """One replay under way."""

    def __init__(self, client: Client, report: ReplayReport, progress: Callable[[int, int], None] | None) -> None:
        self._client = client
        self._report = report
        self._progress = progress
        self._free = asyncio.Semaphore(CONCURRENCY)
        self._made: set[str] = set()
        self._latencies: list[float] = []

    async def play(self, rows: list[Row], speed: float) -> None:
        """Send each row when it is due by a clock that nobody sets, or as soon after as one of the places is free."""
        if not rows:
            return
        try:
            await self._client.token()
        except NoAnswer as error:
            raise Rejected(str(error)) from error
        start = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for row in rows:
                due = start + (row.opened_at - rows[0].opened_at).total_seconds() / speed
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                await self._free.acquire()
                self._report.sent += 1
                self._report.lag = max(self._report.lag, time.monotonic() - due)
                group.create_task(self._send(row, len(rows)))
        self._report.seconds = time.monotonic() - start
        self._report.p50, self._report.p95, self._report.p99 = (self._percentile(each) for each in (50, 95, 99))

    async def _send(self, row: Row, total: int) -> None:
        report = self._report
        try:
            answer = await self._client.open_request(row)
            self._latencies.append(answer.elapsed.total_seconds() * 1000)
            self._count(row, answer)
        except NoAnswer as error:
            report.failed += 1
            report.note(row.line, str(error))
        finally:
            self._free.release()
        if self._progress:
            self._progress(report.created + report.repeated + report.refused + report.failed, total)

    def _count(self, row: Row, answer: httpx.Response) -> None:
        if not answer.is_success:
            self._report.refused += 1
            self._report.note(row.line, detail_of(answer))
            return
        made = str(document_of(answer, "id")["id"])
        if answer.status_code == 201 and made not in self._made:
            self._report.created += 1
        else:
            self._report.repeated += 1
        self._made.add(made)

    def _percentile(self, percent: int) -> float:
        """Return the nearest-rank percentile of the latencies."""
        if not self._latencies:
            return 0.0
        return sorted(self._latencies)[math.ceil(percent / 100 * len(self._latencies)) - 1]
