"""Tells an event as one human sentence that names nobody. The page's script tells live ones by the same words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from services.web.calls import get
from services.web.shown import Moment, Teller
from shared.events import PREFIX

_PLACES = {"request": "requests", "contribution": "requests", "offer": "offers", "activity": "activities"}


@dataclass(frozen=True)
class Sentence:
    """An event told: the words before and after the title of what it is about, which is kept apart to be set off.

    `visit` is the end of the correlation id: what followed from one visit is shown together.
    """

    before: str
    title: str
    after: str
    by: str
    moment: Moment
    visit: str


def name_of(event: Mapping[str, Any]) -> str:
    """`contribution.reserved`, of `org.gotongroyong.contribution.reserved.v1`."""
    return str(event["type"]).removeprefix(PREFIX).rpartition(".")[0]


def subject_of(event: Mapping[str, Any]) -> str:
    """The path of the API at which more is known about what an event concerns; empty where nothing is."""
    if request_id := event["data"].get("request_id"):
        return f"/api/requests/{request_id}"
    collection = _PLACES.get(name_of(event).partition(".")[0])
    return f"/api/{collection}/{event['subject']}" if collection else ""


async def tell_all(
    request: Request, teller: Teller, events: Sequence[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]]
) -> list[Sentence]:
    """Sentences for events; `known` are documents that are at hand by their paths, the others are asked for."""
    wanted = {subject_of(event) for event in events if _asks(event)} - known.keys() - {""}
    paths = sorted(wanted)
    found = await asyncio.gather(*(get(request, path) for path in paths))
    documents = {**known, **{path: answer.body for path, answer in zip(paths, found, strict=True) if answer.ok}}
    return [tell(teller, event, documents.get(subject_of(event), {})) for event in events]


def tell(teller: Teller, event: Mapping[str, Any], about: Mapping[str, Any]) -> Sentence:
    """The sentence of an event, with what is known about its subject."""
    words, data, by = teller.words, event["data"], _by(event)
    unit = data.get("unit") or _unit(about, data.get("need_id"))
    count = next((data[name] for name in ("supporters", "attended") if name in data), None)
    values = {"who": words(f"who.{by}"), "type": str(event["type"])}
    for hole, quantity in (("amount", data.get("quantity", data.get("budget"))), ("missing", data.get("missing"))):
        values[hole] = words.amount(quantity, unit) if unit and quantity is not None else words("event.something")
    title = data.get("title") or about.get("title") or words("event.something")
    before, told, after = words(_key(teller, event), count, **values).partition("{title}")
    return Sentence(
        before, title if told else "", after, by, teller.moment(event["time"]), event["correlationid"][-12:]
    )


def _asks(event: Mapping[str, Any]) -> bool:
    """Whether the event itself does not say all that its sentence needs."""
    return "title" not in event["data"]


def _key(teller: Teller, event: Mapping[str, Any]) -> str:
    """The sentence's key; some types have one per kind or outcome, some types have none."""
    name, data = name_of(event), event["data"]
    keys = [f"event.{name}.{data[part]}" for part in ("kind", "outcome") if part in data]
    return next((key for key in (*keys, f"event.{name}") if key in teller.words), "event.other")


def _by(event: Mapping[str, Any]) -> str:
    party = event["data"].get("by") or event["data"].get("author") or {}
    return str(party.get("kind", event["actorkind"]))


def _unit(about: Mapping[str, Any], need_id: str | None) -> str:
    needs = {need["id"]: need["unit"] for need in about.get("needs", ())}
    return str(needs.get(need_id) or about.get("unit") or "")
