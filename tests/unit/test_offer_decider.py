"""What an offer gives, to whom and how much, and that its ledger is right to the unit in every event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.offers.domain import OFFER
from services.offers.domain import commands as c
from services.offers.domain.sponsoring import ANSWER_WITHIN, DELIVER_WITHIN, MOST_SPONSORSHIPS
from services.offers.domain.state import Kept, Offer, Sponsorship
from shared.contracts import offers as event
from shared.decider import Command, PassTime
from shared.errors import Forbidden, Invalid, NotFound, Rejected
from shared.events import SYSTEM, Event
from tests.given import ASKING, DAY, HOUR, KEY, PABRIK, T0, TOKO, Given, an_id, cells, need_id, to_draft, to_hold, wish

NOTHING = Given(OFFER)
DRAFT = NOTHING.but(to_draft(publish=False))
GIVING = NOTHING.but(to_draft())


def commit(each: str = "s1") -> Command:
    return wish(c.CommitSponsorship, SYSTEM, sponsorship_id=each)


def deliver(each: str = "s1") -> Command:
    return wish(c.DeliverSponsorship, TOKO, sponsorship_id=each)


def settle(each: str = "s1") -> Command:
    return wish(c.SettleSponsorship, SYSTEM, sponsorship_id=each)


def release(each: str = "s1") -> Command:
    return wish(c.ReleaseSponsorship, SYSTEM, sponsorship_id=each, reason="Refused")


def take_back(each: str = "s1") -> Command:
    return wish(c.ReleaseSponsorship, TOKO, sponsorship_id=each, reason="Changed our minds", own=True)


def change(by: int) -> Command:
    return wish(c.ChangeBudget, TOKO, change=by)


def asking(**more: Any) -> c.Asking:
    return c.Asking(**{"category": ASKING.category, "area": ASKING.area, "requester": ASKING.requester} | more)


def balances(events: Sequence[Event]) -> list[int]:
    """What a ledger read from the events alone adds up to; every event that tells the balance must agree."""
    held: dict[str, int] = {}
    budget, found = 0, []
    for each in events:
        match each:
            case event.OfferDrafted() | event.OfferBudgetChanged():
                budget = each.budget
            case event.SponsorshipReleased():
                held.pop(each.sponsorship_id)
            case event.SponsorshipHeld():
                held[each.sponsorship_id] = each.quantity
        if hasattr(each, "available"):
            assert each.available == budget - sum(held.values()), each
            found.append(each.available)
    return found


STATUSES = {
    "absent": NOTHING,
    "draft": DRAFT,
    "published": GIVING,
    "paused": GIVING.but(wish(c.PauseOffer, TOKO)),
    "closed": GIVING.but(wish(c.CloseOffer, TOKO)),
}
WISHES: dict[str, Command] = {
    "draft": to_draft(publish=False),
    "draft-other": to_draft(fingerprint="other"),
    "publish": wish(c.PublishOffer, TOKO),
    "pause": wish(c.PauseOffer, TOKO),
    "resume": wish(c.ResumeOffer, TOKO),
    "close": wish(c.CloseOffer, TOKO),
    "raise": change(5),
    "lower": change(-5),
    "same": change(0),
    "hold": to_hold(10),
    "hold-up-to": to_hold(10, up_to=True),
    "commit": commit(),
    "settle": settle(),
    "release": release(),
    "deliver": deliver(),
    "take-back": take_back(),
    "time": wish(PassTime, SYSTEM, T0 + 365 * DAY),
}
LIFE = """
            absent  draft     published paused  closed
