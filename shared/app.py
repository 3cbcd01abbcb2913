"""The web application of one process: the doors of its services, problems for errors, limits on what comes in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from joserfc.jwk import KeySet

from shared.auth import Verifier
from shared.hosting import Host
from shared.http import Building
from shared.openapi import describe
from shared.problems import speak_in_problems

_ABOUT = """A city whose residents, companies, agencies and communities serve each other over one stream of events.

Times are RFC 3339 in UTC; problems are RFC 9457; lists are `{"items": [...], "next": cursor or null}`. A POST that
creates takes an `Idempotency-Key`; an edit takes `If-Match`; `Act-For: <organisation id>` acts for an organisation.
"""


def make_app(host: Host, keys: Callable[[], KeySet]) -> FastAPI:
    """The application; the host starts and stops with it. `keys` are accounts' public keys."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await host.start()
        app.state.building = Building(host.contexts, Verifier(keys), host.areas, host.settings, host.health)
        yield
        await host.stop()

    about: dict[str, Any] = {"title": "Gotong Royong", "version": "1", "description": _ABOUT}
    app = FastAPI(**about, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.host = host
    speak_in_problems(app)
    for service in host.services:
        for router in service.routers:
            # As they are: include_router would wrap each router, which costs every call a third of its routing.
            app.router.routes.extend(router.routes)
    describe(app)
    return app
