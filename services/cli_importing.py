"""The command that imports a file of reports into the store of requests, whether the city runs or not."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from services import cli_files as files
from services.cli_progress import Progress
from services.cli_settings import INTERRUPTED, one_sentence, settings_now, writable
from shared.errors import Invalid, Rejected

if TYPE_CHECKING:
    from services.requests.importing import Outcome
    from shared.areas import Areas
    from shared.contracts.requests import RequestKind
    from shared.importing import Reading
    from shared.runtime import Context
    from shared.settings import Settings

MOST_SHOWN = 100
_MOST_KNOWN = 20
_BLOCK = 1 << 20
_GO_ON = "What was imported stays; give the same command again to go on."

DryRun = Annotated[bool, typer.Option("--dry-run", help="Write nothing; tell what would happen.")]
Kind = Annotated[Literal["report", "help", "application"], typer.Option(help="What the rows become.")]
System = Annotated[
    str | None, typer.Option(metavar="NAME", help="The system whose ids these are, if others number alike.")
]
Report = Annotated[Path | None, typer.Option(metavar="FILE", help="Also write every refused row to this file.")]


def import_file(
    file: files.File,
    dry_run: DryRun = False,
    column: files.Columns = None,
    timezone: files.Timezone = None,
    encoding: files.Encoding = None,
    dates: files.Dates = None,
    category: files.Category = "other",
    kind: Kind = "report",
    system: System = None,
    report: Report = None,
) -> None:
    """Import a file of reports. Repeat it as often as you like: a row that was imported is known by its id."""
    with one_sentence():
        settings = settings_now()
        zone = timezone or settings.timezone
        reading = files.reading_of(file, column, zone, encoding, dates, category)
        _show(file, reading, f"times without offset: {zone}; rows without a category: {category}")
        _carry_out(_Asked(settings, file, dry_run, kind, system, report), reading)


def _show(file: Path, reading: Reading, rest: str) -> None:
    """How the file is read, so that somebody can object."""
    dates = f", dates in the order {reading.dates}" if reading.dates else ""
    typer.echo(f"{file.name}: {reading.format}, {reading.encoding}{dates}; {rest}")
    for name, column in reading.columns.items():
        typer.echo(f"  {name:<10} <- {column}")


@dataclass
class _Tally:
    """What became of the rows so far; of the refusals, the first ones in words."""

    counted: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    known: list[int] = field(default_factory=list)

    def note(self, outcome: Outcome, report: TextIO | None) -> None:
        self.counted[outcome.result] += 1
        if outcome.result == "repeated" and len(self.known) < _MOST_KNOWN:
            self.known.append(outcome.line)
        if outcome.result == "refused":
            said = f"line {outcome.line}: {outcome.reason}"
            if len(self.refusals) < MOST_SHOWN:
                self.refusals.append(said)
            if report is not None:
                report.write(said + "\n")

    def tell(self, seconds: float, *, dry_run: bool) -> None:
        """The lines of the report; the last one has the three numbers and nothing else."""
        imported, repeated, refused = (self.counted[each] for each in ("imported", "repeated", "refused"))
        if dry_run:
            typer.echo("Dry run: nothing was written. This would happen:")
            if self.known:
                more = f" and {repeated - len(self.known):,} more" if repeated > len(self.known) else ""
                typer.echo(f"there already: lines {', '.join(map(str, self.known))}{more}")
        for said in self.refusals:
            typer.echo(said)
        if refused > len(self.refusals):
            typer.echo(f"… and {refused - len(self.refusals):,} more")
        rows = imported + repeated + refused
        typer.echo(f"{rows:,} rows in {seconds:.1f} s, {rows / max(seconds, 0.001):,.0f} rows/s")
        typer.echo(f"imported {imported}, repeated {repeated}, refused {refused}")


@dataclass(frozen=True)
class _Asked:
    """What somebody wants to have imported, and how."""

    settings: Settings
    file: Path
    dry_run: bool
    kind: RequestKind
    system: str | None
    report: Path | None


def _carry_out(asked: _Asked, reading: Reading) -> None:
    """Import the rows, or rehearse it; cut off for whatever reason, it can be gone on with."""
    from shared.store import Unavailable

    try:
        asyncio.run(_import(asked, reading))
    except Unavailable as error:
        raise Rejected(f"{error.detail} {_GO_ON}") from error
    except KeyboardInterrupt:
        typer.echo(f"Stopped. {_GO_ON}", err=True)
        raise typer.Exit(INTERRUPTED) from None


async def _import(asked: _Asked, reading: Reading) -> None:
    """Take the rows one after the other and tell what became of them."""
    from services.requests.importing import Import
    from shared import logging as city_logging
    from shared.hosting import load_areas
    from shared.runtime import utc_now

    city_logging.set_up(asked.settings.log, "critical")  # what is to be said, this command says itself
    plan = Import(load_areas(asked.settings), utc_now, asked.kind, asked.system)
    tally = _Tally()
    with _kept(asked.report) as kept, Progress("rows", _lines(asked.file)) as progress:
        async with _store(asked, plan.areas) as context:
            began = time.monotonic()
            if asked.dry_run or context is None:
                told = plan.rehearse(context, reading.rows)
            else:
                told = plan.run(context, reading.rows)
            async with aclosing(told) as outcomes:
                async for outcome in outcomes:
                    tally.note(outcome, kept)
                    progress.reached(outcome.line)
    tally.tell(time.monotonic() - began, dry_run=asked.dry_run)


@asynccontextmanager
async def _store(asked: _Asked, areas: Areas) -> AsyncIterator[Context | None]:
    """The store of requests; for a rehearsal None where there is none, for it must not be made."""
    from services.requests.service import SERVICE
    from shared.hosting import open_context

    if asked.dry_run and not (asked.settings.data / f"{SERVICE.name}.db").is_file():
        yield None
        return
    writable(asked.settings.data)
    context = open_context(SERVICE, asked.settings, areas)
    try:
        yield context
    finally:
        await context.store.close()


def _kept(report: Path | None) -> AbstractContextManager[TextIO | None]:
    """Where every refusal is written to, if somewhere."""
    try:
        return nullcontext() if report is None else report.open("w", encoding="utf-8")
    except OSError as error:
        raise Invalid("report", f"The report {report} cannot be written: {error.strerror}.") from error


def _lines(file: Path) -> int:
    """How many lines a file has, about: enough for a bar of progress."""
    with file.open("rb") as opened:
        return sum(block.count(b"\n") for block in iter(partial(opened.read, _BLOCK), b""))
