"""What else `python -m services` can do: help, the reference of events, and replaying a day."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx

from services.city import SERVICES
from services.cli_serving import service_names
from tests.commands import ROOT, lines_of, needs_data, run, running
from tests.integration.test_import_command import FLOOD


def test_help_lists_every_command_and_service(tmp_path: Path) -> None:
    told = run("--help", folder=tmp_path / "data")
    assert told.returncode == 0
    for name in ("areas", "import", "replay", "events", *SERVICES):
        assert re.search(rf"^\W*{name} ", told.stdout, re.M), name
    assert not (tmp_path / "data").exists()


def test_services_are_known_without_loading_them() -> None:
    assert set(service_names()) == set(SERVICES)


def test_the_reference_of_events_is_printed(tmp_path: Path) -> None:
    printed = run("events", folder=tmp_path / "data")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout == (ROOT / "docs" / "events.md").read_text(encoding="utf-8")


def test_an_unknown_command_is_told(tmp_path: Path) -> None:
    told = run("evnets", folder=tmp_path / "data")
    assert told.returncode == 2
    assert "No such command 'evnets'" in told.stderr


def test_a_day_is_replayed_over_http(tmp_path: Path) -> None:
    file, place = tmp_path / "day.jsonl", {"lon": 106.83, "lat": -6.2}
    rows = [{"id": str(n), "at": f"2026-02-01T10:{n:02}:00+07:00", "text": f"Laporan {n}", **place} for n in range(20)]
    rows += [{"id": "far", "at": rows[-1]["at"], "text": "Jauh", "lon": 139.69, "lat": 35.68}, {"id": "no time"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with running(folder=tmp_path / "data") as city:
        options = ("--speed", "6000", "--category", "flood", "--url", city.address)
        said = lines_of(run("replay", file, *options, folder=tmp_path / "data"))
        assert said[-1] == "created 20, repeated 0, refused 1, failed 0, unreadable 1"
        assert [re.match(r"line (\d+): ", line) is not None for line in said[:2]] == [True, True]
        assert re.fullmatch(r"answers in ms: p50 [\d.]+, p95 [\d.]+, p99 [\d.]+", said[-2])
        assert re.fullmatch(r"21 sent in [\d.]+ s, \d+/s; the latest [\d.]+ s behind", said[-3])
        opened = httpx.get(f"{city.address}/api/requests?limit=200").json()["items"]
        assert {each["title"] for each in opened} == {f"Laporan {n}" for n in range(20)}


@needs_data
def test_a_flood_is_replayed(tmp_path: Path) -> None:
    with running(folder=tmp_path / "data") as city:
        options = ("--speed", "1000000", "--url", city.address)
        said = lines_of(run("replay", FLOOD, *options, folder=tmp_path / "data"))
    assert said[-1] == "created 1057, repeated 0, refused 0, failed 0, unreadable 0"


def test_a_wrong_replay_is_told_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "day.jsonl"
    file.write_text('{"at": "2026-02-01T10:00:00+07:00", "text": "Laporan"}\n')
    for options, reason in (
        ((file, "--speed", "0"), "is not a speed"),
        ((file, "--url", "ftp://city"), "is not an address"),
        ((tmp_path / "none.jsonl",), "is not a file."),
    ):
        done = run("replay", *options, folder=tmp_path / "data")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert reason in done.stderr
