"""`python -m services import`: every row once, whatever happens, with one line for each that is refused."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.ids import derived_id
from tests.commands import DATA, lines_of, needs_data, run, running, start, stored, until

FLOOD = DATA / "flood-2017" / "reports-2017-02-21.jsonl"
BOSTON = DATA / "311"
JAKARTA = {"lon": 106.83, "lat": -6.2}


def jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def reports(path: Path, count: int) -> Path:
    """A file of so many different reports, each with an id."""
    times = (f"2026-02-{1 + n // 1440 % 28:02}T{n // 60 % 24:02}:{n % 60:02}:00+07:00" for n in range(count))
    return jsonl(path, ({"id": str(n), "at": at, "text": f"Laporan {n}", **JAKARTA} for n, at in enumerate(times)))


def last(done: subprocess.CompletedProcess[str]) -> str:
    return lines_of(done)[-1]


@needs_data
def test_the_reports_of_a_flood_are_imported_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = run("import", FLOOD, "--category", "flood", folder=folder)
    assert last(first) == "imported 1057, repeated 0, refused 0"
    assert "jsonl, utf-8; times without offset: Asia/Jakarta" in first.stdout.splitlines()[0]
    assert first.stdout.splitlines()[1].split() == ["opened_at", "<-", "at"]
    assert last(run("import", FLOOD, "--category", "flood", folder=folder)) == "imported 0, repeated 1057, refused 0"


@needs_data
async def test_with_boundaries_reports_get_their_village_and_those_outside_are_kept_and_marked(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert run("areas", "import", DATA / "jakarta" / "kelurahan.geojson", folder=folder).returncode == 0
    done = run("import", FLOOD, "--category", "flood", folder=folder)
    assert last(done) == "imported 1057, repeated 0, refused 0"
    sources = Counter(each["area_source"] for each in (await stored(folder)).values())
    assert sources["boundary"] == 978
    assert sources["outside"] + sources["nearest"] == 79


@needs_data
async def test_the_requests_of_another_city_are_imported_at_their_own_times(tmp_path: Path) -> None:
    folder, here = tmp_path / "data", tmp_path / "here"
    done = run("import", BOSTON / "boston311-100.csv", "--timezone", "America/New_York", folder=folder, city="none")
    assert last(done) == "imported 100, repeated 0, refused 0"
    assert last(run("import", BOSTON / "boston311-100.csv", folder=here, city="none")).startswith("imported 100,")
    key = derived_id("import", "101004143000")
    there, plain = (await stored(folder))[key], (await stored(here))[key]
    assert (there["title"], there["kind"], there["author"]["kind"]) == ("BTDT: Complaint", "report", "system")
    assert there["opened_at"] == "2022-01-21T18:47:00Z"
    assert plain["opened_at"] == "2022-01-21T06:47:00Z"
    assert (there["location"], there["place"]) == ({"lon": -71.0587, "lat": 42.3594}, "exact")


@needs_data
def test_repeated_rows_are_counted_and_imported_once(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    done = run("import", BOSTON / "boston311-100-20dupes-random.csv", folder=folder, city="none")
    assert last(done) == "imported 80, repeated 20, refused 0"
    done = run("import", BOSTON / "boston311-100.csv", folder=folder, city="none")
    assert last(done) == "imported 20, repeated 80, refused 0"


@needs_data
async def test_days_before_months_are_read_as_such(tmp_path: Path) -> None:
    folder, other = tmp_path / "data", tmp_path / "other"
    done = run("import", BOSTON / "boston311-dmy-100.csv", folder=folder, city="none")
    assert last(done) == "imported 100, repeated 0, refused 0"
    assert "dates in the order dmy" in done.stdout.splitlines()[0]
    assert last(run("import", BOSTON / "boston311-100.csv", folder=other, city="none")).startswith("imported 100,")
    days_first, years_first = await stored(folder), await stored(other)
    assert len(days_first) == 100
    for key, each in days_first.items():
        assert each["opened_at"] == years_first[key]["opened_at"]


async def test_a_row_without_id_is_known_by_what_it_says(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    row = {"at": "2026-02-01T10:00:00+07:00", "text": "Pohon tumbang", **JAKARTA}
    other = row | {"text": "Lampu padam"}
    assert last(run("import", jsonl(tmp_path / "a.jsonl", [row]), folder=folder)) == (
        "imported 1, repeated 0, refused 0"
    )
    both = run("import", jsonl(tmp_path / "b.jsonl", [other, row]), folder=folder)
    assert last(both) == "imported 1, repeated 1, refused 0"
    assert {each["title"] for each in (await stored(folder)).values()} == {"Pohon tumbang", "Lampu padam"}


async def test_ids_of_two_systems_are_kept_apart_where_that_is_asked_for(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", reports(tmp_path / "r.jsonl", 3)
    assert last(run("import", file, folder=folder)).startswith("imported 3, ")
    assert last(run("import", file, "--system", "qlue", folder=folder)).startswith("imported 3, ")
    assert last(run("import", file, "--system", "qlue", folder=folder)) == "imported 0, repeated 3, refused 0"
    assert len(await stored(folder)) == 6


async def test_columns_category_and_kind_are_as_told(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", tmp_path / "r.csv"
    file.write_text(
        "nomor;perihal;catatan;jam;x;y\n7;Nenek perlu obat;Tinggal sendiri;31/01/2026 10.15;106,8306;-6,2004\n",
        encoding="cp1252",
    )
    told = ("id=nomor", "title=perihal", "body=catatan", "opened_at=jam", "longitude=x", "latitude=y")
    columns = [part for each in told for part in ("--column", each)]
    done = run("import", file, *columns, "--category", "health", "--kind", "help", folder=folder)
    assert last(done) == "imported 1, repeated 0, refused 0"
    (made,) = (await stored(folder)).values()
    assert (made["kind"], made["category"], made["title"]) == ("help", "health", "Nenek perlu obat")
    assert made["opened_at"] == "2026-01-31T03:15:00Z"
    assert made["place"] == "blurred"
    assert made["location"] != {"lon": 106.8306, "lat": -6.2004}


async def test_rows_that_cannot_be_are_refused_by_line_and_the_others_imported(tmp_path: Path) -> None:
    folder, at = tmp_path / "data", "2026-02-01T10:00:00+07:00"
    rows: list[dict[str, Any]] = [
        {"id": "1", "at": at, "text": "Baik", **JAKARTA},
        {"id": "2", "at": "kemarin", "text": "Kapan?"},
        {"id": "3", "at": at, "text": "Jauh", "lon": 139.69, "lat": 35.68},
        {"id": "4", "at": at, "text": "Terbalik", "lon": -6.2, "lat": 106.83},
        {"id": "5", "at": at, "text": "Wilayah salah", "area": "31.99"},
        {"id": "6", "at": at, "text": "x" * 5_000},
        {"id": "7", "at": at, "text": "Wilayah lebih tahu", "area": "31.74.01", **JAKARTA},
    ]
    report = tmp_path / "refused.txt"
    done = run("import", jsonl(tmp_path / "r.jsonl", rows), "--report", report, folder=folder)
    assert last(done) == "imported 2, repeated 0, refused 5"
    said = [line for line in done.stdout.splitlines() if line.startswith("line ")]
    assert report.read_text().splitlines() == said
    assert [line.split(":")[0] for line in said] == [f"line {number}" for number in (2, 3, 4, 5, 6)]
    for line, part in zip(
        said, ("'kemarin'", "location: This point is", "off the earth", "area:", "5,000"), strict=True
    ):
        assert part in line
    given = (await stored(folder))[derived_id("import", "7")]
    assert (given["area"], given["area_source"]) == ("31.74.01", "given")


def test_a_hundred_refusals_are_shown_and_all_are_in_the_report(tmp_path: Path) -> None:
    file, report = tmp_path / "r.csv", tmp_path / "refused.txt"
    file.write_text("id,title,created_at\n" + "".join(f"{n},Apa,besok\n" for n in range(120)))
    done = run("import", file, "--report", report, folder=tmp_path / "data")
    assert last(done) == "imported 0, repeated 0, refused 120"
    assert len(re.findall(r"^line \d+: ", done.stdout, re.M)) == 100
    assert "… and 20 more\n" in done.stdout
    assert len(report.read_text().splitlines()) == 120


async def test_a_dry_run_tells_what_would_happen_and_writes_nothing(tmp_path: Path) -> None:
    folder, rows = tmp_path / "data", reports(tmp_path / "r.jsonl", 5)
    far = {"id": "far", "at": "2026-02-01T10:00:00+07:00", "text": "Jauh", "lon": 139.69, "lat": 35.68}
    again = json.loads(rows.read_text().splitlines()[0])
    file = jsonl(tmp_path / "more.jsonl", [*map(json.loads, rows.read_text().splitlines()), far, again])
    done = run("import", file, "--dry-run", folder=folder)
    assert last(done) == "imported 5, repeated 1, refused 1"
    assert "Dry run: nothing was written." in done.stdout
    assert "line 6: location: This point is" in done.stdout
    assert not folder.exists()
    assert last(run("import", reports(tmp_path / "two.jsonl", 2), folder=folder)).startswith("imported 2, ")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    done = run("import", file, "--dry-run", folder=folder)
    assert last(done) == "imported 3, repeated 3, refused 1"
    assert "there already: lines 1, 2, 7\n" in done.stdout
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def count(folder: Path) -> int:
    """How many requests another process has stored so far."""
    path = folder / "requests.db"
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM request").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # its tables are being made


async def test_an_import_killed_half_way_ends_exact_when_it_is_repeated(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", reports(tmp_path / "r.jsonl", 6_000)
    with start("import", str(file), folder=folder) as killed:
        until(lambda: count(folder) > 500)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    there = count(folder)
    assert 500 < there < 6_000
    assert last(run("import", file, folder=folder)) == f"imported {6_000 - there}, repeated {there}, refused 0"
    assert len(await stored(folder)) == 6_000


async def test_an_import_can_be_stopped_and_gone_on_with(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", reports(tmp_path / "r.jsonl", 6_000)
    with start("import", str(file), folder=folder) as stopped:
        until(lambda: count(folder) > 200)
        stopped.send_signal(signal.SIGINT)
        _, said = stopped.communicate()
    assert stopped.returncode == 130
    assert said.splitlines()[-1] == "Stopped. What was imported stays; give the same command again to go on."
    assert last(run("import", file, folder=folder)).endswith(", refused 0")
    assert len(await stored(folder)) == 6_000


async def test_two_imports_of_one_file_at_once_import_each_row_once(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", reports(tmp_path / "r.jsonl", 1_500)
    with start("import", str(file), folder=folder) as one, start("import", str(file), folder=folder) as other:
        ends = [each.communicate()[0].splitlines()[-1] for each in (one, other)]
    numbers = [tuple(map(int, re.findall(r"\d+", end))) for end in ends]
    assert sum(imported for imported, _, _ in numbers) == 1_500
    assert sum(repeated for _, repeated, _ in numbers) == 1_500
    assert len(await stored(folder)) == 1_500


def test_a_running_city_shows_and_publishes_what_is_imported(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", reports(tmp_path / "r.jsonl", 300)
    ids = sorted(derived_id("import", str(number)) for number in range(300))
    with running(folder=folder) as city:
        assert last(run("import", file, folder=folder)) == "imported 300, repeated 0, refused 0"
        assert sorted(each["id"] for each in pages(city.address, "requests")) == ids
        until(lambda: len(pages(city.address, "events", stop_empty=True)) >= 300)
        events = pages(city.address, "events", stop_empty=True)
        assert sorted(each["subject"] for each in events) == ids
        assert {each["type"] for each in events} == {"org.gotongroyong.request.opened.v1"}
        assert len({each["id"] for each in events}) == 300
        assert len({each["correlationid"] for each in events}) == 1
        assert {(each["sequence"], each["actorkind"]) for each in events} == {(1, "system")}


def pages(address: str, path: str, *, stop_empty: bool = False) -> list[dict[str, Any]]:
    """All items of a list; the log of events has always a next page, so an empty one is its end."""
    items: list[dict[str, Any]] = []
    after = ""
    while True:
        page = httpx.get(f"{address}/api/{path}?limit=200{after}").raise_for_status().json()
        items += page["items"]
        if page["next"] is None or (stop_empty and not page["items"]):
            return items
        after = f"&after={page['next']}"


def test_what_is_imported_before_the_city_starts_is_published_by_it(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", reports(tmp_path / "r.jsonl", 30)
    assert last(run("import", file, folder=folder)).startswith("imported 30, ")
    with running(folder=folder) as city:
        until(lambda: len(pages(city.address, "events", stop_empty=True)) == 30)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--timezone", "Mars/Base"], "'Mars/Base' is not a time zone"),
        (["--column", "title"], "--column takes FIELD=SOURCE"),
        (["--column", "title=a", "--column", "title=b"], "gives the field 'title' twice"),
        (["--column", "colour=text"], "There is no field 'colour'"),
        (["--column", "title=headline"], "The file has no column 'headline'"),
        (["--category", "Not a slug"], "'Not a slug' is not a category"),
        (["--encoding", "klingon"], "'klingon' is not an encoding"),
        (["--report", "/no/such/folder/report"], "The report /no/such/folder/report cannot be written"),
    ],
)
def test_a_wrong_option_is_told_in_one_sentence(tmp_path: Path, options: list[str], reason: str) -> None:
    done = run("import", reports(tmp_path / "r.jsonl", 1), *options, folder=tmp_path / "data")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert reason in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is not a file."),
        (b"", "is empty"),
        (b"\x00\x01\x02\x03" * 100, "is not text"),
        (b"colour,size\nred,3\n", "No column is known as title, body or category"),
        (b"title,when\nLampu,besok\n", "No column is known as the time of a report"),
    ],
)
def test_a_wrong_file_is_told_in_one_sentence(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "r.csv"
    if content is not None:
        file.write_bytes(content)
    done = run("import", file, folder=tmp_path / "data")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert reason in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    done = run("import", reports(tmp_path / "r.jsonl", 1), folder=tmp_path / "data")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "cannot be made" in done.stderr
