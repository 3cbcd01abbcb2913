"""What a request may weigh: a body over the limit is refused before anybody reads it."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Problem
from shared.problems import problem_response

MOST_BYTES = 1_000_000


class TooLarge(Problem):
    """The body is over the limit."""

    status = 413
    title = "Too large"


class BodyLimit:
    """ASGI middleware: 413 for bodies of more than a megabyte, also for those that do not say their length."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > MOST_BYTES:
                detail = f"A body may have {MOST_BYTES:,} bytes."
                await problem_response(413, TooLarge.title, detail)(scope, receive, send)
                return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST_BYTES:
                raise TooLarge(f"A body may have {MOST_BYTES:,} bytes.")
            return message

        await self._app(scope, counted, send)
