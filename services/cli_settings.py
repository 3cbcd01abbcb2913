"""Settings for a command, and what is wrong in one sentence instead of a traceback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from shared.errors import Invalid, Problem, Rejected

if TYPE_CHECKING:
    from shared.settings import Settings

WRONG_INPUT = 2
FAILED = 1
INTERRUPTED = 130


@contextmanager
def one_sentence() -> Iterator[None]:
    """Say a problem on standard error and end: with 2 for wrong input, which includes settings, with 1 otherwise."""
    try:
        yield
    except Problem as problem:
        typer.echo(" ".join(problem.detail.split()), err=True)
        raise typer.Exit(WRONG_INPUT if isinstance(problem, Invalid) else FAILED) from problem


def settings_now() -> Settings:
    """The settings from the environment and `.env`; Invalid with every one that is wrong."""
    from pydantic import ValidationError

    from shared.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"GOTONG_{str(each['loc'][0]).upper()} is wrong: {str(each['msg']).removeprefix('Value error, ')}."
            for each in error.errors()
        ]
        raise Invalid("settings", " ".join(wrong)) from error


def writable(folder: Path) -> Path:
    """The data folder, made where it is missing; Rejected where nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Rejected(f"The data folder {folder} cannot be made: {error.strerror}.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Rejected(f"The data folder {folder} is not writable.")
    return folder
