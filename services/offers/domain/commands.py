"""What may be wished of an offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from shared.contracts.offers import OfferTerms
from shared.decider import Command
from shared.events import ActorKind
from shared.text import Code, Id, Input, Moment, Quantity, Slug, Title, Unit


class OfferInput(Input):
    """A budget in one unit, and the rules by which it is given. Limits left out are no limits."""

    title: Title
    unit: Unit
    budget: Quantity
    per_request_limit: Quantity | None = None
    per_area_limit: Quantity | None = None
    per_day_limit: Quantity | None = None
    categories: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()
    areas: Annotated[tuple[Code, ...], Field(max_length=50)] = ()
    requester_kinds: Annotated[tuple[ActorKind, ...], Field(max_length=5)] = ()
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    automatic: bool = False
    publish: bool = False

    @field_validator("ends_at")
    @classmethod
    def _in_order(cls, ends_at: datetime | None, given: ValidationInfo) -> datetime | None:
        starts_at: datetime | None = given.data.get("starts_at")
        if starts_at and ends_at and ends_at <= starts_at:
            raise ValueError("ends_at must be after starts_at")
        return ends_at

    def terms(self) -> OfferTerms:
        """The rules alone."""
        given: dict[str, Any] = self.model_dump(exclude={"title", "unit", "budget", "publish"})
        return OfferTerms(**given)


class SponsorshipInput(Input):
    """How much of an offer for which need."""

    offer_id: Id
    request_id: Id
    need_id: Id
    quantity: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOffer(Command):
    """We give this."""

    asked: OfferInput
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishOffer(Command):
    """From now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseOffer(Command):
    """Nothing new for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeOffer(Command):
    """On again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOffer(Command):
    """Nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeBudget(Command):
    """More (or, with a negative change, less)."""

    change: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The request a sponsorship is for, as far as the rules look at it; `units` are those of its needs, by id."""

    category: str
    area: str | None
    requester: ActorKind
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldSponsorship(Command):
    """Set a part aside for a need. With `up_to`, as much of `quantity` as the rules leave; otherwise all or nothing.

    `day` is when the city's day of this moment began (UTC), for the limit per day; `asking` is None where the request
    is not known.
    """

    sponsorship_id: str
    request_id: str
    need_id: str
    quantity: int
    day: datetime
    asking: Asking | None
    up_to: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSponsorship(Command):
    """The need took it."""

    sponsorship_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSponsorship(Command):
    """It was brought."""

    sponsorship_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleSponsorship(Command):
    """The requester has it."""

    sponsorship_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSponsorship(Command):
    """It is off. `own`: the giver's wish, which what was brought resists."""

    sponsorship_id: str
    reason: str
    own: bool = False
