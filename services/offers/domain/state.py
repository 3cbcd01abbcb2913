"""What an offer is, and how each event changes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field
from pydantic.json_schema import SkipJsonSchema

from shared.contracts import offers as event
from shared.contracts.offers import OfferTerms
from shared.decider import State
from shared.events import SYSTEM, Party
from shared.text import Unit

Status = Literal["absent", "draft", "published", "paused", "closed"]
SponsorshipStatus = Literal["held", "committed", "delivered", "settled", "released"]


class Sponsorship(BaseModel):
    """A part of the budget set aside for one need."""

    model_config = ConfigDict(frozen=True)

    id: str
    offer_id: str
    request_id: str
    need_id: str
    quantity: int
    status: SponsorshipStatus
    area: str | None
    automatic: bool
    by: Party
    held_at: datetime
    due_at: datetime | None = None
    reason: str | None = None


class Kept(BaseModel):
    """What lists of offers do not show: the sponsorships have lists of their own."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str | None = None
    sponsorships: dict[str, Sponsorship] = Field(default_factory=dict)


class Offer(State):
    """An offer as anybody may read it. At every moment held + committed + delivered + settled <= budget."""

    status: Status = "absent"
    title: str = ""
    unit: Unit = "IDR"
    budget: int = 0
    held: int = 0
    committed: int = 0
    delivered: int = 0
    settled: int = 0
    terms: OfferTerms = OfferTerms()
    by: Party = SYSTEM
    drafted_at: datetime | None = None
    private: Annotated[SkipJsonSchema[Kept], Field(exclude=True)] = Kept()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def available(self) -> int:
        """What is left of the budget."""
        return self.budget - self.promised

    @property
    def promised(self) -> int:
        """What is set aside or given."""
        return self.held + self.committed + self.delivered + self.settled

    @property
    def sponsorships(self) -> dict[str, Sponsorship]:
        """All of them by id, also those that are over."""
        return self.private.sponsorships


def evolve(state: Offer, happened: Any) -> Offer:
    """One event later."""
    match happened:
        case event.OfferDrafted():
            kept = Kept(fingerprint=happened.private and happened.private.fingerprint)
            return state.model_copy(
                update={
                    "status": "draft",
                    "title": happened.title,
                    "unit": happened.unit,
                    "budget": happened.budget,
                    "terms": happened.terms,
                    "by": happened.by,
                    "drafted_at": happened.at,
                    "private": kept,
                }
            )
        case event.OfferPublished() | event.OfferResumed():
            return state.model_copy(update={"status": "published"})
        case event.OfferPaused():
            return state.model_copy(update={"status": "paused"})
        case event.OfferClosed():
            return state.model_copy(update={"status": "closed"})
        case event.OfferBudgetChanged():
            return state.model_copy(update={"budget": happened.budget})
        case _:
            return _sponsorship_moved(state, happened)


MOVES: dict[type, SponsorshipStatus] = {
    event.SponsorshipHeld: "held",
    event.SponsorshipCommitted: "committed",
    event.SponsorshipDelivered: "delivered",
    event.SponsorshipSettled: "settled",
    event.SponsorshipReleased: "released",
}
_COUNTED = ("held", "committed", "delivered", "settled")


def _sponsorship_moved(state: Offer, happened: Any) -> Offer:
    """A sponsorship enters a status and leaves its former one; the offer counts along."""
    status = MOVES[type(happened)]
    before = state.sponsorships.get(happened.sponsorship_id)
    moved = before.model_copy(update=_changes(happened, status)) if before else _held(state, happened)
    counted = {name: getattr(state, name) for name in _COUNTED}
    if before and before.status in counted:
        counted[before.status] -= moved.quantity
    if status in counted:
        counted[status] += moved.quantity
    kept = state.private.model_copy(update={"sponsorships": {**state.sponsorships, moved.id: moved}})
    return state.model_copy(update={**counted, "private": kept})


def _held(state: Offer, happened: event.SponsorshipHeld) -> Sponsorship:
    return Sponsorship(
        id=happened.sponsorship_id,
        offer_id=state.id,
        request_id=happened.request_id,
        need_id=happened.need_id,
        quantity=happened.quantity,
        status="held",
        area=happened.area,
        automatic=happened.automatic,
        by=happened.by,
        held_at=happened.at,
        due_at=happened.until,
    )


def _changes(happened: Any, status: SponsorshipStatus) -> dict[str, Any]:
    return {
        "status": status,
        "due_at": getattr(happened, "until", None),
        "reason": getattr(happened, "reason", None),
    }
