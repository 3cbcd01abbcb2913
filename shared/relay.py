"""The relay: takes saved events out of a service's store and onto the bus, in order per subject, at least once."""

from __future__ import annotations

import asyncio
import logging
import time

from shared.bus import Bus
from shared.lease import Lease
from shared.metrics import OUTBOX, RELAYED
from shared.runtime import Context
from shared.store import Unavailable

AT_ONCE = 500
_POLL_S = 0.2
# Under load, events that follow each other closely go out together; a single one goes at once.
_GATHER_S = 0.005
_MOST_PAUSE_S = 5.0
_log = logging.getLogger("gotong.relay")


class Relay:
    """One service's relay. Only the holder of the service's lease publishes."""

    def __init__(self, context: Context, bus: Bus) -> None:
        self._context, self._bus = context, bus
        self._lease = Lease(context, "relay")
        self._stopping = False
        self._last = 0.0

    async def run(self) -> None:
        """Publish until stopped. A bus or store that cannot be reached is tried again, ever more slowly."""
        pause = _POLL_S
        while not self._stopping:
            await asyncio.sleep(max(0.0, self._last + _GATHER_S - time.monotonic()))
            self._context.saved.clear()
            self._last = time.monotonic()
            try:
                published = await self.publish() if await self._lease.held() else 0
                if published < AT_ONCE:  # what was saved meanwhile has set the event
                    await self._wait(_POLL_S)
                pause = _POLL_S
            except Unavailable as error:
                _log.error("relay of %s waits: %s", self._context.service, error.detail)
                await self._wait(pause, wake=False)
                pause = min(pause * 2, _MOST_PAUSE_S)
        await self._finish()

    async def _finish(self) -> None:
        try:
            try:
                while await self._lease.held() and await self.publish():
                    pass
            finally:
                await self._lease.release()
        except Unavailable as error:
            _log.error("relay of %s ends with events unpublished: %s", self._context.service, error.detail)

    async def publish(self) -> int:
        """Publish what waits, one batch; how many events that was. A crash between the two steps repeats the batch."""
        entries = await self._context.store.pending(AT_ONCE)
        if entries:
            await self._bus.publish([entry.envelope for entry in entries])
            await self._context.store.published(entries)
            RELAYED.labels(self._context.service).inc(len(entries))
        OUTBOX.labels(self._context.service).set(len(entries))
        return len(entries)

    def stop(self) -> None:
        """Let `run` publish what is saved, then end and give up the lease."""
        self._stopping = True
        self._context.saved.set()

    async def _wait(self, seconds: float, *, wake: bool = True) -> None:
        try:
            await asyncio.wait_for(self._context.saved.wait() if wake else asyncio.sleep(seconds), seconds + 0.1)
        except TimeoutError:
            return
