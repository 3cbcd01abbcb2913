"""The bodies that each door takes, the kind of every field, and the values that no field of a kind may have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ABSENT = "31.99"
FAR = {"lon": 110.4, "lat": -7.0}
SWAPPED = {"lon": -6.2, "lat": 106.83}
LATER, EVEN_LATER = "2099-01-01T08:00:00+07:00", "2099-01-01T11:00:00+07:00"


class Raw(str):
    """JSON text that Python would write otherwise, such as a number too large for a float."""

    __slots__ = ()


def written(value: Any) -> bytes:
    """The JSON of a value, unpaired surrogates as escapes and `Raw` text as it is."""
    raw: list[str] = []

    def mark(part: Any) -> Any:
        match part:
            case Raw():
                raw.append(str(part))
                return f"\u0001{len(raw) - 1}\u0001"
            case dict():
                return {name: mark(each) for name, each in part.items()}
            case list():
                return [mark(each) for each in part]
        return part

    text = json.dumps(mark(value))
    for number, each in enumerate(raw):
        text = text.replace(f'"\\u0001{number}\\u0001"', each)
    return text.encode()


@dataclass(frozen=True)
class Door:
    """Where a body goes, who brings it (a name in the world), a good one, and the kind of each of its fields."""

    path: str
    who: str
    good: dict[str, Any]
    fields: dict[str, str]
    method: str = "POST"
    needs_body: bool = True


# A kind may say how long a text may be and, with "!", that it is required.
DOORS: dict[str, Door] = {
    "people": Door(
        "/api/people",
        "nobody",
        {"email": "a@example.org", "password": "correct horse battery", "display_name": "Sari"},
        {"email": "email!", "password": "password!", "display_name": "line:80!", "language": "choice", "area": "code"},
    ),
    "me": Door(
        "/api/people/me",
        "author",
        {"display_name": "Sari"},
        {"display_name": "line:80", "language": "choice", "area": "code"},
        method="PATCH",
    ),
    "tokens": Door(
        "/api/tokens",
        "nobody",
        {"email": "a@example.org", "password": "correct horse battery"},
        {"email": "address", "password": "secret", "refresh_token": "secret"},
    ),
    "organisations": Door(
        "/api/organisations",
        "author",
        {"name": "PKK", "kind": "community"},
        {"name": "line:80!", "kind": "choice!", "areas": "codes"},
    ),
    "members": Door(
        "/api/organisations/{firm}/members",
        "owner",
        {"person": "{helper_id}"},
        {"person": "id!", "role": "choice"},
    ),
    "requests": Door(
        "/api/requests",
        "author",
        {
            "kind": "help",
            "title": "Beras",
            "category": "food",
            "location": {"lon": 106.83, "lat": -6.2},
            "needs": [{"label": "rice", "quantity": 5, "unit": "kg"}],
        },
        {
            "kind": "choice!",
            "title": "line:140!",
            "body": "text:4000",
            "category": "slug!",
            "location": "place",
            "area": "code",
            "needs.0.label": "line:80!",
            "needs.0.quantity": "quantity!",
            "needs.0.unit": "choice!",
            "approval": "choice",
            "on_behalf_of": "line:80",
            "expires_at": "moment",
        },
    ),
    "comments": Door("/api/requests/{request}/comments", "helper", {"text": "Semangat"}, {"text": "text:1000!"}),
    "progress": Door(
        "/api/requests/{request}/progress", "author", {"note": "a"}, {"note": "text:1000"}, needs_body=False
    ),
    "resolve": Door(
        "/api/requests/{report}/resolve", "author", {"note": "Selesai"}, {"note": "line:140!", "photo": "link"}
    ),
    "dispute": Door("/api/requests/{report}/dispute", "author", {"note": "a"}, {"note": "text:1000"}, needs_body=False),
    "cancel": Door("/api/requests/{report}/cancel", "author", {"note": "a"}, {"note": "text:1000"}, needs_body=False),
    "reject": Door("/api/requests/{report}/reject", "agency", {"reason": "Bukan"}, {"reason": "line:140!"}),
    "duplicate": Door(
        "/api/requests/{report}/duplicate", "author", {"duplicate_of": "{request}"}, {"duplicate_of": "id!"}
    ),
    "decline": Door(
        "/api/requests/{request}/contributions/{pledge}/decline",
        "author",
        {"note": "a"},
        {"note": "text:1000"},
        needs_body=False,
    ),
    "pledges": Door(
        "/api/pledges",
        "helper",
        {"request_id": "{request}", "need_id": "{need}", "quantity": 1},
        {
            "request_id": "id!",
            "need_id": "id!",
            "quantity": "quantity!",
            "note": "text:1000",
            "until": "moment",
        },
    ),
    "activities": Door(
        "/api/activities",
        "author",
        {
            "title": "Kerja bakti",
            "location": {"lon": 106.83, "lat": -6.2},
            "starts_at": LATER,
            "ends_at": EVEN_LATER,
            "roles": [{"name": "angkut", "capacity": 3}],
        },
        {
            "title": "line:140!",
            "body": "text:4000",
            "location": "place!",
            "area": "code",
            "starts_at": "moment!",
            "ends_at": "moment!",
            "roles.0.name": "line:80!",
            "roles.0.capacity": "quantity!",
            "request_id": "id",
        },
    ),
    "join": Door("/api/activities/{activity}/join", "helper", {"role": "angkut"}, {"role": "line:80!"}),
    "check-in": Door(
        "/api/activities/{activity}/check-in", "author", {"person": "{helper_id}"}, {"person": "id"}, needs_body=False
    ),
    "call-off": Door(
        "/api/activities/{activity}/cancel", "author", {"reason": "a"}, {"reason": "text:1000"}, needs_body=False
    ),
    "offers": Door(
        "/api/offers",
        "firm",
        {"title": "Beras", "unit": "kg", "budget": 5},
        {
            "title": "line:140!",
            "unit": "choice!",
            "budget": "quantity!",
            "per_request_limit": "quantity",
            "per_area_limit": "quantity",
            "per_day_limit": "quantity",
            "categories": "slugs",
            "areas": "codes",
            "requester_kinds": "choices",
            "starts_at": "moment",
            "ends_at": "moment",
            "automatic": "flag",
            "publish": "flag",
        },
    ),
    "top-up": Door("/api/offers/{offer}/top-up", "firm", {"quantity": 5}, {"quantity": "change!"}),
    "sponsorships": Door(
        "/api/sponsorships",
        "firm",
        {"offer_id": "{offer}", "request_id": "{request}", "need_id": "{need}", "quantity": 1},
        {"offer_id": "id!", "request_id": "id!", "need_id": "id!", "quantity": "quantity!"},
    ),
}

HUGE = "9" * 5_000
_TYPES: list[tuple[str, Any]] = [("a list", []), ("an object", {}), ("a flag", True), ("a number", 5)]
_CONTROLS = {
    "NUL": "a\x00b",
    "ESC": "a\x1bb",
    "C1": "a\x85b",
    "a line separator": "a\u2028b",
    "turned text": "a\u202eb",
}
_NUMBERS: list[tuple[str, Any]] = [
    ("zero", 0),
    ("a fraction", 1.5),
    ("a whole float", 1.0),
    ("a text", "5"),
    ("a flag", True),
    ("10**30", 10**30),
    ("1e400", Raw("1e400")),
    ("5,000 digits", Raw(HUGE)),
    ("NaN", Raw("NaN")),
    ("Infinity", Raw("-Infinity")),
]
_VALUES: dict[str, list[tuple[str, Any]]] = {
    "email": [
        *_TYPES,
        ("no address", "sari"),
        ("two @", "a@b@example.org"),
        ("a long one", "a" * 300 + "@example.org"),
    ],
    "address": [*_TYPES, ("a long one", "a" * 300 + "@example.org")],
    "secret": [*_TYPES, ("a long one", "x" * 201)],
    "password": [*_TYPES, ("a short one", "1234567"), ("a long one", "x" * 201)],
    "slug": [*_TYPES, ("spaces", "street light"), ("a path", "../food"), ("a long one", "a" * 41), ("empty", "")],
    "code": [*_TYPES, ("unknown", ABSENT), ("no code", "Menteng"), ("half a code", "31.7"), ("a wildcard", "31.%")],
    "id": [*_TYPES, ("no id", "1"), ("capitals", "01A21087-036E-7253-BAC5-07925F85E991"), ("SQL", "' OR 1=1 --")],
    "choice": [*_TYPES, ("unknown", "stone"), ("empty", ""), ("other case", "HELP")],
    "flag": [("a text", "maybe"), ("a number", 5), ("a list", [])],
    "link": [
        *_TYPES,
        ("no https", "http://example.org/a"),
        ("a script", "javascript:alert(1)"),
        ("a break", "https://a\nb"),
    ],
    "quantity": [*_NUMBERS, ("negative", -1), ("over a million million", 10**12 + 1)],
    "change": [*_NUMBERS, ("over a million million", 10**12 + 1)],
    "moment": [
        *_TYPES,
        ("no offset", "2099-01-01T08:00:00"),
        ("a date alone", "2099-01-01"),
        ("a count of seconds", "4070908800"),
        ("day, month, year", "01/02/2099 08:00"),
        ("the year 10000", "10000-01-01T00:00:00Z"),
        ("before the year 1", "0001-01-01T00:00:00+07:00"),
        ("after the year 9999", "9999-12-31T23:59:59-01:00"),
        ("the past", "2001-01-01T00:00:00Z"),
        ("no such day", "2099-02-30T00:00:00Z"),
    ],
}


@dataclass(frozen=True)
class Wrong:
    """A body with one wrong value: what an answer has to name as its field."""

    door: str
    about: str
    body: dict[str, Any]
    field: str


def wrong_bodies() -> Iterator[Wrong]:
    """Every door's good body with every wrong value in every field, one at a time."""
    for name, door in DOORS.items():
        for field, kind in door.fields.items():
            plain, required = kind.rstrip("!"), kind.endswith("!")
            for about, value, at in _wrong_values(plain, field):
                if field == "starts_at" and about == "the past":
                    continue  # an activity or offer may have begun already
                yield Wrong(name, f"{field} is {about}", _with(door.good, field, value), at)
            if required:
                yield Wrong(name, f"{field} is missing", _with(door.good, field, _Gone), field)
                yield Wrong(name, f"{field} is null", _with(door.good, field, None), field)


