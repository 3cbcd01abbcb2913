"""`python -m services`: it starts, says where to look, stops when told to, and fills a demo city once."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.web.routes import ROUTES
from tests.commands import run, running, until

STOPPED_WITHIN_S = 10.0


def listed(address: str, path: str) -> list[dict[str, Any]]:
    """All items of a list, which are fewer than a page."""
    page = httpx.get(f"{address}/api/{path}{'&' if '?' in path else '?'}limit=200").raise_for_status().json()
    assert len(page["items"]) < 200
    items: list[dict[str, Any]] = page["items"]
    return items


@contextmanager
def follower(address: str) -> Iterator[threading.Event]:
    """Somebody who follows the event stream; the event is set once it has ended."""
    ended, following = threading.Event(), threading.Event()

    def follow() -> None:
        with httpx.stream("GET", f"{address}/api/events/stream", timeout=60) as stream:
            for _ in stream.iter_lines():
                following.set()
        ended.set()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert following.wait(STOPPED_WITHIN_S)
    yield ended
    thread.join(STOPPED_WITHIN_S)


def test_it_says_where_to_look_once_it_answers(tmp_path: Path) -> None:
    with running(folder=tmp_path / "data") as city:
        assert httpx.get(f"{city.address}/live").status_code == 200
        assert httpx.get(f"{city.address}/ready").status_code == 200
        for place in ("/ ", "/docs ", "/api/events "):
            assert f"{city.address}{place}" in city.said
        assert httpx.get(f"{city.address}/api/events").json() == {"items": [], "next": "0"}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_although_somebody_follows_its_events(tmp_path: Path, how: signal.Signals) -> None:
    with running(folder=tmp_path / "data") as city, follower(city.address) as ended:
        began = time.monotonic()
        assert city.stop(how) == 0
        assert time.monotonic() - began < STOPPED_WITHIN_S
        assert ended.wait(STOPPED_WITHIN_S)
        assert "Traceback" not in city.said


def test_it_stops_although_somebody_fell_silent_half_way(tmp_path: Path) -> None:
    with running(folder=tmp_path / "data") as city:
        host, port = city.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as silent:
            silent.sendall(b"POST /api/people HTTP/1.1\r\nHost: city\r\nContent-Length: 100\r\n\r\n{")
            assert httpx.get(f"{city.address}/live").status_code == 200
            began = time.monotonic()
            assert city.stop() == 0
            assert time.monotonic() - began < STOPPED_WITHIN_S
        assert "Traceback" not in city.said


def test_a_port_in_use_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run(folder=tmp_path / "data", port=port, demo="1")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"Port {port} of 127.0.0.1 is in use: stop what runs there, or set GOTONG_PORT to another one.\n"
    )
    assert {path.suffix for path in (tmp_path / "data").iterdir()} == {".lock"}


def test_a_second_city_over_the_same_data_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder=folder):
        for arguments in ((), ("requests",)):
            ended = run(*arguments, folder=folder)
            assert (ended.returncode, ended.stdout) == (1, "")
            assert ended.stderr == f"Another process runs over {folder} already: stop it, or set GOTONG_DATA.\n"


def test_a_data_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    ended = run(folder=tmp_path / "data")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith(f"The data folder {tmp_path / 'data'} cannot be written: ")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"timezone": "Mars/Base"}, "GOTONG_TIMEZONE is wrong: 'Mars/Base' is not an IANA time zone"),
        ({"port": "abc"}, "GOTONG_PORT is wrong: Input should be a valid integer"),
        ({"port": "70000"}, "GOTONG_PORT is wrong: Input should be less than or equal to 65535"),
        ({"city": "/no/such/file"}, "The table of areas /no/such/file cannot be read: No such file or directory."),
        ({"language": "fr"}, "GOTONG_LANGUAGE is wrong: Input should be 'id' or 'en'"),
        ({"demo": "perhaps"}, "GOTONG_DEMO is wrong: Input should be a valid boolean"),
        ({"log": "loud", "port": "-1"}, "GOTONG_LOG is wrong: Input should be 'plain' or 'json'"),
    ],
)
def test_wrong_settings_are_told_in_one_sentence(tmp_path: Path, settings: dict[str, str], reason: str) -> None:
    ended = run(folder=tmp_path / "data", **settings)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert reason in ended.stderr


def test_a_host_that_is_not_ours_is_told(tmp_path: Path) -> None:
    ended = run(folder=tmp_path / "data", host="192.0.2.1")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("The city cannot listen at 192.0.2.1, port 0: ")


def test_a_city_without_areas_runs(tmp_path: Path) -> None:
    with running(folder=tmp_path / "data", city="none", demo="1") as city:
        assert httpx.get(f"{city.address}/api/areas").json()["items"] == []
        assert listed(city.address, "requests") == []


@pytest.mark.parametrize("name", ["requests", "accounts"])
def test_a_service_runs_alone(tmp_path: Path, name: str) -> None:
    with running(name, folder=tmp_path / "data") as alone:
        for segment, service in ROUTES.items():
            assert (f"{alone.address}/api/{segment}\n" in alone.said) == (service == name)
        requests = httpx.get(f"{alone.address}/api/requests").status_code
        assert requests == (200 if name == "requests" else 404)
        assert alone.stop() == 0


def test_services_in_processes_of_their_own_are_one_city(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with (
        running("accounts", folder=folder) as accounts,
        running("requests", folder=folder) as requests,
        running("volunteering", folder=folder) as volunteering,
    ):
        author, helper = (_somebody(accounts.address, name) for name in ("sari", "budi"))
        asked = {"kind": "help", "title": "Beras", "category": "food", "needs": [_RICE], "location": _HOME}
        made = httpx.post(f"{requests.address}/api/requests", json=asked, headers=author).raise_for_status().json()
        wish = {"request_id": made["id"], "need_id": made["needs"][0]["id"], "quantity": 4}
        pledge = httpx.post(f"{volunteering.address}/api/pledges", json=wish, headers=helper).raise_for_status().json()
        place = f"{volunteering.address}/api/pledges/{pledge['id']}"
        until(lambda: httpx.get(place).json()["status"] == "accepted")


_RICE, _HOME = {"label": "Beras", "quantity": 10, "unit": "kg"}, {"lon": 106.83, "lat": -6.2}


def _somebody(address: str, name: str) -> dict[str, str]:
    """The headers of somebody new."""
    account = {"email": f"{name}@example.org", "password": "benar kuda baterai"}
    httpx.post(f"{address}/api/people", json={**account, "display_name": name}).raise_for_status()
    granted = httpx.post(f"{address}/api/tokens", json=account).raise_for_status().json()
    return {"Authorization": f"Bearer {granted['access_token']}"}


def demo_of(address: str) -> dict[str, list[dict[str, Any]]]:
    """What the demo city consists of, as everybody sees it; pages are newest first."""
    return {path: listed(address, path) for path in ("requests", "offers", "activities", "organisations")}


def filled(folder: Path) -> bool:
    """Whether the demo says that it has come to its end."""
    marker = folder / "demo.json"
    return marker.exists() and "ended" in json.loads(marker.read_text())


def test_the_first_start_fills_a_demo_city_and_the_second_leaves_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder=folder, demo="1") as city:
        until(lambda: "A small demo city is filled" in city.said)
        assert filled(folder)
        first = demo_of(city.address)
        assert city.stop() == 0
    _check_the_demo(first)
    with running(folder=folder, demo="1") as city:
        assert demo_of(city.address) == first
        assert "demo" not in city.said


def _check_the_demo(seen: dict[str, list[dict[str, Any]]]) -> None:
    requests = seen["requests"]
    assert len(requests) >= 12
    assert {each["kind"] for each in requests} == {"help", "report"}
    assert {each["status"] for each in requests} == {"open", "in_progress", "resolved", "disputed", "closed"}
    assert {each["outcome"] for each in requests} == {None, "confirmed", "fulfilled"}
    assert {each["place"] for each in requests if each["kind"] == "help"} == {"blurred"}
    assert all(each["area"].startswith("31.") for each in requests)
    states = {each["status"] for request in requests for each in request["contributions"]}
    assert states == {"proposed", "reserved", "delivered", "received", "released"}
    assert {offer["unit"]: offer["automatic"] for offer in map(_terms, seen["offers"])} == {
        "kg": True,
        "IDR": False,
        "meal": False,
    }
    assert all(offer["available"] < offer["budget"] for offer in seen["offers"])
    assert [role["waiting"] for activity in seen["activities"] for role in activity["roles"]].count(1) == 1
    assert {each["kind"] for each in seen["organisations"]} == {"company", "agency", "community"}


def _terms(offer: dict[str, Any]) -> dict[str, Any]:
    return {"automatic": offer["terms"]["automatic"], **offer}


def test_a_demo_that_was_killed_half_way_is_completed_without_anything_twice(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder=folder, demo="1") as city:
        until(lambda: listed(city.address, "requests"))
        city.stop(signal.SIGKILL)
    assert not filled(folder)
    with running(folder=folder, demo="1") as city:
        until(lambda: filled(folder))
        seen = demo_of(city.address)
    _check_the_demo(seen)
    for items in seen.values():
        names = [each.get("title") or each["name"] for each in items]
        assert len(set(names)) == len(names)


def test_a_demo_that_was_cut_off_is_left_where_demos_are_switched_off(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder=folder, demo="1") as city:
        until(lambda: listed(city.address, "requests"))
        city.stop(signal.SIGKILL)
    with running(folder=folder, demo="0") as city:
        assert city.stop() == 0
    assert filled(folder)


def test_without_a_demo_the_city_starts_empty(tmp_path: Path) -> None:
    with running(folder=tmp_path / "data", demo="0") as city:
        assert not any(demo_of(city.address).values())


def test_a_folder_with_content_gets_no_demo(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", tmp_path / "one.jsonl"
    file.write_text('{"at": "2026-01-01T10:00:00+07:00", "text": "Pohon tumbang", "lon": 106.83, "lat": -6.2}\n')
    assert run("import", file, folder=folder).returncode == 0
    with running(folder=folder, demo="1") as city:
        assert [each["title"] for each in listed(city.address, "requests")] == ["Pohon tumbang"]
        assert city.stop() == 0
    assert not (folder / "demo.json").exists()
