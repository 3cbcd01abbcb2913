"""The commands about areas: their boundaries and their tree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli_settings import one_sentence, settings_now
from shared.errors import Invalid, Rejected

app = typer.Typer(no_args_is_help=True, help="The official areas: import their boundaries, list them.")


@app.command("import")
def import_boundaries(
    file: Annotated[Path, typer.Argument(help="A GeoJSON file with the polygons of villages.", metavar="FILE")],
) -> None:
    """Take the villages' boundaries from a file, so that points are placed exactly. A running city takes them up."""
    with one_sentence():
        settings = settings_now()

        from shared import boundaries
        from shared.areas import Areas
        from shared.hosting import boundaries_file

        target = boundaries_file(settings)
        # Without the boundaries that are there, which are to be replaced: they may even be unreadable.
        areas = Areas.load(settings.city, target / "none")
        try:
            report = boundaries.import_boundaries(areas, file, target)
        except OSError as error:
            raise Rejected(f"{target} cannot be written: {error.strerror}.") from error
        typer.echo("\n".join(report.lines()))


@app.command("list")
def list_areas(
    under: Annotated[str | None, typer.Option(help="The code of an area: list those in it.", metavar="CODE")] = None,
) -> None:
    """List the areas directly in another one; without one, the widest areas and those directly in them."""
    with one_sentence():
        settings = settings_now()

        from rich.console import Console
        from rich.table import Table

        from shared.hosting import load_areas

        areas = load_areas(settings)
        if not areas.enabled:
            raise Invalid("city", "Areas are switched off here (GOTONG_CITY=none).")
        listed = areas.children(under)
        if under is None:
            listed = [each for widest in listed for each in (widest, *areas.children(widest.code))]
        table = Table("code", "name", "level", "areas in it", "centre (lon, lat)", box=None, pad_edge=False)
        for area in listed:
            inside = str(len(areas.children(area.code)) or "")
            table.add_row(area.code, area.name, area.level, inside, f"{area.lon}, {area.lat}")
        Console().print(table)
