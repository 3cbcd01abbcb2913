"""The tables of official areas: Jakarta's is built in, another city's is a CSV file of the same columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from shared.errors import Invalid
from shared.geo import Point, in_range

Level = Literal["province", "city", "district", "village"]
LEVELS: tuple[Level, ...] = get_args(Level)
COLUMNS = ("code", "name", "level", "parent", "lon", "lat")


@dataclass(frozen=True, slots=True)
class Area:
    """A node of the official tree: `parent` is the code of the area around it, `lon` and `lat` are its centre."""

    code: str
    name: str
    level: Level
    parent: str | None
    lon: float
    lat: float

    @property
    def centre(self) -> Point:
        return Point(self.lon, self.lat)


def read_city(city: str) -> list[Area]:
    """The areas of `jakarta`, or of a CSV file of UTF-8 text with the columns `COLUMNS`, in its order.

    Empty in `parent` stands for none. Rows that repeat another are dropped. Raises `Invalid("city")` with the line
    for anything else that is wrong.
    """
    path = Path(__file__).parent / "jakarta.csv" if city == "jakarta" else Path(city)
    areas: dict[str, Area] = {}
    for line, row in _rows(path):
        area = _area(row, line)
        if areas.setdefault(area.code, area) != area:
            raise _wrong(line, f"the code {area.code} is there twice, with different values")
    for area in areas.values():
        _check_parent(area, areas)
    if not any(area.level == "village" for area in areas.values()):
        raise Invalid("city", f"The table of areas {city} holds no village.")
    return list(areas.values())


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Invalid("city", f"The table of areas {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Invalid("city", f"The table of areas {path} is not UTF-8 text: save it as CSV UTF-8.") from error
    # No newline of its own: a file from an old Mac ends its lines with CR alone.
    reader = csv.DictReader(io.StringIO(text, newline=None), strict=True)
    try:
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise Invalid("city", f"The table of areas {path} lacks the columns {', '.join(missing)}.")
        for row in reader:
            if None in row or None in row.values():
                raise _wrong(reader.line_num, "it has more or fewer values than the first line")
            yield reader.line_num, {column: row[column].strip() for column in COLUMNS}
    except csv.Error as error:
        raise _wrong(reader.line_num, str(error)) from error


def _area(row: dict[str, str], line: int) -> Area:
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,40}", row["code"]):
        raise _wrong(line, "a code is 1 to 40 letters, digits, dots and hyphens")
    if not (row["name"].isprintable() and 0 < len(row["name"]) <= 80):
        raise _wrong(line, "a name is 1 to 80 characters")
    level = next((level for level in LEVELS if level == row["level"]), None)
    if level is None:
        raise _wrong(line, f"a level is one of {', '.join(LEVELS)}, not {row['level'][:40]!r}")
    try:
        centre = Point(float(row["lon"]), float(row["lat"]))
    except ValueError as error:
        raise _wrong(line, "lon and lat are degrees, with a point for the decimals") from error
    if not in_range(centre):
        raise _wrong(line, "lon is from -180 to 180 and lat from -90 to 90 degrees")
    return Area(row["code"], row["name"], level, row["parent"] or None, *centre)


def _check_parent(area: Area, areas: dict[str, Area]) -> None:
    if area.parent is None:
        return
    parent = areas.get(area.parent)
    if parent is None:
        raise Invalid("city", f"In the table of areas the parent {area.parent} of {area.code} is missing.")
    # So no area can lie in itself, however far around.
    if LEVELS.index(parent.level) >= LEVELS.index(area.level):
        raise Invalid("city", f"In the table of areas {area.code} ({area.level}) lies in a {parent.level}.")


def _wrong(line: int, what: str) -> Invalid:
    return Invalid("city", f"Line {line} of the table of areas: {what}.")
