"""What a service declares, and nothing else: its doors, aggregates, reactions and timers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter

from shared.decider import Collection, Decider
from shared.events import Envelope, Event
from shared.runtime import Context, Reaction

Follower = Callable[[Context, Sequence[Envelope]], Awaitable[None]]


@dataclass(frozen=True)
class Service:
    """The table of contents of one service.

    `subscribers` maps an event type to the reactions it has here; `follows` maps a topic to a function that takes
    whole batches; `timed` are the deciders that want to hear when their `due_at` (epoch seconds) has passed;
    `startup` sets up the context's `parts`, `stopping` ends what would keep the process from stopping.
    """

    name: str
    routers: Sequence[APIRouter]
    deciders: Sequence[Decider[Any]] = ()
    views: Sequence[Collection] = ()
    subscribers: Mapping[type[Event], Sequence[Reaction]] = field(default_factory=dict)
    follows: Mapping[str, Follower] = field(default_factory=dict)
    timed: Sequence[Decider[Any]] = ()
    startup: Callable[[Context], Awaitable[None]] | None = None
    stopping: Callable[[Context], None] | None = None
