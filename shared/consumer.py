"""From the bus to a service's reactions: in order per subject, others meanwhile, and what fails is set aside."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from shared.events import Envelope, Vocabulary
from shared.metrics import REACTIONS
from shared.parked import Parking
from shared.runtime import Context, Reaction
from shared.service import Service
from shared.store import Unavailable

_log = logging.getLogger("gotong.reaction")


class Consumer:
    """Runs the subscribers of one service."""

    def __init__(self, service: Service, context: Context) -> None:
        self._context = context
        self._reactions: dict[str, Sequence[Reaction]] = {
            event.type: reactions for event, reactions in service.subscribers.items()
        }
        self._vocabulary = Vocabulary(service.subscribers)
        self.parking = Parking(context, self.react)

    async def handle(self, envelopes: Sequence[Envelope]) -> None:
        """Take a batch: subjects side by side, the events of one subject one after the other.

        Returns when every event has had its reactions or is set aside durably, so that the batch may be acknowledged.
        """
        subjects: dict[str, list[Envelope]] = {}
        for envelope in envelopes:
            if envelope.type in self._reactions:
                subjects.setdefault(envelope.subject, []).append(envelope)
        if not subjects:
            return
        parked = await self.parking.subjects(list(subjects))
        working = [self._in_order(events, subject in parked) for subject, events in subjects.items()]
        for failed in await asyncio.gather(*working, return_exceptions=True):
            if failed is not None:
                raise failed

    async def _in_order(self, envelopes: Sequence[Envelope], parked: bool) -> None:
        for place, envelope in enumerate(envelopes):
            if parked:
                await self.parking.park(envelopes[place:], "an earlier event of this subject is set aside")
                return
            try:
                await self.react(envelope)
            except Unavailable:
                raise  # the store is away, so nothing can be set aside either: the batch comes again
            except Exception as error:
                _log.exception("%s %s failed", envelope.type, envelope.id)
                await self.parking.park(envelopes[place:], f"{type(error).__name__}: {error}")
                return

    async def react(self, envelope: Envelope) -> None:
        """All reactions to one event."""
        event = self._vocabulary.read(envelope)
        for reaction in self._reactions[envelope.type]:
            began = time.perf_counter()
            await reaction(self._context, event, envelope)
            REACTIONS.labels(self._context.service, getattr(reaction, "__name__", "reaction")).observe(
                time.perf_counter() - began
            )
