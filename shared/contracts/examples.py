"""Examples of events for their documentation, made from the contracts alone: the same ones every time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.events import ActorKind, Cause, Event, Party, seal

Schema = Mapping[str, Any]

_AT = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
_SUBJECT = "019aba3e-2f80-7c3a-9d5e-3c1f6a7b8c9d"
_EVENT = "019aba3e-2f95-70b1-8a44-5d0e9f1c2b3a"
_VISIT = "019aba3e-2f7a-7e60-b2c7-41d8f05a9e16"
_OTHER = "5b9a3c1e-7d24-5f86-a0c3-9e8b7d6f5a41"

# Values that read as what the field means; a list is tried in turn where fields of one name differ in kind.
_VALUES: dict[str, Any] = {
    "area": "31.75.03.1001",
    "areas": "31.75",
    "attended": 12,
    "available": 450,
    "body": "Dapur umum RW 04 memasak untuk 60 keluarga.",
    "budget": 500,
    "capacity": 15,
    "category": "food",
    "categories": "food",
    "change": 100,
    "hours": 36.5,
    "label": "Beras",
    "lat": -6.219,
    "lon": 106.863,
    "missing": 30,
    "name": "Toko Beras Contoh",
    "note": "Sudah dikerjakan pagi ini.",
    "photo": "https://example.org/photo.jpg",
    "place": "blurred",
    "quantity": 20,
    "reason": "Sudah cukup, terima kasih.",
    "role": "Membersihkan saluran",
    "supporters": 3,
    "text": "Saya bisa bantu memasak.",
    "title": "Beras untuk dapur umum",
}
_TIMES = {"starts_at": "2026-11-29T00:00:00Z", "ends_at": "2026-11-29T04:00:00Z"}
_LATER = "2026-11-27T01:30:00Z"
_ACTORS: dict[str, ActorKind] = {"offers": "company", "agencies": "agency"}


def example(event: type[Event], service: str) -> bytes:
    """The CloudEvents JSON of an event with plausible values, checked against its contract."""
    actor = _ACTORS.get(service, "resident")
    schema = event.model_json_schema(mode="serialization")
    data = {name: _value(name, part, schema, actor) for name, part in fields_of(schema).items()}
    made = event.model_validate({**data, "at": _AT})
    attributes = {name: data[name] for name in ("area", "category") if isinstance(data.get(name), str)}
    cause = Cause(_VISIT, _VISIT, actor)
    return seal(made, id=_EVENT, service=service, subject=_SUBJECT, sequence=1, cause=cause, attributes=attributes).body


def fields_of(schema: Schema) -> dict[str, Schema]:
    """The data fields of an event's schema, in the order in which they are published."""
    return dict(schema.get("properties", {}))


def resolved(part: Schema, schema: Schema) -> Schema:
    """A part of a schema, or what its `$ref` points to."""
    name = part.get("$ref", "").rpartition("/")[2]
    return schema["$defs"][name] if name else part


def _value(name: str, part: Schema, schema: Schema, actor: ActorKind) -> Any:
    """A value for a field: its default where it has one, else by its name and kind."""
    if "default" in part:
        return part["default"]
    part = resolved(next((each for each in part.get("anyOf", ()) if each.get("type") != "null"), part), schema)
    if part.get("title") == Party.__name__:
        return {"kind": actor, "id": _OTHER}
    if "enum" in part:
        return _VALUES[name] if _VALUES.get(name) in part["enum"] else part["enum"][0]
    match part.get("type"):
        case "object":
            return {key: _value(key, each, schema, actor) for key, each in fields_of(part).items()}
        case "array":
            return [_value(name, part["items"], schema, actor)]
        case "string":
            return _text(name, part)
        case kind:
            return _VALUES.get(name, {"integer": 1, "number": 1.5, "boolean": True}.get(str(kind)))


def _text(name: str, part: Schema) -> str:
    if part.get("format") == "date-time":
        return _TIMES.get(name, _LATER)
    return str(_VALUES.get(name, _OTHER))
