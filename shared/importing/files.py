"""Opens a file of reports as text: its encoding, its format and its lines, one by one and never all at once."""

from __future__ import annotations

import codecs
import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from shared.errors import Invalid
from shared.importing.rows import Unreadable

HEAD = 65_536
"""Bytes looked at to tell encoding and format."""

LINE_LIMIT = 1_000_000
"""Characters of one line; a longer one is refused without being held in memory."""

RECORD_LINES = 500
"""Lines of one record; a quoted text that runs on for longer has lost its closing quote."""

BROKEN = re.compile("[\ud800-\udfff]")
"""What is left of bytes that do not decode (PEP 383), and unpaired surrogates."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read from its beginning as often as needed."""

    path: Path
    encoding: str
    format: Literal["csv", "jsonl"]

    def open(self) -> TextIO:
        """Open the text with its line ends as they are; bytes that do not decode are kept as surrogates."""
        wide = self.encoding.lower().startswith(("utf-16", "utf-32", "utf_16", "utf_32"))
        errors = "surrogatepass" if wide else "surrogateescape"
        return self.path.open(encoding=self.encoding, errors=errors, newline="")


def source_of(path: Path, encoding: str | None) -> Source:
    """Find the encoding and format of a file.

    A byte order mark decides the encoding, then `encoding`, then UTF-8. JSON lines are known by their first character,
    or by the suffix `.jsonl` or `.ndjson`. Raises `Invalid` if the file cannot be opened or is not text.
    """
    head = _head(path)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    chosen = marked or _known(encoding) or "utf-8"
    text = head.decode(chosen, "replace").strip()
    if text.count("\0") * 20 > len(text):
        raise Invalid(
            "file", f"{path.name} is not text, or it is UTF-16 without a byte order mark: give --encoding utf-16-le."
        )
    if text.startswith("["):
        raise Invalid("file", f"{path.name} is one JSON array: write one object on each line instead.")
    lines = text.startswith("{") or path.suffix.lower() in (".jsonl", ".ndjson")
    if not text and not lines:
        raise Invalid("file", f"{path.name} is empty: it has no header.")
    return Source(path, chosen, "jsonl" if lines else "csv")


def _head(path: Path) -> bytes:
    """Return the first bytes of a regular file; a pipe cannot be read twice, so it is refused."""
    if not path.is_file():
        raise Invalid("file", f"{path} is not a file.")
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise Invalid("file", f"{path} cannot be read: {error.strerror}.") from error


def _known(encoding: str | None) -> str | None:
    """Return the encoding's name if Python can read text in it."""
    if encoding is None:
        return None
    try:
        b"a".decode(encoding, "replace")
    except (LookupError, ValueError) as error:
        raise Invalid("encoding", f"{encoding!r} is not an encoding of text; one such is cp1252.") from error
    return encoding


class Unclosed(Unreadable):
    """A record that has no end in sight."""


class Lines:
    """The lines of an open text, with their numbers, and with a way back to the second line of a bad record."""

    def __init__(self, file: TextIO) -> None:
        self.number = 0
        self.taken: list[str] = []
        self._file = file
        self._again: deque[str] = deque()
        self._ended = False

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        """Return the next line with its end; raises `Unreadable` if it cannot be read, `Unclosed` for one too many."""
        if len(self.taken) >= RECORD_LINES:
            raise Unclosed(f"A quoted text runs on for more than {RECORD_LINES} lines: its closing quote is missing.")
        line = self._again.popleft() if self._again else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        return line

    def begin(self) -> int:
        """Begin a record and return the number of its first line."""
        self.taken.clear()
        return self.number + 1

    def back(self) -> None:
        """Give back all lines of this record but its first: they may be good records that a stray quote swallowed."""
        self._again.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken[1:])

    def _read(self) -> str:
        if self._ended:
            return ""
        try:
            line = self._file.readline(LINE_LIMIT + 1)
            if len(line) <= LINE_LIMIT:
                return line
            while line and not line.endswith(("\n", "\r")):
                line = self._file.readline(LINE_LIMIT)
        except UnicodeDecodeError as error:
            self._ended = True
            raise self._unread(
                f"From here the file is not {error.encoding}: {error.reason}; give --encoding."
            ) from error
        raise self._unread(f"The line is longer than {LINE_LIMIT:,} characters.")

    def _unread(self, reason: str) -> Unreadable:
        """Count the line that cannot be returned, so that the numbers of those after it stay true."""
        self.number += 1
        return Unreadable(reason)
