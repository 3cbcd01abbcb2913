"""What the service `offers` publishes. The subject is the offer's id.

Every movement carries `available`, what is left of the budget after it: the ledger can be read from the events alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from shared.events import ActorKind, Event, Party
from shared.text import Unit


class OfferTerms(BaseModel):
    """The rules by which an offer gives. Limits are in the offer's unit; None is no limit."""

    model_config = ConfigDict(frozen=True)

    per_request_limit: int | None = None
    per_area_limit: int | None = None
    per_day_limit: int | None = None
    categories: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    requester_kinds: tuple[ActorKind, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    automatic: bool = False


class OfferKept(BaseModel):
    """What stays here of the call that made an offer."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str


class OfferDrafted(Event):
    """Somebody puts in a budget of one unit, with rules."""

    type: ClassVar[str] = "org.gotongroyong.offer.drafted.v1"

    title: str
    unit: Unit
    budget: int
    available: int
    terms: OfferTerms
    by: Party
    private: SkipJsonSchema[OfferKept | None] = Field(default=None, exclude=True)


class _OfferTurn(Event):
    by: Party


class OfferPublished(_OfferTurn):
    """The offer gives from now on."""

    type: ClassVar[str] = "org.gotongroyong.offer.published.v1"


class OfferPaused(_OfferTurn):
    """The offer holds nothing new for now; what is held stays."""

    type: ClassVar[str] = "org.gotongroyong.offer.paused.v1"


class OfferResumed(_OfferTurn):
    """The offer gives again."""

    type: ClassVar[str] = "org.gotongroyong.offer.resumed.v1"


class OfferClosed(_OfferTurn):
    """The offer gives nothing more; what is committed is still delivered."""

    type: ClassVar[str] = "org.gotongroyong.offer.closed.v1"


class OfferBudgetChanged(_OfferTurn):
    """The budget was raised, or lowered (`change` negative)."""

    type: ClassVar[str] = "org.gotongroyong.offer.budget-changed.v1"

    change: int
    budget: int
    available: int


class _Sponsorship(Event):
    sponsorship_id: str
    request_id: str
    need_id: str
    quantity: int
    available: int
    by: Party


class SponsorshipHeld(_Sponsorship):
    """A part of the budget is set aside until `until`, and the need is asked to take it. `area` is the request's."""

    type: ClassVar[str] = "org.gotongroyong.sponsorship.held.v1"

    area: str | None = None
    automatic: bool = False
    until: datetime


class SponsorshipCommitted(_Sponsorship):
    """The need took it; to be delivered by `until`."""

    type: ClassVar[str] = "org.gotongroyong.sponsorship.committed.v1"

    until: datetime


class SponsorshipDelivered(_Sponsorship):
    """The giver says that it was brought."""

    type: ClassVar[str] = "org.gotongroyong.sponsorship.delivered.v1"


class SponsorshipSettled(_Sponsorship):
    """The requester received it."""

    type: ClassVar[str] = "org.gotongroyong.sponsorship.settled.v1"


class SponsorshipReleased(_Sponsorship):
    """It is off, and the budget has it back."""

    type: ClassVar[str] = "org.gotongroyong.sponsorship.released.v1"

    reason: str


EVENTS: tuple[type[Event], ...] = (
    OfferDrafted,
    OfferPublished,
    OfferPaused,
    OfferResumed,
    OfferClosed,
    OfferBudgetChanged,
    SponsorshipHeld,
    SponsorshipCommitted,
    SponsorshipDelivered,
    SponsorshipSettled,
    SponsorshipReleased,
)
