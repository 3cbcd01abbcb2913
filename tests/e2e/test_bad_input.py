"""Bad bodies at every door: a problem document that names the field, and the city as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories import Json
from tests.world import World, running_world
from tests.wrong import DOORS, EVEN_LATER, LATER, SWAPPED, Door, Raw, Wrong, written, wrong_bodies

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("city")) as made:
        yield made


def _send(world: World, door: Door, content: bytes, headers: dict[str, str] = JSON) -> Any:
    filled = content
    for name, value in world.names.items():
        filled = filled.replace(b"{" + name.encode() + b"}", value.encode())
    return world.send(door.method, door.path, door.who, content=filled, headers=headers)


@pytest.mark.parametrize("wrong", list(wrong_bodies()), ids=lambda wrong: f"{wrong.door}: {wrong.about}")
def test_a_wrong_value_is_refused_by_name_and_changes_nothing(world: World, wrong: Wrong) -> None:
    response = _send(world, DOORS[wrong.door], written(wrong.body))

    # What is no JSON number is found before anything has a name.
    field = "body" if wrong.about.endswith(("is NaN", "is Infinity", "is 5,000 digits")) else wrong.field
    problem = world.refused(response, 422, field=field)
    assert len(response.content) < 4_000, "a problem document does not send back what it was given"
    assert wrong.field in problem["detail"] or field == "body" or len(problem["errors"]) == 1


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("value", [None, {"a": 1}], ids=["null", "object"])
def test_an_unknown_field_is_refused_by_name(world: World, name: str, value: Any) -> None:
    door = DOORS[name]

    response = _send(world, door, written({**door.good, "colour": value}))

    world.refused(response, 422, field="colour")


NOT_JSON: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"title=Beras", "body"),
    "cut off": (b'{"title": "Beras"', "body"),
    "two values": (b"{} {}", "body"),
    "a list": (b"[]", "body"),
    "a text": (b'"Beras"', "body"),
    "a number": (b"5", "body"),
    "a huge number": (b"9" * 5_000, "body"),
    "nested a hundred thousand deep": (b"[" * 100_000 + b"]" * 100_000, "body"),
    "objects nested deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "body"),
    "not UTF-8": (b'{"title": "\xff\xfe"}', "body"),
    "NaN alone": (b"NaN", "body"),
    "a name twice": (b'{"colour": 1, "colour": 2}', "colour"),
    "a name twice within": (b'{"colour": {"red": 1, "red": 2}}', "red"),
    "half a surrogate pair for a name": (b'{"\\ud800": 1}', "body"),
    "half a surrogate pair for a name, twice": (b'{"\\ud800": 1, "\\ud800": 2}', "?"),
    "a control character in a text": (b'{"note": "a\x00b"}', "body"),
}


# All doors read alike: each is tried with a few of these, some with all.
THOROUGHLY = ["requests", "comments", "progress", "tokens"]
SOME = ["a list", "a name twice", "not UTF-8"]


@pytest.mark.parametrize(("name", "content"), [(n, c) for n in DOORS for c in (NOT_JSON if n in THOROUGHLY else SOME)])
def test_what_is_not_a_plain_json_object_is_refused(world: World, name: str, content: str) -> None:
    body, field = NOT_JSON[content]

    response = _send(world, DOORS[name], body)

    world.refused(response, 422, field=field)
    assert len(response.content) < 4_000


@pytest.mark.parametrize("name", [name for name, door in DOORS.items() if door.needs_body])
def test_an_empty_body_is_refused_where_one_is_needed(world: World, name: str) -> None:
    world.refused(_send(world, DOORS[name], b""), 422, field="body")


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "a/b/c"]
)
def test_a_body_that_does_not_say_it_is_json_is_refused(world: World, name: str, kind: str) -> None:
    door = DOORS[name]

    response = _send(world, door, written(door.good), {"Content-Type": kind})

    world.refused(response, 415, 422)


@pytest.mark.parametrize("name", ["requests", "activities"])
def test_swapped_coordinates_are_told_what_they_would_be_the_other_way_round(world: World, name: str) -> None:
    door = DOORS[name]

    problem = world.refused(_send(world, door, written({**door.good, "location": SWAPPED})), 422, field="location")

    assert "swapped" in problem["detail"]
    assert "lon 106.83" in problem["detail"]
    assert "lat -6.2" in problem["detail"]


def test_an_unknown_area_is_told_which_ones_may_be_meant(world: World) -> None:
    door = DOORS["requests"]

    problem = world.refused(_send(world, door, written({**door.good, "area": "31.71.06.1099"})), 422, field="area")

    assert problem["near"]
    assert problem["near"][0]["code"] in problem["detail"]


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        ("activities", {"starts_at": EVEN_LATER, "ends_at": LATER}, "ends_at"),
        ("activities", {"ends_at": LATER}, "ends_at"),
        ("activities", {"ends_at": "2099-03-01T08:00:00+07:00"}, "ends_at"),
        ("activities", {"roles": [{"name": "a", "capacity": 1}] * 2}, "roles"),
        ("activities", {"roles": []}, "roles"),
        ("activities", {"roles": [{"name": f"{number}", "capacity": 1} for number in range(21)]}, "roles"),
        ("offers", {"starts_at": EVEN_LATER, "ends_at": LATER}, "ends_at"),
        ("offers", {"areas": ["31"] * 51}, "areas"),
        ("offers", {"areas": ["31", "31.99"]}, "areas.1"),
        ("organisations", {"areas": ["31", "31.99"]}, "areas.1"),
        ("requests", {"needs": [{"label": "a", "quantity": 1, "unit": "kg"}] * 21}, "needs"),
        ("requests", {"needs": {"label": "a", "quantity": 1, "unit": "kg"}}, "needs"),
        ("requests", {"needs": [{"label": "a", "quantity": 1, "unit": "kg", "colour": None}]}, "needs.0.colour"),
        ("requests", {"needs": [5]}, "needs.0"),
        ("join", {"role": "masak"}, "role"),
        ("duplicate", {"duplicate_of": "{report}"}, "duplicate_of"),
        ("comments", {"text": ""}, "text"),
        ("comments", {"text": " \n\t "}, "text"),
        ("comments", {"text": "\u200b\u2060"}, "text"),
    ],
)
def test_values_that_do_not_fit_together_are_refused_by_name(world: World, name: str, change: Json, field: str) -> None:
    door = DOORS[name]

    world.refused(_send(world, door, written({**door.good, **change})), 422, field=field)


def test_a_body_of_more_than_a_megabyte_is_refused_whether_or_not_it_says_its_length(world: World) -> None:
    large = written({**DOORS["requests"].good, "body": "x" * 1_000_001})

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(large), 50_000):
            yield large[start : start + 50_000]

    for content in (large, pieces()):
        response = world.send("POST", "/api/requests", "author", content=content, headers=JSON)
        world.refused(response, 413)


def test_a_refused_body_is_not_repeated_in_the_answer(world: World) -> None:
    secret = {"email": "rahasia@example.org", "password": "kata-sandi-rahasia", "display_name": Raw("1e400")}

    response = _send(world, DOORS["people"], written(secret))

    world.refused(response, 422, field="display_name")
    assert "rahasia" not in response.text


def test_nothing_of_all_this_reached_the_public_log(world: World) -> None:
    good = json.loads(world.named(json.dumps(DOORS["comments"].good)))

    last = world.send("POST", DOORS["comments"].path, "helper", json=good)

    assert last.status_code == 201
    events: list[Json] = []
    while not events:
        events = world.send("GET", f"/api/events?after={world.end}").json()["items"]
    assert [each["subject"] for each in events] == [last.json()["id"]]
