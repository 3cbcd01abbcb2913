"""The doors of requests: asking, looking, supporting, resolving, and the requester's side of contributions."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import StringConstraints

from services.requests.asking import asked_filters
from services.requests.domain import REQUEST
from services.requests.domain import commands as command
from services.requests.domain.comment import COMMENT, AddComment, CommentInput
from services.requests.domain.state import Request
from services.requests.doors import Anybody, Somebody
from services.requests.placing import placing
from services.requests.views import Filters, comments_page, history_page, requests_page, seen_by, similar
from shared.decider import Command
from shared.http import Door, Visit, listed, shown
from shared.problems import RESPONSES
from shared.text import Id, Input, Note, Title

router = APIRouter(prefix="/api/requests", tags=["requests"], route_class=Door, responses=RESPONSES)

After = Annotated[str | None, Query(max_length=500, description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]


class NoteInput(Input):
    """A few words."""

    note: Note = ""


class ResolutionInput(Input):
    """What was done, and perhaps where a photo of it is."""

    note: Title
    photo: Annotated[str, StringConstraints(max_length=500, pattern=r"^https://[!-~]+$")] | None = None


class ReasonInput(Input):
    """Why."""

    reason: Title


class DuplicateInput(Input):
    """Of which request."""

    duplicate_of: Id


@router.post("", status_code=201, responses={201: {"model": Request}})
async def open_request(body: command.RequestInput, visit: Somebody) -> Response:
    """Ask for help, report a problem or apply for something. `similar` are open requests that may be the same."""
    where = placing(body, visit.context.areas)

    def opening(**given: object) -> command.OpenRequest:
        return command.OpenRequest(
            **given,  # type: ignore[arg-type]
            asked=body,
            shown=where.shown,
            place=where.place,
            area=where.area,
            area_source=where.area_source,
        )

    request = await visit.create(REQUEST, body, opening)
    near = orjson.dumps({"similar": await similar(visit.context, request) if request.place == "exact" else []})
    seen = seen_by(visit.actor, request)[:-1] + b"," + near[1:]
    return shown(request, 201, location=f"/api/requests/{request.id}", body=seen)


@router.get("")
async def list_requests(
    visit: Anybody, filters: Annotated[Filters, asked_filters], after: After = None, limit: Limit = 50
) -> Response:
    """Requests, newest, nearest or due first."""
    items, following = await requests_page(visit.context, filters, after, limit)
    return listed(items, following)


@router.get("/{request_id}", responses={200: {"model": Request}})
async def get_request(request_id: Id, visit: Anybody) -> Response:
    """One request; its parties also see the exact place."""
    request = await visit.context.require(REQUEST, request_id)
    return shown(request, body=seen_by(visit.asking, request))


@router.get("/{request_id}/history")
async def get_history(request_id: Id, visit: Anybody, after: After = None, limit: Limit = 50) -> Response:
    """What happened to a request: its public events, oldest first."""
    return listed(*await history_page(visit.context, request_id, after, limit))


@router.get("/{request_id}/similar")
async def get_similar(request_id: Id, visit: Anybody) -> dict[str, list[dict[str, object]]]:
    """Open requests of the same category within 250 m and 48 h, nearest first."""
    return {"items": await similar(visit.context, await visit.context.require(REQUEST, request_id))}


@router.get("/{request_id}/comments")
async def list_comments(request_id: Id, visit: Anybody, after: After = None, limit: Limit = 50) -> Response:
    """What was said about a request, oldest first."""
    return listed(*await comments_page(visit.context, request_id, after, limit))


@router.post("/{request_id}/comments", status_code=201)
async def add_comment(request_id: Id, body: CommentInput, visit: Somebody) -> Response:
    """Say something about a request."""
    await visit.context.require(REQUEST, request_id)

    def adding(**given: object) -> AddComment:
        return AddComment(**given, request_id=request_id, text=body.text)  # type: ignore[arg-type]

    comment = await visit.create(COMMENT, body, adding)
    return shown(comment, 201)


@router.post("/{request_id}/support", responses={200: {"model": Request}})
async def support(request_id: Id, visit: Somebody) -> Response:
    """I have this too; once per actor."""
    return await _do(visit, request_id, command.GiveSupport(**visit.given))


@router.post("/{request_id}/progress", responses={200: {"model": Request}})
async def progress(request_id: Id, visit: Somebody, body: NoteInput = NoteInput()) -> Response:
    """Work has begun, or goes on."""
    return await _do(visit, request_id, command.ReportProgress(**visit.given, note=body.note))


@router.post("/{request_id}/resolve", responses={200: {"model": Request}})
async def resolve(request_id: Id, body: ResolutionInput, visit: Somebody) -> Response:
    """Claim that it is solved; the author or two supporters answer within seven days."""
    return await _do(visit, request_id, command.ClaimResolution(**visit.given, note=body.note, photo=body.photo))


@router.post("/{request_id}/confirm", responses={200: {"model": Request}})
async def confirm(request_id: Id, visit: Somebody) -> Response:
    """Yes, it is solved."""
    return await _do(visit, request_id, command.ConfirmResolution(**visit.given))


@router.post("/{request_id}/dispute", responses={200: {"model": Request}})
async def dispute(request_id: Id, visit: Somebody, body: NoteInput = NoteInput()) -> Response:
    """No, it is not."""
    return await _do(visit, request_id, command.DisputeResolution(**visit.given, note=body.note))


@router.post("/{request_id}/cancel", responses={200: {"model": Request}})
async def cancel(request_id: Id, visit: Somebody, body: NoteInput = NoteInput()) -> Response:
    """Not needed any more; by the author."""
    return await _do(visit, request_id, command.CancelRequest(**visit.given, reason=body.note))


@router.post("/{request_id}/reject", responses={200: {"model": Request}})
async def reject(request_id: Id, body: ReasonInput, visit: Somebody) -> Response:
    """Not something that can be done; by an agency."""
    return await _do(visit, request_id, command.RejectRequest(**visit.given, reason=body.reason))


@router.post("/{request_id}/duplicate", responses={200: {"model": Request}})
async def duplicate(request_id: Id, body: DuplicateInput, visit: Somebody) -> Response:
    """The same as another request; its supporters follow there."""
    await visit.context.require(REQUEST, body.duplicate_of)
    return await _do(visit, request_id, command.MarkDuplicate(**visit.given, original=body.duplicate_of))


@router.post("/{request_id}/contributions/{contribution_id}/approve", responses={200: {"model": Request}})
async def approve(request_id: Id, contribution_id: Id, visit: Somebody) -> Response:
    """Take a proposed contribution; by the author."""
    return await _do(visit, request_id, command.ApproveContribution(**visit.given, contribution_id=contribution_id))


@router.post("/{request_id}/contributions/{contribution_id}/decline", responses={200: {"model": Request}})
async def decline(request_id: Id, contribution_id: Id, visit: Somebody, body: NoteInput = NoteInput()) -> Response:
    """Do not take it; by the author."""
    wish = command.DeclineContribution(**visit.given, contribution_id=contribution_id, reason=body.note)
    return await _do(visit, request_id, wish)


@router.post("/{request_id}/contributions/{contribution_id}/receive", responses={200: {"model": Request}})
async def receive(request_id: Id, contribution_id: Id, visit: Somebody) -> Response:
    """It has arrived; by the author."""
    return await _do(visit, request_id, command.ReceiveContribution(**visit.given, contribution_id=contribution_id))


async def _do(visit: Visit, request_id: str, wish: Command) -> Response:
    request = await visit.execute(REQUEST, request_id, wish)
    return shown(request, body=seen_by(visit.asking, request))
