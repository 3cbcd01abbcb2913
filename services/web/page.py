"""The page: what is needed, what is offered and what happens, first painted here and kept fresh by its script."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from services.web.asked import Asked, choices
from services.web.calls import Answer, get
from services.web.docs import README
from services.web.language import Words, choose, remember
from services.web.rendering import render
from services.web.shown import OfferCard, RequestCard, Teller
from services.web.telling import Sentence, tell_all
from shared.errors import NotFound
from shared.http import Building
from shared.text import Id

router = APIRouter(include_in_schema=False)

EVENTS = 20
OFFERS = 6


@dataclass(frozen=True)
class Needed:
    """The list of requests: its cards, the address of more, and what went wrong: `refused`, `failed` or nothing."""

    cards: Sequence[RequestCard]
    more: str
    problem: str


@dataclass(frozen=True)
class View:
    """One visit to the page."""

    request: Request
    words: Words
    asked: Asked
    teller: Teller

    @classmethod
    def of(cls, request: Request) -> View:
        """What this visitor asks, and in which language."""
        building: Building = request.app.state.building
        words = choose(request, building.settings.language)
        asked = Asked.of(request.query_params)
        now = request.app.state.host.clock()
        return cls(request, words, asked, Teller(words, building.areas, now, asked.point))

    def needed(self, answer: Answer) -> Needed:
        """The list of requests, from what the API answered."""
        cards = [self.teller.request(it) for it in answer.items]
        following = answer.body.get("next") if answer.ok else None
        problem = "" if answer.ok else "refused" if answer.status == 422 else "failed"
        return Needed(cards, self.asked.link(after=following) if following else "", problem)

    async def offers(self, answer: Answer) -> list[OfferCard]:
        """Cards of offers, with the names of the organisations that make them."""
        makers = sorted({it["by"]["id"] for it in answer.items})
        named = await get(self.request, "/api/organisations", ids=",".join(makers)) if makers else Answer(200, {})
        names = {each["id"]: each["name"] for each in named.items}
        return [self.teller.offer(it, names.get(it["by"]["id"], "")) for it in answer.items]

    async def sentences(self, events: Answer, requests: Answer, offers: Answer) -> list[Sentence]:
        """The newest events told, newest first."""
        known = {f"/api/requests/{it['id']}": it for it in requests.items}
        known |= {f"/api/offers/{it['id']}": it for it in offers.items}
        return (await tell_all(self.request, self.teller, events.items, known))[::-1]

    def frame(self) -> dict[str, Any]:
        """What the list's templates need besides the list itself."""
        area = self.teller.areas.get(self.asked.area)
        return {
            "asked": self.asked,
            "area": area,
            "choices": choices(self.teller.areas, self.asked.area),
            "category": self.words.category(self.asked.category) if self.asked.category else "",
        }


@router.api_route("/", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    """The whole page."""
    view = View.of(request)
    requests, offers, events = await asyncio.gather(
        get(request, "/api/requests", **view.asked.call()),
        get(request, "/api/offers", status="published", limit=OFFERS),
        # A negative place counts from the end of the log.
        get(request, "/api/events", after=-EVENTS, limit=EVENTS),
    )
    cards, sentences = await asyncio.gather(view.offers(offers), view.sentences(events, requests, offers))
    shown: dict[str, Any] = {
        "needed": view.needed(requests),
        "offers": cards,
        "offers_failed": not offers.ok,
        "more_offers": offers.body.get("next"),
        "sentences": sentences,
        "position": events.body.get("next", ""),
        "now": view.teller.now.isoformat(),
        "readme": README.is_file(),
    }
    response = render(request, "page.html", view.words, **view.frame(), **shown)
    remember(request, response, view.words)
    return response


@router.get("/parts/requests")
async def needed(request: Request) -> Response:
    """The list of requests alone, by the same filters as the page's."""
    view = View.of(request)
    answer = await get(request, "/api/requests", **view.asked.call())
    return render(request, "needed.html", view.words, **view.frame(), needed=view.needed(answer))


@router.get("/parts/requests/{request_id}")
async def request_card(request: Request, request_id: Id) -> Response:
    """The card of one request, as it is now."""
    view = View.of(request)
    answer = await get(request, f"/api/requests/{request_id}")
    if not answer.ok:
        raise NotFound(f"There is no request {request_id}.")
    return render(request, "request.html", view.words, asked=view.asked, card=view.teller.request(answer.body))


@router.get("/parts/offers/{offer_id}")
async def offer_card(request: Request, offer_id: Id) -> Response:
    """The card of one offer, as it is now."""
    view = View.of(request)
    answer = await get(request, f"/api/offers/{offer_id}")
    if not answer.ok:
        raise NotFound(f"There is no offer {offer_id}.")
    card = (await view.offers(Answer(200, {"items": [answer.body]})))[0]
    return render(request, "offer.html", view.words, card=card)
