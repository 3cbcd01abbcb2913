"""Timers: what has a `due_at` in the past is told what time it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from shared.decider import Decider, PassTime
from shared.errors import Problem
from shared.events import SYSTEM, Cause
from shared.ids import new_id
from shared.runtime import Context
from shared.store import Between, Found, Query, Unavailable

_EVERY_S = 1.0
_AT_ONCE = 500
_log = logging.getLogger("gotong.timers")


class Timers:
    """The timers of one service. Several instances may run: what one has done, the others find done."""

    def __init__(self, context: Context, deciders: Sequence[Decider[Any]]) -> None:
        self._context, self._deciders = context, deciders
        self._stopping = False

    async def run(self) -> None:
        """Look once a second, until stopped."""
        while not self._stopping:
            try:
                await self.pass_time()
            except Unavailable as error:
                _log.error("timers of %s wait: %s", self._context.service, error.detail)
            await asyncio.sleep(_EVERY_S)

    async def pass_time(self) -> int:
        """Tell everything that is due; how many that were."""
        now = self._context.clock()
        told = 0
        for decider in self._deciders:
            after = None
            while due := await self._due(decider, now.timestamp(), after):
                for each in due:
                    await self._tell(decider, each.document.key, PassTime(by=SYSTEM, at=now))
                told += len(due)
                after = due[-1].position
        return told

    async def _due(self, decider: Decider[Any], now: float, after: tuple[Any, str] | None) -> list[Found]:
        query = Query({"due_at": Between(None, now)}, order="due_at", after=after, limit=_AT_ONCE, short=True)
        return await self._context.store.find(decider.kind, query)

    async def _tell(self, decider: Decider[Any], key: str, command: PassTime) -> None:
        cause = new_id()
        try:
            await self._context.execute(decider, key, command, Cause(cause, cause, "system"))
        except Unavailable:
            raise
        except Problem as problem:
            _log.warning("%s %s did not take the time: %s", decider.kind, key, problem.detail)
        except Exception:
            # One that is at fault comes first again next time; the others are told all the same.
            _log.exception("%s %s failed at the time", decider.kind, key)

    def stop(self) -> None:
        """Let `run` end after its round."""
        self._stopping = True
