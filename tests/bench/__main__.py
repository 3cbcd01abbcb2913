"""`python -m tests.bench` measures the whole city in one process and prints the table of docs/benchmarks.md."""

from __future__ import annotations

import asyncio
import platform
import sys
import time

from tests.bench import jobs
from tests.bench.city import City, running_city
from tests.bench.jobs import Row


async def measure(city: City, wanted: set[str]) -> list[Row]:
    """All rows, or only the wanted ones."""
    rows: list[Row] = []
    if not wanted or "idle" in wanted:
        time.sleep(2)
        memory = city.memory_mb()
        rows += [
            Row("start to ready", f"{city.ready_s:.1f} s", "≤ 3 s", city.ready_s <= 3),
            Row("memory, idle city", f"{memory:.0f} MB", "≤ 250 MB", memory <= 250),
        ]
    if not wanted or wanted & {"creating", "listing"}:
        rows += (await jobs.creating(city))[1]
    for name in ("listing", "joining", "pledging", "reacting", "following"):
        if not wanted or name in wanted:
            rows += await getattr(jobs, name)(city)
    return rows


def main() -> None:
    """Measure and print."""
    wanted = set(sys.argv[1:])
    with running_city() as city:
        rows = asyncio.run(measure(city, wanted))
    print(f"{platform.platform()}, Python {platform.python_version()}\n")
    print("| job | seen | target | met |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row.job} | {row.seen} | {row.target} | {'yes' if row.met else 'NO'} |")


if __name__ == "__main__":
    main()
