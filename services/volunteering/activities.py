"""The doors of activities: planning, joining, leaving, checking in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.volunteering.domain.activity import ACTIVITY, Activity
from services.volunteering.domain.activity_commands import (
    ActivityInput,
    CancelActivity,
    CheckIn,
    JoinActivity,
    LeaveActivity,
    PlanActivity,
)
from services.volunteering.doors import Anybody, Somebody
from shared import geo
from shared.areas import Areas
from shared.decider import public_json
from shared.errors import Forbidden
from shared.http import Door, Visit, listed, shown
from shared.listing import After, Limit, page
from shared.problems import RESPONSES
from shared.store import Query as StoreQuery
from shared.text import Code, Id, Input, Name, Note

router = APIRouter(prefix="/api/activities", tags=["volunteering"], route_class=Door, responses=RESPONSES)


class JoinInput(Input):
    """In which role."""

    role: Name


class PersonInput(Input):
    """Who came; oneself where it is left out."""

    person: Id | None = None


class CancelInput(Input):
    """Why."""

    reason: Note = ""


class Joined(BaseModel):
    """One's place: `position` counts from 1 while waiting; `overlaps` are other activities at the same time."""

    place: Literal["in", "waiting"]
    position: int | None = None
    overlaps: list[str] = []


@router.post("", status_code=201, responses={201: {"model": Activity}})
async def plan_activity(body: ActivityInput, visit: Somebody) -> Response:
    """Plan communal work."""
    area = _area(body, visit.context.areas)

    def planning(**given: object) -> PlanActivity:
        return PlanActivity(**given, asked=body, area=area)  # type: ignore[arg-type]

    activity = await visit.create(ACTIVITY, body, planning)
    return shown(activity, 201, location=f"/api/activities/{activity.id}")


@router.get("")
async def list_activities(
    visit: Anybody,
    area: Annotated[Code | None, Query(description="This area and all in it.")] = None,
    status: Annotated[Literal["planned", "cancelled", "ended"] | None, Query()] = None,
    mine: Annotated[bool, Query(description="Only those one takes part in.")] = False,
    after: After = None,
    limit: Limit = 50,
) -> Response:
    """Activities, the soonest first."""
    tags = [f"area:{visit.context.areas.require(area).code}"] if area else []
    tags += [f"volunteer:{visit.actor.person}"] if mine else []
    where = {"status": status}
    found = await page(
        visit.context, ACTIVITY, where, "starts", after, limit, tags=tuple(tags) or ("all",), descending=False
    )
    return listed(*found)


@router.get("/{activity_id}", responses={200: {"model": Activity}})
async def get_activity(activity_id: Id, visit: Anybody) -> Response:
    """One activity; its organiser also sees who comes, and everyone their own place."""
    activity = await visit.context.require(ACTIVITY, activity_id)
    return shown(activity, body=_seen_by(visit, activity))


@router.post("/{activity_id}/join", responses={200: {"model": Joined}})
async def join(activity_id: Id, body: JoinInput, visit: Somebody) -> Joined:
    """Take a place, or the end of the waiting list."""
    person = _person(visit)
    activity = await visit.execute(ACTIVITY, activity_id, JoinActivity(**visit.given, person=person, role=body.role))
    return _joined(activity, person, await _overlapping(visit, activity))


@router.post("/{activity_id}/leave", responses={200: {"model": Activity}})
async def leave(activity_id: Id, visit: Somebody) -> Response:
    """Give the place up; the first one waiting gets it."""
    return await _do(visit, activity_id, LeaveActivity(**visit.given, person=_person(visit)))


@router.post("/{activity_id}/check-in", responses={200: {"model": Activity}})
async def check_in(activity_id: Id, visit: Somebody, body: PersonInput = PersonInput()) -> Response:
    """Somebody came: oneself, or said by the organiser."""
    return await _do(visit, activity_id, CheckIn(**visit.given, person=body.person or visit.actor.person))


@router.post("/{activity_id}/cancel", responses={200: {"model": Activity}})
async def cancel(activity_id: Id, visit: Somebody, body: CancelInput = CancelInput()) -> Response:
    """It does not take place; by the organiser."""
    return await _do(visit, activity_id, CancelActivity(**visit.given, reason=body.reason))


async def _do(visit: Visit, activity_id: str, wish: LeaveActivity | CheckIn | CancelActivity) -> Response:
    activity = await visit.execute(ACTIVITY, activity_id, wish)
    return shown(activity, body=_seen_by(visit, activity))


def _person(visit: Visit) -> str:
    if visit.actor.organisation is not None:
        raise Forbidden("A person joins, not an organisation: leave Act-For out.")
    return visit.actor.person


def _area(body: ActivityInput, areas: Areas) -> str | None:
    located = areas.locate(geo.Point(body.location.lon, body.location.lat))
    return areas.require(body.area).code if body.area else located.area


def _joined(activity: Activity, person: str, overlaps: list[str]) -> Joined:
    there = activity.volunteer(person)
    assert there is not None
    waiting = there.place == "waiting"
    position = activity.queue(there.role).index(person) + 1 if waiting else None
    return Joined(place=there.place, position=position, overlaps=overlaps)


async def _overlapping(visit: Visit, activity: Activity) -> list[str]:
    """The person's other planned activities at the same time; back to back is fine."""
    query = StoreQuery({"status": "planned"}, ((f"volunteer:{visit.actor.person}",),), limit=200, short=True)
    found = await visit.context.store.find(ACTIVITY.kind, query)
    others = [orjson.loads(each.document.state) for each in found if each.document.key != activity.id]
    assert activity.starts_at is not None
    assert activity.ends_at is not None
    return [
        other["id"]
        for other in others
        if datetime.fromisoformat(other["starts_at"]) < activity.ends_at
        and activity.starts_at < datetime.fromisoformat(other["ends_at"])
    ]


def _seen_by(visit: Visit, activity: Activity) -> bytes:
    public, actor = public_json(activity), visit.asking
    if actor is None:
        return public
    more: dict[str, object] = {}
    if there := activity.volunteer(actor.person):
        more["mine"] = _joined(activity, there.person, []).model_dump()
    if actor.party == activity.by:
        more["volunteers"] = [each.model_dump(mode="json") for each in activity.private.volunteers.values()]
    return public[:-1] + b"," + orjson.dumps(more)[1:] if more else public
