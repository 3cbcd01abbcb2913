"""Logging to standard error: a readable line, or JSON, with the correlation id."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

from pythonjsonlogger.orjson import OrjsonFormatter

_ALWAYS = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        more = " ".join(f"{name}={value}" for name, value in record.__dict__.items() if name not in _ALWAYS)
        return f"{super().format(record)} {more}".rstrip()


def set_up(form: Literal["plain", "json"], level: str) -> None:
    """Send every record of `level` and above to standard error."""
    # None of these is shown; finding them out for every record costs more than the rest of it.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = logging.StreamHandler(sys.stderr)
    options: dict[str, Any] = {"timestamp": True}
    handler.setFormatter(
        OrjsonFormatter("{levelname}{name}{message}", style="{", **options)
        if form == "json"
        else _Plain("%(asctime)s %(levelname)s %(name)s %(message)s")
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
