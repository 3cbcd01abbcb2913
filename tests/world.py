"""A small city with one of everything, and a look at all of it: what refuses a call has to leave it as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.running import CityProcess, city_process
from tests.stories import (
    HOME,
    PATIENCE_S,
    Json,
    ask_help,
    log_end,
    offer,
    organisation,
    person,
    pledge,
    report,
    see_status,
    until,
)
from tests.wrong import EVEN_LATER, LATER

PROBLEM = "application/problem+json"


@dataclass
class World:
    """The names of things as they stand in paths and bodies (`{request}`), everybody's headers, and how it looks."""

    client: httpx.Client
    city: CityProcess
    names: dict[str, str]
    headers: dict[str, dict[str, str]]
    end: str
    before: list[bytes]

    def send(self, method: str, path: str, who: str = "nobody", **more: Any) -> httpx.Response:
        """Call the city as somebody."""
        headers = {**self.headers[who], **more.pop("headers", {})}
        return self.client.request(method, self.named(path), headers=headers, **more)

    def named(self, text: str) -> str:
        """The text with every `{name}` filled in."""
        for name, value in self.names.items():
            text = text.replace("{" + name + "}", value)
        return text

    def look(self) -> list[bytes]:
        """Everything that a call could change, as it is now."""
        seen = [self.send("GET", path, who) for who, path in _LOOKS]
        seen.append(self.send("GET", f"/api/events?after={self.end}"))
        assert {each.status_code for each in seen} == {200}
        return [each.content for each in seen]

    def refused(self, response: httpx.Response, *statuses: int, field: str | None = None) -> Json:
        """The problem document of a refusal, once it is found to be one that names the field and changed nothing."""
        before, self.before = self.before, self.look()
        problem = problem_of(response, *statuses)
        if field is not None:
            assert problem["errors"][0]["field"] == field, problem
        assert self.before == before, "a refused call changed something"
        return problem


# The lists show each thing's version, which every event raises; comments are told by the log alone.
_LOOKS = [
    ("author", "/api/people/me"),
    ("nobody", "/api/requests"),
    ("nobody", "/api/pledges"),
    ("nobody", "/api/activities"),
    ("nobody", "/api/offers"),
    ("nobody", "/api/organisations"),
]


def problem_of(response: httpx.Response, *statuses: int) -> Json:
    """The problem document of an answer with one of these statuses."""
    assert response.status_code in statuses, f"{response.status_code}: {response.text[:2000]}"
    assert response.headers["content-type"] == PROBLEM
    problem: Json = response.json()
    assert problem["status"] == response.status_code
    assert problem["title"]
    assert problem["detail"]
    assert "Traceback" not in response.text
    return problem


@contextmanager
def running_world(folder: Path) -> Iterator[World]:
    """A city in a process of its own with one of everything in it."""
    with city_process(folder) as city, httpx.Client(base_url=city.url, timeout=PATIENCE_S) as client:
        names, headers, end = asyncio.run(_furnish(city.url))
        world = World(client, city, names, headers, end, [])
        world.before = world.look()
        yield world


async def _furnish(url: str) -> tuple[dict[str, str], dict[str, dict[str, str]], str]:
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as city:
        author, helper, stranger = await person(city), await person(city), await person(city)
        firm, agency = await organisation(city, "company"), await organisation(city, "agency")
        asked, broken = await ask_help(author, ("rice", 50, "kg"), ("hands", 2, "person")), await report(author)
        promised, given = await pledge(helper, asked, 5), await offer(firm, "kg", 20)
        place = {"title": "Kerja bakti", "location": HOME, "starts_at": LATER, "ends_at": EVEN_LATER}
        activity = await author.create("/api/activities", {**place, "roles": [{"name": "angkut", "capacity": 3}]})
        held = {"offer_id": given["id"], "request_id": asked["id"], "need_id": asked["needs"][0]["id"], "quantity": 2}
        sponsored = await firm.create("/api/sponsorships", held)
        await see_status(city, f"/api/pledges/{promised['id']}", "accepted")
        await see_status(city, f"/api/sponsorships/{sponsored['id']}", "committed")
        end = await until(lambda: log_end(city), lambda cursor: int(cursor) >= _PUBLIC)
    names = {
        "request": asked["id"],
        "need": asked["needs"][0]["id"],
        "report": broken["id"],
        "pledge": promised["id"],
        "offer": given["id"],
        "sponsorship": sponsored["id"],
        "activity": activity["id"],
        "firm": firm.id,
        "helper_id": helper.id,
    }
    owner = {name: value for name, value in firm.headers.items() if name != "Act-For"}
    actors = {"author": author, "helper": helper, "stranger": stranger, "firm": firm, "agency": agency}
    return names, {"nobody": {}, "owner": owner, **{name: each.headers for name, each in actors.items()}}, end


# Two organisations, two requests, an activity, offer (drafted, published), pledge (offered, accepted), sponsorship
# (held, committed) and what the two of them reserved.
_PUBLIC = 13
