"""The command that plays a file of reports through the public API of a running city."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services import cli_files as files
from services.cli_progress import Progress
from services.cli_settings import INTERRUPTED, one_sentence, settings_now

if TYPE_CHECKING:
    from services.web.replay import ReplayReport

Speed = Annotated[float, typer.Option(metavar="TIMES", help="How many times faster than it was.")]
Url = Annotated[str | None, typer.Option(metavar="URL", help="The city; the one of the settings where it is left out.")]
Token = Annotated[
    str | None,
    typer.Option(
        metavar="T", envvar="GOTONG_TOKEN", help="Whose reports they are; without it a person is registered for it."
    ),
]


def replay_file(
    file: files.File,
    speed: Speed = 60.0,
    url: Url = None,
    token: Token = None,
    column: files.Columns = None,
    timezone: files.Timezone = None,
    encoding: files.Encoding = None,
    dates: files.Dates = None,
    category: files.Category = "other",
) -> None:
    """Send a file of reports to a running city, in the order and at a multiple of the pace of their times."""
    with one_sentence():
        settings = settings_now()
        report = _played(
            file,
            base_url=url or f"http://{settings.host}:{settings.port}",
            speed=speed,
            token=token,
            default_category=category,
            columns=files.columns_of(column),
            timezone=timezone or settings.timezone,
            encoding=encoding,
            dates=dates,
        )
        _tell(report)


def _played(file: Path, **options: Any) -> ReplayReport:
    from services.web.replay import replay

    try:
        with Progress("reports") as progress:
            return asyncio.run(replay(file, **options, progress=progress.reached))
    except KeyboardInterrupt:
        typer.echo("Stopped. What was sent stays.", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _tell(report: ReplayReport) -> None:
    for line, reason in report.problems:
        typer.echo(f"line {line}: {reason}")
    unseen = report.refused + report.failed + report.unreadable - len(report.problems)
    if unseen > 0:
        typer.echo(f"… and {unseen:,} more")
    rate = report.sent / report.seconds if report.seconds else 0.0
    typer.echo(f"{report.sent:,} sent in {report.seconds:.1f} s, {rate:,.0f}/s; the latest {report.lag:.1f} s behind")
    typer.echo(f"answers in ms: p50 {report.p50:.1f}, p95 {report.p95:.1f}, p99 {report.p99:.1f}")
    typer.echo(
        f"created {report.created}, repeated {report.repeated}, refused {report.refused}, "
        f"failed {report.failed}, unreadable {report.unreadable}"
    )
