"""What a request is, and how each event changes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, computed_field
from pydantic.json_schema import SkipJsonSchema

from shared.contracts import requests as event
from shared.contracts.requests import Approval, AreaSource, ContributionSource, Outcome, RequestKind
from shared.decider import State
from shared.events import SYSTEM, Party
from shared.text import Location, Unit

Status = Literal["absent", "open", "in_progress", "resolved", "disputed", "closed"]
STATUSES = tuple(status for status in get_args(Status) if status != "absent")
ContributionStatus = Literal["proposed", "reserved", "delivered", "received", "released"]

FROZEN = ConfigDict(frozen=True)


class Need(BaseModel):
    """One quantified line. At every moment reserved + delivered + received <= quantity."""

    model_config = FROZEN

    id: str
    label: str
    unit: Unit
    quantity: int
    approval: Approval
    reserved: int = 0
    delivered: int = 0
    received: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def missing(self) -> int:
        """What nobody has promised yet."""
        return self.quantity - self.reserved - self.delivered - self.received


class Contribution(BaseModel):
    """A quantity on a need; its id is that of its pledge or sponsorship."""

    model_config = FROZEN

    id: str
    need_id: str
    quantity: int
    status: ContributionStatus
    source: ContributionSource
    by: Party


def _by_id(given: Any) -> Any:
    return {each["id"]: each for each in given} if isinstance(given, list) else given


# A list in JSON; by id here, since a request may have thousands and each step looks for one.
Contributions = Annotated[
    dict[str, Contribution],
    BeforeValidator(_by_id),
    PlainSerializer(lambda those: list(those.values()), return_type=list[Contribution]),
]


class Resolution(BaseModel):
    """A claim that it is solved, open to confirmation until `confirm_by`."""

    model_config = FROZEN

    by: Party
    note: str
    photo: str | None
    at: datetime
    confirm_by: datetime


class Kept(BaseModel):
    """What lists and events do not show: the exact place, who supports, who was refused, who seconded."""

    model_config = FROZEN

    fingerprint: str | None = None
    exact: Location | None = None
    on_behalf_of: str | None = None
    supporters: tuple[Party, ...] = ()
    # Remembered so that a repeated or late ReserveNeed gets no second answer.
    refused: frozenset[str] = frozenset()
    seconds: dict[str, bool] = Field(default_factory=dict)


class Request(State):
    """A request as anybody may read it; the rest is in `private`."""

    status: Status = "absent"
    outcome: Outcome | None = None
    reason: str = ""
    kind: RequestKind = "help"
    title: str = ""
    body: str = ""
    category: str = ""
    area: str | None = None
    area_source: AreaSource | None = None
    location: Location | None = None
    place: Literal["exact", "blurred"] = "blurred"
    needs: tuple[Need, ...] = ()
    contributions: Contributions = Field(default_factory=dict)
    author: Party = SYSTEM
    opened_at: datetime | None = None
    changed_at: datetime | None = None
    closed_at: datetime | None = None
    expires_at: datetime | None = None
    supporters: int = 0
    resolution: Resolution | None = None
    duplicate_of: str | None = None
    private: Annotated[SkipJsonSchema[Kept], Field(exclude=True)] = Kept()

    @property
    def exists(self) -> bool:
        return self.status != "absent"

    @property
    def live(self) -> bool:
        """Still asking for something to happen."""
        return self.status in ("open", "in_progress", "disputed")

    def need(self, need_id: str) -> Need | None:
        """The need with this id."""
        return next((need for need in self.needs if need.id == need_id), None)

    def contribution(self, contribution_id: str) -> Contribution | None:
        """The contribution with this id."""
        return self.contributions.get(contribution_id)


def evolve(state: Request, happened: Any) -> Request:
    """One event later."""
    return _evolve(state, happened).model_copy(update={"changed_at": happened.at})


def _evolve(state: Request, happened: Any) -> Request:
    match happened:
        case event.RequestOpened():
            return _opened(state, happened)
        case event.RequestSupported():
            kept = _keep(state, supporters=(*state.private.supporters, happened.by))
            return _with(state, supporters=happened.supporters, private=kept)
        case event.RequestProgressed():
            return _with(state, status="in_progress", resolution=None)
        case event.RequestResolved():
            said = Resolution(
                by=happened.by, note=happened.note, photo=happened.photo, at=happened.at, confirm_by=happened.confirm_by
            )
            return _with(state, status="resolved", resolution=said, private=_keep(state, seconds={}))
        case event.ResolutionSeconded():
            seconds = {**state.private.seconds, happened.by.id: happened.agrees}
            return _with(state, private=_keep(state, seconds=seconds))
        case event.RequestDisputed():
            return _with(state, status="disputed")
        case event.RequestClosed():
            return _with(
                state,
                status="closed",
                outcome=happened.outcome,
                reason=happened.reason,
                duplicate_of=happened.duplicate_of,
                closed_at=happened.at,
            )
        case event.ContributionRefused():
            return _with(state, private=_keep(state, refused=state.private.refused | {happened.contribution_id}))
        case _:
            return _contribution_moved(state, happened)


def _opened(state: Request, happened: event.RequestOpened) -> Request:
    kept = happened.private
    private = {} if kept is None else kept.model_dump(exclude={"exact"}) | {"exact": kept.exact}
    return _with(
        state,
        status="open",
        kind=happened.kind,
        title=happened.title,
        body=happened.body,
        category=happened.category,
        area=happened.area,
        area_source=happened.area_source,
        location=happened.location,
        place=happened.place,
        needs=tuple(Need(**each.model_dump()) for each in happened.needs),
        author=happened.author,
        opened_at=happened.at,
        expires_at=happened.expires_at,
        private=_keep(state, **private),
    )


_MOVES: dict[type, ContributionStatus] = {
    event.ContributionProposed: "proposed",
    event.ContributionReserved: "reserved",
    event.ContributionDelivered: "delivered",
    event.ContributionReceived: "received",
    event.ContributionReleased: "released",
}
_COUNTED = ("reserved", "delivered", "received")


def _contribution_moved(state: Request, happened: Any) -> Request:
    """A contribution enters a status and leaves its former one; the need counts along."""
    status = _MOVES[type(happened)]
    before = state.contribution(happened.contribution_id)
    moved = Contribution(
        id=happened.contribution_id,
        need_id=happened.need_id,
        quantity=happened.quantity,
        status=status,
        source=happened.source,
        by=happened.by,
    )
    needs = tuple(
        _counted(need, before.status if before else None, status, moved.quantity) if need.id == moved.need_id else need
        for need in state.needs
    )
    return _with(
        state,
        contributions={**state.contributions, moved.id: moved},
        needs=needs,
        status="in_progress" if status == "reserved" and state.status == "open" else state.status,
    )


def _counted(need: Need, before: str | None, after: str, quantity: int) -> Need:
    change = {name: getattr(need, name) for name in _COUNTED}
    if before in change:
        change[before] -= quantity
    if after in change:
        change[after] += quantity
    return need.model_copy(update=change)


def _with(state: Request, **changes: Any) -> Request:
    return state.model_copy(update=changes)


def _keep(state: Request, **changes: Any) -> Kept:
    return state.private.model_copy(update=changes)
