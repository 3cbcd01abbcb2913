"""Keyset cursors: where a list goes on, bound to the question that was asked."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from shared.decider import fingerprint
from shared.errors import Invalid

_LARGEST = 2**63 - 1


def cursor(position: Any, question: Any) -> str:
    """An opaque text for a position (a value, or several) in the answer to a question."""
    return base64.urlsafe_b64encode(orjson.dumps([position, fingerprint(question)[:8]])).rstrip(b"=").decode()


def position(text: str | None, question: Any, *kinds: type, field: str = "after") -> Any:
    """The position in a cursor, a tuple of values of these kinds; None where there is no cursor.

    `float` is any number; `object` any number or text, as the stores tell documents of one order value apart.
    Invalid(field) for what is no cursor, or belongs to another question.
    """
    if text is None:
        return None
    try:
        found, asked = orjson.loads(base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error) as error:
        raise Invalid(field, "This is not a cursor from one of our lists.") from error
    if asked != fingerprint(question)[:8]:
        raise Invalid(field, "This cursor belongs to a list with other filters; begin again without it.")
    parts = tuple(found) if isinstance(found, list) else (found,)
    if len(parts) != len(kinds) or not all(map(_fits, parts, kinds)):
        raise Invalid(field, "This is not a cursor from one of our lists.")
    return parts


def _fits(part: Any, kind: type) -> bool:
    if kind is object:
        return type(part) is str or _fits(part, float)
    if kind is float:
        return type(part) is float or _fits(part, int)
    if kind is int:
        return type(part) is int and -_LARGEST <= part <= _LARGEST
    return type(part) is kind
