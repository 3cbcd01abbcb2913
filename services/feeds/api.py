"""The doors of feeds: pulling the public log, and following it by server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse

from services.feeds.doors import Anybody
from services.feeds.filters import Filter
from services.feeds.log import Log
from shared.errors import Invalid
from shared.http import Door, listed
from shared.listing import Limit
from shared.metrics import FOLLOWERS
from shared.problems import RESPONSES
from shared.text import Code, Slug

router = APIRouter(prefix="/api/events", tags=["feeds"], route_class=Door, responses=RESPONSES)

HEARTBEAT_S = 15.0
_AT_ONCE = 500
# 16 digits are more than a log will ever have; longer numbers are no cursors.
Cursor = Annotated[
    str | None,
    Query(
        max_length=16,
        pattern=r"^-?[0-9]+$",
        description="The `next` or `id` to go on from; -20 goes on from 20 before the end.",
    ),
]


def _filter(
    visit: Anybody,
    type: Annotated[str | None, Query(max_length=200, description="The beginning of the type.")] = None,
    area: Annotated[Code | None, Query(description="This area and all in it.")] = None,
    category: Annotated[Slug | None, Query()] = None,
    subject: Annotated[str | None, Query(max_length=200, description="The id of what it happened to.")] = None,
    correlationid: Annotated[str | None, Query(max_length=200, description="The visit that began it.")] = None,
) -> Filter:
    if area is not None:
        visit.context.areas.require(area)
    return Filter(type, area, category, subject, correlationid)


Asked = Annotated[Filter, Depends(_filter)]


@router.get("")
async def pull(visit: Anybody, asked: Asked, after: Cursor = None, limit: Limit = 50) -> Response:
    """Public events as CloudEvents, oldest first. There is always a `next`: the place to go on from."""
    log = Log.of(visit.context)
    entries, reached = await log.read(asked, _position(log, after or "0"), limit)
    return listed([each.envelope.body for each in entries], str(reached))


@router.get("/stream", response_class=StreamingResponse)
async def follow(
    visit: Anybody,
    asked: Asked,
    after: Cursor = None,
    last_event_id: Annotated[str | None, Header(max_length=16)] = None,
) -> StreamingResponse:
    """Public events as they happen (server-sent events), from `Last-Event-ID` or `after` on, else from now on."""
    log = Log.of(visit.context)
    if last_event_id and not last_event_id.isdecimal():
        raise Invalid("Last-Event-ID", "This is not an id of our event stream.")
    begin = last_event_id or after
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    start = log.last if begin is None else _position(log, begin)
    return StreamingResponse(_frames(log, asked, start), headers=headers, media_type="text/event-stream")


def _position(log: Log, cursor: str) -> int:
    """Where a cursor stands; a negative one counts from the end."""
    return max(0, log.last + int(cursor)) if cursor.startswith("-") else int(cursor)


async def _frames(log: Log, asked: Filter, position: int) -> AsyncIterator[bytes]:
    """What a follower gets: all that fits, in chunks, and a comment while nothing happens."""
    FOLLOWERS.inc()
    try:
        yield b"retry: 2000\n\n"
        while not log.closed:
            entries, position = await log.read(asked, position, _AT_ONCE)
            if entries:
                yield b"".join(each.frame for each in entries)
            elif not await log.wait(position, HEARTBEAT_S):
                yield b": still here\n\n"
    finally:
        FOLLOWERS.dec()
