"""The door of areas: the tree, and the village of a point."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from shared.areas import Areas, Level
from shared.errors import Invalid
from shared.geo import Point
from shared.http import Door
from shared.problems import RESPONSES
from shared.text import Code

router = APIRouter(prefix="/api/areas", tags=["areas"], route_class=Door, responses=RESPONSES)


@router.get("")
async def areas(
    request: Request,
    under: Annotated[Code | None, Query(description="Only areas in this one.")] = None,
    level: Annotated[Level | None, Query(description="Only areas of this level, however deep.")] = None,
    at: Annotated[str | None, Query(max_length=60, description="lon,lat in degrees: the areas that hold it.")] = None,
) -> dict[str, Any]:
    """The widest areas, those in another, or those that hold a point (`source` says how surely)."""
    tree: Areas = request.app.state.building.areas
    if under is not None:
        tree.require(under, "under")
    if at is None:
        found = tree.under(under, level) if level else tree.children(under)
        return {"items": [asdict(area) for area in found], "next": None}
    located = tree.locate(_point(at), "at")
    codes = tree.ancestors(located.area) if located.area else ()
    holding = [area for code in codes if (area := tree.get(code)) and level in (None, area.level)]
    within = [area for area in holding if under is None or area.code == under or area.code.startswith(under + ".")]
    return {"items": [asdict(area) for area in within], "next": None, "source": located.source}


def _point(text: str) -> Point:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError as error:
        raise Invalid("at", "Give lon,lat in degrees, such as 106.83,-6.2.") from error
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise Invalid("at", "Give lon,lat in degrees, such as 106.83,-6.2.")
    return Point(lon, lat)
