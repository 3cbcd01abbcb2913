"""Ids: new ones sort by time (UUID version 7), derived ones follow from what they name (version 5)."""

from __future__ import annotations

import re
import uuid

import uuid_utils

_NAMES = uuid.UUID("6f1d6c52-58c5-4b0e-9d0b-3f0f6f2f7a11")
_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_id(text: str) -> bool:
    """Whether a text could be one of our ids."""
    return _FORM.fullmatch(text) is not None


def new_id() -> str:
    """A fresh id; later ones sort after earlier ones."""
    return str(uuid_utils.uuid7())


def derived_id(*parts: str) -> str:
    """The same parts give the same id, so a repeated step finds its own work done."""
    return str(uuid.uuid5(_NAMES, "\x1f".join(parts)))
