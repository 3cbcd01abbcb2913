"""docs/events.md: made from the contracts, fresh, complete, and with examples that are events."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from shared.contracts.document import contracts, document
from shared.contracts.examples import example
from shared.events import Envelope, Event, Vocabulary

FILE = Path(__file__).resolve().parents[2] / "docs" / "events.md"
PAGE = document()
EVENTS = [(service, event) for service, events in contracts().items() for event in events]


def test_the_page_is_fresh() -> None:
    fresh = FILE.read_text(encoding="utf-8") == PAGE
    assert fresh, "docs/events.md is not what the contracts say: run `make docs`"


def test_the_page_is_the_same_every_time() -> None:
    assert document() == PAGE


def test_every_event_is_in_it_once() -> None:
    headings = re.findall(r"^### `(\S+)`$", PAGE, re.M)
    assert headings == [event.type for _, event in EVENTS]
    assert len(set(headings)) == len(headings) > 40


def test_what_stays_in_a_service_is_not_told() -> None:
    for kept in ("`private`", "fingerprint", "display_name", "email", "Kept"):
        assert kept not in PAGE


def test_links_to_shapes_lead_somewhere() -> None:
    headings = {name.lower() for name in re.findall(r"^### (\w+)$", PAGE, re.M)}
    assert set(re.findall(r"\]\(#(\w+)\)", PAGE)) == headings


@pytest.mark.parametrize(("service", "event"), EVENTS, ids=lambda value: getattr(value, "type", value))
def test_its_example_is_such_an_event(service: str, event: type[Event]) -> None:
    made = Envelope.from_json(example(event, service))
    assert (made.type, made.service, made.visibility) == (event.type, service, event.visibility)
    read = Vocabulary([event]).read(made)
    assert json.loads(read.model_dump_json(exclude={"at"})) == made.data
    assert json.dumps(json.loads(made.body), indent=2, ensure_ascii=False) in PAGE


def test_promises_are_told() -> None:
    page = " ".join(PAGE.split())
    assert "At least once, in order per subject; `id` for dropping repeats, `sequence` for seeing gaps." in page
    for told in ("`gotong.public`", "72 hours", "`correlationid`", "`causationid`", "`actorkind`", "national identity"):
        assert told in page
