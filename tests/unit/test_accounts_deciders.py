"""People register and change once; organisations always keep an owner, who alone decides about members."""

from __future__ import annotations

import pytest

from services.accounts.domain import (
    ORGANISATION,
    PERSON,
    AddMember,
    ChangePerson,
    Organisation,
    OrganisationInput,
    RegisterOrganisation,
    RegisterPerson,
    RemoveMember,
)
from shared.contracts import accounts as event
from shared.contracts.accounts import Role
from shared.decider import Command
from shared.errors import Forbidden, Invalid, NotFound, Rejected
from shared.events import Party
from tests.given import ANI, BUDI, CITRA, DEWI, HOUR, KEY, T0, Given, cells, wish

REGISTER = wish(RegisterPerson, ANI, email="ani@example.org", display_name="Ani", language="id", area="31.74.01.1001")
PERSONAL = Given(PERSON).but(REGISTER)


def changed(name: str | None = None, language: str | None = None, area: str | None = None) -> Command:
    return wish(ChangePerson, ANI, display_name=name, language=language, area=area)


def found(fingerprint: str = "first") -> Command:
    asked = OrganisationInput(name="PT Tirta", kind="company", areas=("31.74",))
    return wish(RegisterOrganisation, ANI, asked=asked, fingerprint=fingerprint)


def add(person: Party, role: Role = "staff", by: Party = ANI) -> Command:
    return wish(AddMember, by, person=person.id, role=role)


def remove(person: Party, by: Party = ANI) -> Command:
    return wish(RemoveMember, by, person=person.id)


FOUNDED = Given(ORGANISATION).but(found())
TWO = FOUNDED.but(add(BUDI))


def members(given: Given[Organisation]) -> dict[str, Role]:
    return given.state.private.members


def test_a_person_registers_once() -> None:
    state = PERSONAL.state
    assert (state.display_name, state.language, state.area, state.registered_at) == ("Ani", "id", "31.74.01.1001", T0)
    assert state.private.email == "ani@example.org"
    other = wish(RegisterPerson, ANI, T0 + HOUR, email="b@example.org", display_name="B", language="en", area=None)
    assert PERSONAL.when(REGISTER) == PERSONAL.when(other) == []


def test_the_events_of_a_person_tell_no_name_and_no_address() -> None:
    (registered,) = Given(PERSON).when(REGISTER)
    (renamed,) = PERSONAL.when(changed(name="Ani Lestari"))
    assert registered.model_dump() == renamed.model_dump() == {"language": "id", "area": "31.74.01.1001"}
    assert registered.visibility == renamed.visibility == "internal"


@pytest.mark.parametrize(
    ("wished", "expected"),
    [
        (changed(name="Ani Lestari"), ("Ani Lestari", "id", "31.74.01.1001")),
        (changed(language="en"), ("Ani", "en", "31.74.01.1001")),
        (changed(area="31.74"), ("Ani", "id", "31.74")),
        (changed("A", "en", "31"), ("A", "en", "31")),
    ],
)
def test_what_is_left_out_of_a_change_stays(wished: Command, expected: tuple[str, str, str]) -> None:
    given = PERSONAL.but(wished)
    assert (given.state.display_name, given.state.language, given.state.area) == expected
    assert given.state.private.email == "ani@example.org"
    assert given.when(wished) == []


def test_a_change_to_what_is_so_already_changes_nothing() -> None:
    assert PERSONAL.when(changed("Ani", "id", "31.74.01.1001")) == PERSONAL.when(changed()) == []


def test_nobody_changes_a_person_who_is_not_there() -> None:
    Given(PERSON).refuses(changed(name="X"), NotFound, f"no person {KEY}")


def test_a_person_whose_private_part_was_erased_can_still_be_told() -> None:
    erased = [each.model_copy(update={"private": None}) for each in PERSONAL.but(changed(language="en")).history]
    state = PERSON.fold(KEY, erased)
    assert (state.display_name, state.private.email, state.language) == ("", "", "en")


