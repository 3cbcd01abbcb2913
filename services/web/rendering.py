"""Turns templates into answers: escaped, told which language they are in, and kept from loading anything foreign."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.web import assets
from services.web.language import LANGUAGES, Words

STRICT = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""The Content-Security-Policy of our own pages: nothing inline, nothing from elsewhere."""

_SMALL = 1_000

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals |= {"static": assets.address, "languages": LANGUAGES}


def render(request: Request, template: str, words: Words, policy: str = STRICT, **values: Any) -> Response:
    """A page, or a part of one, as HTML."""
    body = _templates.get_template(template).render(t=words, **values).encode("utf-8", "replace")
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Language": words.language,
        "Content-Security-Policy": policy,
        "Permissions-Policy": "geolocation=(self), camera=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Vary": "Accept-Encoding, Accept-Language, Cookie",
        "X-Content-Type-Options": "nosniff",
    }
    if len(body) > _SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type="text/html")
