"""The official tree of areas of the city, and the village of a point."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

from shared.cities import LEVELS, Area, Level, read_city
from shared.cities.spelling import nearest
from shared.errors import Invalid
from shared.geo import Point, distance_m, in_range

if TYPE_CHECKING:
    from shared.boundaries import Boundaries

__all__ = ["LEVELS", "REACH_M", "Area", "Areas", "Level", "Located"]

REACH_M = 15_000
"""A point farther than this from every served place is taken for a mistake."""

LOOK_EVERY_S = 2.0
"""How often, at most, the boundaries file is looked at for a change."""

_SQUARE = 0.02
_MOST_SQUARES = 20_000
_DEGREE_M = 111_700
"""Metres in a degree of latitude, at most."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Located:
    """The area of a point and how it is known.

    `boundary`: the point lies in it. `nearest`: a guess by the nearest village centre, right about 70 times in 100.
    `outside`: in no area, yet near enough to be served.
    """

    area: str | None
    source: Literal["boundary", "nearest", "outside"]


class Areas:
    """The tree of one city. Without areas (`enabled` is false) every point of the globe is accepted, in no area."""

    def __init__(self, areas: Iterable[Area], boundaries: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises `Invalid("boundaries")` where the boundaries file is there and is no file of this city."""
        self._by_code = {area.code: area for area in areas}
        self._children: dict[str | None, list[Area]] = {}
        for area in self._by_code.values():
            self._children.setdefault(area.parent, []).append(area)
        self._near: dict[tuple[int, int], list[Area]] = {}
        self._villages = [area for area in self._by_code.values() if area.level == "village"]
        self._path, self._clock = boundaries, clock
        self._boundaries: Boundaries | None = None
        self._signature, self._looked_at = self._look(), clock()
        self._read_boundaries()

    @classmethod
    def load(cls, city: str, boundaries: Path, clock: Callable[[], float] = time.monotonic) -> Areas:
        """The areas of `city`: `jakarta` (built in), `none`, or the path of a CSV file of the same columns.

        `boundaries` is the file that `shared.boundaries` writes; it need not exist and may appear or change later.
        Raises `Invalid("city")` for a file that is no such table, `Invalid("boundaries")` as above.
        """
        if city == "none":
            return cls((), boundaries, clock)
        return cls(read_city(city), boundaries, clock)

    @property
    def enabled(self) -> bool:
        return bool(self._by_code)

    def get(self, code: str) -> Area | None:
        return self._by_code.get(code)

    def require(self, code: str, field: str = "area") -> Area:
        """The area of this code, or `Invalid(field)` with up to three that may be meant, also by name, as `near`."""
        area = self._by_code.get(code)
        if area is not None:
            return area
        if not self.enabled:
            raise Invalid(field, "Areas are switched off here: leave the area out.")
        near = nearest(
            code, [pair for area in self._by_code.values() for pair in ((area.code, area), (area.name, area))]
        )
        meant = ", ".join(f"{area.code} ({area.name})" for area in near)
        detail = f"There is no area {code[:80]!r}." + (f" Perhaps: {meant}." if meant else "")
        raise Invalid(field, detail, near=[{"code": area.code, "name": area.name} for area in near])

    def children(self, code: str | None, level: Level | None = None) -> list[Area]:
        """The areas directly in this one (`None`: the widest areas), of one level only if given, in official order."""
        if code is not None:
            self.require(code)
        return [area for area in self._children.get(code, ()) if level is None or area.level == level]

    def under(self, code: str | None, level: Level) -> list[Area]:
        """All areas of this level in the area, however deep (`None`: in the city), in official order."""
        found = []
        for area in self.children(code):
            found += [area] if area.level == level else self.under(area.code, level)
        return found

    def ancestors(self, code: str) -> tuple[str, ...]:
        """The codes of the areas this one lies in, widest first, itself last; `Invalid("area")` for an unknown code."""
        area = self.require(code)
        return (code,) if area.parent is None else (*self.ancestors(area.parent), code)

    def locate(self, point: Point, field: str = "location") -> Located:
        """The village of a point.

        Raises `Invalid(field)` for a point that cannot be, or is more than `REACH_M` from every served place; its
        `swapped` is the pair the other way round, where that would be served.
        """
        if not in_range(point):
            rule = "A point needs a longitude from -180 to 180 and a latitude from -90 to 90 degrees."
            self._refuse(point, field, rule)
        if not self.enabled:
            return Located(None, "outside")
        self._refresh()
        located, metres = self._place(point)
        if metres > REACH_M:
            far = f"{metres / 1000:,.1f} km" if metres < 100_000 else f"{metres / 1000:,.0f} km"
            self._refuse(point, field, f"This point is {far} from the nearest place served here.")
        return located

    def _place(self, point: Point) -> tuple[Located, float]:
        """The answer for a point on the globe, and the metres to the nearest served place."""
        if self._boundaries is None:
            village = self._nearest(point)
            return Located(village.code, "nearest"), distance_m(point, village.centre)
        code = self._boundaries.holding(point)
        if code is not None:
            return Located(code, "boundary"), 0.0
        village = self._nearest(point)
        to_boundary = self._boundaries.distance_m(point)
        guess = distance_m(point, village.centre)
        if village.code not in self._boundaries.codes and guess <= REACH_M:
            return Located(village.code, "nearest"), guess
        without = [other for other in self._villages if other.code not in self._boundaries.codes]
        return Located(None, "outside"), min([to_boundary, *(distance_m(point, other.centre) for other in without)])

    def _nearest(self, point: Point) -> Area:
        """The village with the nearest centre, of the few that can be the nearest in the point's grid square."""
        square = math.floor(point.lon / _SQUARE), math.floor(point.lat / _SQUARE)
        near = self._near.get(square)
        if near is None:
            near = self._candidates(Point((square[0] + 0.5) * _SQUARE, (square[1] + 0.5) * _SQUARE))
            if len(self._near) < _MOST_SQUARES:
                self._near[square] = near
        narrowing, lon, lat = math.cos(math.radians(point.lat)), point.lon, point.lat
        return min(near, key=lambda area: ((area.lon - lon) * narrowing) ** 2 + (area.lat - lat) ** 2)

    def _candidates(self, middle: Point) -> list[Area]:
        """A centre farther from the square's middle than the nearest one by more than its diagonal is never nearest."""
        far = {area.code: distance_m(middle, area.centre) for area in self._villages}
        most = min(far.values()) + _SQUARE * math.sqrt(2) * _DEGREE_M
        return [area for area in self._villages if far[area.code] <= most]

    def _refuse(self, point: Point, field: str, detail: str) -> NoReturn:
        swapped = Point(point.lat, point.lon)
        if self.enabled and in_range(swapped) and self._place(swapped)[1] <= REACH_M:
            pair = {"lon": swapped.lon, "lat": swapped.lat}
            detail += f" Longitude and latitude look swapped: lon {swapped.lon}, lat {swapped.lat} would be served."
            raise Invalid(field, detail, swapped=pair)
        raise Invalid(field, detail)

    def _refresh(self) -> None:
        """Takes up a boundaries file that appeared or changed; one that is wrong leaves things as they are."""
        now = self._clock()
        if now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at, before = now, self._signature
        self._signature = self._look()
        if self._signature == before:
            return
        try:
            self._read_boundaries()
        except Invalid as error:
            # Whoever asks for a village now is not to blame, and the operator reads the log.
            log.error("the changed boundaries file is not used: %s", error.detail)

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read_boundaries(self) -> None:
        if self._signature is None or not self.enabled:
            self._boundaries = None
            return
        # Here and not above: geometry takes 130 ms and 30 MB, which a city without boundaries need not pay.
        from shared.boundaries import Boundaries

        self._boundaries = Boundaries.read(self._path, self._by_code)
