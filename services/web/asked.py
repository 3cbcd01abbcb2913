"""What a visitor asks of the page, in its address: an area, words, a category, a point; each link keeps the others."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from shared.areas import Area, Areas
from shared.geo import Point

RADIUS_M = 3_000
PAGE = 10


@dataclass(frozen=True)
class Asked:
    """The filters of the list of requests, and `after`, the cursor of a later page."""

    area: str = ""
    q: str = ""
    category: str = ""
    near: str = ""
    after: str = ""

    @classmethod
    def of(cls, query: QueryParams) -> Asked:
        """From an address. The form sends one `area` per level: each counts that lies in the one before it."""
        area = ""
        for code in query.getlist("area"):
            if not code or (area and not code.startswith(f"{area}.")):
                break
            area = code
        rest = {name: query.get(name, "").strip() for name in ("q", "category", "near", "after")}
        return cls(area, **rest)

    @property
    def filtered(self) -> bool:
        return bool(self.area or self.q or self.category or self.near)

    @property
    def point(self) -> Point | None:
        """The point of `near`; None where there is none, or nonsense: then the API says so."""
        try:
            lon, lat = (float(part) for part in self.near.split(","))
        except ValueError:
            return None
        return Point(lon, lat) if math.isfinite(lon) and math.isfinite(lat) else None

    def call(self) -> dict[str, str | int]:
        """The same as a query of `GET /api/requests`."""
        query: dict[str, str | int] = {"status": "open,in_progress", "limit": PAGE, **self._given()}
        if self.near:
            query |= {"radius": RADIUS_M, "order": "nearest"}
        return query

    def link(self, **changes: str) -> str:
        """The page's address with some of it changed, at the list."""
        query = urlencode(replace(self, **{"after": "", **changes})._given(), safe=",.")
        return f"/?{query}#needed" if query else "/#needed"

    def in_language(self, language: str) -> str:
        """The same page in a language."""
        return "/?" + urlencode(self._given() | {"lang": language}, safe=",.")

    def _given(self) -> dict[str, str]:
        names = ("area", "q", "category", "near", "after")
        return {name: value for name in names if (value := getattr(self, name))}


@dataclass(frozen=True)
class Choice:
    """One select of the form: a level of the tree, its areas, and which of them is chosen."""

    level: str
    areas: list[Area]
    chosen: str


def choices(areas: Areas, chosen: str) -> list[Choice]:
    """A select for the widest areas, and one for what lies in each area that is chosen so far."""
    widest = areas.children(None)
    # A single widest area is the whole city: nobody needs to choose it.
    top = widest[0].code if len(widest) == 1 else None
    codes = [code for code in areas.ancestors(chosen) if code != top] if areas.get(chosen) else []
    steps = zip([top, *codes], [*codes, ""], strict=True)
    return [Choice(within[0].level, within, code) for parent, code in steps if (within := areas.children(parent))]