draft       Drafted -         -         -       -
draft-other Drafted+Published Invalid   Invalid Invalid Invalid
publish     none    Published -         no      no
pause       none    no        Paused    -       no
resume      none    no        -         Resumed no
close       none    Closed    Closed    Closed  -
raise       none    Budget    Budget    Budget  no
lower       none    Budget    Budget    Budget  no
same        none    -         -         -       no
hold        none    no        Held      no      no
hold-up-to  none    -         Held      -       -
commit      none    -         -         -       -
settle      none    -         -         -       -
release     none    -         -         -       -
deliver     none    none      none      none    none
take-back   none    none      none      none    none
time        none    -         -         -       -
"""
SHORT = {
    "-": "-",
    "no": "Rejected",
    "none": "NotFound",
    "Invalid": "Invalid",
    "Drafted": "OfferDrafted",
    "Drafted+Published": "OfferDrafted+OfferPublished",
    "Budget": "OfferBudgetChanged",
}
KINDS = ("Held", "Committed", "Delivered", "Settled", "Released")


def full(short: str) -> str:
    return SHORT.get(short) or ("Sponsorship" if short in KINDS else "Offer") + short


@pytest.mark.parametrize(("name", "status", "expected"), list(cells(LIFE)))
def test_every_wish_has_one_answer_in_every_status(name: str, status: str, expected: str) -> None:
    assert STATUSES[status].outcome(WISHES[name]) == full(expected)


HELD = GIVING.but(to_hold(10))
COMMITTED = HELD.but(commit())
SPONSORED = {
    "none": GIVING,
    "held": HELD,
    "committed": COMMITTED,
    "delivered": COMMITTED.but(deliver()),
    "settled": COMMITTED.but(settle()),
    "released": HELD.but(release()),
}
LIVES = """
          none held      committed delivered settled released
