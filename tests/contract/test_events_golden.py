"""Every event ever released can still be read: one golden sample per type, and what no public event may tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.decider import private_json, public_json
from shared.events import Envelope, Event, Vocabulary, rfc3339
from tests.contract.write_golden import GOLDEN, all_events, sample

EVENTS = list(all_events())
BY_TYPE = {event.type: event for _, event in EVENTS}
FILES = sorted(GOLDEN.glob("*.json"))
SHAPE = re.compile(r"org\.gotongroyong\.[a-z]+\.(?:[a-z]+ed|[a-z]+(?:-[a-z]+)+|held|withdrawn|left)\.v[1-9]")
HINTS = ("email", "phone", "password", "display_name", "exact", "nik", "address", "token", "secret", "private")


def file_id(file: Path) -> str:
    return file.stem


def event_id(value: object) -> str:
    return value.type if isinstance(value, type) and issubclass(value, Event) else str(value)


def read(file: Path) -> tuple[Envelope, bytes | None, Event]:
    """A sample's envelope and private part, and the event that today's classes make of them."""
    whole = orjson.loads(file.read_bytes())
    envelope = Envelope.from_json(orjson.dumps(whole["envelope"]))
    private = None if whole["private"] is None else orjson.dumps(whole["private"])
    return envelope, private, Vocabulary(BY_TYPE.values()).read(envelope, private)


def old_part(now: Any, then: Any) -> Any:
    """What today's JSON says, without the fields that a class has got since the sample was written."""
    match now, then:
        case dict(), dict():
            return {name: old_part(value, then[name]) for name, value in now.items() if name in then}
        case list(), list() if len(now) == len(then):
            return [old_part(*pair) for pair in zip(now, then, strict=True)]
        case _:
            return now


def names_in(schema: Any) -> Iterator[str]:
    """The names of all properties in a JSON schema, at any depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from names_in(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from names_in(part)


def published_names(event: type[Event]) -> set[str]:
    return set(names_in(event.model_json_schema(mode="serialization")))


@pytest.mark.parametrize("file", FILES, ids=file_id)
def test_a_sample_is_read_and_written_again_as_it_was(file: Path) -> None:
    envelope, private, event = read(file)
    assert type(event) is BY_TYPE[envelope.type]
    written = orjson.loads(public_json(event))
    assert old_part(written, envelope.data) == envelope.data
    assert "at" not in written
    assert rfc3339(event.at) == envelope.time
    kept = None if private is None else orjson.loads(private)
    assert old_part(orjson.loads(private_json(event) or b"null"), kept) == kept


@pytest.mark.parametrize("file", FILES, ids=file_id)
def test_a_sample_is_a_cloud_event_of_its_type_and_service(file: Path) -> None:
    whole = orjson.loads(file.read_bytes())["envelope"]
    envelope = read(file)[0]
    assert envelope.type == file.stem
    assert (envelope.service, BY_TYPE[envelope.type]) in EVENTS
    assert envelope.visibility == BY_TYPE[envelope.type].visibility
    assert (whole["specversion"], whole["datacontenttype"]) == ("1.0", "application/json")
    assert envelope.sequence >= 1
    assert all([envelope.id, envelope.subject, envelope.correlationid, envelope.causationid, envelope.actorkind])


@pytest.mark.parametrize("file", FILES, ids=file_id)
def test_a_sample_has_a_private_part_where_its_class_has_one(file: Path) -> None:
    envelope, private, event = read(file)
    assert (private is not None) == ("private" in type(event).model_fields)
    assert "private" not in envelope.data


def test_every_event_has_a_sample_and_every_sample_an_event() -> None:
    assert {file.stem for file in FILES} == set(BY_TYPE), "python -m tests.contract.write_golden adds missing samples"


@pytest.mark.parametrize(("service", "event"), EVENTS, ids=event_id)
def test_a_new_sample_leaves_no_field_out(service: str, event: type[Event]) -> None:
    whole = orjson.loads(sample(event, service))
    assert set(whole["envelope"]["data"]) == set(event.model_fields) - {"at", "private"}
    assert None not in whole["envelope"]["data"].values()
    assert None not in (whole["private"] or {}).values()


def test_types_are_unique_and_say_what_happened_to_what() -> None:
    assert len(BY_TYPE) == len(EVENTS) > 40
    assert [each for each in BY_TYPE if not SHAPE.fullmatch(each)] == []


@pytest.mark.parametrize(("service", "event"), EVENTS, ids=event_id)
def test_no_published_field_is_named_like_contact_data_or_a_secret(service: str, event: type[Event]) -> None:
    telling = {name for name in published_names(event) for hint in HINTS if hint in name.lower()}
    assert telling == set(), f"{service} must not publish this"


def test_the_names_of_fields_are_found_at_any_depth() -> None:
    names = set[str]().union(*(published_names(event) for _, event in EVENTS))
    assert {"title", "lon", "capacity", "approval", "per_day_limit", "kind"} <= names


@pytest.mark.parametrize(("service", "event"), EVENTS, ids=event_id)
def test_nothing_that_is_kept_is_in_the_envelope(service: str, event: type[Event]) -> None:
    whole = orjson.loads(sample(event, service))
    told = orjson.dumps(whole["envelope"])
    assert [name for name, value in (whole["private"] or {}).items() if orjson.dumps(value) in told] == []
