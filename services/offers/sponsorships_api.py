"""The doors of sponsorships: holding a part of an offer for a need, delivering it, taking it back."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response

from services.offers import views
from services.offers.asked import asking
from services.offers.days import day_began
from services.offers.domain import OFFER
from services.offers.domain import commands as command
from services.offers.domain.sponsoring import ANSWER_WITHIN
from services.offers.domain.state import Sponsorship
from services.offers.doors import Anybody, Somebody
from shared.decider import Collection, fingerprint
from shared.errors import Invalid
from shared.http import Door, Visit, idempotency_key, listed
from shared.ids import derived_id, new_id
from shared.listing import After, Limit
from shared.problems import RESPONSES
from shared.store import Conflict, Document
from shared.text import Id

router = APIRouter(prefix="/api/sponsorships", tags=["offers"], route_class=Door, responses=RESPONSES)

CLAIMS = Collection("claim")


@router.post("", status_code=201, responses={201: {"model": Sponsorship}})
async def hold(body: command.SponsorshipInput, visit: Somebody) -> Response:
    """Hold a part of one's offer for a need: `held`, soon `committed`, or `released` with the reason."""
    key = idempotency_key(visit.request)
    sponsorship_id = derived_id("sponsorship", visit.actor.party.id, key) if key else new_id()
    if key is not None:
        await _claim(visit, sponsorship_id, body)
    wish = command.HoldSponsorship(
        **visit.given,
        sponsorship_id=sponsorship_id,
        request_id=body.request_id,
        need_id=body.need_id,
        quantity=body.quantity,
        day=day_began(visit.now, visit.context.settings.zone),
        asking=await asking(visit.context, body.request_id),
    )
    offer = await visit.execute(OFFER, body.offer_id, wish)
    made = offer.sponsorships[sponsorship_id]
    as_held = made.model_copy(update={"status": "held", "reason": None, "due_at": made.held_at + ANSWER_WITHIN})
    return _shown(as_held, 201)


@router.get("")
async def list_sponsorships(
    visit: Anybody,
    offer_id: Annotated[Id | None, Query()] = None,
    request_id: Annotated[Id | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> Response:
    """Sponsorships of an offer or a request, newest first."""
    if offer_id is None and request_id is None:
        raise Invalid("offer_id", "Ask for the sponsorships of an offer (offer_id) or a request (request_id).")
    return listed(*await views.sponsorships(visit.context, offer_id, request_id, after, limit))


@router.get("/{sponsorship_id}", responses={200: {"model": Sponsorship}})
async def get_sponsorship(sponsorship_id: Id, visit: Anybody) -> Response:
    """One sponsorship."""
    _, each = await views.sponsorship(visit.context, sponsorship_id)
    return _shown(each)


@router.post("/{sponsorship_id}/deliver", responses={200: {"model": Sponsorship}})
async def deliver(sponsorship_id: Id, visit: Somebody) -> Response:
    """We brought it."""
    return await _do(visit, sponsorship_id, command.DeliverSponsorship(**visit.given, sponsorship_id=sponsorship_id))


@router.post("/{sponsorship_id}/release", responses={200: {"model": Sponsorship}})
async def release(sponsorship_id: Id, visit: Somebody) -> Response:
    """We take it back; not once it was brought."""
    wish = command.ReleaseSponsorship(
        **visit.given, sponsorship_id=sponsorship_id, reason="The giver took it back.", own=True
    )
    return await _do(visit, sponsorship_id, wish)


async def _do(
    visit: Visit, sponsorship_id: str, wish: command.DeliverSponsorship | command.ReleaseSponsorship
) -> Response:
    offer, _ = await views.sponsorship(visit.context, sponsorship_id)
    after = await visit.execute(OFFER, offer.id, wish)
    return _shown(after.sponsorships[sponsorship_id])


async def _claim(visit: Visit, sponsorship_id: str, body: command.SponsorshipInput) -> None:
    """Bind a key to its first body. The key names no aggregate here: two calls under it may ask two offers at once."""
    claimed = orjson.dumps({"fingerprint": fingerprint(body.model_dump())})
    store = visit.context.store
    try:
        await store.save(Document(CLAIMS.kind, sponsorship_id, 1, claimed), 0)
    except Conflict:
        first = await store.load(CLAIMS.kind, sponsorship_id)
        if first is None or first.state != claimed:
            raise Invalid("Idempotency-Key", "This Idempotency-Key was used for another body.") from None


def _shown(each: Sponsorship, status: int = 200) -> Response:
    headers = {"Location": f"/api/sponsorships/{each.id}"} if status == 201 else None
    return Response(orjson.dumps(each.model_dump(mode="json")), status, headers, "application/json")
