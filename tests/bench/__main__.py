"""`python -m tests.bench` measures the whole city in one process and prints the table of docs/benchmarks.md.

Names of jobs as arguments measure only those; `million` fills the city with a million requests first.
"""

from __future__ import annotations

import asyncio
import platform
import sys
import time

from tests.bench import jobs
from tests.bench.city import City, running_city
from tests.bench.jobs import Row
from tests.bench.million import a_million

JOBS = ("creating", "listing", "joining", "pledging", "reacting", "following")


async def measure(city: City, wanted: set[str]) -> list[Row]:
    """The rows of the wanted jobs, in their order; lists need something to list."""
    rows: list[Row] = []
    for name in JOBS:
        if name in wanted or (name == "creating" and "listing" in wanted):
            rows += await getattr(jobs, name)(city)
    return rows


def at_rest(city: City, start_s: float) -> list[Row]:
    """What a city costs that does nothing."""
    time.sleep(2)
    memory = city.memory_mb()
    return [
        Row("start to ready", f"{start_s:.1f} s", "≤ 3 s", start_s <= 3),
        Row("memory, idle city", f"{memory:.0f} MB", "≤ 250 MB", memory <= 250),
    ]


def main() -> None:
    """Measure and print."""
    wanted = set(sys.argv[1:]) or {*JOBS}
    rows: list[Row] = []
    if wanted & {*JOBS}:
        with running_city() as (city, start_s):
            rows += at_rest(city, start_s)
            rows += asyncio.run(measure(city, wanted))
    if "million" in wanted:
        rows += a_million()
    print(f"{platform.platform()}, Python {platform.python_version()}\n")
    print("| job | seen | target | met |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row.job} | {row.seen} | {row.target} | {'yes' if row.met else 'NO'} |")


if __name__ == "__main__":
    main()
