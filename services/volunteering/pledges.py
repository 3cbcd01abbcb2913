"""The doors of pledges: promising, bringing, withdrawing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.volunteering.domain.pledge import (
    PLEDGE,
    DeliverPledge,
    OfferPledge,
    Pledge,
    PledgeInput,
    WithdrawPledge,
)
from services.volunteering.doors import Anybody, Somebody
from shared.decider import Command
from shared.http import Door, Visit, listed, shown
from shared.listing import After, Limit, page
from shared.problems import RESPONSES
from shared.text import Id

router = APIRouter(prefix="/api/pledges", tags=["volunteering"], route_class=Door, responses=RESPONSES)


@router.post("", status_code=201, responses={201: {"model": Pledge}})
async def offer_pledge(body: PledgeInput, visit: Somebody) -> Response:
    """Promise a quantity towards a need. It begins `offered`; soon it is `accepted`, or `declined` with the reason."""

    def offering(**given: object) -> OfferPledge:
        return OfferPledge(**given, asked=body)  # type: ignore[arg-type]

    pledge = await visit.create(PLEDGE, body, offering)
    return shown(pledge, 201, location=f"/api/pledges/{pledge.id}")


@router.get("")
async def list_pledges(
    visit: Anybody,
    request_id: Annotated[Id | None, Query()] = None,
    mine: Annotated[bool, Query(description="Only one's own.")] = False,
    after: After = None,
    limit: Limit = 50,
) -> Response:
    """Pledges, newest first."""
    where = {"request_id": request_id, "helper": visit.actor.party.id if mine else None}
    return listed(*await page(visit.context, PLEDGE, where, "offered", after, limit))


@router.get("/{pledge_id}", responses={200: {"model": Pledge}})
async def get_pledge(pledge_id: Id, visit: Anybody) -> Response:
    """One pledge."""
    pledge = await visit.context.require(PLEDGE, pledge_id)
    return shown(pledge)


@router.post("/{pledge_id}/deliver", responses={200: {"model": Pledge}})
async def deliver(pledge_id: Id, visit: Somebody) -> Response:
    """I brought it."""
    return await _do(visit, pledge_id, DeliverPledge(**visit.given))


@router.post("/{pledge_id}/withdraw", responses={200: {"model": Pledge}})
async def withdraw(pledge_id: Id, visit: Somebody) -> Response:
    """I cannot after all; the quantity is free again."""
    return await _do(visit, pledge_id, WithdrawPledge(**visit.given))


async def _do(visit: Visit, pledge_id: str, wish: Command) -> Response:
    pledge = await visit.execute(PLEDGE, pledge_id, wish)
    return shown(pledge)
