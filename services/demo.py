"""The demo city: on the first start over an empty data folder, a few invented people begin to help each other."""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from services.demo_people import People, Refused
from services.demo_story import tell
from shared.runtime import utc_now
from shared.settings import Settings

_log = logging.getLogger("gotong.demo")

_GOES_ON_FOR = timedelta(days=1)
Filling = Callable[[FastAPI], Coroutine[Any, Any, bool]]


@dataclass(frozen=True)
class _Marker:
    """A file in the data folder that says whether the demo is under way or over.

    While it is under way, it holds when it began and the seed of the demo people's passwords: a start that was killed
    half-way goes on as the same people. Once it is over, nobody can know these passwords.
    """

    path: Path

    def begun(self) -> tuple[datetime, str] | None:
        """When the demo began, and its seed; None if it is over."""
        kept = json.loads(self.path.read_text())
        return (datetime.fromisoformat(kept["began"]), kept["seed"]) if "seed" in kept else None

    def begin(self) -> tuple[datetime, str]:
        began, seed = utc_now(), secrets.token_hex(32)
        self._write({"began": began.isoformat(), "seed": seed})
        return began, seed

    def end(self) -> None:
        self._write({"ended": utc_now().isoformat()})

    def _write(self, content: dict[str, str]) -> None:
        draft = self.path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)


def filling(settings: Settings) -> Filling | None:
    """What fills the demo city next to the running one, or None where there is nothing to fill.

    To be asked before the stores are opened: only a folder that holds none gets a demo, and only if the city is
    Jakarta, where the story takes place. One that was cut off goes on within a day: its activities are soon over.
    """
    marker = _Marker(settings.data / "demo.json")
    wanted = settings.demo and settings.city == "jakarta"
    if not marker.path.exists():
        empty = not any(settings.data.glob("*.db"))
        return partial(_fill, marker, None) if wanted and empty else None
    begun = marker.begun()
    if begun is None:
        return None
    if not wanted or utc_now() - begun[0] > _GOES_ON_FOR:
        marker.end()
        return None
    return partial(_fill, marker, begun)


async def _fill(marker: _Marker, begun: tuple[datetime, str] | None, app: FastAPI) -> bool:
    """Tell the story through the API, in this process; True if it came to its end."""
    began, seed = begun or marker.begin()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://demo", timeout=60) as http:
        try:
            await tell(People(http, seed), began)
        except (Refused, httpx.HTTPError) as error:
            _log.error("the demo city is not complete; the next start goes on with it: %s", error)
            return False
    marker.end()
    return True
