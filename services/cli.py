"""The command line: run the city or one service, import areas and reports, replay a day, print the events."""

from __future__ import annotations

import typer

from services.cli_areas import app as areas
from services.cli_importing import import_file
from services.cli_replaying import replay_file
from services.cli_serving import add_services, run_city

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def city(context: typer.Context) -> None:
    """An open collaboration platform for a city. Without a command: run the whole city in one process."""
    if context.invoked_subcommand is None:
        run_city()


@app.command()
def events() -> None:
    """Print the reference of all events (docs/events.md), made from their contracts."""
    from shared.contracts.document import document

    typer.echo(document(), nl=False)


app.add_typer(areas, name="areas")
app.command("import")(import_file)
app.command("replay")(replay_file)
add_services(app)
