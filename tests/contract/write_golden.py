"""`python -m tests.contract.write_golden` adds a golden sample of each event that has none; it changes no sample."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from shared.contracts.document import contracts
from shared.contracts.examples import example
from shared.decider import private_json
from shared.events import ActorKind, Cause, Event, Party, seal
from shared.ids import derived_id

GOLDEN = Path(__file__).parent / "golden"
_AT = datetime(2026, 11, 25, 1, 30, 12, 345678, tzinfo=UTC)
_AREA = {"area": "31.75.03.1001"}
# What the city tells of the subject in the envelope of every event, by what the subject is.
_ABOUT = {"request": {**_AREA, "category": "food"}, "activity": _AREA}
# Whose events these are.
_SUBJECTS = {"contribution": "request", "sponsorship": "offer"}
_BEGINNINGS = ("registered", "opened", "offered", "planned", "drafted", "added")

# Values of the optional fields: a sample leaves nothing out.
_FILLED: dict[str, Any] = {
    "area": "31.75.03.1001",
    "areas": ["31.75", "31.71.02"],
    "automatic": True,
    "duplicate_of": derived_id("golden", "original"),
    "expires_at": "2026-12-25T01:30:12.345678Z",
    "note": "Sudah dikerjakan pagi ini — terima kasih, warga RW 04.",
    "photo": "/api/photos/0f5b1c8e",
    "reason": "Sudah cukup, terima kasih.",
    "request_id": derived_id("golden", "request"),
    "terms": {
        "per_request_limit": 40,
        "per_area_limit": 200,
        "per_day_limit": 100,
        "categories": ["food", "health"],
        "areas": ["31.75"],
        "requester_kinds": ["resident", "community"],
        "starts_at": "2026-11-25T00:00:00Z",
        "ends_at": "2026-12-24T17:00:00Z",
        "automatic": True,
    },
    "until": "2026-11-27T01:30:12.345678Z",
}
# What a service keeps apart, by the fields that the class of `private` has.
_KEPT: dict[str, Any] = {
    "display_name": "Ani Contoh",
    "email": "ani@example.org",
    "exact": {"lon": 106.86312, "lat": -6.21907},
    "fingerprint": "3f6c1f0a9d5e4b7c8a2d6e1f0b9c8d7e",
    "note": "Bisa diantar setelah jam lima sore.",
    "on_behalf_of": "Ibu Contoh, RT 03",
}


def all_events() -> Iterator[tuple[str, type[Event]]]:
    """Every event class, with the service that publishes it."""
    for service, events in contracts().items():
        for event in events:
            yield service, event


def sample(event: type[Event], service: str) -> bytes:
    """An event with all its fields, in the envelope in which the city publishes it and with what the city keeps."""
    word, happened = event.type.split(".")[2:4]
    subject = _SUBJECTS.get(word, word)
    data: dict[str, Any] = orjson.loads(example(event, service))["data"]
    data |= {name: value for name, value in _FILLED.items() if name in data}
    if happened == "drafted":
        data["available"] = data["budget"]
    if "private" in event.model_fields:
        data["private"] = _KEPT
    made = event.model_validate({**data, "at": _AT})
    by = data.get("by", data.get("author"))
    actor: ActorKind = Party.model_validate(by).kind if by else "resident"
    visit, call = derived_id("golden", "visit"), derived_id("golden", event.type)
    envelope = seal(
        made,
        id=derived_id("golden", "event", event.type),
        service=service,
        subject=derived_id("golden", subject),
        sequence=1 if happened in _BEGINNINGS else 4,
        cause=Cause(visit, call, actor),
        attributes=_ABOUT.get(subject, {}),
    )
    whole = {"envelope": orjson.loads(envelope.body), "private": orjson.loads(private_json(made) or b"null")}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main() -> None:
    """Write what is missing."""
    GOLDEN.mkdir(exist_ok=True)
    for service, event in all_events():
        file = GOLDEN / f"{event.type}.json"
        if not file.exists():
            file.write_bytes(sample(event, service))
            print(f"added {file.name}")


if __name__ == "__main__":
    main()
