"""The commands that run the whole city, or one of its services alone."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from services.cli_settings import one_sentence, settings_now
from services.web.routes import ROUTES

if TYPE_CHECKING:
    from fastapi import FastAPI

    from services.demo import Filling


def service_names() -> list[str]:
    """The services, told by their folders: to list them, none of them need be loaded."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/service.py"))


def add_services(app: typer.Typer) -> None:
    """A command for each service; the first sentence of its package is the help."""
    for name in service_names():
        about = (import_module(f"services.{name}").__doc__ or name).partition(". ")[0].strip().rstrip(".")
        app.command(name, help=f"{about}.", rich_help_panel="One service alone")(_alone(name))


def run_city() -> None:
    """Run everything in one process, with a small demo city on the first start."""
    _run(service_names(), with_demo=True)


def _alone(name: str) -> Callable[[], None]:
    def run() -> None:
        _run([name])

    return run


def _run(names: list[str], *, with_demo: bool = False) -> None:
    """Serve until told to stop. Ctrl-C and SIGTERM both stop it gracefully, which is a good end."""
    with one_sentence(), suppress(KeyboardInterrupt):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        settings = settings_now()

        from services.city import SERVICES, alone, serve
        from services.demo import filling
        from shared import logging as city_logging

        city_logging.set_up(settings.log, settings.log_level)
        with alone(settings, names):
            guide = _Guide(names)
            fill = filling(settings) if with_demo else None
            beside = None if fill is None else partial(guide.show_around, fill)
            serve(settings, [SERVICES[name] for name in names], guide.welcome, beside).run()


@dataclass
class _Guide:
    """Says where to look."""

    names: list[str]
    address: str = ""

    def welcome(self, address: str) -> None:
        """It answers now."""
        self.address = address
        if len(self.names) > 1:
            typer.echo("The city is ready:")
            typer.echo(f"  {address}/            what is needed around here")
            typer.echo(f"  {address}/docs        the API")
            typer.echo(f"  {address}/api/events  what happens, as CloudEvents")
        else:
            typer.echo(f"The service {self.names[0]} is ready:")
            for segment in (segment for segment, service in ROUTES.items() if service == self.names[0]):
                typer.echo(f"  {address}/api/{segment}")
        typer.echo("Stop it with Ctrl-C.")

    async def show_around(self, fill: Filling, app: FastAPI) -> None:
        """Fill the demo city, and say so: by then the log has pushed the welcome out of sight."""
        if await fill(app):
            typer.echo(f"A small demo city is filled: {self.address}/ (start with GOTONG_DEMO=0 for an empty one).")
