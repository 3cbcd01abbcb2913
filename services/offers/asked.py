"""What offers need to know of requests: category, area and kind of requester, kept from the events that opened them."""

from __future__ import annotations

import asyncio

import orjson

from services.offers.domain.commands import Asking
from shared.contracts.requests import RequestOpened
from shared.decider import Collection
from shared.events import Envelope
from shared.runtime import Context
from shared.store import Document

ASKED = Collection("asked")

_PATIENCE_S = 2.0
_STEP_S = 0.02


async def keep_asked(context: Context, event: RequestOpened, envelope: Envelope) -> None:
    """A request was opened; one without needs is never sponsored."""
    if not event.needs:
        return
    units = {need.id: need.unit for need in event.needs}
    state = {"category": event.category, "area": event.area, "requester": event.author.kind, "units": units}
    await context.store.put([Document(ASKED.kind, envelope.subject, envelope.sequence, orjson.dumps(state))])


async def asking(context: Context, request_id: str, patience_s: float = _PATIENCE_S) -> Asking | None:
    """What is known of a request. One just opened may not have been heard of yet: it is waited for, a little."""
    for _ in range(int(patience_s / _STEP_S) + 1):
        document = await context.store.load(ASKED.kind, request_id)
        if document is not None:
            return Asking(**orjson.loads(document.state))
        await asyncio.sleep(_STEP_S)
    return None
