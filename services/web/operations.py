"""What operators look at: whether the process lives, whether it is ready, and its metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.http import Building, Door
from shared.problems import problem_response

router = APIRouter(tags=["operations"], route_class=Door)


@router.get("/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/ready", responses={503: {"description": "Something is wrong; `wrong` names it."}})
async def ready(request: Request) -> Response:
    """Everything it needs is there."""
    building: Building = request.app.state.building
    wrong = await building.health()
    if wrong:
        return problem_response(
            503, "Not ready", "; ".join(f"{part}: {why}" for part, why in wrong.items()), {"wrong": wrong}
        )
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Metrics in Prometheus' text form."""
    building: Building = request.app.state.building
    await building.health()
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
