"""Bad queries, cursors, paths and methods: a problem document that names them, and the city as it was."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.world import World, problem_of, running_world
from tests.wrong import SWAPPED


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("city")) as made:
        yield made


LISTS = [
    "/api/requests?",
    "/api/requests/{request}/comments?",
    "/api/requests/{request}/history?",
    "/api/pledges?",
    "/api/activities?",
    "/api/offers?",
    "/api/offers/{offer}/ledger?",
    "/api/sponsorships?offer_id={offer}&",
    "/api/organisations?",
    "/api/events?",
]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["0", "201", "-1", "abc", "1.5", "", "9" * 30, "1&limit=2", "%00", "١"])
def test_a_limit_that_is_none_from_1_to_200_is_refused(world: World, path: str, limit: str) -> None:
    problem = problem_of(world.send("GET", f"{path}limit={limit}"), 422)
    assert problem["errors"][0]["field"] == "limit"


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("more", ["colour=red", "colour", "Limit=5", "after=&colour=", "%FF=1", "limit%00=1"])
def test_an_unknown_parameter_is_refused_and_not_ignored(world: World, path: str, more: str) -> None:
    problem_of(world.send("GET", path + more), 422)


def _cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


GARBAGE = [
    "x",
    "!!",
    "%00",
    "9",
    "AAAA",
    "%F0%9F%8D%9A",
    "x" * 501,
    *map(_cursor, ([], None, {}, 5, ["a"], {"a": 1, "b": 2})),
]


@pytest.mark.parametrize("path", [each for each in LISTS if each != "/api/events?"])
@pytest.mark.parametrize("after", GARBAGE)
def test_a_cursor_that_is_none_is_refused(world: World, path: str, after: str) -> None:
    problem = problem_of(world.send("GET", f"{path}after={after}"), 422)
    assert problem["errors"][0]["field"] == "after"


@pytest.mark.parametrize("after", ["x", "-", "--1", "%2B1", "1.5", "9" * 17, "%D9%A1", "1&after=2", "0x1", "%201"])
def test_a_place_in_the_log_that_is_none_is_refused(world: World, after: str) -> None:
    problem_of(world.send("GET", f"/api/events?after={after}"), 422)
    problem_of(world.send("GET", f"/api/events/stream?after={after}"), 422)


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 17, "1, 2"])
def test_a_last_event_id_that_is_none_is_refused(world: World, last: str) -> None:
    problem_of(world.send("GET", "/api/events/stream", headers={"Last-Event-ID": last}), 422)


FULL = ["/api/requests?", "/api/requests?near=106.83,-6.2&", "/api/organisations?", "/api/offers/{offer}/ledger?"]
FULL += ["/api/requests/{request}/history?", "/api/requests?near=106.83,-6.2&order=nearest&"]


@pytest.mark.parametrize("path", FULL)
def test_another_lists_cursor_is_refused(world: World, path: str) -> None:
    following = world.send("GET", f"{path}limit=1").json()["next"]
    assert world.send("GET", f"{path}limit=1&after={following}").status_code == 200
    for other in LISTS:
        if other.partition("?")[0] != path.partition("?")[0]:
            problem_of(world.send("GET", f"{other}after={following}"), 422)
    if path.startswith("/api/requests?"):
        problem_of(world.send("GET", f"{path}after={following}&kind=help"), 422)


CHANGED: list[Any] = [None, True, 5, -1, 1e300, 10**30, 2**63, "x", [], [1], [1, "x", 2], [{}, "x"], ["x", 5], {"a": 1}]


@pytest.mark.parametrize("path", FULL)
@pytest.mark.parametrize("position", [*CHANGED, [None, None], [True, "x"], [2**63, "x"]])
def test_a_cursor_that_somebody_changed_is_never_our_fault(world: World, path: str, position: Any) -> None:
    following = world.send("GET", f"{path}limit=1").json()["next"]
    _, question = json.loads(base64.urlsafe_b64decode(following + "=="))

    response = world.send("GET", f"{path}after={_cursor([position, question])}")

    if response.status_code != 200:
        problem_of(response, 422)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/requests?area=31.99", "area"),
        ("/api/requests?area=31.", "area"),
        ("/api/requests?area=", "area"),
        ("/api/requests?area=31&area=31.71", "area"),
        ("/api/requests?status=lost", "status"),
        ("/api/requests?status=open,,closed", "status"),
        ("/api/requests?status=absent", "status"),
        ("/api/requests?category=a%20b", "category"),
        ("/api/requests?kind=stone", "kind"),
        ("/api/requests?near=106.83", "near"),
        ("/api/requests?near=106.83,-6.2,5", "near"),
        ("/api/requests?near=nan,-6.2", "near"),
        ("/api/requests?near=1e400,-6.2", "near"),
        ("/api/requests?near=Menteng", "near"),
        ("/api/requests?near=-6.2,106.83", "near"),
        ("/api/requests?near=106.83,-6.2&radius=0", "radius"),
        ("/api/requests?near=106.83,-6.2&radius=-5", "radius"),
        ("/api/requests?near=106.83,-6.2&radius=nan", "radius"),
        ("/api/requests?near=106.83,-6.2&radius=inf", "radius"),
        ("/api/requests?near=106.83,-6.2&radius=50001", "radius"),
        ("/api/requests?radius=500", "near"),
        ("/api/requests?order=nearest", "near"),
        ("/api/requests?order=oldest", "order"),
        ("/api/requests?bbox=1,2,3", "bbox"),
        ("/api/requests?bbox=106.9,-6.1,106.8,-6.3", "bbox"),
        ("/api/requests?bbox=-180,-90,180,90", "bbox"),
        ("/api/requests?bbox=nan,nan,nan,nan", "bbox"),
        ("/api/requests?mine=perhaps", "mine"),
        ("/api/requests?q=" + "x" * 201, "q"),
        ("/api/requests?q=!", "q"),
        ("/api/areas?under=31.99", "under"),
        ("/api/areas?level=planet", "level"),
        ("/api/areas?at=106.83", "at"),
        ("/api/areas?at=nan,nan", "at"),
        ("/api/areas?at=110.4,-7.0", "at"),
        ("/api/people", "ids"),
        ("/api/people?ids=" + ",".join(map(str, range(101))), "ids"),
        ("/api/organisations?ids=" + ",".join(map(str, range(101))), "ids"),
        ("/api/sponsorships", "offer_id"),
        ("/api/sponsorships?offer_id=1", "offer_id"),
        ("/api/pledges?request_id=1", "request_id"),
        ("/api/activities?status=lost", "status"),
        ("/api/activities?area=31.99", "area"),
        ("/api/offers?status=lost", "status"),
        ("/api/events?area=31.99", "area"),
        ("/api/events?area=Menteng", "area"),
        ("/api/events?category=a%20b", "category"),
        ("/api/events?type=" + "x" * 201, "type"),
        ("/api/events/stream?area=31.99", "area"),
    ],
)
def test_a_wrong_filter_is_refused_by_name(world: World, path: str, field: str) -> None:
    problem = problem_of(world.send("GET", path), 422)
    assert problem["errors"][0]["field"] == field


def test_a_swapped_place_in_a_query_is_told_the_other_way_round(world: World) -> None:
    problem = problem_of(world.send("GET", f"/api/areas?at={SWAPPED['lon']},{SWAPPED['lat']}"), 422)
    assert "lon 106.83, lat -6.2" in problem["detail"]


IDS = ["1", "me", "null", "'%20OR%201=1%20--", "..%2f..%2fetc%2fpasswd", "%2e%2e", "%00", "%ED%A0%80", "x" * 300]
IDS += ["01A21087-036E-7253-BAC5-07925F85E991", "01a21087-036e-7253-bac5-07925f85e991%0a", "{request}x", "*", "%25"]
THINGS = ["requests", "pledges", "activities", "offers", "sponsorships", "organisations"]


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("name", IDS)
def test_what_is_no_id_finds_nothing(world: World, thing: str, name: str) -> None:
    problem_of(world.send("GET", f"/api/{thing}/{name}"), 404, 422)


@pytest.mark.parametrize("thing", THINGS)
def test_an_id_that_nobody_has_finds_nothing(world: World, thing: str) -> None:
    problem_of(world.send("GET", f"/api/{thing}/{uuid.uuid4()}"), 404)


ACTIONS = [
    *(("requests", action) for action in ("support", "progress", "confirm", "dispute", "cancel")),
    *(("pledges", action) for action in ("deliver", "withdraw")),
    *(("activities", action) for action in ("leave", "check-in", "cancel")),
    *(("offers", action) for action in ("publish", "pause", "resume", "close")),
    *(("sponsorships", action) for action in ("deliver", "release")),
]


@pytest.mark.parametrize(("thing", "action"), ACTIONS)
def test_nothing_can_be_done_to_what_is_not_there(world: World, thing: str, action: str) -> None:
    world.refused(world.send("POST", f"/api/{thing}/{uuid.uuid4()}/{action}", "author"), 404)
    world.refused(world.send("POST", f"/api/{thing}/1/{action}", "author"), 422, field=f"{_one(thing)}_id")


def _one(thing: str) -> str:
    return {"activities": "activity"}.get(thing, thing.removesuffix("s"))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/requests", {"GET", "POST"}),
        ("DELETE", "/api/requests/{request}", {"GET"}),
        ("PATCH", "/api/offers/{offer}", {"GET"}),
        ("GET", "/api/tokens", {"POST"}),
        ("GET", "/api/requests/{request}/support", {"POST"}),
        ("DELETE", "/api/events", {"GET"}),
        ("TRACE", "/api/events", {"GET"}),
        ("POST", "/live", {"GET"}),
    ],
)
def test_a_wrong_method_is_told_which_ones_there_are(world: World, method: str, path: str, allowed: set[str]) -> None:
    response = world.send(method, path, "author")
    world.refused(response, 405)
    assert allowed & {each.strip() for each in response.headers["allow"].split(",")}


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api//requests", "/%2e%2e/etc", "/.env"])
def test_an_unknown_path_is_a_problem_document_too(world: World, path: str) -> None:
    problem_of(world.send("GET", path), 404)


def test_the_city_noted_no_fault_of_its_own(world: World) -> None:
    assert world.send("GET", "/live").status_code == 200
    assert "unexpected error" not in world.city.log
    assert "Traceback" not in world.city.log
