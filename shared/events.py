"""Events and the CloudEvents 1.0 envelopes in which they travel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

Visibility = Literal["public", "parties", "internal"]
ActorKind = Literal["resident", "company", "agency", "community", "system"]

PREFIX = "org.gotongroyong."


class Party(BaseModel):
    """Who did something: a resident by person id, or an organisation by its own id."""

    model_config = ConfigDict(frozen=True)

    kind: ActorKind
    id: str


SYSTEM = Party(kind="system", id="system")


class Event(BaseModel):
    """Something that happened. Fields are its public data; `private`, where there is one, never leaves the service.

    `at` travels as the envelope's `time`, not in the data.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str] = ""
    visibility: ClassVar[Visibility] = "public"
    about: ClassVar[str] = ""

    at: datetime = Field(exclude=True)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a command runs: the visit that began it, and the event or command it answers."""

    correlationid: str
    causationid: str
    actorkind: ActorKind


@dataclass(frozen=True, slots=True)
class Envelope:
    """A CloudEvent. `body` is its JSON, written once when the event is saved and carried unchanged from then on."""

    id: str
    type: str
    source: str
    subject: str
    time: str
    sequence: int
    correlationid: str
    causationid: str
    actorkind: ActorKind
    visibility: Visibility
    area: str | None
    category: str | None
    data: dict[str, Any]
    body: bytes

    @classmethod
    def from_json(cls, body: bytes) -> Envelope:
        """Read an envelope that this city wrote."""
        it = orjson.loads(body)
        return cls(
            id=it["id"],
            type=it["type"],
            source=it["source"],
            subject=it["subject"],
            time=it["time"],
            sequence=it["sequence"],
            correlationid=it["correlationid"],
            causationid=it["causationid"],
            actorkind=it["actorkind"],
            visibility=it["visibility"],
            area=it.get("area"),
            category=it.get("category"),
            data=it["data"],
            body=body,
        )

    @property
    def service(self) -> str:
        """The service that published it."""
        return self.source.removeprefix("/")

    @property
    def cause(self) -> Cause:
        """The cause of whatever is done in answer to this event."""
        return Cause(self.correlationid, self.id, "system")


def rfc3339(moment: datetime) -> str:
    """UTC with microseconds and a Z, so that times of one width sort as text."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seal(
    event: Event, *, id: str, service: str, subject: str, sequence: int, cause: Cause, attributes: dict[str, str]
) -> Envelope:
    """The envelope of one event. `attributes` are the optional ones: `area` and `category`."""
    it: dict[str, Any] = {
        "specversion": "1.0",
        "id": id,
        "type": event.type,
        "source": f"/{service}",
        "subject": subject,
        "time": rfc3339(event.at),
        "datacontenttype": "application/json",
        "sequence": sequence,
        "correlationid": cause.correlationid,
        "causationid": cause.causationid,
        "actorkind": cause.actorkind,
        "visibility": event.visibility,
        **attributes,
    }
    data = event.__pydantic_serializer__.to_json(event)
    return Envelope.from_json(orjson.dumps({**it, "data": orjson.Fragment(data)}))


class Vocabulary:
    """The event types that a service knows: from an envelope back to the event."""

    def __init__(self, types: Iterable[type[Event]]) -> None:
        self._types = {each.type: each for each in types}

    def read(self, envelope: Envelope, private: bytes | None = None) -> Event:
        """The event in an envelope; `private` is its private part as JSON, from the service's own history."""
        fields = {**envelope.data, "at": envelope.time}
        if private is not None:
            fields["private"] = orjson.loads(private)
        return self._types[envelope.type].model_validate(fields)

    def __contains__(self, type: object) -> bool:
        return type in self._types
