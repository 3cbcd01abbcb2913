"""From the query of a list of requests to its filters."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import Depends, Query

from services.requests.domain import words
from services.requests.domain.state import STATUSES
from services.requests.doors import Anybody
from services.requests.views import Filters, Order
from shared.contracts.requests import RequestKind
from shared.errors import Invalid
from shared.geo import MAX_RADIUS_M, Point, in_range
from shared.text import Code, Slug


async def _filters(
    visit: Anybody,
    area: Annotated[Code | None, Query(description="This area and all in it.")] = None,
    status: Annotated[str | None, Query(max_length=100, description=f"One or more of {', '.join(STATUSES)}.")] = None,
    category: Annotated[Slug | None, Query()] = None,
    kind: Annotated[RequestKind | None, Query()] = None,
    near: Annotated[str | None, Query(max_length=60, description="lon,lat in degrees.")] = None,
    radius: Annotated[float | None, Query(gt=0, le=MAX_RADIUS_M, description="Metres around `near`.")] = None,
    bbox: Annotated[str | None, Query(max_length=120, description="west,south,east,north in degrees.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Words that must all occur.")] = None,
    mine: Annotated[bool, Query(description="Only one's own.")] = False,
    order: Annotated[Order, Query()] = "newest",
) -> Filters:
    if area is not None:
        visit.context.areas.require(area)
    if q and not words(q):
        raise Invalid("q", "Give words of two letters or more.")
    point = None if near is None else Point(*_numbers(near, 2, "near"))
    if point is not None and not in_range(point):
        raise Invalid("near", "Give lon,lat in degrees, such as 106.83,-6.2.")
    if point is None and (radius is not None or order == "nearest"):
        raise Invalid("near", "A radius and order=nearest need near=lon,lat.")
    return Filters(
        area=area,
        status=_statuses(status),
        category=category,
        kind=kind,
        near=point,
        radius=radius,
        box=None if bbox is None else _box(bbox),
        q=q or None,
        author=visit.actor.party.id if mine else None,
        order=order,
    )


def _numbers(text: str, count: int, field: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise Invalid(field, f"Give {count} numbers with commas between them, in degrees.")
    return numbers


def _box(text: str) -> tuple[float, float, float, float]:
    west, south, east, north = _numbers(text, 4, "bbox")
    return west, south, east, north


def _statuses(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    statuses = tuple(dict.fromkeys(text.split(",")))
    for status in statuses:
        if status not in STATUSES:
            raise Invalid("status", f"Give one or more of {', '.join(STATUSES)}, with commas between them.")
    return statuses


asked_filters: Any = Depends(_filters)
