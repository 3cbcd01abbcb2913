"""What a request takes, what it refuses and with which words, in every status."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.requests.domain import REQUEST, lifecycle, words
from services.requests.domain import commands as c
from services.requests.domain.comment import COMMENT, AddComment
from services.requests.domain.contributing import MOST_CONTRIBUTIONS
from services.requests.domain.lifecycle import CONFIRM_WITHIN
from services.requests.domain.state import Contribution, Request
from shared.contracts import requests as event
from shared.decider import Command, PassTime
from shared.errors import Forbidden, Invalid, NotFound, Rejected
from shared.events import SYSTEM, Party
from shared.text import Location
from tests.given import (
    ANI,
    BUDI,
    CITRA,
    DAY,
    DEWI,
    DINAS,
    HOUR,
    KEY,
    MASJID,
    MONAS,
    T0,
    TOKO,
    Given,
    cells,
    need_id,
    to_open,
    wish,
)

NOTHING = Given(REQUEST)
LATER = T0 + 2 * HOUR
AFTER = LATER + CONFIRM_WITHIN


def supported(*by: Party, **asked: Any) -> Given[Request]:
    return NOTHING.but(to_open(**asked), *(wish(c.GiveSupport, each) for each in by))


def claimed(*supporters: Party) -> Given[Request]:
    return supported(*supporters).but(wish(c.ClaimResolution, DINAS, LATER, note="Pumped dry"))


OPEN = supported(MASJID)
RESOLVED = claimed(MASJID)
DISPUTED = RESOLVED.but(wish(c.DisputeResolution, ANI))
STATUSES = {
    "absent": NOTHING,
    "open": OPEN,
    "in_progress": OPEN.but(wish(c.ReportProgress, DINAS)),
    "resolved": RESOLVED,
    "disputed": DISPUTED,
    "confirmed": RESOLVED.but(wish(c.ConfirmResolution, ANI)),
    "unconfirmed": RESOLVED.but(wish(PassTime, SYSTEM, AFTER)),
    "cancelled": DISPUTED.but(wish(c.CancelRequest, ANI)),
    "rejected": OPEN.but(wish(c.RejectRequest, DINAS, reason="Not ours")),
    "duplicate": OPEN.but(wish(c.MarkDuplicate, ANI, original="other")),
}
WISHES: dict[str, Command] = {
    "open": to_open(),
    "open-other": to_open(fingerprint="other"),
    "support": wish(c.GiveSupport, BUDI),
    "support-again": wish(c.GiveSupport, MASJID),
    "support-own": wish(c.GiveSupport, ANI),
    "progress": wish(c.ReportProgress, ANI),
    "progress-note": wish(c.ReportProgress, MASJID, note="Half done"),
    "claim": wish(c.ClaimResolution, DINAS, LATER, note="Pumped dry"),
    "claim-other": wish(c.ClaimResolution, MASJID, LATER, note="We did it"),
    "claim-own": wish(c.ClaimResolution, ANI, LATER, note="It went away"),
    "confirm": wish(c.ConfirmResolution, ANI),
    "dispute": wish(c.DisputeResolution, ANI),
    "cancel": wish(c.CancelRequest, ANI),
    "reject": wish(c.RejectRequest, DINAS, reason="Not ours"),
    "duplicate": wish(c.MarkDuplicate, DINAS, original="other"),
    "duplicate-other": wish(c.MarkDuplicate, ANI, original="another"),
    "time": wish(PassTime, SYSTEM, LATER),
    "time-after": wish(PassTime, SYSTEM, AFTER),
    "approve": wish(c.ApproveContribution, ANI, contribution_id="p1"),
    "decline": wish(c.DeclineContribution, ANI, contribution_id="p1"),
    "receive": wish(c.ReceiveContribution, ANI, contribution_id="p1"),
    "deliver": wish(c.DeliverContribution, BUDI, contribution_id="p1"),
    "release": wish(c.ReleaseContribution, SYSTEM, contribution_id="p1", reason="Off"),
    "reserve": wish(c.ReserveNeed, BUDI, contribution_id="p2", need_id=need_id(), quantity=1, source="pledge"),
}
# C: closed, D: disputed, O: opened, P: progressed, R: resolved, S: supported; - nothing; else the problem.
SHORT = {
    "C": "RequestClosed",
    "D": "RequestDisputed",
    "O": "RequestOpened",
    "P": "RequestProgressed",
    "R": "RequestResolved",
    "RC": "RequestResolved+RequestClosed",
    "S": "RequestSupported",
    "f": "ContributionRefused",
    "inv": "Invalid",
    "no": "Rejected",
    "none": "NotFound",
}
LIFE = """
                absent open in_progress resolved disputed confirmed unconfirmed cancelled rejected duplicate
