"""What is shown of requests: one to those who may see more, lists to everybody, and what lies near another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

import orjson

from services.requests.domain import REQUEST, words
from services.requests.domain.state import STATUSES, Request
from shared import geo, paging
from shared.auth import Actor
from shared.decider import public_json
from shared.geo import Point
from shared.runtime import Context
from shared.store import Between, Found, Query

SIMILAR_WITHIN_M = 250.0
SIMILAR_WITHIN = timedelta(hours=48)
_MOST_SIMILAR = 10
_FIRST_RING_M = 500.0
_AT_ONCE = 1_000

Order = Literal["newest", "nearest", "due"]


@dataclass(frozen=True)
class Filters:
    """What a list is asked for: `near` and `box` in degrees, `radius` in metres; the words of `q` must all occur."""

    area: str | None = None
    status: tuple[str, ...] = ()
    category: str | None = None
    kind: str | None = None
    near: Point | None = None
    radius: float | None = None
    box: tuple[float, float, float, float] | None = None
    q: str | None = None
    author: str | None = None
    order: Order = "newest"


def seen_by(actor: Actor | None, request: Request) -> bytes:
    """The JSON of a request; its parties also see the exact place and on whose behalf it is."""
    public = public_json(request)
    if actor is None or not _is_party(actor, request):
        return public
    kept = request.private
    exact = kept.exact or (request.location if request.place == "exact" else None)
    more = {"exact_location": exact and exact.model_dump(), "on_behalf_of": kept.on_behalf_of}
    return public[:-1] + b"," + orjson.dumps(more)[1:]


def _is_party(actor: Actor, request: Request) -> bool:
    party = actor.party
    taken = ("reserved", "delivered", "received")
    return party == request.author or any(c.by == party and c.status in taken for c in request.contributions.values())


async def requests_page(
    context: Context, filters: Filters, after: str | None, limit: int
) -> tuple[list[bytes], str | None]:
    """One page of a list: the requests' JSON, and the cursor of the next page or None."""
    question = {**asdict(filters), "near": filters.near and list(filters.near)}
    position = paging.position(after, question, float, str if filters.order == "nearest" else object)
    if filters.order == "nearest":
        found = await _nearest(context, filters, position, limit + 1)
    else:
        found = await _in_order(context, filters, position, limit + 1)
    page = found[:limit]
    more = paging.cursor(page[-1][0], question) if len(found) > limit else None
    return [state for _, state in page], more


async def similar(context: Context, request: Request) -> list[dict[str, Any]]:
    """Requests of the same category within 250 m and 48 h, nearest first: perhaps the same thing."""
    if request.location is None or request.opened_at is None:
        return []
    point = Point(request.location.lon, request.location.lat)
    around = request.opened_at - SIMILAR_WITHIN, request.opened_at + SIMILAR_WITHIN
    query = Query(
        where={
            "category": request.category,
            "status": ("open", "in_progress", "disputed", "resolved"),
            "opened": Between(*(int(each.timestamp() * 1000) for each in around)),
            **_within(geo.box_around(point, SIMILAR_WITHIN_M)),
        },
        has=(_cells(geo.cover(point, SIMILAR_WITHIN_M)),),
        descending=True,
        limit=100,
        short=True,
    )
    near = []
    for each in await context.store.find(REQUEST.kind, query):
        other = orjson.loads(each.document.state)
        metres = geo.distance_m(point, Point(other["location"]["lon"], other["location"]["lat"]))
        if other["id"] != request.id and metres <= SIMILAR_WITHIN_M:
            about = {name: other[name] for name in ("id", "title", "status", "opened_at", "supporters")}
            near.append({**about, "distance_m": round(metres)})
    return sorted(near, key=lambda one: one["distance_m"])[:_MOST_SIMILAR]


async def _in_order(context: Context, filters: Filters, position: Any, wanted: int) -> list[tuple[Any, bytes]]:
    """Pages through the store's order until enough lie within the circle or box, where one is asked for."""
    found: list[tuple[Any, bytes]] = []
    after = position
    while len(found) < wanted:
        batch = await context.store.find(REQUEST.kind, _query(filters, after, wanted))
        found += [(each.position, each.document.state) for each in batch if _lies_within(filters, each)]
        if len(batch) < wanted:
            break
        after = batch[-1].position
    return found[:wanted]


