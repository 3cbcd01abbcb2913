"""The stream through which services speak: at least once, in order per subject."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from shared.events import Envelope

Handler = Callable[[Sequence[Envelope]], Awaitable[None]]

PUBLIC = "gotong.public"


def topic(service: str) -> str:
    """The topic of everything that a service publishes; `PUBLIC` holds the public events of all."""
    return f"gotong.{service}"


class Bus(Protocol):
    """Publishing and following. Both raise `shared.store.Unavailable` when the bus cannot be reached."""

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Append to each event's topic, and public ones to `PUBLIC`; returns when they are durable."""

    def subscribe(
        self, topics: Sequence[str], group: str, handler: Handler, types: Sequence[str] | None = None
    ) -> None:
        """Have a group follow topics: batches at least once, in order per subject, from the earliest on.

        With `types`, events of other types are passed over. The group's position moves on when `handler` returns, and
        survives restarts. Call before `start`.
        """

    async def start(self) -> None:
        """Begin to deliver."""

    async def stop(self) -> None:
        """Let the handlers finish their batch, keep the positions, let go."""

    async def lag(self) -> dict[str, int]:
        """Events not yet handled, per group."""