open            O      -    -           -        -        -         -           -         -        -
open-other      O      inv  inv         inv      inv      inv       inv         inv       inv      inv
support         none   S    S           S        S        no        no          no        no       no
support-again   none   -    -           -        -        -         -           -         -        -
support-own     none   -    -           -        -        -         -           -         -        -
progress        none   P    -           no       P        no        no          no        no       no
progress-note   none   P    P           no       P        no        no          no        no       no
claim           none   R    R           -        R        -         -           no        no       no
claim-other     none   R    R           no       R        no        no          no        no       no
claim-own       none   RC   RC          no       RC       no        no          no        no       no
confirm         none   no   no          C        no       -         no          no        no       no
dispute         none   no   no          D        -        no        no          no        no       no
cancel          none   C    C           C        C        no        no          -         no       no
reject          none   C    C           C        C        no        no          no        -        no
duplicate       none   C    C           C        C        no        no          no        no       -
duplicate-other none   C    C           C        C        no        no          no        no       no
time            -      -    -           -        -        -         -           -         -        -
time-after      -      -    -           C        -        -         -           -         -        -
approve         none   none none        none     none     none      none        none      none     none
decline         none   none none        none     none     none      none        none      none     none
receive         none   none none        none     none     none      none        none      none     none
deliver         -      -    -           -        -        -         -           -         -        -
release         -      -    -           -        -        -         -           -         -        -
reserve         f      f    f           f        f        f         f           f         f        f
"""


@pytest.mark.parametrize(("name", "status", "expected"), list(cells(LIFE)))
def test_every_wish_has_one_answer_in_every_status(name: str, status: str, expected: str) -> None:
    assert STATUSES[status].outcome(WISHES[name]) == SHORT.get(expected, expected)


DONE = [(name, status) for name, status, short in cells(LIFE) if short.isupper() and name != "progress-note"]


@pytest.mark.parametrize(("name", "status"), DONE)
def test_what_was_done_changes_nothing_when_it_is_wished_again(name: str, status: str) -> None:
    assert STATUSES[status].but(WISHES[name]).when(WISHES[name]) == []


def test_the_statuses_and_outcomes_are_those_of_the_glossary() -> None:
    assert {name: given.state.status for name, given in STATUSES.items()} == {
        name: name if name in ("absent", "open", "in_progress", "resolved", "disputed") else "closed"
        for name in STATUSES
    }
    assert all(given.state.outcome == name for name, given in STATUSES.items() if given.state.status == "closed")


def test_an_opened_request_keeps_the_exact_place_to_itself() -> None:
    given = NOTHING.but(to_open((50, "kg"), (4, "person"), on_behalf_of="Oma", expires_at=T0 + DAY))
    state = given.state
    assert (state.private.exact, state.private.on_behalf_of, state.private.fingerprint) == (MONAS, "Oma", "first")
    assert state.location == Location(lon=106.82, lat=-6.17)
    assert [(each.id, each.missing, each.approval) for each in state.needs] == [
        (need_id(0), 50, "automatic"),
        (need_id(1), 4, "by_requester"),
    ]
    assert (state.opened_at, state.changed_at, state.expires_at) == (T0, T0, T0 + DAY)
    assert (state.area, state.area_source, state.place) == ("31.74", "given", "blurred")


def test_an_exact_place_is_shown_and_not_kept_twice() -> None:
    asked = to_open(kind="report").asked
    opened = c.OpenRequest(
        by=ANI, at=T0, asked=asked, shown=MONAS, place="exact", area=None, area_source=None, fingerprint="first"
    )
    state = NOTHING.but(opened).state
    assert (state.location, state.private.exact) == (MONAS, None)
    assert REQUEST.about(state) == {"category": "flood"}


def test_approval_that_was_asked_for_holds_for_every_need() -> None:
    state = NOTHING.but(to_open((50, "kg"), (4, "person"), approval="automatic")).state
    assert [each.approval for each in state.needs] == ["automatic", "automatic"]


def test_an_imported_request_opens_at_the_time_it_was_made() -> None:
    asked = to_open().asked
    opened = c.OpenRequest(
        by=ANI,
        at=T0,
        asked=asked,
        shown=None,
        place="blurred",
        area=None,
        area_source=None,
        fingerprint="first",
        opened_at=T0 - DAY,
    )
    assert NOTHING.but(opened).state.opened_at == T0 - DAY


def test_a_request_cannot_be_over_before_it_begins() -> None:
    problem = NOTHING.refuses(to_open(expires_at=T0), Invalid, "passed")
    assert isinstance(problem, Invalid)
    assert problem.field == "expires_at"


def test_nothing_given_is_the_same_as_null() -> None:
    assert c.RequestInput.model_validate({"kind": "help", "title": "A", "category": "b", "body": None}).body == ""
    with pytest.raises(ValueError, match="title"):
        c.RequestInput.model_validate({"kind": "help", "title": None, "category": "b"})
    with pytest.raises(ValueError, match="valid dict"):
        c.RequestInput.model_validate(["help"])


def test_a_claim_says_by_whom_when_and_with_which_photo() -> None:
    state = OPEN.but(wish(c.ClaimResolution, DINAS, LATER, note="Pumped dry", photo="https://example.org/1.jpg")).state
    assert state.resolution is not None
    assert state.resolution.model_dump(exclude={"by"}) == {
        "note": "Pumped dry",
        "photo": "https://example.org/1.jpg",
        "at": LATER,
        "confirm_by": AFTER,
    }
    assert state.resolution.by == DINAS


@pytest.mark.parametrize("due", ["open", "in_progress", "disputed"])
def test_what_is_still_live_expires_when_its_time_has_come(due: str) -> None:
    given = supported(MASJID, expires_at=AFTER)
    if due != "open":
        given = given.but(wish(c.ReportProgress, DINAS))
    if due == "disputed":
        given = given.but(wish(c.ClaimResolution, DINAS, note="Done"), wish(c.DisputeResolution, ANI))
    assert given.when(wish(PassTime, SYSTEM, AFTER - timedelta(microseconds=1))) == []
    assert REQUEST.index(given.state)["due_at"] == AFTER.timestamp()
    over = given.but(wish(PassTime, SYSTEM, AFTER)).state
    assert (over.status, over.outcome, REQUEST.index(over)["due_at"]) == ("closed", "expired", None)
    assert given.but(wish(c.CancelRequest, ANI)).when(wish(PassTime, SYSTEM, AFTER)) == []


def test_a_claim_waits_seven_days_and_not_a_moment_less() -> None:
    assert timedelta(days=7) == CONFIRM_WITHIN
    assert REQUEST.index(RESOLVED.state)["due_at"] == AFTER.timestamp()
    assert RESOLVED.when(wish(PassTime, SYSTEM, AFTER - timedelta(microseconds=1))) == []


def test_support_counts_each_actor_once_and_never_the_author() -> None:
    given = supported(BUDI, CITRA)
    assert given.state.supporters == 2
    assert [given.when(wish(c.GiveSupport, each)) for each in (ANI, BUDI, CITRA)] == [[], [], []]


@pytest.mark.parametrize(
    ("kind", "by", "says"),
    [
        (c.ReportProgress, BUDI, "Only the author, a helper, an agency or a community"),
        (c.ClaimResolution, TOKO, "Only the author, a helper, an agency or a community"),
        (c.ConfirmResolution, BUDI, "Only the author and supporters"),
        (c.ConfirmResolution, DINAS, "Only the author and supporters"),
        (c.DisputeResolution, BUDI, "Only the author and supporters"),
        (c.CancelRequest, DINAS, "Only the author"),
        (c.RejectRequest, ANI, "Only an agency"),
        (c.RejectRequest, MASJID, "Only an agency"),
        (c.MarkDuplicate, MASJID, "Only the author or an agency"),
        (c.ApproveContribution, DINAS, "Only the author"),
        (c.DeclineContribution, DINAS, "Only the author"),
        (c.ReceiveContribution, BUDI, "Only the author"),
    ],
)
def test_strangers_may_not(kind: Any, by: Party, says: str) -> None:
    needed: dict[Any, dict[str, Any]] = {
        c.ClaimResolution: {"note": "Done"},
        c.RejectRequest: {"reason": "No"},
        c.MarkDuplicate: {"original": "other"},
    }
    about = kind.__name__.endswith("Contribution")
    more = {"contribution_id": "p1"} if about else needed.get(kind, {})
    RESOLVED.refuses(wish(kind, by, **more), Forbidden, says)


def test_two_supporters_confirm_where_the_author_is_silent() -> None:
    given = claimed(BUDI, CITRA)
    first = given.but(wish(c.ConfirmResolution, BUDI))
    assert first.state.status == "resolved"
    assert first.when(wish(c.ConfirmResolution, BUDI)) == []
    assert first.but(wish(c.ConfirmResolution, CITRA)).state.outcome == "confirmed"
    assert first.outcome(wish(c.ConfirmResolution, ANI)) == "RequestClosed"


def test_two_supporters_dispute_and_the_request_goes_on() -> None:
    given = claimed(BUDI, CITRA, DEWI)
    first = given.but(wish(c.DisputeResolution, BUDI, note="Still wet"), wish(c.ConfirmResolution, CITRA))
    assert first.state.status == "resolved"
    both = first.but(wish(c.DisputeResolution, DEWI, note="Wet"))
    (*_, disputed) = both.history
    assert isinstance(disputed, event.RequestDisputed)
    assert (disputed.note, disputed.by) == ("Wet", DEWI)
    assert (both.state.status, both.state.live) == ("disputed", True)
    assert both.when(wish(c.DisputeResolution, DEWI)) == []


def test_a_supporter_may_think_again() -> None:
    given = claimed(BUDI, CITRA).but(wish(c.DisputeResolution, BUDI), wish(c.ConfirmResolution, BUDI))
    assert given.state.private.seconds == {BUDI.id: True}
    assert given.outcome(wish(c.DisputeResolution, CITRA)) == "ResolutionSeconded"
    assert given.outcome(wish(c.ConfirmResolution, CITRA)) == "ResolutionSeconded+RequestClosed"


def test_a_new_claim_is_answered_anew() -> None:
    once = claimed(BUDI, CITRA).but(wish(c.ConfirmResolution, BUDI), wish(c.DisputeResolution, ANI))
    again = once.but(wish(c.ReportProgress, DINAS), wish(c.ClaimResolution, DINAS, note="Now it is"))
    assert again.state.private.seconds == {}
    assert again.outcome(wish(c.ConfirmResolution, CITRA)) == "ResolutionSeconded"


def test_whoever_claims_a_resolution_does_not_confirm_it() -> None:
    given = claimed(DINAS, BUDI)
    given.refuses(wish(c.ConfirmResolution, DINAS), Forbidden, "Whoever claims")
    assert given.outcome(wish(c.DisputeResolution, DINAS)) == "ResolutionSeconded"


def test_a_request_with_needs_is_not_resolved_but_fulfilled() -> None:
    NOTHING.but(to_open((5, "kg"))).refuses(wish(c.ClaimResolution, ANI, note="Done"), Rejected, "has needs")


def test_a_request_is_no_duplicate_of_itself() -> None:
    problem = OPEN.refuses(wish(c.MarkDuplicate, ANI, original=KEY), Invalid, "itself")
    assert isinstance(problem, Invalid)
    assert problem.field == "duplicate_of"


def test_a_duplicate_says_of_which() -> None:
    (closed,) = OPEN.when(wish(c.MarkDuplicate, DINAS, original="other"))
    assert isinstance(closed, event.RequestClosed)
    assert (closed.outcome, closed.duplicate_of) == ("duplicate", "other")


def test_a_wish_for_something_else_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="AddComment"):
        OPEN.when(wish(AddComment, ANI, request_id=KEY, text="Hi", fingerprint="x"))
    with pytest.raises(TypeError, match="GiveSupport"):
        Given(COMMENT).when(wish(c.GiveSupport, ANI))
    with pytest.raises(TypeError, match="ReserveNeed"):
        lifecycle.decide(WISHES["reserve"], OPEN.state)


def test_a_comment_is_said_once() -> None:
    said = wish(AddComment, ANI, request_id=KEY, text="Hi", fingerprint="x")
    given = Given(COMMENT).but(said)
    assert (given.state.text, given.state.by, given.state.added_at) == ("Hi", ANI, T0)
    assert given.when(said) == []
    given.refuses(wish(AddComment, ANI, request_id=KEY, text="Ho", fingerprint="y"), Invalid, "Idempotency-Key")
    assert COMMENT.index(given.state) == {"request_id": KEY, "added": int(T0.timestamp() * 1000)}


def test_a_request_is_found_by_place_word_and_status() -> None:
    state = NOTHING.but(to_open(title="Banjir di Jalan", body="banjir lagi", area="31.74.01.1001")).state
    assert REQUEST.index(NOTHING.state) == {}
    index = REQUEST.index(state)
    assert (index["opened"], index["author"]) == (int(T0.timestamp() * 1000), ANI.id)
    assert (index["lon"], index["lat"]) == (106.82, -6.17)
    areas = {f"area:{code}:open" for code in ("31", "31.74", "31.74.01", "31.74.01.1001")}
    assert {"status:open", "word:banjir", *areas} <= set(index["tags"])
    assert any(tag.startswith("cell:") for tag in index["tags"])
    assert words("Banjir, banjir! di A") == ["banjir", "di"]
    assert REQUEST.about(state) == {"area": "31.74.01.1001", "category": "flood"}


def test_a_request_without_a_place_is_found_without_one() -> None:
    opened = c.OpenRequest(
        by=ANI, at=T0, asked=to_open().asked, shown=None, place="blurred", area=None, area_source=None, fingerprint="x"
    )
    index = REQUEST.index(NOTHING.but(opened).state)
    assert (index["lon"], [tag for tag in index["tags"] if tag.startswith(("area", "cell"))]) == (None, [])


def contributed(state: Request, count: int) -> Request:
    one = Contribution(id="p", need_id=need_id(), quantity=1, status="released", source="pledge", by=BUDI)
    many = {f"p{number}": one.model_copy(update={"id": f"p{number}"}) for number in range(count)}
    return state.model_copy(update={"contributions": many})


def test_a_request_takes_ten_thousand_contributions_and_no_more() -> None:
    state = NOTHING.but(to_open((20_000, "kg"))).state
    asked = wish(c.ReserveNeed, BUDI, contribution_id="new", need_id=need_id(), quantity=1, source="pledge")
    (refused,) = REQUEST.decide(asked, contributed(state, MOST_CONTRIBUTIONS))
    assert "10000 contributions" in refused.reason  # type: ignore[attr-defined]
    (reserved,) = REQUEST.decide(asked, contributed(state, MOST_CONTRIBUTIONS - 1))
    assert isinstance(reserved, event.ContributionReserved)


def test_nobody_receives_what_is_not_there() -> None:
    OPEN.refuses(wish(c.ReceiveContribution, ANI, contribution_id="p1"), NotFound, "no contribution p1")