async def _nearest(context: Context, filters: Filters, position: Any, wanted: int) -> list[tuple[Any, bytes]]:
    """Looks in ever larger circles until enough are found beyond the position (distance in metres, id)."""
    assert filters.near is not None
    reach = filters.radius or float(geo.MAX_RADIUS_M)
    after = tuple(position) if position else (-1.0, "")
    ring = min(reach, max(_FIRST_RING_M, after[0] * 1.5))
    while True:
        found = []
        for each in await _all_within(context, filters, ring):
            state = orjson.loads(each.document.state)
            metres = geo.distance_m(filters.near, Point(state["location"]["lon"], state["location"]["lat"]))
            place = (round(metres, 2), each.document.key)
            if place > after and metres <= ring and _in_box(filters, state):
                found.append((place, each.document.state))
        if len(found) >= wanted or ring >= reach:
            return sorted(found)[:wanted]
        ring = min(reach, ring * 2)


async def _all_within(context: Context, filters: Filters, ring: float) -> list[Found]:
    within = Filters(**{**asdict(filters), "near": filters.near, "radius": ring, "order": "newest"})
    found: list[Found] = []
    after = None
    while True:
        batch = await context.store.find(REQUEST.kind, _query(within, after, _AT_ONCE))
        found += batch
        if len(batch) < _AT_ONCE:
            return found
        after = batch[-1].position


def _query(filters: Filters, after: tuple[Any, str] | None, limit: int) -> Query:
    where: dict[str, Any] = {
        name: value for name, value in (("kind", filters.kind), ("author", filters.author)) if value is not None
    }
    # `author` alone has an index of its own; what else is asked for is walked by the first group of tags.
    if filters.near is not None or filters.box is not None:
        where |= _within(filters.box or geo.box_around(*_circle(filters)))
    order = "due_at" if filters.order == "due" else "opened"
    groups = tuple(_groups(filters))
    if filters.author or order == "due_at":
        where |= {"status": filters.status} if filters.status else {}
    return Query(where, groups, order, descending=order == "opened", after=after, limit=limit)


def _groups(filters: Filters) -> list[tuple[str, ...]]:
    """The groups of tags, those that let the fewest through first."""
    groups: list[tuple[str, ...]] = []
    if filters.near is not None:
        groups.append(_cells(geo.cover(*_circle(filters))))
    elif filters.box is not None:
        groups.append(_cells(geo.cover_box(*filters.box)))
    groups += [(f"word:{word}",) for word in words(filters.q or "")]
    if filters.category is not None:
        groups.append((f"category:{filters.category}",))
    statuses = filters.status or STATUSES
    if filters.area is not None:
        groups.append(tuple(f"area:{filters.area}:{status}" for status in statuses))
    elif filters.status or not (groups or filters.author or filters.order == "due"):
        groups.append(tuple(f"status:{status}" for status in statuses))
    return groups


def _within(box: tuple[float, float, float, float]) -> dict[str, Between]:
    west, south, east, north = box
    # A box over the date line goes on at its other side, so only the latitude narrows it here.
    lon = {"lon": Between(west, east)} if west >= -180 and east <= 180 else {}
    return {"lat": Between(south, north), **lon}


def _circle(filters: Filters) -> tuple[Point, float]:
    assert filters.near is not None
    return filters.near, filters.radius or float(geo.MAX_RADIUS_M)


def _cells(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"cell:{cell}" for cell in cells)


def _lies_within(filters: Filters, each: Found) -> bool:
    if filters.near is None and filters.box is None:
        return True
    state = orjson.loads(each.document.state)
    point = Point(state["location"]["lon"], state["location"]["lat"])
    if filters.near is not None and geo.distance_m(filters.near, point) > (filters.radius or geo.MAX_RADIUS_M):
        return False
    return _in_box(filters, state)


def _in_box(filters: Filters, state: dict[str, Any]) -> bool:
    place = state["location"]
    return filters.box is None or geo.in_box(Point(place["lon"], place["lat"]), *filters.box)


async def comments_page(
    context: Context, request_id: str, after: str | None, limit: int
) -> tuple[list[bytes], str | None]:
    """What was said about a request, oldest first."""
    await context.require(REQUEST, request_id)
    question = ["comments", request_id]
    position = paging.position(after, question, float, object)
    query = Query({"request_id": request_id}, order="added", after=position, limit=limit + 1)
    found = await context.store.find("comment", query)
    more = paging.cursor(found[limit - 1].position, question) if len(found) > limit else None
    return [each.document.state for each in found[:limit]], more


async def history_page(
    context: Context, request_id: str, after: str | None, limit: int
) -> tuple[list[bytes], str | None]:
    """The public events of a request, oldest first."""
    await context.require(REQUEST, request_id)
    question = ["history", request_id]
    (reached,) = paging.position(after, question, int) or (0,)
    entries = await context.store.history(request_id, reached)
    public = [entry.envelope for entry in entries if entry.envelope.visibility == "public"]
    more = paging.cursor(public[limit - 1].sequence, question) if len(public) > limit else None
    return [envelope.body for envelope in public[:limit]], more
