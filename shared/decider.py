"""Deciders: what may happen (`decide`) and what it changes (`evolve`), both pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict

from shared.events import Event, Party, Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A wish to change an aggregate: whose, when it came (UTC), and for which version only (If-Match), if for one."""

    by: Party
    at: datetime
    expected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTime(Command):
    """Tells an aggregate what time it is, so that it does what has become due."""


class State(BaseModel):
    """What an aggregate has become. Its JSON is what anybody may read; `private`, where there is one, is kept apart."""

    model_config = ConfigDict(frozen=True)

    id: str
    version: int = 0

    @property
    def exists(self) -> bool:
        """False for the initial state of something that was never made."""
        return self.version > 0


S = TypeVar("S", bound=State)
Index = dict[str, Any]


@dataclass(frozen=True)
class Collection:
    """How documents of one kind can be found.

    `columns` are single values (text, number or None); `indexes` name columns, the last of each gives the order;
    `tags` is one set of words per document, ordered by the column `ordered_by` (an integer).
    """

    kind: str
    columns: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    ordered_by: str | None = None


@dataclass(frozen=True)
class Decider(Generic[S]):
    """An aggregate's behaviour and how it is kept.

    `decide(command, state)` answers the events, none where the command is already true, or raises a Problem.
    `index(state)` gives values for the collection's columns and `tags`; `about(state)` the events' area and category.
    """

    collection: Collection
    state: type[S]
    decide: Callable[[Any, S], Sequence[Event]]
    evolve: Callable[[S, Any], S]
    events: tuple[type[Event], ...]
    index: Callable[[S], Index] = field(default=lambda _: {})
    about: Callable[[S], dict[str, str]] = field(default=lambda _: {})

    @property
    def kind(self) -> str:
        """The aggregate's name, one word."""
        return self.collection.kind

    @cached_property
    def _blank(self) -> S:
        return self.state(id="")

    def initial(self, key: str) -> S:
        """The state before anything happened."""
        return self._blank.model_copy(update={"id": key})

    def step(self, state: S, event: Event) -> S:
        """One event later; the version counts the events."""
        return self.evolve(state, event).model_copy(update={"version": state.version + 1})

    def fold(self, key: str, events: Iterable[Event]) -> S:
        """The state that a history leads to."""
        state = self.initial(key)
        for event in events:
            state = self.step(state, event)
        return state

    def parse(self, state: bytes, private: bytes | None) -> S:
        """A state from its two stored parts."""
        if private is not None:
            state = b'{"private":' + private + b"," + state[1:]
        return self.state.model_validate_json(state)

    def vocabulary(self) -> Vocabulary:
        """The events of this aggregate, for reading its history."""
        return Vocabulary(self.events)


def public_json(model: BaseModel) -> bytes:
    """What anybody may read of a state or an event."""
    # The serializer itself: model_dump_json would build a str first.
    return model.__pydantic_serializer__.to_json(model)


def private_json(model: BaseModel) -> bytes | None:
    """What is kept apart of a state or an event: its field `private`, where it has one."""
    private: BaseModel | None = getattr(model, "private", None)
    return None if private is None else public_json(private)


def fingerprint(value: Any) -> str:
    """Equal inputs, equal text: tells a repeated command from another one under the same key."""

    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