def _wrong_values(kind: str, field: str) -> Iterator[tuple[str, Any, str]]:
    kind, _, longest = kind.partition(":")
    match kind:
        case "line" | "text":
            yield from ((about, value, field) for about, value in _texts(kind, int(longest)))
            yield from ((about, value, field) for about, value in _TYPES)
        case "codes" | "slugs" | "choices":
            singular = kind[:-1]
            yield "a text", "31", field
            yield from ((f"a list with {about}", [value], f"{field}.0") for about, value in _VALUES[singular])
        case "place":
            yield from _places(field)
        case _:
            yield from ((about, value, field) for about, value in _VALUES[kind])
    if kind in ("line", "text", "email", "password", "slug", "code", "id", "choice", "link", "moment"):
        yield "half of a surrogate pair", "a\ud800b", field


def _texts(kind: str, longest: int) -> Iterator[tuple[str, str]]:
    yield "too long", "x" * (longest + 1)
    yield from _CONTROLS.items()
    if kind == "line":
        yield from {
            "two lines": "a\nb",
            "a tab": "a\tb",
            "empty": "",
            "blank": " \t ",
            "invisible": "\u200b\u2060",
        }.items()


def _places(field: str) -> Iterator[tuple[str, Any, str]]:
    good = {"lon": 106.83, "lat": -6.2}
    for about, value in [*_NUMBERS[3:5], *_NUMBERS[6:], ("a list", [])]:
        yield f"at a longitude that is {about}", {**good, "lon": value}, f"{field}.lon"
    yield "a list", [106.83, -6.2], field
    yield "without a latitude", {"lon": 106.83}, f"{field}.lat"
    yield "with a height", {**good, "height": 5}, f"{field}.height"
    yield "far away", FAR, field
    yield "swapped", SWAPPED, field
    yield "off the globe", {"lon": 106.83, "lat": -91}, field


class _Gone:
    """Stands for a field that is left out."""


def _with(body: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(body))
    at: Any = copy
    *way, last = field.split(".")
    for part in way:
        at = at[int(part)] if part.isdigit() else at[part]
    if value is _Gone:
        del at[last]
    else:
        at[last] = value
    return copy
