"""RFC 9457 problem documents: the one place where a refusal becomes an answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from shared.errors import Invalid, Problem

_log = logging.getLogger("gotong.http")
MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """One wrong value: where it is, and what is wrong."""

    field: str
    message: str


class ProblemDocument(BaseModel):
    """An RFC 9457 problem; `errors` names the wrong fields."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None


def problem_response(
    status: int,
    title: str,
    detail: str,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document as an answer."""
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, **(more or {})}
    return Response(orjson.dumps(document, default=str), status, dict(headers or {}), MEDIA_TYPE)


def speak_in_problems(app: FastAPI) -> None:
    """Have every error of an app answered as a problem document."""

    @app.exception_handler(Problem)
    async def _problem(_: Request, problem: Problem) -> Response:
        more = dict(problem.more)
        if isinstance(problem, Invalid):
            more["errors"] = [{"field": problem.field, "message": problem.detail}]
        headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}.get(problem.status)
        return problem_response(problem.status, problem.title, problem.detail, more, headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        errors = [{"field": _field(each["loc"]), "message": _clean(str(each["msg"]))} for each in error.errors()]
        detail = "; ".join(f"{each['field']}: {each['message']}" for each in errors[:5])
        return problem_response(422, Invalid.title, detail, {"errors": errors})

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        return problem_response(error.status_code, str(error.detail), str(error.detail), None, error.headers)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        _log.error("unexpected error at %s %s", request.method, request.url.path, exc_info=error)
        return problem_response(500, Problem.title, "This is our fault, and it has been noted.")


def _field(place: tuple[int | str, ...]) -> str:
    """`("body", "needs", 0, "quantity")` as `needs.0.quantity`."""
    inner = place[1:] if place and place[0] in ("body", "query", "path", "header") else place
    if place[:1] == ("body",) and len(place) == 2 and isinstance(place[1], int):
        return "body"  # not JSON: the number is a position in the text
    return ".".join(str(part) for part in inner) or str(place[0] if place else "body")


def _clean(message: str) -> str:
    return message.removeprefix("Value error, ").encode("utf-8", "replace").decode()


_TITLES: dict[int | str, str] = {
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    409: "Not possible now",
    412: "Changed meanwhile",
    422: "Invalid input",
    503: "Not available now",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": title, "content": {MEDIA_TYPE: {"schema": ProblemDocument.model_json_schema()}}}
    for status, title in _TITLES.items()
}
