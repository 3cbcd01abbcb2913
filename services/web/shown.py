"""What the page shows of a request and an offer: the API's JSON, told in the visitor's language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.web.language import Words
from shared.areas import Areas
from shared.geo import Point, distance_m

_NEED_PARTS = ("received", "delivered", "reserved")
_OFFER_PARTS = ("settled", "delivered", "committed", "held")
_PARTIES = ("resident", "community", "company", "agency", "system")
_MOST_DOTS = 12


@dataclass(frozen=True)
class Part:
    """A piece of a bar: its name is also its look; `start` and `width` are in percent."""

    name: str
    text: str
    start: float
    width: float


@dataclass(frozen=True)
class Moment:
    """A time as a machine and as a person reads it."""

    iso: str
    text: str


@dataclass(frozen=True)
class NeedLine:
    """One need: how much is missing, in what state the rest is, and who carries it."""

    id: str
    label: str
    unit: str
    headline: str
    parts: Sequence[Part]
    dots: Sequence[str]
    carried: str


@dataclass(frozen=True)
class RequestCard:
    """A request as the page shows it."""

    id: str
    kind: str
    status: str
    status_text: str
    title: str
    body: str
    category: str
    category_text: str
    place: str
    distance: str
    opened: Moment
    expires: Moment | None
    supporters: str
    needs: Sequence[NeedLine]


@dataclass(frozen=True)
class OfferCard:
    """An offer as the page shows it."""

    id: str
    title: str
    unit: str
    status: str
    headline: str
    parts: Sequence[Part]
    by: str
    categories: Sequence[str]
    areas: Sequence[str]
    automatic: bool


@dataclass(frozen=True)
class Teller:
    """Makes cards for one visit: in one language, at one time, perhaps seen from a point."""

    words: Words
    areas: Areas
    now: datetime
    near: Point | None = None

    def request(self, it: Mapping[str, Any]) -> RequestCard:
        """A card from the JSON of a request."""
        outcome = it["outcome"]
        return RequestCard(
            id=it["id"],
            kind=self.words(f"kind.{it['kind']}"),
            status=it["status"],
            status_text=self.words(f"outcome.{outcome}" if outcome else f"status.{it['status']}"),
            title=it["title"],
            body=it["body"],
            category=it["category"],
            category_text=self.words.category(it["category"]),
            place=self._place(it),
            distance=self._distance(it["location"]),
            opened=self.moment(it["opened_at"]),
            expires=self.moment(it["expires_at"]) if it["expires_at"] and not outcome else None,
            supporters=self.words("request.supporters", it["supporters"]) if it["supporters"] else "",
            needs=[self._need(need, it["contributions"]) for need in it["needs"]],
        )

    def offer(self, it: Mapping[str, Any], by: str = "") -> OfferCard:
        """A card from the JSON of an offer and the name of the organisation that makes it."""
        words, unit, terms = self.words, it["unit"], it["terms"]
        return OfferCard(
            id=it["id"],
            title=it["title"],
            unit=unit,
            status=it["status"],
            headline=self._headline(
                "offer", "left" if it["available"] else "spent", it["available"], it["budget"], unit
            ),
            parts=self._parts("offer.part", it, _OFFER_PARTS, it["budget"]),
            by=words("offer.by", name=by) if by else "",
            categories=[words.category(slug) for slug in terms["categories"]],
            areas=[self._area(code) for code in terms["areas"]],
            automatic=terms["automatic"],
        )

    def moment(self, text: str) -> Moment:
        """A time of the API."""
        return Moment(text[:19] + "Z", self.words.moment(datetime.fromisoformat(text), self.now))

    def _need(self, need: Mapping[str, Any], contributions: Sequence[Mapping[str, Any]]) -> NeedLine:
        words, unit, missing, whole = self.words, need["unit"], need["missing"], need["quantity"]
        how = "missing" if missing else "complete" if need["received"] == whole else "promised"
        kinds = Counter(
            each["by"]["kind"]
            for each in contributions
            if each["need_id"] == need["id"] and each["status"] in _NEED_PARTS
        )
        return NeedLine(
            id=need["id"],
            label=need["label"],
            unit=unit,
            headline=self._headline("need", how, missing, whole, unit),
            parts=self._parts("need.part", need, _NEED_PARTS, whole),
            dots=[kind for kind in _PARTIES for _ in range(kinds[kind])][:_MOST_DOTS],
            carried=", ".join(words(f"party.{kind}", kinds[kind]) for kind in _PARTIES if kinds[kind]),
        )

    def _headline(self, of: str, how: str, part: int, whole: int, unit: str) -> str:
        """How much of an amount is still open: `10 of 40 meals missing`, or `40 meals needed` while all of it is."""
        words = self.words
        shown = words.amount(part, unit) if unit == "IDR" else words.number(part)
        key = f"{of}.untouched" if part == whole else f"{of}.{how}"
        return words(key, part=shown, whole=words.amount(whole, unit))

    def _parts(self, group: str, it: Mapping[str, Any], names: Sequence[str], whole: int) -> list[Part]:
        made, start = [], 0
        for name in names:
            if quantity := it[name]:
                text = self.words(f"{group}.{name}", amount=self.words.amount(quantity, it["unit"]))
                made.append(Part(name, text, round(100 * start / whole, 2), round(100 * quantity / whole, 2)))
                start += quantity
        return made

    def _place(self, it: Mapping[str, Any]) -> str:
        if not it["area"]:
            return self.words("request.nowhere" if it["location"] else "request.unplaced")
        name = self._area(it["area"])
        return self.words("request.around", area=name) if it["area_source"] == "nearest" else name

    def _area(self, code: str) -> str:
        """`Karet Tengsin, Tanah Abang`: an area and the one around it, as far as that tells something."""
        area = self.areas.get(code)
        if area is None:
            return code  # of another city's table
        around = self.areas.get(area.parent) if area.parent else None
        # The widest area holds everything, and a village often has the name of its district.
        if around is None or around.parent is None or around.name == area.name:
            return area.name
        return f"{area.name}, {around.name}"

    def _distance(self, location: Mapping[str, float] | None) -> str:
        if self.near is None or location is None:
            return ""
        metres = distance_m(self.near, Point(location["lon"], location["lat"]))
        return self.words("request.distance", distance=self.words.distance(metres))
