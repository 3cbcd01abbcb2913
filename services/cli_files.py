"""The options with which a command reads a file of reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from shared.errors import Invalid

if TYPE_CHECKING:
    from shared.importing import Reading

File = Annotated[Path, typer.Argument(help="A CSV file of a 311 system, or JSON lines.", metavar="FILE")]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="FIELD=SOURCE",
        help="Read a field from this column; empty leaves the field out. May be given often.",
    ),
]
Timezone = Annotated[
    str | None,
    typer.Option(metavar="IANA", help="The time zone of times without offset; the city's where it is left out."),
]
Encoding = Annotated[
    str | None, typer.Option(metavar="ENC", help="The encoding of a file that is not UTF-8, such as cp1252.")
]
Dates = Annotated[
    Literal["dmy", "mdy"] | None, typer.Option(help="The order of numeric dates, where the file does not prove it.")
]
Category = Annotated[str, typer.Option(metavar="SLUG", help="The category of rows without one.")]


def columns_of(given: Sequence[str] | None) -> dict[str, str]:
    """`["title=judul"]` as field → column; Invalid for what is no such pair, or a field given twice."""
    columns: dict[str, str] = {}
    for each in given or ():
        field, equals, source = (part.strip() for part in each.partition("="))
        if not equals or not field:
            raise Invalid("columns", f"--column takes FIELD=SOURCE, such as title=judul, not {each!r}.")
        if field in columns:
            raise Invalid("columns", f"--column gives the field {field!r} twice.")
        columns[field] = source
    return columns


def reading_of(
    file: Path,
    columns: Sequence[str] | None,
    timezone: str,
    encoding: str | None,
    dates: Literal["dmy", "mdy"] | None,
    category: str,
) -> Reading:
    """The file as it is read with these options; Invalid for one that is wrong."""
    from shared.importing import read

    return read(
        file,
        columns=columns_of(columns),
        timezone=timezone,
        default_category=category,
        encoding=encoding,
        dates=dates,
    )
