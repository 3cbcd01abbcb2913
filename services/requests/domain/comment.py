"""A comment: something said about a request, a small document of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from shared.contracts.requests import CommentAdded, OpeningKept
from shared.decider import Collection, Command, Decider, Index, State
from shared.events import SYSTEM, Event, Party
from shared.idempotency import same_or_other_body
from shared.text import Input, Note, visible


class CommentInput(Input):
    """What is said."""

    text: Annotated[Note, StringConstraints(min_length=1), AfterValidator(visible)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddComment(Command):
    """Say something about a request."""

    request_id: str
    text: str
    fingerprint: str


class CommentKept(BaseModel):
    """What tells a repeated call from another one."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str | None = None


class Comment(State):
    """Something said about a request."""

    request_id: str = ""
    text: str = ""
    by: Party = SYSTEM
    added_at: datetime | None = None
    private: Annotated[SkipJsonSchema[CommentKept], Field(exclude=True)] = CommentKept()


def decide(wish: Any, state: Comment) -> Sequence[Event]:
    """Added once."""
    match wish:
        case AddComment():
            if state.exists:
                # The request is in the path, not in the body.
                known = state.private.fingerprint if state.request_id == wish.request_id else None
                return same_or_other_body(known, wish.fingerprint)
            kept = OpeningKept(fingerprint=wish.fingerprint)
            said = CommentAdded(at=wish.at, request_id=wish.request_id, text=wish.text, by=wish.by, private=kept)
            return [said]
    raise TypeError(f"a comment takes no {type(wish).__name__}")


def evolve(state: Comment, happened: CommentAdded) -> Comment:
    """One event later."""
    kept = CommentKept(fingerprint=happened.private and happened.private.fingerprint)
    return state.model_copy(
        update={
            "request_id": happened.request_id,
            "text": happened.text,
            "by": happened.by,
            "added_at": happened.at,
            "private": kept,
        }
    )


def index(state: Comment) -> Index:
    """By request, oldest first."""
    return {"request_id": state.request_id, "added": state.added_at and int(state.added_at.timestamp() * 1000)}


COMMENT: Decider[Comment] = Decider(
    collection=Collection("comment", ("request_id", "added"), (("request_id", "added"),)),
    state=Comment,
    decide=decide,
    evolve=evolve,
    events=(CommentAdded,),
    index=index,
)
