"""The doors of offers: putting in a budget, publishing it, and its ledger."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field

from services.offers.domain import OFFER
from services.offers.domain import commands as command
from services.offers.domain.state import Offer
from services.offers.doors import Anybody, Somebody
from services.offers.views import Line, ledger_page
from shared.areas import Areas
from shared.decider import Command
from shared.errors import Forbidden
from shared.http import Door, Visit, listed, shown
from shared.listing import After, Limit, page
from shared.problems import RESPONSES
from shared.text import Id, Input

router = APIRouter(prefix="/api/offers", tags=["offers"], route_class=Door, responses=RESPONSES)


def _some(quantity: int) -> int:
    if quantity == 0:
        raise ValueError("this would change nothing")
    return quantity


class TopUpInput(Input):
    """By how much the budget is raised, or (negative) lowered, in the offer's unit."""

    quantity: Annotated[int, Field(strict=True, ge=-(10**12), le=10**12), AfterValidator(_some)]


class Ledger(Input):
    """A page of movements."""

    items: list[Line]
    next: str | None


@router.post("", status_code=201, responses={201: {"model": Offer}})
async def draft_offer(body: command.OfferInput, visit: Somebody) -> Response:
    """Put in a budget with rules; a draft, unless `publish` is true. For organisations: say which in Act-For."""
    if visit.actor.organisation is None:
        raise Forbidden("Offers are made by organisations: say for which one in Act-For.")
    _check_areas(body, visit.context.areas)

    def drafting(**given: Any) -> command.DraftOffer:
        return command.DraftOffer(**given, asked=body)

    offer = await visit.create(OFFER, body, drafting)
    return shown(offer, 201, location=f"/api/offers/{offer.id}")


@router.get("")
async def list_offers(
    visit: Anybody,
    status: Annotated[Literal["draft", "published", "paused", "closed"] | None, Query()] = None,
    mine: Annotated[bool, Query(description="Only those of whom one acts for.")] = False,
    after: After = None,
    limit: Limit = 50,
) -> Response:
    """Offers, newest first."""
    tag = f"by:{visit.actor.party.id}" if mine else "all"
    return listed(*await page(visit.context, OFFER, {"status": status}, "drafted", after, limit, tags=(tag,)))


@router.get("/{offer_id}", responses={200: {"model": Offer}})
async def get_offer(offer_id: Id, visit: Anybody) -> Response:
    """One offer, with what is left of it."""
    offer = await visit.context.require(OFFER, offer_id)
    return shown(offer)


@router.get("/{offer_id}/ledger")
async def get_ledger(offer_id: Id, visit: Anybody, after: After = None, limit: Limit = 50) -> Ledger:
    """Every movement of the budget, oldest first, with the running balance."""
    lines, following = await ledger_page(visit.context, offer_id, after, limit)
    return Ledger(items=lines, next=following)


@router.post("/{offer_id}/publish", responses={200: {"model": Offer}})
async def publish(offer_id: Id, visit: Somebody) -> Response:
    """From now on."""
    return await _do(visit, offer_id, command.PublishOffer(**visit.given))


@router.post("/{offer_id}/pause", responses={200: {"model": Offer}})
async def pause(offer_id: Id, visit: Somebody) -> Response:
    """Nothing new for now."""
    return await _do(visit, offer_id, command.PauseOffer(**visit.given))


@router.post("/{offer_id}/resume", responses={200: {"model": Offer}})
async def resume(offer_id: Id, visit: Somebody) -> Response:
    """On again."""
    return await _do(visit, offer_id, command.ResumeOffer(**visit.given))


@router.post("/{offer_id}/close", responses={200: {"model": Offer}})
async def close(offer_id: Id, visit: Somebody) -> Response:
    """Nothing more; what is committed is still delivered."""
    return await _do(visit, offer_id, command.CloseOffer(**visit.given))


@router.post("/{offer_id}/top-up", responses={200: {"model": Offer}})
async def top_up(offer_id: Id, body: TopUpInput, visit: Somebody) -> Response:
    """Raise the budget, or lower it as far as nothing promised is touched."""
    return await _do(visit, offer_id, command.ChangeBudget(**visit.given, change=body.quantity))


async def _do(visit: Visit, offer_id: str, wish: Command) -> Response:
    offer = await visit.execute(OFFER, offer_id, wish)
    return shown(offer)


def _check_areas(body: command.OfferInput, areas: Areas) -> None:
    for number, code in enumerate(body.areas):
        areas.require(code, f"areas.{number}")
