"""The API reference, served wholly from this host, and the README."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request, Response

from services.web.language import choose
from services.web.rendering import STRICT, render
from shared.errors import NotFound
from shared.http import Building

router = APIRouter(include_in_schema=False)

README = Path(__file__).parents[2] / "README.md"

# Swagger UI keeps its icons in its style sheet, and sets style attributes as it draws.
_POLICY = STRICT.replace("img-src 'self'", "img-src 'self' data:").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Every call of the API, to read and to try."""
    building: Building = request.app.state.building
    words = choose(request, building.settings.language)
    return render(request, "docs.html", words, _POLICY, document=request.app.openapi_url)


@router.get("/readme")
async def readme() -> Response:
    """The README as it is, where it came along with the code."""
    if not README.is_file():
        raise NotFound("There is no README here.")
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
    return Response(README.read_bytes(), headers=headers, media_type="text/plain; charset=utf-8")
