"""The single values of imported reports: titles, texts, categories and places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.importing import Refusal, Row, read
from shared.importing.values import cut, line_text, slug


def row_of(tmp_path: Path, **members: Any) -> Row | Refusal:
    line = json.dumps({"at": "2022-01-01T00:00:00Z", "title": "Pothole"} | members)
    path = tmp_path / "one.jsonl"
    path.write_text(line, encoding="utf-8")
    (result,) = read(path, columns=None, timezone=None, default_category="other").rows
    return result


def reason_of(tmp_path: Path, **members: Any) -> str:
    result = row_of(tmp_path, **members)
    assert isinstance(result, Refusal)
    return result.reason


def test_without_a_title_the_first_sentence_is_the_title_and_the_text_is_kept(tmp_path: Path) -> None:
    text = "#banjir #jakarta\nBanjir di Jl. Nirbaya RT. 010 naik. Tolong segera!"
    row = row_of(tmp_path, title=None, text=text)
    assert isinstance(row, Row)
    assert (row.title, row.body) == ("Banjir di Jl. Nirbaya RT. 010 naik.", text)


def test_without_any_text_the_title_is_category_and_place(tmp_path: Path) -> None:
    row = row_of(tmp_path, title="", type="Flood", lon=106.8, lat=-6.2)
    assert isinstance(row, Row)
    assert (row.title, row.category, row.location) == ("Flood (-6.2, 106.8)", "flood", (106.8, -6.2))
    assert "has no title, text, category or place" in reason_of(tmp_path, title=" ")


def test_a_long_title_is_cut_at_a_word_and_kept_whole_in_the_body(tmp_path: Path) -> None:
    title = "kata " * 40
    row = row_of(tmp_path, title=title, text="More.")
    assert isinstance(row, Row)
    assert row.title == "kata " * 27 + "kata…"
    assert row.body == title.strip() + "\n\nMore."


def test_a_body_over_4000_characters_is_refused(tmp_path: Path) -> None:
    assert isinstance(row_of(tmp_path, text="é" * 4_000), Row)
    assert "Column 'text': 'ééé" in (reason := reason_of(tmp_path, text="é" * 4_001))
    assert "4,001 characters" in reason


def test_control_characters_go_and_all_others_stay(tmp_path: Path) -> None:
    row = row_of(
        tmp_path, title="a\0b\x85\u202e\nc", text="e\u0301 👨\u200d👩\u200d👧 \x1b[1m\r\nnext\tcell\u2028line\u00a0"
    )
    assert isinstance(row, Row)
    assert row.title == "ab c"
    assert row.body == "e\u0301 👨\u200d👩\u200d👧 [1m\nnext\tcell\nline\u00a0"


@given(st.text(max_size=400))
def test_a_cut_text_fits_and_is_a_beginning_of_the_whole(text: str) -> None:
    line = line_text(text)
    title = cut(line)
    assert len(title) <= 140
    assert title == line or (title.endswith("…") and line.startswith(title[:-1]))
    assert len(slug(text)) <= 40


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("Café  & Bar!", "cafe-bar"),
        ("洪水", "other"),
        ("Unsatisfactory Utilities - Electrical  Plumbing", "unsatisfactory-utilities-electrical"),
        ("x" * 50, "x" * 40),
    ],
)
def test_the_category_is_a_slug_of_at_most_40_characters(tmp_path: Path, kind: str, category: str) -> None:
    row = row_of(tmp_path, type=kind)
    assert isinstance(row, Row)
    assert row.category == category


@pytest.mark.parametrize(
    ("lon", "lat", "location"),
    [
        ("106.8", "-6.2", (106.8, -6.2)),
        ("106,845", "-6,2", (106.845, -6.2)),
        ("106", "-6,2", (106.0, -6.2)),
        (106.720413, -6.12644, (106.720413, -6.12644)),
        ("0", "0.0", None),
        (" ", "", None),
        (None, None, None),
    ],
)
def test_coordinates_are_read_or_known_to_be_absent(tmp_path: Path, lon: Any, lat: Any, location: Any) -> None:
    row = row_of(tmp_path, lon=lon, lat=lat)
    assert isinstance(row, Row)
    assert row.location == location


@pytest.mark.parametrize(
    ("lon", "lat", "reason"),
    [
        ("-6.2", "106.8", "longitude and latitude may be swapped"),
        ("181", "0", "off the earth"),
        (float("nan"), 1, "not a number"),
        (float("inf"), 1, "not a number"),
        ("106.8E", "6.2S", "not a number"),
        ("1_0", "1", "not a number"),
        ("106.8", "", "one coordinate is blank"),
        ("106.8", "-6,2", "both comma and point"),
        ("106,8,1", "-6", "not a number"),
        ("1e99", "1", "off the earth"),
    ],
)
def test_coordinates_that_would_have_to_be_guessed_are_refused(tmp_path: Path, lon: Any, lat: Any, reason: str) -> None:
    assert reason in reason_of(tmp_path, lon=lon, lat=lat)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"depth_cm": -3}, "Column 'depth_cm': '-3' is not a depth"),
        ({"depth_cm": "deep"}, "Column 'depth_cm': 'deep' is not a number"),
        ({"area": "Menteng"}, "Column 'area': 'Menteng' is not the code of an area"),
        ({"id": "1.01004E+11"}, "Column 'id': '1.01004E+11' is an id that a spreadsheet has rounded"),
        ({"id": "x" * 201}, "longer than 200 characters"),
    ],
)
def test_a_refusal_names_the_column_and_the_value(tmp_path: Path, members: dict[str, Any], reason: str) -> None:
    assert reason in reason_of(tmp_path, **members)
