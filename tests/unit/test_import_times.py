"""Times of imported files: every one is read as it was meant, or refused with what is missing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.importing import Reading, Refusal, Row, read
from shared.importing.rows import Unreadable
from shared.importing.times import Evidence, Order, evidence_of, parse, zone_of

JAKARTA = ZoneInfo("Asia/Jakarta")
NEW_YORK = ZoneInfo("America/New_York")
NOTHING = Evidence(dmy=False, mdy=False)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def parsed(
    text: str, zone: ZoneInfo | None = None, order: Order | None = None, evidence: Evidence = NOTHING
) -> datetime:
    return parse(text, zone=zone, order=order, evidence=evidence)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2017-02-21T03:52:00+07:00", "2017-02-20T20:52:00"),
        ("2017-02-21T03:52:00.377+0700", "2017-02-20T20:52:00.377000"),
        ("2017-02-21 03:52:00+07", "2017-02-20T20:52:00"),
        ("2017-02-21T03:52Z", "2017-02-21T03:52:00"),
        ("2017-02-21T03:52:00.123456789z", "2017-02-21T03:52:00.123456"),
        ("2017-02-21 03:52:00 UTC", "2017-02-21T03:52:00"),
        ("2017/02/21 03:52:00 -05:30", "2017-02-21T09:22:00"),
        ("  2017-02-21T03:52:00Z\n", "2017-02-21T03:52:00"),
    ],
)
def test_a_time_with_an_offset_needs_no_time_zone(text: str, expected: str) -> None:
    assert parsed(text) == utc(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-01-21 13:47:00", "2022-01-21T06:47:00"),
        ("2022-01-21T13:47:00.000", "2022-01-21T06:47:00"),
        ("2022-01-21 01:47:00 PM", "2022-01-21T06:47:00"),
        ("2022-01-21 1:47\u202fp.m.", "2022-01-21T06:47:00"),
        ("2022-01-21 12:00:00 AM", "2022-01-20T17:00:00"),
        ("2022-01-21, 13.47.00", "2022-01-21T06:47:00"),
        ("2022-01-21", "2022-01-20T17:00:00"),
    ],
)
def test_a_time_without_an_offset_is_read_in_the_time_zone_given(text: str, expected: str) -> None:
    assert parsed(text, JAKARTA) == utc(expected)


def test_a_time_without_an_offset_and_no_time_zone_is_refused() -> None:
    with pytest.raises(Unreadable, match="has no offset; give --timezone"):
        parsed("2022-01-21 13:47:00")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("21/01/22 13:47", "year that is not written with four digits"),
        ("22-01-21", "year that is not written with four digits"),
        ("0022-01-21", "year in which no report was made"),
        ("9999-12-31T23:59:59-12:00", "year in which no report was made"),
        ("2022-02-30", "not a date of the calendar"),
        ("2022-13-01", "not a date of the calendar"),
        ("2022-01-21 24:00", "time of day that does not exist"),
        ("2022-01-21 13:60", "time of day that does not exist"),
        ("2022-01-21 13:47 PM", "time of day that does not exist"),
        ("2022-01-21 00:47 AM", "time of day that does not exist"),
        ("2022-01-21 13:47+15:00", "offset that no place on earth has"),
        ("2022-01-21 13:47+07:60", "offset that no place on earth has"),
        ("2022-01-21 13:47 WIB", "not a date and time"),
        ("2022-01-21Z", "not a date and time"),
        ("20220121", "not a date and time"),
        ("1485646320", "not a date and time"),
        ("44582.5", "not a date and time"),
        ("21 Jan 2022", "not a date and time"),
        ("21/01-2022", "not a date and time"),
        ("２０２２-01-21", "not a date and time"),
        ("yesterday", "not a date and time"),
    ],
)
def test_a_time_that_would_have_to_be_guessed_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parsed(text, JAKARTA, "dmy")


def test_of_a_time_that_the_clocks_showed_twice_the_first_is_taken() -> None:
    assert parsed("2022-11-06 01:30:00", NEW_YORK) == utc("2022-11-06T05:30:00")


def test_a_time_that_the_clocks_skipped_is_refused() -> None:
    with pytest.raises(Unreadable, match="clocks of America/New_York skipped"):
        parsed("2022-03-13 02:30:00", NEW_YORK)


@pytest.mark.parametrize("name", ["Asia/Djakarta2", "", "../etc/passwd", "Asia", "WIB!", "\0"])
def test_an_unknown_time_zone_is_invalid(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        zone_of(name)
    assert caught.value.field == "timezone"


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (["01/02/2022", "21/01/2022"], "dmy"),
        (["01.02.2022 10:00", "21.01.2022 10:00"], "dmy"),
        (["01-02-2022", "01-21-2022"], "mdy"),
        (["01/02/2022", "03/04/2022"], None),
        (["21/01/2022", "01/21/2022"], None),
        (["31/02/2022", "01/02/2022"], None),
        (["21/01/22", "13/13/2022", "2022-01-21", "", "soon"], None),
    ],
)
def test_the_order_of_dates_is_what_the_whole_file_proves(values: list[str], order: str | None) -> None:
    assert evidence_of(values).order == order


def test_an_order_that_is_given_goes_before_what_the_file_proves() -> None:
    assert parsed("03/04/2022", UTC_ZONE, "mdy", Evidence(dmy=True, mdy=False)) == utc("2022-03-04T00:00:00")


UTC_ZONE = ZoneInfo("UTC")


def test_a_date_that_contradicts_the_order_is_refused_and_never_turned_around() -> None:
    with pytest.raises(Unreadable, match="not a date in the order dmy"):
        parsed("01/21/2022", UTC_ZONE, "dmy")


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.sampled_from(["dmy", "mdy"]))
def test_every_date_comes_back_in_the_order_in_which_it_was_written(time: datetime, order: Order) -> None:
    text = time.strftime("%d/%m/%Y %H:%M:%S" if order == "dmy" else "%m/%d/%Y %I:%M:%S %p")
    assert parsed(text, UTC_ZONE, order) == time.replace(microsecond=0, tzinfo=UTC)
    assert evidence_of([text]).order in (order, None)


def reading(tmp_path: Path, *times: str, dates: Order | None = None) -> Reading:
    path = tmp_path / "reports.csv"
    path.write_text("date,title\n" + "".join(f"{time},Pothole\n" for time in times), encoding="utf-8")
    return read(
        path, columns=None, timezone="UTC", default_category="other", dates=dates, now=datetime(2022, 6, 1, tzinfo=UTC)
    )


def outcome(tmp_path: Path, *times: str, dates: Order | None = None) -> list[str]:
    rows = reading(tmp_path, *times, dates=dates).rows
    return [f"{row.opened_at:%Y-%m-%d}" if isinstance(row, Row) else row.reason for row in rows]


def test_a_proof_on_the_last_line_decides_the_first(tmp_path: Path) -> None:
    assert outcome(tmp_path, "02/01/2022", "21/01/2022") == ["2022-01-02", "2022-01-21"]
    assert reading(tmp_path, "02/01/2022", "21/01/2022").dates == "dmy"


def test_a_file_that_proves_nothing_has_every_slashed_row_refused_until_the_order_is_given(tmp_path: Path) -> None:
    times = ("02/01/2022", "2022-01-05", "05/05/2022")
    refused, read_anyway, same = outcome(tmp_path, *times)
    assert "Column 'date': '02/01/2022' is ambiguous: give --dates dmy or mdy" in refused
    assert read_anyway == "2022-01-05"
    assert "ambiguous: give --dates dmy or mdy" in same
    assert outcome(tmp_path, *times, dates="mdy") == ["2022-02-01", "2022-01-05", "2022-05-05"]


def test_a_file_of_both_orders_has_its_ambiguous_rows_refused_and_the_others_read(tmp_path: Path) -> None:
    first, second, third = outcome(tmp_path, "21/01/2022", "01/22/2022", "02/01/2022")
    assert (first, second) == ("2022-01-21", "2022-01-22")
    assert "ambiguous: give --dates dmy or mdy, for this file has dates of both orders" in third


def test_a_time_more_than_a_day_ahead_is_refused(tmp_path: Path) -> None:
    near, far = reading(tmp_path, "2022-06-02 00:00:00", "2022-06-02 00:00:01").rows
    assert isinstance(near, Row)
    assert far == Refusal(3, "Column 'date': '2022-06-02 00:00:01' lies in the future.")


def test_a_blank_time_is_refused(tmp_path: Path) -> None:
    assert outcome(tmp_path, "") == ["Column 'date': '' is blank: a report needs its time."]


def test_an_unknown_order_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="neither dmy nor mdy"):
        reading(tmp_path, "2022-01-01", dates="ymd")  # type: ignore[arg-type]
