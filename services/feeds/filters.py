"""Which events somebody wants to see."""

from __future__ import annotations

from dataclasses import dataclass

from shared.events import Envelope


@dataclass(frozen=True, slots=True)
class Filter:
    """Every given part must fit: `type` by its beginning, `area` with all in it, the others exactly."""

    type: str | None = None
    area: str | None = None
    category: str | None = None
    subject: str | None = None
    correlationid: str | None = None

    def matches(self, event: Envelope) -> bool:
        """True if the event is one of those asked for."""
        return (
            (self.type is None or event.type.startswith(self.type))
            and (self.area is None or _within(event.area, self.area))
            and self.category in (None, event.category)
            and self.subject in (None, event.subject)
            and self.correlationid in (None, event.correlationid)
        )


def _within(area: str | None, wider: str) -> bool:
    return area is not None and (area == wider or area.startswith(wider + "."))
