"""Files as cities have them, read row by row: nothing lost, nothing misread, and every refusal says where and why."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.importing import Reading, Refusal, Row, read

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real files, shared/data, is absent")
NEW_YORK = "America/New_York"


def opened(path: Path, **options: Any) -> Reading:
    return read(path, **{"columns": None, "timezone": "UTC", "default_category": "other"} | options)


def written(tmp_path: Path, content: str | bytes, name: str = "reports.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows_of(path: Path, **options: Any) -> list[Row]:
    results = list(opened(path, **options).rows)
    assert [each for each in results if isinstance(each, Refusal)] == []
    return [each for each in results if isinstance(each, Row)]


def lines_of(results: Sequence[Row | Refusal]) -> list[tuple[int, str]]:
    return [(each.line, each.title if isinstance(each, Row) else "refused") for each in results]


# Real files


@needs_data
def test_all_of_a_real_311_export_is_read_as_an_independent_reader_has_it() -> None:
    path = DATA / "311" / "boston311-100.csv"
    rows = rows_of(path, timezone=NEW_YORK)
    with path.open(encoding="utf-8", newline="") as file:
        originals = list(csv.DictReader(file))
    assert len(rows) == 100
    assert [row.key for row in rows] == [each["case_enquiry_id"] for each in originals]
    assert [row.title for row in rows] == [each["case_title"].strip() for each in originals]
    assert [row.location for row in rows] == [(float(each["longitude"]), float(each["latitude"])) for each in originals]
    assert [row.line for row in rows] == list(range(2, 102))
    assert rows[0].opened_at == datetime(2022, 1, 21, 18, 47, tzinfo=UTC)
    assert rows[0].category == "general-comments-for-a-program-or-policy"


@needs_data
def test_day_month_year_dates_are_read_row_by_row_as_their_iso_twins() -> None:
    iso = rows_of(DATA / "311" / "boston311-100.csv", timezone=NEW_YORK)
    dmy = opened(DATA / "311" / "boston311-dmy-100.csv", timezone=NEW_YORK)
    assert dmy.dates == "dmy"
    for ours, theirs in itertools.zip_longest(dmy.rows, iso):
        assert ours == theirs


@needs_data
def test_repeated_rows_have_the_same_key() -> None:
    rows = rows_of(DATA / "311" / "boston311-100-20dupes-random.csv", timezone=NEW_YORK)
    assert (len(rows), len({row.key for row in rows})) == (100, 80)


@needs_data
def test_non_ascii_text_keeps_every_character() -> None:
    path = DATA / "311" / "boston311-100-with-nonascii.csv"
    rows = rows_of(path, timezone=NEW_YORK, columns={"body": "closure_reason"})
    with path.open(encoding="utf-8", newline="") as file:
        originals = list(csv.DictReader(file))
    for row, original in zip(rows, originals, strict=True):
        place = f"Place: {original['location'].strip()}" if original["location"].strip() else ""
        expected = [part for part in (original["closure_reason"].strip(), place) if part]
        assert row.body == "\n\n".join(expected)
    assert any("Dëad" in row.body for row in rows)
    assert any("Sàratoga" in row.body for row in rows)


@needs_data
def test_every_report_of_a_real_flood_is_read() -> None:
    rows = rows_of(DATA / "flood-2017" / "reports-2017-02-21.jsonl", timezone=None, default_category="flood")
    lines = (DATA / "flood-2017" / "reports-2017-02-21.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == len({row.key for row in rows}) == 1057
    for row, original in zip(rows, map(json.loads, lines), strict=True):
        assert row.opened_at == datetime.fromisoformat(original["at"])
        assert row.location == (original["lon"], original["lat"])
        assert row.body.startswith(original["text"].strip())
        assert (f"Water depth: {original['depth_cm']} cm." in row.body) == (original["depth_cm"] is not None)
        assert 0 < len(row.title) <= 140


# Formats, encodings, line ends


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiters_line_ends_and_encodings_make_no_difference(
    tmp_path: Path, delimiter: str, end: str, encoding: str
) -> None:
    text = end.join(["id,date,title", "1,2022-01-01,Hoyer é 水", "", '2,2022-01-02,"a,b;c\td"', ""])
    quoted = '"a,b;c\td"'
    text = delimiter.join(text.replace(quoted, "QUOTED").split(",")).replace("QUOTED", quoted)
    first, second = rows_of(written(tmp_path, text.encode(encoding)))
    assert (first.line, first.key, first.title) == (2, "1", "Hoyer é 水")
    assert (second.line, second.key, second.title) == (4, "2", "a,b;c d")


def test_quoted_text_over_lines_is_one_record_at_its_first_line(tmp_path: Path) -> None:
    text = 'date,title,body\r\n2022-01-01,One,"first\r\nsecond ""quoted"""\r\n2022-01-02,Two,\r\n'
    first, second = rows_of(written(tmp_path, text))
    assert (first.line, first.body) == (2, 'first\nsecond "quoted"')
    assert (second.line, second.body) == (4, "")


