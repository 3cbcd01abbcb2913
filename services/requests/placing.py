"""Where a request is: what everybody may see of its place, and its area, with how surely that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.requests.domain.commands import RequestInput
from shared.areas import Areas
from shared.contracts.requests import AreaSource
from shared.geo import Point, blur
from shared.text import Location


@dataclass(frozen=True, slots=True)
class Placing:
    """`shown` is the point for everybody: the exact one for a report, else the centre of its blur cell."""

    shown: Location | None
    place: Literal["exact", "blurred"]
    area: str | None
    area_source: AreaSource | None


def placing(asked: RequestInput, areas: Areas) -> Placing:
    """A given area wins over the one its point seems to lie in. Invalid for a point far outside or an unknown area."""
    area: str | None = None
    source: AreaSource | None = None
    point = Point(asked.location.lon, asked.location.lat) if asked.location else None
    if point is not None:
        located = areas.locate(point)
        area, source = located.area, located.source if areas.enabled else None
    if asked.area is not None:
        area, source = areas.require(asked.area).code, "given"
    if asked.kind == "report":
        return Placing(asked.location, "exact", area, source)
    blurred = blur(point) if point else None
    return Placing(Location(lon=blurred.lon, lat=blurred.lat) if blurred else None, "blurred", area, source)
