"""Logging to standard error: a readable line, or JSON, with the correlation id."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Any, Literal

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import OrjsonFormatter

_ALWAYS = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}
_BUFFER_BYTES = 64 * 1024
_SHOWN_WITHIN_S = 0.2


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        more = " ".join(f"{name}={value}" for name, value in record.__dict__.items() if name not in _ALWAYS)
        return f"{super().format(record)} {more}".rstrip()


class _Gathering(logging.StreamHandler[Any]):
    """Writes warnings at once, the rest within 0.2 s: a write per command would fight for Python's lock each time."""

    def __init__(self) -> None:
        super().__init__(os.fdopen(os.dup(sys.stderr.fileno()), "w", _BUFFER_BYTES, encoding="utf-8"))
        threading.Thread(target=self._show, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.stream.write(self.format(record) + self.terminator)
            if record.levelno >= logging.WARNING:
                self.flush()
        except Exception:
            self.handleError(record)

    def _show(self) -> None:
        pause = threading.Event()
        while not pause.wait(_SHOWN_WITHIN_S):
            self.flush()


def set_up(form: Literal["plain", "json"], level: str) -> None:
    """Send every record of `level` and above to standard error."""
    # None of these is shown; finding them out for every record costs more than the rest of it.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = _Gathering()
    options: dict[str, Any] = {"timestamp": True, "reserved_attrs": [*RESERVED_ATTRS, "color_message"]}
    handler.setFormatter(
        OrjsonFormatter("{levelname}{name}{message}", style="{", **options)
        if form == "json"
        else _Plain("%(asctime)s %(levelname)s %(name)s %(message)s")
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