def test_bytes_that_are_not_utf_8_are_refused_by_line_until_the_encoding_is_given(tmp_path: Path) -> None:
    path = written(tmp_path, "date,title\n2022-01-01,Plain\n2022-01-02,Caf\xe9\n2022-01-03,Also\n".encode("cp1252"))
    plain, refused, also = opened(path).rows
    assert isinstance(plain, Row)
    assert isinstance(also, Row)
    assert isinstance(refused, Refusal)
    assert refused.line == 3
    assert "Column 'title' holds bytes that are not utf-8" in refused.reason
    assert "give --encoding" in refused.reason
    refused.reason.encode()
    assert [row.title for row in rows_of(path, encoding="cp1252")] == ["Plain", "Café", "Also"]


def test_json_lines_that_are_not_utf_8_are_refused_by_line(tmp_path: Path) -> None:
    content = b'{"at": "2022-01-01T00:00Z", "text": "Caf\xe9"}\n{"at": "2022-01-01T00:00Z", "text": "Caf\xc3\xa9"}\n'
    assert lines_of(list(opened(written(tmp_path, content)).rows)) == [(1, "refused"), (2, "Café")]


def test_a_utf_16_file_that_breaks_off_is_read_up_to_there(tmp_path: Path) -> None:
    content = "date,title\n2022-01-01,One\n2022-01-02,Two\n2022".encode("utf-16")[:-1]
    assert lines_of(list(opened(written(tmp_path, content)).rows)) == [(2, "One"), (3, "Two"), (4, "refused")]


def test_json_lines_are_known_by_their_content(tmp_path: Path) -> None:
    reading = opened(written(tmp_path, '\n{"id": 12, "at": "2022-01-01T00:00Z", "text": "Banjir"}\n', "reports.txt"))
    assert reading.format == "jsonl"
    (row,) = reading.rows
    assert isinstance(row, Row)
    assert (row.line, row.key, row.title) == (2, "12", "Banjir")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        '"text"',
        "{} {}",
        '{"at": "2022-01-01T00:00Z", "title": "a", "title": "b"}',
        "{" + '"a":[' * 100_000,
        '{"at": "2022-01-01T00:00Z", "title": ["a"]}',
        '{"at": "2022-01-01T00:00Z", "title": true}',
        r'{"at": "2022-01-01T00:00Z", "title": "\ud800"}',
    ],
)
def test_a_bad_line_of_json_is_refused_and_the_next_is_read(tmp_path: Path, line: str) -> None:
    good = '{"at": "2022-01-01T00:00Z", "title": "Good"}'
    assert lines_of(list(opened(written(tmp_path, f"{good}\n{line}\n{good}\n")).rows)) == [
        (1, "Good"),
        (2, "refused"),
        (3, "Good"),
    ]


def test_a_record_with_too_few_or_too_many_cells_is_refused_by_line(tmp_path: Path) -> None:
    text = "date,title,body\n2022-01-01,Few\n2022-01-01,Good,x\n2022-01-01,Many,x,y\n"
    few, good, many = opened(written(tmp_path, text)).rows
    assert few == Refusal(2, "The record has 2 cells, but the header names 3 columns.")
    assert isinstance(good, Row)
    assert many == Refusal(4, "The record has 4 cells, but the header names 3 columns.")


@pytest.mark.parametrize("tail", ["", '2022-01-03,"Quoted",x\n'])
def test_a_stray_quote_costs_its_own_line_only(tmp_path: Path, tail: str) -> None:
    text = 'date,title,body\n2022-01-01,"Stray,x\n2022-01-02,Good,x\n' + tail
    results = lines_of(list(opened(written(tmp_path, text)).rows))
    assert results[:2] == [(2, "refused"), (3, "Good")]
    assert results[2:] == ([(4, "Quoted")] if tail else [])


def test_a_quote_that_never_closes_does_not_swallow_a_long_file(tmp_path: Path) -> None:
    text = 'date,title\n2022-01-01,"Stray\n' + "2022-01-02,Good\n" * 2_000
    results = list(opened(written(tmp_path, text)).rows)
    assert sum(isinstance(each, Row) for each in results) == 2_000
    assert [each.line for each in results if isinstance(each, Refusal)] == [2]


