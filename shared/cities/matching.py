"""Which feature of a boundaries file is which village: by its code, else its name, else a name spelled much like it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import shapely

from shared.areas import REACH_M, Area, Areas
from shared.cities.spelling import likeness, pairs, plain
from shared.geo import Point, distance_m

LEAST_ALIKE, HOLDS_CENTRE = 0.85, 0.25
"""One slip in seven letters. A polygon that holds the centre of the village makes up for more: 0.25."""

MARGIN = 0.1
"""By this much a pair must be more alike than any other pair of its village or its feature."""


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """A feature of a file: names as written there, its polygon repaired, or None and `fault` says why."""

    name: str
    parent: str
    code: str
    polygon: Any
    fault: str = ""
    change_m2: float | None = None
    """What repairing changed the area by; None where the polygon was in order."""


class Matching:
    """The features of one file against the villages of a city; no village gets two, no feature is given to two."""

    def __init__(self, areas: Areas, features: Iterable[Feature]) -> None:
        self.villages = areas.under(None, "village")
        self._by_code = {plain(village.code): village for village in self.villages}
        self._districts: dict[str, list[Area]] = {}
        self._in_district: dict[str, list[Area]] = {}
        for district in areas.under(None, "district"):
            self._districts.setdefault(plain(district.name), []).append(district)
            self._in_district.setdefault(plain(district.name), []).extend(areas.under(district.code, "village"))
        self.taken: dict[str, Feature] = {}
        self.rest = list(features)
        self._take((feature, self._coded(feature)) for feature in self.rest)
        self._take((feature, self._meant(feature)) for feature in self.rest)
        for name, villages in self._in_district.items():
            self._take(self._alike(name, villages))

    def why_not(self, feature: Feature) -> str:
        """Why a feature of `rest` belongs to no village, as half a sentence."""
        if feature.polygon is None:
            return feature.fault
        village = self._meant(feature)
        if village is not None and village.code in self.taken:
            return f"{village.name} ({village.code}) has the boundary of another feature"
        if village is not None:
            return f"it lies {_gap_m(feature, village) / 1000:,.0f} km from {village.name} ({village.code})"
        district = self.district(feature)
        if district is not None:
            return f"no village of {district.name} has such a name; its points are given the district {district.code}"
        return "it names no district of this city, and its own name is not that of one village"

    def district(self, feature: Feature) -> Area | None:
        """The one district that the feature names as its parent, where it may well lie in it."""
        named = self._districts.get(plain(feature.parent), [])
        if len(named) != 1 or feature.polygon is None or _gap_m(feature, named[0]) > REACH_M:
            return None
        return named[0]

    def _meant(self, feature: Feature) -> Area | None:
        """The village of this very code, or else of this very name."""
        return self._coded(feature) or self._named(feature)

    def _coded(self, feature: Feature) -> Area | None:
        return self._by_code.get(plain(feature.code))

    def _named(self, feature: Feature) -> Area | None:
        """The village of this name in the district, or in the city where no district of it is given."""
        around = self._in_district.get(plain(feature.parent), self.villages)
        same = [village for village in around if plain(village.name) == plain(feature.name)]
        return same[0] if len(same) == 1 else None

    def _alike(self, district_name: str, villages: list[Area]) -> list[tuple[Feature, Area]]:
        left = [
            feature
            for feature in self.rest
            if plain(feature.parent) == district_name and feature.polygon and not self._meant(feature)
        ]
        # Against all villages, also those that are taken: a name most like one of these means no other.
        return pairs(left, villages, _score, LEAST_ALIKE, MARGIN)

    def _take(self, chosen: Iterable[tuple[Feature, Area | None]]) -> None:
        for feature, village in list(chosen):
            if village is None or feature.polygon is None or village.code in self.taken:
                continue
            if _gap_m(feature, village) <= REACH_M:
                self.taken[village.code] = feature
        used = set(self.taken.values())
        self.rest = [feature for feature in self.rest if feature not in used]


def _score(feature: Feature, village: Area) -> float:
    holds = bool(shapely.contains_xy(feature.polygon, village.lon, village.lat))
    return likeness(feature.name, village.name) + (HOLDS_CENTRE if holds else 0.0)


def _gap_m(feature: Feature, area: Area) -> float:
    """Metres from the polygon to the centre of the area, 0 where it lies inside."""
    nearest = shapely.shortest_line(feature.polygon, shapely.Point(area.centre))
    lon, lat = shapely.get_coordinates(nearest)[0].tolist()
    return distance_m(Point(lon, lat), area.centre)
