"""The command line: run the city or one service, import areas and reports, replay a day, print the events."""

from __future__ import annotations

import typer

from services.city import SERVICES, alone, serve
from shared import logging as city_logging
from shared.errors import Problem
from shared.settings import Settings

app = typer.Typer(add_completion=False, no_args_is_help=False, help="An open collaboration platform for a city.")


@app.callback(invoke_without_command=True)
def city(context: typer.Context) -> None:
    """Run the whole city in one process."""
    if context.invoked_subcommand is None:
        _run("city", tuple(SERVICES))


def _run(name: str, names: tuple[str, ...]) -> None:
    settings = Settings()
    city_logging.set_up(settings.log, settings.log_level)
    try:
        held = alone(settings, name)
    except Problem as problem:
        typer.echo(problem.detail, err=True)
        raise typer.Exit(1) from problem
    with held:
        serve(settings, [SERVICES[each] for each in names]).run()