hold      Held -         -         -         -       -
commit    -    Committed -         -         -       -
deliver   none no        Delivered -         -       no
settle    -    Settled   Settled   Settled   -       Held+Settled
release   -    Released  Released  -         -       -
take-back none Released  Released  no        no      -
"""


@pytest.mark.parametrize(("name", "status", "expected"), list(cells(LIVES)))
def test_every_wish_has_one_answer_in_every_status_of_a_sponsorship(name: str, status: str, expected: str) -> None:
    assert SPONSORED[status].outcome(WISHES[name]) == "+".join(full(each) for each in expected.split("+"))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (givens[status], name)
        for givens, table in ((STATUSES, LIFE), (SPONSORED, LIVES))
        for name, status, short in cells(table)
        if short not in ("-", "no", "none", "Invalid", "Budget") and not (status == "absent" and name == "draft-other")
    ],
)
def test_what_was_done_changes_nothing_when_it_is_wished_again(given: Given[Offer], name: str) -> None:
    assert given.but(WISHES[name]).when(WISHES[name]) == []


@pytest.mark.parametrize(
    ("status", "sums"),
    [("held", (10, 0, 0, 0)), ("committed", (0, 10, 0, 0)), ("delivered", (0, 0, 10, 0)), ("settled", (0, 0, 0, 10))],
)
def test_a_sponsorship_is_counted_in_one_place(status: str, sums: tuple[int, ...]) -> None:
    state = SPONSORED[status].state
    assert (state.held, state.committed, state.delivered, state.settled) == sums
    assert (state.promised, state.available) == (10, 90)
    assert SPONSORED["released"].state.available == 100


def test_a_draft_keeps_its_terms_and_is_published_when_it_is_said() -> None:
    state = DRAFT.state
    assert (state.status, state.budget, state.available, state.by, state.drafted_at) == ("draft", 100, 100, TOKO, T0)
    assert state.private.fingerprint == "first"
    assert GIVING.state.status == "published"


def test_an_offer_cannot_be_over_before_it_begins() -> None:
    problem = NOTHING.refuses(to_draft(ends_at=T0), Invalid, "passed")
    assert isinstance(problem, Invalid)
    assert problem.field == "ends_at"
    with pytest.raises(ValueError, match="after starts_at"):
        to_draft(starts_at=T0 + DAY, ends_at=T0 + DAY)
    assert NOTHING.but(to_draft(starts_at=T0, ends_at=T0 + DAY)).state.terms.ends_at == T0 + DAY


@pytest.mark.parametrize(
    "foreign",
    [
        wish(c.PublishOffer, PABRIK),
        wish(c.CloseOffer, SYSTEM),
        wish(c.ChangeBudget, PABRIK, change=1),
        to_hold(1, "s2", by=PABRIK),
        wish(c.DeliverSponsorship, PABRIK, sponsorship_id="s1"),
        wish(c.ReleaseSponsorship, PABRIK, sponsorship_id="s1", reason="Mine now", own=True),
    ],
)
def test_an_offer_is_for_whoever_gives_to_decide(foreign: Command) -> None:
    HELD.refuses(foreign, Forbidden, "somebody else's offer")


def test_a_hold_carries_on_what_the_need_must_know() -> None:
    (held,) = GIVING.when(to_hold(10))
    assert isinstance(held, event.SponsorshipHeld)
    assert (held.sponsorship_id, held.request_id, held.need_id, held.quantity) == ("s1", KEY, need_id(), 10)
    assert (held.available, held.by, held.area, held.automatic) == (90, TOKO, "31.74.01", False)
    assert held.until == T0 + ANSWER_WITHIN
    (unknown,) = GIVING.when(to_hold(10, asking=None, up_to=True))
    assert isinstance(unknown, event.SponsorshipHeld)
    assert (unknown.area, unknown.automatic) == (None, True)


@pytest.mark.parametrize(
    ("terms", "hold", "reason"),
    [
        ({"starts_at": T0 + HOUR}, {}, "This offer has not begun."),
        ({"ends_at": T0 + HOUR}, {"at": T0 + HOUR}, "This offer is over."),
        ({"categories": ("fire",)}, {}, "This offer is not for the category flood."),
        ({"areas": ("31.73", "31.74.02")}, {}, "This offer is not for this area."),
        ({"areas": ("31.74.01.1001",)}, {}, "This offer is not for this area."),
        ({"areas": ("31",)}, {"asking": asking(area=None)}, "This offer is not for this area."),
        ({"requester_kinds": ("community",)}, {}, "This offer is not for a resident."),
        ({}, {"asking": asking(units={need_id(): "pack"})}, "This need is in pack, the offer in kg."),
        ({"categories": ("flood",)}, {"asking": None}, "This request is not known here."),
        ({"areas": ("31",)}, {"asking": None}, "This request is not known here."),
        ({"requester_kinds": ("resident",)}, {"asking": None}, "This request is not known here."),
        ({"per_area_limit": 50}, {"asking": None}, "This request is not known here."),
    ],
)
def test_an_offer_gives_only_where_its_rules_allow(terms: dict[str, Any], hold: dict[str, Any], reason: str) -> None:
    given = NOTHING.but(to_draft(**terms))
    problem = given.refuses(to_hold(1, **hold), Rejected, "offer|request")
    assert problem.detail == reason
    assert given.when(to_hold(1, up_to=True, **hold)) == []


def test_an_offer_gives_where_every_rule_fits() -> None:
    given = NOTHING.but(
        to_draft(
            categories=("fire", "flood"),
            areas=("31.73", "31.74"),
            requester_kinds=("resident",),
            starts_at=T0,
            ends_at=T0 + HOUR,
        )
    )
    assert given.outcome(to_hold(1)) == "SponsorshipHeld"
    assert given.outcome(to_hold(1, asking=asking(area="31.74", units={need_id(): "kg"}))) == "SponsorshipHeld"


def test_a_limit_per_request_counts_what_that_request_has() -> None:
    given = NOTHING.but(to_draft(per_request_limit=15), to_hold(10))
    problem = given.refuses(to_hold(6, "s2"), Rejected, "can give 5 kg here now")
    assert problem.more == {"available": 5}
    assert given.but(release()).outcome(to_hold(15, "s2")) == "SponsorshipHeld"
    assert given.outcome(to_hold(15, "s2", request_id=an_id("another"))) == "SponsorshipHeld"


def test_a_limit_per_area_counts_what_that_area_has() -> None:
    given = NOTHING.but(to_draft(per_area_limit=15), to_hold(10))
    elsewhere: dict[str, Any] = {"request_id": an_id("another")}
    given.refuses(to_hold(6, "s2", **elsewhere), Rejected, "can give 5 kg")
    assert given.outcome(to_hold(15, "s2", asking=asking(area="31.74.02"), **elsewhere)) == "SponsorshipHeld"


def test_a_limit_per_day_counts_what_was_held_since_the_day_began() -> None:
    given = NOTHING.but(to_draft(per_day_limit=15), to_hold(10, at=T0 - HOUR, day=T0 - HOUR))
    given.refuses(to_hold(6, "s2", day=T0 - HOUR), Rejected, "can give 5 kg")
    assert given.outcome(to_hold(15, "s2", day=T0)) == "SponsorshipHeld"


def test_nothing_is_held_beyond_the_budget() -> None:
    given = GIVING.but(to_hold(60), to_hold(40, "s2", request_id=an_id("another")))
    assert given.state.available == 0
    given.refuses(to_hold(1, "s3"), Rejected, "can give 0 kg")
    assert given.when(to_hold(1, "s3", up_to=True)) == []


@pytest.mark.parametrize(("asked", "given"), [(5, 5), (15, 15), (500, 15)])
def test_an_automatic_hold_takes_as_much_as_the_least_limit_leaves(asked: int, given: int) -> None:
    offer = NOTHING.but(to_draft(per_request_limit=20, per_area_limit=30, per_day_limit=15))
    (held,) = offer.when(to_hold(asked, up_to=True))
    assert isinstance(held, event.SponsorshipHeld)
    assert (held.quantity, held.available, held.automatic) == (given, 100 - given, True)


def test_an_offer_has_twenty_thousand_sponsorships_and_no_more() -> None:
    (held,) = HELD.state.sponsorships.values()

    def many(count: int) -> Offer:
        gone: dict[str, Sponsorship] = {f"x{n}": held.model_copy(update={"status": "released"}) for n in range(count)}
        return GIVING.state.model_copy(update={"private": Kept(sponsorships=gone)})

    with pytest.raises(Rejected, match="20000 sponsorships"):
        OFFER.decide(to_hold(1), many(MOST_SPONSORSHIPS))
    assert len(OFFER.decide(to_hold(1), many(MOST_SPONSORSHIPS - 1))) == 1


def test_a_budget_is_lowered_as_far_as_nothing_promised_is_touched() -> None:
    problem = HELD.refuses(change(-91), Rejected, "10 kg are promised already")
    assert problem.more == {"promised": 10}
    (lowered,) = HELD.when(change(-90))
    assert isinstance(lowered, event.OfferBudgetChanged)
    assert (lowered.change, lowered.budget, lowered.available) == (-90, 10, 0)
    GIVING.refuses(change(-100), Rejected, "promised")
    assert GIVING.but(change(-99)).state.budget == 1


def test_a_budget_is_raised_and_the_ledger_adds_up() -> None:
    given = GIVING.but(
        to_hold(60), commit(), change(20), to_hold(40, "s2"), release("s2"), deliver(), change(-40), settle()
    )
    assert balances(given.history) == [100, 40, 40, 60, 20, 60, 60, 20, 20]
    assert given.state.available == 20


def test_every_hold_ends_where_nobody_answers_and_every_release_tells_the_right_balance() -> None:
    given = GIVING.but(*(to_hold(quantity, f"s{quantity}") for quantity in (10, 20, 30)), commit("s20"))
    over = given.but(wish(PassTime, SYSTEM, T0 + ANSWER_WITHIN))
    assert [(each.sponsorship_id, each.available) for each in over.history[-2:]] == [("s10", 50), ("s30", 80)]  # type: ignore[attr-defined]
    assert balances(over.history)[-1] == over.state.available == 80
    assert given.when(wish(PassTime, SYSTEM, T0 + ANSWER_WITHIN - timedelta(microseconds=1))) == []


def test_a_committed_sponsorship_has_a_fortnight() -> None:
    assert (ANSWER_WITHIN, DELIVER_WITHIN) == (DAY, 14 * DAY)
    assert COMMITTED.state.sponsorships["s1"].due_at == T0 + DELIVER_WITHIN
    assert COMMITTED.when(wish(PassTime, SYSTEM, T0 + DELIVER_WITHIN - HOUR)) == []
    (released,) = COMMITTED.when(wish(PassTime, SYSTEM, T0 + DELIVER_WITHIN))
    assert isinstance(released, event.SponsorshipReleased)
    assert released.reason == "It was not delivered in time."
    assert SPONSORED["delivered"].when(wish(PassTime, SYSTEM, T0 + 365 * DAY)) == []


def test_an_offer_whose_window_is_over_closes_and_what_is_held_lives_on() -> None:
    given = NOTHING.but(to_draft(ends_at=T0 + HOUR), to_hold(10), commit())
    assert OFFER.index(given.state)["due_at"] == (T0 + HOUR).timestamp()
    assert given.when(wish(PassTime, SYSTEM, T0 + HOUR - timedelta(microseconds=1))) == []
    over = given.but(wish(PassTime, SYSTEM, T0 + HOUR))
    assert (over.state.status, over.state.committed) == ("closed", 10)
    assert over.when(wish(PassTime, SYSTEM, T0 + HOUR)) == []
    assert OFFER.index(over.state)["due_at"] == (T0 + DELIVER_WITHIN).timestamp()
    assert over.outcome(deliver()) == "SponsorshipDelivered"
    assert OFFER.index(over.but(deliver()).state)["due_at"] is None
    assert given.outcome(wish(PassTime, SYSTEM, T0 + DELIVER_WITHIN)) == "SponsorshipReleased+OfferClosed"


def test_what_the_requester_has_is_settled_even_where_its_release_came_first() -> None:
    given = COMMITTED.but(take_back(), settle())
    assert balances(given.history)[-3:] == [100, 90, 90]
    assert (given.state.settled, given.state.sponsorships["s1"].reason) == (10, None)
    assert given.state.sponsorships["s1"].area == ASKING.area
    assert COMMITTED.but(take_back(), to_hold(90, "s2")).outcome(settle()) == full("Held") + "+" + full("Settled")
    assert COMMITTED.but(take_back(), to_hold(91, "s2")).when(settle()) == []


def test_a_release_keeps_its_reason_for_people_to_read() -> None:
    each = HELD.but(take_back()).state.sponsorships["s1"]
    assert (each.status, each.reason, each.due_at, each.offer_id) == ("released", "Changed our minds", None, KEY)


def test_an_offer_is_found_by_giver_sponsorship_and_request() -> None:
    automatic = NOTHING.but(to_draft(automatic=True), to_hold(1))
    assert OFFER.index(automatic.state) == {
        "drafted": int(T0.timestamp() * 1000),
        "status": "published",
        "due_at": (T0 + ANSWER_WITHIN).timestamp(),
        "tags": {"all", "by:toko", "automatic:kg", "sponsorship:s1", f"request:{KEY}"},
    }
    assert "automatic:kg" not in OFFER.index(automatic.but(wish(c.PauseOffer, TOKO)).state)["tags"]
    assert OFFER.index(DRAFT.state)["due_at"] is None
    assert OFFER.index(GIVING.state)["tags"] == {"all", "by:toko"}
    assert OFFER.index(NOTHING.state)["tags"] == set()


def test_only_a_published_offer_holds() -> None:
    for status in ("draft", "paused", "closed"):
        STATUSES[status].refuses(to_hold(1), Rejected, f"This offer is {status}")
    NOTHING.refuses(to_hold(1), NotFound, "no offer")
