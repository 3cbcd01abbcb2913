"""Keyset cursors: where a list goes on, bound to the question that was asked."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from shared.decider import fingerprint
from shared.errors import Invalid


def cursor(position: Any, question: Any) -> str:
    """An opaque text for a position in the answer to a question."""
    return base64.urlsafe_b64encode(orjson.dumps([position, fingerprint(question)[:8]])).rstrip(b"=").decode()


def position(text: str | None, question: Any, field: str = "after") -> Any:
    """The position in a cursor; Invalid if it is none, or belongs to another question."""
    if text is None:
        return None
    try:
        found, asked = orjson.loads(base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error) as error:
        raise Invalid(field, "This is not a cursor from one of our lists.") from error
    if asked != fingerprint(question)[:8]:
        raise Invalid(field, "This cursor belongs to a list with other filters; begin again without it.")
    return found
