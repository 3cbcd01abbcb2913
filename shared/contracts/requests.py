"""What the service `requests` publishes. The subject is the request's id (a comment's own id for comments)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from shared.events import Event, Party, Visibility
from shared.text import Location, Unit

RequestKind = Literal["help", "report", "application"]
Approval = Literal["automatic", "by_requester"]
AreaSource = Literal["given", "boundary", "nearest", "outside"]
Outcome = Literal["confirmed", "unconfirmed", "cancelled", "rejected", "duplicate", "expired", "fulfilled"]
ContributionSource = Literal["pledge", "sponsorship"]


class NeedAsked(BaseModel):
    """One quantified line of a request. With `by_requester`, contributions wait for the requester's approval."""

    model_config = ConfigDict(frozen=True)

    id: str
    label: str
    unit: Unit
    quantity: int
    approval: Approval


class OpeningKept(BaseModel):
    """What only the parties may know of an opened request."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    exact: Location | None = None
    on_behalf_of: str | None = None


class RequestOpened(Event):
    """Somebody asks for help, reports a problem or applies for something.

    `location` is blurred to an H3 cell's centre where `place` is "blurred". An `area` that was only guessed from the
    nearest centre has `area_source` "nearest".
    """

    type: ClassVar[str] = "org.gotongroyong.request.opened.v1"

    kind: RequestKind
    title: str
    body: str
    category: str
    area: str | None
    area_source: AreaSource | None
    location: Location | None
    place: Literal["exact", "blurred"]
    needs: tuple[NeedAsked, ...]
    author: Party
    expires_at: datetime | None = None
    private: SkipJsonSchema[OpeningKept | None] = Field(default=None, exclude=True)


class RequestSupported(Event):
    """Somebody has this too. `supporters` counts them."""

    type: ClassVar[str] = "org.gotongroyong.request.supported.v1"

    by: Party
    supporters: int


class RequestProgressed(Event):
    """Work began, or goes on after a dispute."""

    type: ClassVar[str] = "org.gotongroyong.request.progressed.v1"

    by: Party
    note: str = ""


class RequestResolved(Event):
    """Somebody claims that it is solved; the author or two supporters confirm or dispute it until `confirm_by`."""

    type: ClassVar[str] = "org.gotongroyong.request.resolved.v1"

    by: Party
    note: str
    photo: str | None = None
    confirm_by: datetime


class ResolutionSeconded(Event):
    """A supporter confirmed or disputed a resolution; a second one settles it."""

    type: ClassVar[str] = "org.gotongroyong.request.seconded.v1"
    visibility: ClassVar[Visibility] = "parties"

    by: Party
    agrees: bool


class RequestDisputed(Event):
    """The resolution is not accepted; the request goes on."""

    type: ClassVar[str] = "org.gotongroyong.request.disputed.v1"

    by: Party
    note: str = ""


class RequestClosed(Event):
    """The end of a request, with its outcome."""

    type: ClassVar[str] = "org.gotongroyong.request.closed.v1"

    by: Party
    outcome: Outcome
    reason: str = ""
    duplicate_of: str | None = None


class _Contribution(Event):
    """A quantity on a need; `contribution_id` is the id of its pledge or sponsorship."""

    contribution_id: str
    need_id: str
    quantity: int
    source: ContributionSource
    by: Party


class ContributionProposed(_Contribution):
    """A contribution waits for the requester's approval; nothing is reserved yet."""

    type: ClassVar[str] = "org.gotongroyong.contribution.proposed.v1"


class ContributionReserved(_Contribution):
    """A quantity of a need is reserved for a contribution."""

    type: ClassVar[str] = "org.gotongroyong.contribution.reserved.v1"


class ContributionRefused(_Contribution):
    """A contribution is not taken. `missing` is what the need still lacks."""

    type: ClassVar[str] = "org.gotongroyong.contribution.refused.v1"
    visibility: ClassVar[Visibility] = "parties"

    reason: str
    missing: int


class ContributionDelivered(_Contribution):
    """The helper says that it was brought."""

    type: ClassVar[str] = "org.gotongroyong.contribution.delivered.v1"


class ContributionReceived(_Contribution):
    """The requester says that it has arrived."""

    type: ClassVar[str] = "org.gotongroyong.contribution.received.v1"


class ContributionReleased(_Contribution):
    """A proposed or reserved contribution is off; `missing` is what the need lacks now."""

    type: ClassVar[str] = "org.gotongroyong.contribution.released.v1"

    reason: str
    missing: int


class CommentAdded(Event):
    """Somebody said something about a request."""

    type: ClassVar[str] = "org.gotongroyong.comment.added.v1"

    request_id: str
    text: str
    by: Party
    private: SkipJsonSchema[OpeningKept | None] = Field(default=None, exclude=True)


REQUEST_EVENTS: tuple[type[Event], ...] = (
    RequestOpened,
    RequestSupported,
    RequestProgressed,
    RequestResolved,
    ResolutionSeconded,
    RequestDisputed,
    RequestClosed,
    ContributionProposed,
    ContributionReserved,
    ContributionRefused,
    ContributionDelivered,
    ContributionReceived,
    ContributionReleased,
)
EVENTS = (*REQUEST_EVENTS, CommentAdded)
