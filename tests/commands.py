"""Runs the command line as people do: in a process of its own, over a folder of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.requests.domain import REQUEST
from services.requests.service import SERVICE as REQUESTS
from shared.hosting import load_areas, open_context
from shared.settings import Settings
from shared.store import Query

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
PATIENCE_S = 30.0

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the data for trying is not at {DATA}")


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """The environment of a command: the settings given, and none of whoever runs the tests."""
    foreign = {name: value for name, value in os.environ.items() if not name.startswith("GOTONG_")}
    usual = {"DATA": str(folder), "DEMO": "0", "PORT": "0", "ARGON2_MEMORY_KIB": "64", "LOG_LEVEL": "warning"}
    given = usual | {name.upper(): value for name, value in settings.items()}
    return foreign | {f"GOTONG_{name}": value for name, value in given.items()}


def start(*arguments: str, folder: Path, **settings: str) -> subprocess.Popen[str]:
    """Begin a command; what it says is to be read from its pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "services", *arguments],
        cwd=ROOT,
        env=environment(folder, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: str | Path, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command from beginning to end. Whatever it was given, it must not end in a traceback."""
    begun = start(*map(str, arguments), folder=folder, **settings)
    with begun:
        out, err = begun.communicate(timeout=4 * PATIENCE_S)
    assert "Traceback" not in out + err, out + err
    return subprocess.CompletedProcess(begun.args, begun.returncode, out, err)


def lines_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What a command answered that went well: on standard error there may be progress, and nothing else."""
    assert done.returncode == 0, done.stderr
    assert all(re.match(r"(rows|reports): [\d,]+", line) for line in done.stderr.splitlines()), done.stderr
    return done.stdout.splitlines()


class Running:
    """A city, or one of its services, that has said it is ready."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, said: Path) -> None:
        self.process, self.address, self._said = process, address, said

    @property
    def said(self) -> str:
        """All that it said so far."""
        return self._said.read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Have it end, and give its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)


@contextmanager
def running(*arguments: str, folder: Path, **settings: str) -> Iterator[Running]:
    """A process that runs until the end of the block."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    said = folder.parent / f"{'-'.join(arguments) or 'city'}.said"
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services", *arguments],
            cwd=ROOT,
            env=environment(folder, **settings),
            stdout=output,
            stderr=output,
        )
    try:
        found = until(lambda: re.search(r"ready:\n\s+(http://\S+:\d+)/", said.read_text()) or process.poll())
        assert isinstance(found, re.Match), said.read_text()
        yield Running(process, found[1], said)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE_S)


def until(look: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Look until there is something to see, and give that."""
    deadline = time.monotonic() + patience_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"nothing to see within {patience_s} s"
        time.sleep(0.02)
    return seen


async def stored(folder: Path) -> dict[str, dict[str, Any]]:
    """All requests in a data folder, as anybody may read them, by id."""
    settings = Settings(data=folder, city="none")
    context = open_context(REQUESTS, settings, load_areas(settings))
    try:
        query = Query(order="opened", limit=100_000)
        found = [each.document for each in await context.store.find(REQUEST.kind, query)]
        states = [REQUEST.parse(each.state, None).model_dump(mode="json") for each in found]
        assert len({state["id"] for state in states}) == len(states)
        return {state["id"]: state for state in states}
    finally:
        await context.store.close()
