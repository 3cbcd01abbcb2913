"""The request aggregate: which command leads where, and how requests can be found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from services.requests.domain import commands as command
from services.requests.domain import contributing, lifecycle
from services.requests.domain.state import Request, evolve
from shared.contracts.requests import REQUEST_EVENTS
from shared.decider import Collection, Decider, Index, PassTime
from shared.errors import NotFound
from shared.events import Event
from shared.geo import Point, cells

_WORD = re.compile(r"\w{2,40}")
_MOST_WORDS = 40
# What other services' events and the clock say may be said of a request that is not there; it changes nothing.
_OF_ANY = (
    command.OpenRequest,
    command.ReserveNeed,
    command.DeliverContribution,
    command.ReleaseContribution,
    PassTime,
)


def decide(wish: Any, state: Request) -> Sequence[Event]:
    """The events that a command leads to."""
    if not state.exists and not isinstance(wish, _OF_ANY):
        raise NotFound(f"There is no request {state.id}.")
    return lifecycle.decide(wish, state) if isinstance(wish, lifecycle.COMMANDS) else contributing.decide(wish, state)


def index(state: Request) -> Index:
    """By author, status, due time; by area, cell, kind, category and word through tags, newest first by `opened`."""
    if not state.exists:
        return {}
    return {
        "opened": None if state.opened_at is None else int(state.opened_at.timestamp() * 1000),
        "status": state.status,
        "kind": state.kind,
        "category": state.category,
        "author": state.author.id,
        "due_at": _due(state),
        "lon": state.location and state.location.lon,
        "lat": state.location and state.location.lat,
        "tags": sorted(_tags(state)),
    }


def words(text: str) -> list[str]:
    """The words by which a text is found."""
    return list(dict.fromkeys(word.casefold() for word in _WORD.findall(text)))


def _tags(state: Request) -> set[str]:
    tags = {f"status:{state.status}", f"category:{state.category}"}
    if state.area:
        tags |= {f"area:{state.area[:end]}:{state.status}" for end in (2, 5, 8, 13) if len(state.area) >= end}
    if state.location:
        tags |= {f"cell:{cell}" for cell in cells(Point(state.location.lon, state.location.lat))}
    tags |= {f"word:{word}" for word in words(f"{state.title} {state.body}")[:_MOST_WORDS]}
    return tags


def _due(state: Request) -> float | None:
    if state.status == "resolved" and state.resolution is not None:
        return state.resolution.confirm_by.timestamp()
    if state.live and state.expires_at is not None:
        return state.expires_at.timestamp()
    return None


def about(state: Request) -> dict[str, str]:
    """The envelope's area and category."""
    given = {"area": state.area, "category": state.category}
    return {name: value for name, value in given.items() if value}


REQUEST: Decider[Request] = Decider(
    collection=Collection(
        "request",
        ("opened", "status", "kind", "category", "author", "due_at", "lon", "lat"),
        (("author", "opened"), ("due_at",)),
        ordered_by="opened",
    ),
    state=Request,
    decide=decide,
    evolve=evolve,
    events=REQUEST_EVENTS,
    index=index,
    about=about,
)
