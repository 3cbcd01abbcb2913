"""What may be wished of a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from shared.contracts.requests import Approval, AreaSource, ContributionSource, RequestKind
from shared.decider import Command
from shared.text import Body, Code, Input, Location, Moment, Name, Quantity, Slug, Title, Unit

MOST_NEEDS = 20


class NeedInput(Input):
    """One quantified line of a request."""

    label: Name
    quantity: Quantity
    unit: Unit


class RequestInput(Input):
    """What somebody asks. Where `approval` is left out, people need approval and things do not."""

    kind: RequestKind
    title: Title
    body: Body = ""
    category: Slug
    location: Location | None = None
    area: Code | None = None
    needs: Annotated[tuple[NeedInput, ...], Field(max_length=MOST_NEEDS)] = ()
    approval: Approval | None = None
    on_behalf_of: Name | None = None
    expires_at: Moment | None = None

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_left_out(cls, given: Any) -> Any:
        # null is the same as not giving a value that need not be given
        if isinstance(given, dict):
            return {name: value for name, value in given.items() if value is not None or name not in _OPTIONAL}
        return given


_OPTIONAL = {name for name, field in RequestInput.model_fields.items() if not field.is_required()}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest(Command):
    """`shown` is the place that everybody may see; the exact one in `asked` stays private where they differ."""

    asked: RequestInput
    shown: Location | None
    place: Literal["exact", "blurred"]
    area: str | None
    area_source: AreaSource | None
    fingerprint: str
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveSupport(Command):
    """I have this too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProgress(Command):
    """Work has begun, or goes on."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimResolution(Command):
    """It is solved, says a helper, agency, community or the author."""

    note: str
    photo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmResolution(Command):
    """Yes, it is solved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeResolution(Command):
    """No, it is not."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest(Command):
    """Not needed any more, says the author."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectRequest(Command):
    """Not something that can be done here, says an agency."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkDuplicate(Command):
    """The same as another request."""

    original: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveNeed(Command):
    """A pledge or sponsorship asks for a quantity of a need. The id is carried on from there."""

    contribution_id: str
    need_id: str
    quantity: int
    source: ContributionSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveContribution(Command):
    """The requester takes a proposed contribution."""

    contribution_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineContribution(Command):
    """The requester does not take a proposed or reserved contribution."""

    contribution_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverContribution(Command):
    """The helper brought it."""

    contribution_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveContribution(Command):
    """The requester has it."""

    contribution_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseContribution(Command):
    """The pledge or sponsorship behind it is off."""

    contribution_id: str
    reason: str
