"""One key, one creation: the rule for deciders whose aggregate was made already."""

from __future__ import annotations

from shared.errors import Invalid
from shared.events import Event


def same_or_other_body(known: str | None, given: str) -> list[Event]:
    """No events for the same body again; Invalid for another body under the same key."""
    if known != given:
        raise Invalid("Idempotency-Key", "This Idempotency-Key was used for another body.")
    return []
