"""Where a service keeps its documents, their history and the events not yet published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from shared.errors import Problem
from shared.events import Envelope


class Conflict(Exception):
    """Somebody else saved the document first."""


class Unavailable(Problem):
    """The store cannot be reached or cannot write now; nothing was changed."""

    status = 503
    title = "Not available now"


@dataclass(slots=True)
class Document:
    """A state and how to find it. `state` is JSON that lists may show as it is; `private` is JSON that they may not."""

    kind: str
    key: str
    version: int
    state: bytes
    private: bytes | None = None
    index: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in a history, with the private part that is never published. `position` is the store's own order."""

    envelope: Envelope
    private: bytes | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class Between:
    """At least `low` and at most `high`; None is open."""

    low: Any = None
    high: Any = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """Text that begins with this."""

    text: str


Condition = str | int | float | None | tuple[Any, ...] | Between | Prefix


@dataclass(frozen=True, slots=True)
class Query:
    """What to find: `where` on columns (a value; a tuple: any of them; Between; Prefix), `has` on tags
    (every group must hit: any tag of it), in the order of one column (None: the tags' column where tags are
    asked for, else the key), after a position, at most `limit`. `short` promises that an index leads straight to few
    documents: such a query may be answered on the spot.
    """

    where: Mapping[str, Condition] = field(default_factory=dict)
    has: tuple[tuple[str, ...], ...] = ()
    order: str | None = None
    descending: bool = False
    after: tuple[Any, Any] | None = None
    limit: int = 50
    short: bool = False


class Found(NamedTuple):
    """One document found, and the position from which the next ones follow: its order value, and what the store
    tells equal ones apart by (ordered by key, nothing needs to). A position is good also when its document is gone.
    """

    document: Document
    position: tuple[Any, Any]


class Store(Protocol):
    """One service's store. Every write is durable when its call returns; all raise Unavailable when that cannot be."""

    async def load(self, kind: str, key: str) -> Document | None:
        """The document, or None."""

    async def save(self, document: Document, expected: int, entries: Sequence[Entry] = ()) -> None:
        """Write a document and its new events at once, if its stored version is `expected` (0: none); else Conflict."""

    async def put(self, documents: Sequence[Document]) -> None:
        """Write views: each only if none of the same or a newer version is there."""

    async def delete(self, kind: str, keys: Sequence[str]) -> None:
        """Remove documents; their history stays."""

    async def find(self, kind: str, query: Query) -> list[Found]:
        """Documents by their declared columns and tags."""

    async def history(self, subject: str, after: int = 0, limit: int = 10_000) -> list[Entry]:
        """The events of one aggregate, those with a sequence above `after`, in order."""

    async def pending(self, limit: int = 500) -> list[Entry]:
        """Events not yet published, in order per subject."""

    async def published(self, entries: Sequence[Entry]) -> None:
        """Mark what `pending` gave, and the bus has, as published."""

    async def backlog(self) -> int:
        """How many events wait to be published."""

    async def close(self) -> None:
        """Finish what is being written and let go."""
