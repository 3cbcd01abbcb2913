"""Turns the lines of a file into records, cells with names; a bad one is refused and the next is read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import Invalid
from shared.importing.files import BROKEN, Lines, Source, Unclosed
from shared.importing.rows import Refusal, Unreadable, shown

DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: a cell is text as the file has it, numbers too; JSON has other kinds, which no field accepts."""

    line: int
    cells: Mapping[str, Any]


def names_of(source: Source) -> list[str]:
    """Return the column names in order: the header's, or all that the objects of JSON lines have (a whole pass)."""
    if source.format == "csv":
        with source.open() as file:
            return _header(source, Lines(file))[0]
    names: dict[str, None] = {}
    for record in records_of(source):
        if isinstance(record, Record):
            names.update(dict.fromkeys(record.cells))
    return list(names)


def records_of(source: Source) -> Iterator[Record | Refusal]:
    """Yield every record that is not blank; opens the file anew on each call."""
    with source.open() as file:
        lines = Lines(file)
        yield from _csv(source, lines) if source.format == "csv" else _jsonl(source, lines)


def _header(source: Source, lines: Lines) -> tuple[list[str], str]:
    """Return the names and the delimiter: the one that splits the first line that is not blank into the most cells."""
    try:
        line = next((line for line in lines if line.strip(" \t\r\n,;")), "")
        splits = {mark: next(csv.reader([line], delimiter=mark), []) for mark in DELIMITERS}
    except (csv.Error, Unreadable) as error:
        raise Invalid("file", f"The header of {source.path.name} cannot be read: {error}") from error
    if not line:
        raise Invalid("file", f"{source.path.name} is empty: it has no header.")
    if BROKEN.search(line):
        raise Invalid("encoding", _not_decoded(source, "The header", line))
    delimiter = max(DELIMITERS, key=lambda mark: len(splits[mark]))
    return [name.strip() for name in splits[delimiter]], delimiter


def _csv(source: Source, lines: Lines) -> Iterator[Record | Refusal]:
    names, delimiter = _header(source, lines)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = lines.begin()
        try:
            cells = next(reader)
            if "".join(cells).strip():
                yield Record(start, _named(source, names, cells, lines.number - start))
        except StopIteration:
            return
        except (csv.Error, Unclosed) as error:
            lines.back()
            yield Refusal(start, f"The line is not well-formed CSV: {error}")
        except Unreadable as error:
            yield Refusal(start, str(error))


def _named(source: Source, names: list[str], cells: list[str], more_lines: int) -> dict[str, str]:
    """Name the cells; a record with too few or too many could only be guessed at."""
    if len(cells) != len(names):
        extent = f", over {more_lines + 1} lines" if more_lines else ""
        raise Unreadable(f"The record has {len(cells)} cells{extent}, but the header names {len(names)} columns.")
    for name, cell in zip(names, cells, strict=True):
        if not cell.isascii() and BROKEN.search(cell):
            raise Unreadable(_not_decoded(source, f"Column {name!r}", cell))
    return dict(zip(names, cells, strict=True))


def _jsonl(source: Source, lines: Lines) -> Iterator[Record | Refusal]:
    while True:
        start = lines.begin()
        try:
            line = next(lines)
            if not line.isascii() and BROKEN.search(line):
                raise Unreadable(_not_decoded(source, "The line", line.strip()))
            cells = _object(line) if line.strip() else {}
            if any(value not in (None, "") for value in cells.values()):
                yield Record(start, cells)
        except StopIteration:
            return
        except Unreadable as error:
            yield Refusal(start, str(error))


def _object(line: str) -> dict[str, Any]:
    """Parse one JSON object; numbers stay as written, and `{"location": {"lon": 1}}` has a column `location.lon`."""
    try:
        value = json.loads(line, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The line is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Unreadable("The line is not a JSON object.")
    flat: list[tuple[str, Any]] = []
    for name, member in value.items():
        flat += (
            [(f"{name}.{key}", part) for key, part in member.items()] if isinstance(member, dict) else [(name, member)]
        )
    return _once(flat)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members; a name given twice has no value that is surely meant."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise Unreadable(f"Column {shown(name)} is given twice.")
        members[name] = value
    return members


def _not_decoded(source: Source, what: str, value: str) -> str:
    """Say where the bytes are that do not decode, with what stands around the first of them."""
    before = BROKEN.split(value, maxsplit=1)[0]
    around = value[max(0, len(before) - 20) :][:50]
    encoding = source.encoding.removesuffix("-sig")
    return f"{what} holds bytes that are not {encoding} ({shown(around)}): give --encoding, such as cp1252."
