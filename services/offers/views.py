"""Finding offers by what they gave to, and the ledger: every movement with the running balance."""

from __future__ import annotations

from typing import Literal

import orjson
from pydantic import BaseModel

from services.offers.domain import OFFER
from services.offers.domain.state import Offer, Sponsorship
from shared import paging
from shared.contracts import offers as event
from shared.errors import NotFound
from shared.events import Envelope
from shared.runtime import Context
from shared.store import Query

Movement = Literal["budget", "top-up", "hold", "commit", "deliver", "settle", "release"]

_MOVEMENTS: dict[str, Movement] = {
    event.OfferDrafted.type: "budget",
    event.OfferBudgetChanged.type: "top-up",
    event.SponsorshipHeld.type: "hold",
    event.SponsorshipCommitted.type: "commit",
    event.SponsorshipDelivered.type: "deliver",
    event.SponsorshipSettled.type: "settle",
    event.SponsorshipReleased.type: "release",
}


class Line(BaseModel):
    """One movement: `quantity` in the offer's unit, `available` what is left of the budget after it."""

    at: str
    movement: Movement
    quantity: int
    sponsorship_id: str | None = None
    request_id: str | None = None
    available: int
    cause: str


async def ledger_page(context: Context, offer_id: str, after: str | None, limit: int) -> tuple[list[Line], str | None]:
    """The movements of an offer, oldest first."""
    await context.require(OFFER, offer_id)
    question = ["ledger", offer_id]
    (position,) = paging.position(after, question, int) or (0,)
    lines: list[tuple[int, Line]] = []
    while len(lines) <= limit:
        entries = await context.store.history(offer_id, position, limit=500)
        happened = [each.envelope for each in entries if each.envelope.type in _MOVEMENTS]
        lines += [(each.sequence, _line(_MOVEMENTS[each.type], each)) for each in happened]
        if len(entries) < 500:
            break
        position = entries[-1].envelope.sequence
    following = paging.cursor(lines[limit - 1][0], question) if len(lines) > limit else None
    return [line for _, line in lines[:limit]], following


def _line(movement: Movement, envelope: Envelope) -> Line:
    data = envelope.data
    quantity = {"budget": data.get("budget"), "top-up": data.get("change")}.get(movement) or data.get("quantity")
    return Line(
        at=envelope.time,
        movement=movement,
        quantity=quantity,
        sponsorship_id=data.get("sponsorship_id"),
        request_id=data.get("request_id"),
        available=data["available"],
        cause=envelope.causationid,
    )


async def offer_of(context: Context, sponsorship_id: str) -> Offer | None:
    """The offer that holds a sponsorship."""
    found = await context.store.find(OFFER.kind, Query(has=((f"sponsorship:{sponsorship_id}",),), limit=1, short=True))
    return OFFER.parse(found[0].document.state, found[0].document.private) if found else None


async def sponsorship(context: Context, sponsorship_id: str) -> tuple[Offer, Sponsorship]:
    """A sponsorship and its offer; NotFound where there is none."""
    offer = await offer_of(context, sponsorship_id)
    if offer is None:
        raise NotFound(f"There is no sponsorship {sponsorship_id}.")
    return offer, offer.sponsorships[sponsorship_id]


async def sponsorships(
    context: Context, offer_id: str | None, request_id: str | None, after: str | None, limit: int
) -> tuple[list[bytes], str | None]:
    """Sponsorships of an offer, of a request, or of both, newest first."""
    question = ["sponsorships", offer_id, request_id]
    skip = paging.position(after, question, str, str)
    offers = [await context.require(OFFER, offer_id)] if offer_id else await _giving_to(context, str(request_id))
    rows: list[Sponsorship] = []
    for offer in offers:
        rows += [one for one in offer.sponsorships.values() if request_id in (None, one.request_id)]
    rows.sort(key=lambda one: (one.held_at, one.id), reverse=True)
    if skip:
        rows = [one for one in rows if (one.held_at.isoformat(), one.id) < skip]
    last = rows[limit - 1] if len(rows) > limit else None
    following = paging.cursor([last.held_at.isoformat(), last.id], question) if last else None
    return [orjson.dumps(one.model_dump(mode="json")) for one in rows[:limit]], following


async def _giving_to(context: Context, request_id: str) -> list[Offer]:
    found = await context.store.find(OFFER.kind, Query(has=((f"request:{request_id}",),), limit=200))
    return [OFFER.parse(each.document.state, each.document.private) for each in found]
