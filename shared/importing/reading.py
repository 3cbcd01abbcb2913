"""Reads a file of reports row by row; what cannot be read without guessing is refused with its line and reason."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from shared.errors import Invalid
from shared.importing import columns as known_columns
from shared.importing import times, values
from shared.importing.files import BROKEN, Source, source_of
from shared.importing.records import Record, names_of, records_of
from shared.importing.rows import Refusal, Row, Unreadable, shown

T = TypeVar("T")

CONTENT = ("title", "body", "category", "place", "area", "source", "depth_cm")
"""The fields that tell one report without an id from another, beside its place and time."""

NAME_LIMIT = 200
"""Characters of an id, an area or a source."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as it will be read: `columns` is field → column, to be shown to the person; `rows` is gone through once.

    `dates` is the order in which numeric dates are read, or None if the file has none or does not prove it.
    """

    columns: Mapping[str, str]
    rows: Iterator[Row | Refusal]
    format: Literal["csv", "jsonl"]
    encoding: str
    dates: times.Order | None


def read(
    path: Path,
    *,
    columns: Mapping[str, str] | None,
    timezone: str | None,
    default_category: str,
    encoding: str | None = None,
    dates: times.Order | None = None,
    now: datetime | None = None,
) -> Reading:
    """Open a CSV file or JSON lines as reports; one record is held in memory at a time, and a hash of each without id.

    `columns` is field → column and goes before what is detected. `timezone` is an IANA name for times without offset.
    `default_category` is given to rows without one. `encoding` is that of a file which is not UTF-8 and has no byte
    order mark. `dates` is the order of numeric dates; without it the whole file, gone through once before, must prove
    one. Times may lie at most a day after `now`, by default the present. Raises `Invalid` for a file that cannot be
    read at all, and for a wrong option.
    """
    zone = times.zone_of(timezone)
    if values.slug(default_category) != default_category or not default_category:
        raise Invalid("default_category", f"{default_category!r} is not a category, such as street-light.")
    if dates not in (None, "dmy", "mdy"):
        raise Invalid("dates", f"{dates!r} is neither dmy nor mdy.")
    source = source_of(path, encoding)
    names = names_of(source)
    decided = known_columns.decide(names, columns) if names or source.format == "csv" else {}
    evidence = times.Evidence(False, False) if dates else _evidence(source, decided)
    latest = (now or datetime.now(UTC)) + timedelta(days=1)
    reader = _Reader(decided, zone, dates, evidence, default_category, latest)
    return Reading(decided, _rows(source, reader), source.format, source.encoding, dates or evidence.order)


def _evidence(source: Source, columns: Mapping[str, str]) -> times.Evidence:
    """Go through the whole file for what its dates prove."""
    cells = (each.cells.get(columns["opened_at"]) for each in records_of(source) if isinstance(each, Record))
    return times.evidence_of(cell for cell in cells if isinstance(cell, str))


def _rows(source: Source, reader: _Reader) -> Iterator[Row | Refusal]:
    for record in records_of(source):
        if isinstance(record, Refusal):
            yield record
            continue
        try:
            yield reader.row(record)
        except Unreadable as error:
            yield Refusal(record.line, str(error))


class _Reader:
    """Makes rows of the records of one file."""

    def __init__(
        self,
        columns: Mapping[str, str],
        zone: ZoneInfo | None,
        dates: times.Order | None,
        evidence: times.Evidence,
        category: str,
        latest: datetime,
    ) -> None:
        self._columns = columns
        self._zone = zone
        self._dates = dates
        self._evidence = evidence
        self._category = category
        self._latest = latest
        self._seen: Counter[bytes] = Counter()

    def row(self, record: Record) -> Row:
        """Return the record as a row; raises `Unreadable` with the column and value that cannot be read."""
        kind = self._field(record, "category", values.line_text)
        place = self._field(record, "place", values.line_text)
        location = self._location(record)
        title, body = self._texts(record, kind, place, location)
        category = values.slug(kind) or self._category
        area = self._field(record, "area", _area) or None
        source = self._field(record, "source", _name) or None
        opened_at = self._field(record, "opened_at", self._time)
        key = self._field(record, "id", _identity) or self._content_key(record, location, opened_at)
        return Row(record.line, key, title, body, category, location, opened_at, area, source)

    def _texts(self, record: Record, kind: str, place: str, location: tuple[float, float] | None) -> tuple[str, str]:
        """Return title and body: nothing that the file says in words is lost."""
        title = self._field(record, "title", values.line_text)
        text = self._field(record, "body", values.body_text)
        depth = self._field(record, "depth_cm", values.depth)
        if not any((title, text, kind, place, depth, location)):
            raise Unreadable("The record has no title, text, category or place.")
        where = place or (f"{location[1]:g}, {location[0]:g}" if location else "")
        whole = title or values.first_sentence(text) or (kind or self._category) + (f" ({where})" if where else "")
        said = title if len(title) > values.TITLE else ""
        body = "\n\n".join(part for part in (said, text, depth, f"Place: {place}" if place else "") if part)
        if len(body) > values.BODY:
            longest = max(("body", "title", "place"), key=lambda field: len(self._cell(record, field)))
            raise Unreadable(
                f"Column {self._columns[longest]!r}: {shown(self._cell(record, longest))} makes a text of "
                f"{len(body):,} characters; {values.BODY:,} are the most."
            )
        return values.cut(whole), body

    def _location(self, record: Record) -> tuple[float, float] | None:
        if "latitude" not in self._columns:
            return None
        longitude, latitude = self._cell(record, "longitude"), self._cell(record, "latitude")
        try:
            return values.coordinates(longitude, latitude)
        except Unreadable as error:
            names = f"Columns {self._columns['longitude']!r} and {self._columns['latitude']!r}"
            raise Unreadable(f"{names}: {shown(longitude)} and {shown(latitude)} {error}.") from error

    def _time(self, text: str) -> datetime:
        if not text.strip():
            raise Unreadable("is blank: a report needs its time")
        time = times.parse(text, zone=self._zone, order=self._dates, evidence=self._evidence)
        if time > self._latest:
            raise Unreadable("lies in the future")
        return time

    def _content_key(self, record: Record, location: tuple[float, float] | None, opened_at: datetime) -> str:
        """Return a hash of what the file says; the nth identical row gets its number, for it is a report of its own."""
        texts = [values.body_text(self._cell(record, field)) for field in CONTENT]
        digest = sha256(json.dumps([*texts, location, opened_at.isoformat()]).encode())
        self._seen[digest.digest()] += 1
        nth = self._seen[digest.digest()]
        return digest.hexdigest() + (f"-{nth}" if nth > 1 else "")

    def _field(self, record: Record, field: str, parse: Callable[[str], T]) -> T:
        text = self._cell(record, field)
        try:
            return parse(text)
        except Unreadable as error:
            raise Unreadable(f"Column {self._columns[field]!r}: {shown(text)} {error}.") from error

    def _cell(self, record: Record, field: str) -> str:
        """Return the cell of a field, empty if there is none."""
        name = self._columns.get(field)
        value = record.cells.get(name) if name is not None else None
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Unreadable(f"Column {name!r}: {shown(str(value))} is not text.")
        if not value.isascii() and BROKEN.search(value):
            raise Unreadable(f"Column {name!r}: {shown(value)} holds half of a surrogate pair.")
        return value


def _name(text: str) -> str:
    name = values.line_text(text)
    if len(name) > NAME_LIMIT:
        raise Unreadable(f"is longer than {NAME_LIMIT} characters")
    return name


def _area(text: str) -> str:
    code = _name(text)
    if code and not re.fullmatch(r"[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?", code):
        raise Unreadable("is not the code of an area, such as 31.74.01")
    return code


def _identity(text: str) -> str:
    """Return an id; one that a spreadsheet rounded would be shared by many rows, which would then count as repeats."""
    identity = _name(text)
    head, exponent, _ = identity.partition("E+")
    if exponent and head.replace(".", "").replace(",", "").isdigit():
        raise Unreadable("is an id that a spreadsheet has rounded")
    return identity
