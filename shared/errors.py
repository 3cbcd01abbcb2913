"""The four ways in which the city says no, and nothing else; `shared.http` renders them as RFC 9457 problems."""

from __future__ import annotations

from typing import Any


class Problem(Exception):
    """A refusal that a person can read.

    `detail` is one sentence; `more` are extension members of the problem document, such as `missing`.
    """

    status = 500
    title = "Something went wrong"

    def __init__(self, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.more = more


class Rejected(Problem):
    """The command is understood, but not possible in the present state."""

    status = 409
    title = "Not possible now"


class NotFound(Problem):
    """There is no such thing, or the actor may not know of it."""

    status = 404
    title = "Not found"


class Forbidden(Problem):
    """The actor is known and may not do this."""

    status = 403
    title = "Not allowed"


class Invalid(Problem):
    """The command itself is wrong. `field` is the path of the wrong value, such as `needs.0.quantity`."""

    status = 422
    title = "Invalid input"

    def __init__(self, field: str, detail: str, **more: Any) -> None:
        super().__init__(detail, **more)
        self.field = field


class Stale(Problem):
    """The command was meant for an older version (If-Match)."""

    status = 412
    title = "Changed meanwhile"
