"""What one record of a file becomes: a row that can be imported, or a refusal that a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One report as the file tells it.

    `line` counts from 1, as an editor shows it, and is where the record starts. `key` is the same whenever the same
    file is read: the id column's value, else a SHA-256 of the content. `title` has 1 to 140 characters, `body` 0 to
    4,000. `location` is (longitude, latitude) in degrees, WGS 84. `opened_at` is UTC. `area` is a code as written.
    """

    line: int
    key: str
    title: str
    body: str
    category: str
    location: tuple[float, float] | None
    opened_at: datetime
    area: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that is not imported: the line where it starts, and why, in a sentence with the column and its value."""

    line: int
    reason: str


class Unreadable(Exception):
    """A value or record that cannot be read without guessing; becomes the `Refusal` of its line."""


def shown(value: str) -> str:
    """Return the value as a message may hold it: quoted, one line, at most 60 characters, safe to print."""
    return repr(value if len(value) <= 60 else value[:59] + "…")