def test_a_line_without_end_is_refused_without_being_held(tmp_path: Path) -> None:
    text = "date,title\n2022-01-01," + "x" * 3_000_000 + "\n2022-01-02,Good\n"
    assert lines_of(list(opened(written(tmp_path, text)).rows)) == [(2, "refused"), (3, "Good")]


@given(st.binary(max_size=300), st.sampled_from([b"date,title\n", b'{"at":"2022-01-01T00:00Z","title":"x"}\n']))
def test_any_bytes_become_rows_and_refusals_in_the_order_of_their_lines(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes, head: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(head + tail)
    try:
        lines = [each.line for each in opened(path).rows]
    except Invalid:
        return
    assert lines == sorted(set(lines))


def test_blank_rows_are_skipped_and_a_header_alone_gives_no_rows(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, "date,title\n")) == []
    (row,) = rows_of(written(tmp_path, "\n\ndate,title\n,\n \n2022-01-01,Pothole\n, \n"))
    assert row.line == 6


def test_json_lines_without_a_line_give_no_rows(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, "\n", "none.jsonl")) == []


@pytest.mark.parametrize(
    ("content", "options", "field"),
    [
        (b"", {}, "file"),
        (b"\n \n", {}, "file"),
        (b",;,\n", {}, "file"),
        (b"[{}]", {}, "file"),
        ("date,title\n".encode("utf-16-le"), {}, "file"),
        (b'"' + b"x" * 200_000, {}, "file"),
        (b"x" * 2_000_000, {}, "file"),
        (b"date,t\xeftle\n", {}, "encoding"),
        (b"date,title\n", {"encoding": "klingon"}, "encoding"),
        (b"date,title\n", {"encoding": "rot13"}, "encoding"),
        (b"date,title\n", {"default_category": "Not A Slug"}, "default_category"),
        (b"date,colour\n", {}, "columns"),
        (b"title,colour\n", {}, "columns.opened_at"),
        (b"date,title,lat\n", {}, "columns.longitude"),
        (b"date,title,Title\n", {}, "columns.title"),
        (b"date,title\n", {"columns": {"title": "headline"}}, "columns.title"),
        (b"date,a,a\n", {"columns": {"title": "a"}}, "columns.title"),
        (b"date,title\n", {"columns": {"colour": "title"}}, "columns.colour"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_invalid(
    tmp_path: Path, content: bytes, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        opened(written(tmp_path, content), **options)
    assert caught.value.field == field


def test_a_folder_and_a_missing_file_are_invalid(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(Invalid, match="not a file"):
            opened(path)


# Columns


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (
            "Unique Key,Created Date,Complaint Type,Descriptor,Incident Address,Latitude,Longitude,Location",
            {
                "id": "Unique Key",
                "opened_at": "Created Date",
                "body": "Descriptor",
                "category": "Complaint Type",
                "latitude": "Latitude",
                "longitude": "Longitude",
                "place": "Incident Address",
            },
        ),
        (
            "service_request_id,service_name,description,requested_datetime,address,lat,long",
            {
                "id": "service_request_id",
                "opened_at": "requested_datetime",
                "body": "description",
                "category": "service_name",
                "latitude": "lat",
                "longitude": "long",
                "place": "address",
            },
        ),
    ],
)
def test_the_usual_names_of_columns_are_known(tmp_path: Path, header: str, columns: dict[str, str]) -> None:
    assert opened(written(tmp_path, header + "\n")).columns == columns


def test_columns_given_go_before_those_detected_and_an_empty_one_leaves_the_field_out(tmp_path: Path) -> None:
    path = written(tmp_path, "date,logged,title,address\n2022-01-01,2022-02-02,Pothole,Home 5\n")
    (row,) = rows_of(path, columns={"opened_at": "logged", "place": ""})
    assert row.opened_at == datetime(2022, 2, 2, tzinfo=UTC)
    assert row.body == ""


# Keys


def test_identical_rows_without_an_id_are_told_apart_and_keep_their_keys_when_read_again(tmp_path: Path) -> None:
    path = written(tmp_path, "date,title\n" + "2022-01-01,Pothole\n" * 3 + "2022-01-02,Pothole\n")
    keys = [row.key for row in rows_of(path)]
    assert len(set(keys)) == 4
    assert keys[1:3] == [f"{keys[0]}-2", f"{keys[0]}-3"]
    assert [row.key for row in rows_of(path)] == keys