ORGANISATIONS = {
    "absent": Given(ORGANISATION),
    "one": FOUNDED,
    "two": TWO,
    "owners": TWO.but(add(BUDI, "owner")),
}
WISHES = {
    "found": found(),
    "found-other": found("other"),
    "add": add(CITRA),
    "add-again": add(BUDI),
    "promote": add(BUDI, "owner"),
    "demote": add(ANI, "staff"),
    "remove": remove(BUDI),
    "remove-none": remove(DEWI),
    "remove-owner": remove(ANI),
    "leave": remove(BUDI, by=BUDI),
    "by-staff": add(CITRA, by=BUDI),
    "by-stranger": add(DEWI, by=DEWI),
    "out-by-staff": remove(ANI, by=BUDI),
}
LIFE = """
             absent one     two       owners
found        Founded -      -         -
found-other  Founded Invalid Invalid  Invalid
add          none   Added   Added     Added
add-again    none   Added   -         Added
promote      none   Added   Added     -
demote       none   no      no        Added
remove       none   -       Removed   Removed
remove-none  none   -       -         -
remove-owner none   no      no        Removed
leave        none   -       Removed   Removed
by-staff     none   may-not may-not   Added
by-stranger  none   may-not may-not   may-not
out-by-staff none   may-not may-not   Removed
"""
SHORT = {
    "-": "-",
    "no": "Rejected",
    "none": "NotFound",
    "may-not": "Forbidden",
    "Invalid": "Invalid",
    "Founded": "OrganisationRegistered+MemberAdded",
}


@pytest.mark.parametrize(("name", "status", "expected"), list(cells(LIFE)))
def test_every_wish_has_one_answer_for_every_organisation(name: str, status: str, expected: str) -> None:
    assert ORGANISATIONS[status].outcome(WISHES[name]) == SHORT.get(expected, f"Member{expected}")


def test_whoever_registers_an_organisation_owns_it() -> None:
    state = FOUNDED.state
    assert (state.name, state.kind, state.areas, state.verified, state.registered_at) == (
        "PT Tirta",
        "company",
        ("31.74",),
        False,
        T0,
    )
    assert (state.owners, members(FOUNDED), state.private.fingerprint) == (["ani"], {"ani": "owner"}, "first")


def test_members_come_go_and_change_their_role() -> None:
    assert members(TWO) == {"ani": "owner", "budi": "staff"}
    assert members(TWO.but(add(BUDI, "owner"), remove(ANI, by=BUDI))) == {"budi": "owner"}
    assert members(TWO.but(remove(BUDI))) == {"ani": "owner"}


def test_a_repeated_member_changes_nothing() -> None:
    for done in (add(CITRA), add(BUDI, "owner"), remove(BUDI)):
        assert TWO.but(done).when(done) == []


def test_an_organisation_always_has_an_owner() -> None:
    TWO.refuses(remove(ANI), Rejected, "needs an owner")
    TWO.refuses(add(ANI, "staff"), Rejected, "needs an owner")
    assert TWO.but(add(BUDI, "owner")).outcome(add(ANI, "staff")) == "MemberAdded"


def test_a_refusal_says_whose_right_it_is() -> None:
    TWO.refuses(add(CITRA, by=BUDI), Forbidden, "Only an owner")
    TWO.refuses(remove(ANI, by=BUDI), Forbidden, "Only an owner")
    FOUNDED.refuses(found("other"), Invalid, "Idempotency-Key")


def test_an_organisation_is_found_by_its_members() -> None:
    assert ORGANISATION.index(TWO.state) == {
        "registered": int(T0.timestamp() * 1000),
        "kind": "company",
        "tags": {"all", "member:ani", "member:budi"},
    }
    assert ORGANISATION.index(Given(ORGANISATION).state)["registered"] is None


def test_a_wish_for_something_else_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="AddMember"):
        PERSONAL.when(add(BUDI))
    with pytest.raises(TypeError, match="ChangePerson"):
        FOUNDED.when(changed())


def test_an_event_of_another_kind_leaves_the_members_as_they_are() -> None:
    told = event.PersonChanged(at=T0, language="id")
    assert ORGANISATION.evolve(TWO.state, told) == TWO.state
