"""What tests of deciders begin with: parties, wishes, and given / when / then over an aggregate's history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import pytest

from services.offers.domain import commands as offers
from services.requests.domain import commands as requests
from services.volunteering.domain.activity_commands import ActivityInput, PlanActivity, RoleInput
from services.volunteering.domain.pledge import OfferPledge, PledgeInput
from shared.decider import Command, Decider, State, private_json, public_json
from shared.errors import Problem
from shared.events import Cause, Event, Party, seal
from shared.ids import derived_id
from shared.text import Location, Unit

C = TypeVar("C", bound=Command)
S = TypeVar("S", bound=State)

T0 = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

ANI = Party(kind="resident", id="ani")
BUDI = Party(kind="resident", id="budi")
CITRA = Party(kind="resident", id="citra")
DEWI = Party(kind="resident", id="dewi")
DINAS = Party(kind="agency", id="dinas")
MASJID = Party(kind="community", id="masjid")
TOKO = Party(kind="company", id="toko")
PABRIK = Party(kind="company", id="pabrik")

MONAS = Location(lon=106.8272, lat=-6.1754)


def an_id(name: str) -> str:
    """An id as they look, the same for the same name."""
    return derived_id("test", name)


KEY = an_id("the one under test")


def need_id(number: int = 0, request: str = KEY) -> str:
    """The id of a request's need, as the request itself makes it."""
    return derived_id("need", request, str(number))


@dataclass(frozen=True)
class Given(Generic[S]):
    """An aggregate with a past."""

    decider: Decider[S]
    history: tuple[Event, ...] = ()
    key: str = KEY

    @property
    def state(self) -> S:
        """What the past has led to; the same from the stored JSON of state and events as from the events themselves."""
        state = self.decider.fold(self.key, self.history)
        assert self.decider.parse(public_json(state), private_json(state)) == state
        assert replayed(self.decider, self.key, self.history) == state
        return state

    def but(self, *wishes: Command) -> Given[S]:
        """The same after more wishes, each of which changed something."""
        past: Given[S] = self
        for wish in wishes:
            events = past.when(wish)
            assert events, f"{type(wish).__name__} changed nothing"
            past = Given(self.decider, (*past.history, *events), self.key)
        return past

    def when(self, wish: Command) -> list[Event]:
        """The events that a wish leads to."""
        return list(self.decider.decide(wish, self.state))

    def refuses(self, wish: Command, problem: type[Problem], says: str) -> Problem:
        """The problem with a wish, which is of this very type and has these words in it."""
        with pytest.raises(problem, match=says) as caught:
            self.when(wish)
        assert type(caught.value) is problem
        return caught.value

    def outcome(self, wish: Command) -> str:
        """How a wish ends, in one word: the events' names with + between, `-` for none, or the problem's name."""
        try:
            return "+".join(type(each).__name__ for each in self.when(wish)) or "-"
        except Problem as problem:
            return type(problem).__name__


def replayed(decider: Decider[S], key: str, events: Sequence[Event]) -> S:
    """The state as a rebuild finds it, from the events' stored JSON."""
    vocabulary, cause = decider.vocabulary(), Cause("visit", "command", "resident")
    state = decider.initial(key)
    for number, each in enumerate(events, 1):
        envelope = seal(each, id=str(number), service="test", subject=key, sequence=number, cause=cause, attributes={})
        state = decider.step(state, vocabulary.read(envelope, private_json(each)))
    return state


def cells(table: str) -> Iterator[tuple[str, str, str]]:
    """The (row, column, value) of a table written as text; its first line names the columns."""
    head, *rows = [line.split() for line in table.strip().splitlines()]
    for name, *values in rows:
        for column, value in zip(head, values, strict=True):
            yield name, column, value


def wish(kind: Callable[..., C], by: Party, at: datetime = T0, **more: Any) -> C:
    """A command."""
    return kind(by=by, at=at, **more)


def to_open(
    *needs: tuple[int, Unit],
    by: Party = ANI,
    at: datetime = T0,
    fingerprint: str = "first",
    area: str | None = "31.74",
    **asked: Any,
) -> requests.OpenRequest:
    """A wish for help at a home, with needs of these quantities and units."""
    lines = tuple(
        requests.NeedInput(label=f"need {place}", quantity=quantity, unit=unit)
        for place, (quantity, unit) in enumerate(needs)
    )
    body = requests.RequestInput(
        **{"kind": "help", "title": "Flooded", "category": "flood", "location": MONAS, "needs": lines} | asked
    )
    shown = Location(lon=106.82, lat=-6.17)
    return requests.OpenRequest(
        by=by,
        at=at,
        asked=body,
        shown=shown,
        place="blurred",
        area=area,
        area_source="given" if area else None,
        fingerprint=fingerprint,
    )


def to_pledge(
    quantity: int = 5, *, by: Party = BUDI, at: datetime = T0, fingerprint: str = "first", **asked: Any
) -> OfferPledge:
    """A promise towards the first need of the request under test."""
    body = PledgeInput(**{"request_id": KEY, "need_id": need_id(), "quantity": quantity} | asked)
    return OfferPledge(by=by, at=at, asked=body, fingerprint=fingerprint)


def to_draft(
    budget: int = 100, *, by: Party = TOKO, at: datetime = T0, fingerprint: str = "first", **asked: Any
) -> offers.DraftOffer:
    """A budget of rice, published at once unless it is said otherwise."""
    body = offers.OfferInput(**{"title": "Rice", "unit": "kg", "budget": budget, "publish": True} | asked)
    return offers.DraftOffer(by=by, at=at, asked=body, fingerprint=fingerprint)


ASKING = offers.Asking(category="flood", area="31.74.01", requester="resident")


def to_hold(
    quantity: int, sponsorship: str = "s1", *, by: Party = TOKO, at: datetime = T0, **more: Any
) -> offers.HoldSponsorship:
    """A part of an offer for the first need of the request under test."""
    given: dict[str, Any] = {"request_id": KEY, "need_id": need_id(), "asking": ASKING, "day": T0 - HOUR} | more
    return offers.HoldSponsorship(by=by, at=at, sponsorship_id=sponsorship, quantity=quantity, **given)


def to_plan(
    *capacities: int, by: Party = ANI, at: datetime = T0, fingerprint: str = "first", **asked: Any
) -> PlanActivity:
    """Communal work tomorrow from eight to twelve, with roles `role 0`, `role 1` ... of these capacities."""
    roles = tuple(RoleInput(name=f"role {place}", capacity=capacity) for place, capacity in enumerate(capacities))
    when = {"starts_at": T0 + DAY, "ends_at": T0 + DAY + 4 * HOUR}
    body = ActivityInput(**{"title": "Clean the drain", "location": MONAS, "roles": roles, **when} | asked)
    return PlanActivity(by=by, at=at, asked=body, area="31.74.01", fingerprint=fingerprint)
