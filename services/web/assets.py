"""The page's own files and those of the API reference, from this host only, to be kept by browsers for good."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import lru_cache
from importlib import metadata, resources
from pathlib import Path

from fastapi import APIRouter, Request, Response

from services.web.language import WORDS
from shared.errors import NotFound

router = APIRouter(include_in_schema=False)

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".json": "application/json"}
_SPOKEN = (
    "ago.now",
    "event",
    "events",
    "filter.near",
    "in.now",
    "needed.failed",
    "needed.new",
    "needed.shown",
    "number",
    "unit",
    "who",
)
"""The words that the page's script says by itself; all others come with the page."""

_OWN = {path.name: path for path in sorted((Path(__file__).parent / "static").iterdir())}
_REFERENCE = {
    name: resources.files("fastapi_offline") / "static" / name for name in ("swagger-ui.css", "swagger-ui-bundle.js")
}


def _words(language: str) -> bytes:
    texts = WORDS[language].texts
    spoken = {key: text for key, text in texts.items() if any(f"{key}.".startswith(f"{part}.") for part in _SPOKEN)}
    return json.dumps(spoken, ensure_ascii=False, separators=(",", ":")).encode()


@lru_cache(maxsize=64)
def content(name: str) -> bytes:
    """What a file holds; NotFound where there is none of this name."""
    if name in _OWN:
        return _OWN[name].read_bytes()
    if name in _REFERENCE:
        return _REFERENCE[name].read_bytes()
    language = name.removeprefix("words-").removesuffix(".json")
    if name == f"words-{language}.json" and language in WORDS:
        return _words(language)
    raise NotFound(f"There is no file {name[:80]!r}.")


@lru_cache(maxsize=64)
def _packed(name: str) -> bytes:
    return gzip.compress(content(name), 6, mtime=0)


def _version() -> str:
    names = [*_OWN, *(f"words-{language}.json" for language in sorted(WORDS))]
    parts = [metadata.version("fastapi-offline").encode(), *(content(name) for name in names)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


VERSION = _version()
"""Changes with any of the files. It is a folder in their addresses, so that modules find each other by plain names."""


def address(name: str) -> str:
    """Where a file is found, until it changes."""
    return f"/static/{VERSION}/{name}"


@router.get("/static/{version}/{name}")
def static(request: Request, version: str, name: str) -> Response:
    """A file. One that is asked for by another version is given, as while instances change, but not to be kept."""
    packed = "gzip" in request.headers.get("accept-encoding", "")
    body = _packed(name) if packed else content(name)
    kept = "public, max-age=31536000, immutable" if version == VERSION else "no-store"
    headers = {"Cache-Control": kept, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type=_TYPES[Path(name).suffix])
