"""Ids, fingerprints, causes and vocabularies: the small things on which repeating without harm rests."""

from __future__ import annotations

from services.volunteering.domain.pledge import PLEDGE
from shared.contracts.accounts import MemberAdded
from shared.contracts.volunteering import PLEDGE_EVENTS, PledgeExpired
from shared.decider import fingerprint, public_json
from shared.events import Vocabulary
from shared.ids import derived_id, is_id, new_id
from tests.given import Given, to_pledge
from tests.kernel import sealed


def test_equal_inputs_have_equal_fingerprints_in_whatever_order() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    told = [fingerprint(each) for each in ({"a": 1}, {"a": "1"}, {"a": 1.0}, {"a": None}, {}, {"b": 1}, [1], None)]
    assert len(set(told)) == len(told)
    assert {len(each) for each in told} == {32}


def test_a_state_whose_private_part_is_gone_is_read_without_it() -> None:
    state = Given(PLEDGE).but(to_pledge(5, note="In the evening")).state
    without = PLEDGE.parse(public_json(state), None)
    assert (without.quantity, without.private.note) == (5, "")


def test_new_ids_are_ids_all_different_and_in_the_order_of_their_time() -> None:
    made = [new_id() for _ in range(1_000)]
    assert all(map(is_id, made))
    assert len(set(made)) == 1_000
    assert made == sorted(made)


def test_derived_ids_follow_from_what_they_name_and_from_nothing_else() -> None:
    assert derived_id("need", "a", "0") == derived_id("need", "a", "0")
    assert is_id(derived_id("need", "a", "0"))
    assert len({derived_id("ab", "c"), derived_id("a", "bc"), derived_id("abc"), derived_id("a", "b", "c")}) == 4


def test_an_id_has_one_form() -> None:
    good = new_id()
    assert not [bad for bad in ("", good.upper(), good[:-1], good + "0", good + "\n", f" {good}") if is_id(bad)]


def test_what_answers_an_event_names_it_as_the_cause() -> None:
    envelope = sealed("a", 1)
    cause = envelope.cause
    assert (cause.correlationid, cause.causationid, cause.actorkind) == ("visit", envelope.id, "system")


def test_a_vocabulary_knows_its_own_words() -> None:
    known = Vocabulary(PLEDGE_EVENTS)
    assert PledgeExpired.type in known
    assert MemberAdded.type not in known
    assert None not in known
