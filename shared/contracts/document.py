"""The reference of all events as Markdown (docs/events.md), made from the contracts so that it cannot disagree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from shared.contracts.examples import Schema, example, fields_of
from shared.events import Event

_BEGINNING = """\
# Events

This page is made from `shared/contracts` by `make docs`; change the contracts, not the page.

Whatever happens in the city is published as a [CloudEvent 1.0](https://github.com/cloudevents/spec). Anyone may follow
the public ones:

| way | what it is |
|---|---|
| `GET /api/events` | pull the log from a cursor on, with filters |
| `GET /api/events/stream` | follow it as server-sent events; `Last-Event-ID` goes on where a connection broke |
| Kafka `gotong.<service>` | everything a service publishes, keyed by `subject`; for the city's own services |
| Kafka `gotong.public` | the public events of all services, in one partition; what others may read |

Kafka messages are in binary mode: attributes are `ce_` headers, the value is the data as JSON. Topics keep 72 hours;
what is older is read from the services, where it can be redacted.

## What is promised

At least once, in order per subject; `id` for dropping repeats, `sequence` for seeing gaps. Events of different subjects
come in any order. Only public events are in the public log, so a gap in `sequence` there may also be an event of
another visibility. A field may be added to an event; none is renamed, removed or given another meaning within its
version, which is the end of the type. A field that is not required is there all the same, with its default, unless
the event is older than the field.

## Attributes

| attribute | type | meaning |
|---|---|---|
| `specversion` | string | `1.0` |
| `id` | string | of this event; the same again is a repeat |
| `type` | string | `org.gotongroyong.<aggregate>.<what happened>.v<version>` |
| `source` | string | `/<service>` that published it |
| `subject` | string | the id of what it happened to |
| `time` | string | when it happened, RFC 3339 in UTC; an imported report has the time of the report |
| `datacontenttype` | string | `application/json` |
| `sequence` | integer | the version of the subject that this event made: 1, 2, 3 … |
| `correlationid` | string | the visit that began it all; one id from the first call to the last reaction |
| `causationid` | string | the event or command that this one answers |
| `actorkind` | string | who acted: `resident`, `company`, `agency`, `community`, or `system` for a reaction or timer |
| `area` | string | code of the area it lies in, if it has one: `31.75.03.1001` lies in `31.75.03`, `31.75`, `31` |
| `category` | string | the category, where it has one |
| `visibility` | string | `public` to everybody, `parties` to those who take part, `internal` between services |

## What no event carries

Contact data, an exact home place, the name of a person, an access secret or a national identity number. A `location`
near a home is the centre of an H3 cell of about 0.7 km². Free text that somebody made public is in the event that
published it, and is erased with its author. Names of people are looked up at `GET /api/people?ids=`.
"""

# What fields of the same name mean everywhere; a `description` in a contract goes before it.
_MEANINGS = {
    "agrees": "true: confirmed, false: disputed",
    "approval": "whether contributions wait for the requester's approval",
    "area": "code of the area",
    "area_source": "how the area is known: given with it, by boundary, guessed by the nearest centre, outside all",
    "areas": "codes of areas",
    "attended": "how many checked in",
    "author": "who asks",
    "automatic": "whether the offer's rules decided it, not a person",
    "available": "what is left of the budget after this",
    "body": "the text, plain",
    "budget": "the whole budget, in the offer's unit",
    "by": "who did it; of a contribution, whose it is",
    "capacity": "places",
    "category": "a word such as `food`",
    "change": "by how much, in the offer's unit",
    "confirm_by": "until when the resolution can be confirmed or disputed",
    "contribution_id": "id of the pledge or sponsorship behind it",
    "duplicate_of": "id of the original request",
    "ends_at": "the end",
    "expires_at": "when the request ends by itself",
    "hours": "hours worked, of all together",
    "kind": "which kind",
    "label": "what is needed",
    "language": "the language somebody reads",
    "location": "a point in degrees, WGS 84",
    "missing": "what the need still lacks, in its unit",
    "name": "the name",
    "need_id": "id of the need",
    "needs": "what is needed, in quantities",
    "note": "a few words",
    "outcome": "how it ended",
    "person": "id of a person",
    "photo": "address of a photo",
    "place": "`exact`, or `blurred` for help at a home",
    "VolunteerJoined.place": "a place in the role, or one on its waiting list",
    "MemberAdded.role": "owners decide about members, staff do not",
    "RequestOpened.kind": "help asked for, a problem reported, or something applied for",
    "RequestOpened.needs": "what is needed, in quantities; empty for most reports",
    "OfferTerms.areas": "only for requests in these areas; empty: in all",
    "OfferTerms.categories": "only for requests of these categories; empty: of all",
    "OfferTerms.per_area_limit": "at most so much in one village",
    "OfferTerms.per_day_limit": "at most so much on one day of the city",
    "OfferTerms.per_request_limit": "at most so much for one request",
    "OfferTerms.requester_kinds": "only for requests by these; empty: by anybody",
    "Party.id": "of the person or organisation; `system` for the city itself",
    "id": "its id",
    "lat": "degrees north",
    "lon": "degrees east",
    "quantity": "how much, in the need's unit",
    "reason": "why, for people to read",
    "request_id": "id of the request",
    "role": "which kind of work",
    "roles": "places per kind of work",
    "source": "what kind of contribution",
    "sponsorship_id": "id of the sponsorship",
    "starts_at": "the beginning",
    "supporters": "how many have this too",
    "terms": "the rules of an offer",
    "text": "what was said",
    "title": "the title",
    "unit": "the unit of its quantities",
    "until": "when it ends if nothing more happens",
}


def contracts() -> dict[str, tuple[type[Event], ...]]:
    """The events of each service that publishes any, by the name of its file."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    modules = {name: import_module(f"shared.contracts.{name}") for name in names}
    return {name: module.EVENTS for name, module in modules.items() if hasattr(module, "EVENTS")}


def document() -> str:
    """The whole page."""
    shapes: dict[str, Schema] = {}
    lines = [_BEGINNING]
    for service, events in contracts().items():
        lines.append(f"## Published by {service}\n\nSource `/{service}`, topic `gotong.{service}`.\n")
        for event in events:
            schema = event.model_json_schema(mode="serialization")
            shapes |= schema.get("$defs", {})
            lines += _event(event, service, schema)
    lines.append("## Shapes\n\nObjects within the data of events.\n")
    for name, shape in sorted(shapes.items()):
        lines += [f"### {name}\n", f"{shape.get('description', '')}\n", *_table(shape)]
    return "\n".join(lines).rstrip() + "\n"


def _event(event: type[Event], service: str, schema: Schema) -> Iterator[str]:
    yield f"### `{event.type}`\n"
    yield f"{schema.get('description', '')}\n"
    yield f"Visibility: {event.visibility}.\n"
    yield from _table(schema)
    shown = json.dumps(json.loads(example(event, service)), indent=2, ensure_ascii=False)
    yield f"```json\n{shown}\n```\n"


def _table(shape: Schema) -> Iterator[str]:
    """The fields of an event's data or of a shape within it."""
    fields = fields_of(shape)
    if not fields:
        yield "It has no data.\n"
        return
    yield "| field | type | required | meaning |"
    yield "|---|---|---|---|"
    for name, part in fields.items():
        required = "yes" if name in shape.get("required", ()) else f"no: `{json.dumps(part.get('default'))}`"
        meaning = part.get("description") or _MEANINGS.get(f"{shape['title']}.{name}") or _MEANINGS.get(name, "")
        yield f"| `{name}` | {_type(part)} | {required} | {meaning} |"
    yield ""


def _type(part: Schema) -> str:
    """A type in words, such as `list of NeedAsked` or `string or null`."""
    if "anyOf" in part:
        return " or ".join(_type(each) for each in part["anyOf"])
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in part or "const" in part:
        return ", ".join(f"`{value}`" for value in part.get("enum", [part.get("const")]))
    if part.get("type") == "array":
        return f"list of {_type(part['items'])}"
    return "time" if part.get("format") == "date-time" else str(part.get("type", "any JSON"))
