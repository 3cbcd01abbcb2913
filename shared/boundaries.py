"""The boundaries of villages: imported once from somebody's GeoJSON, then asked for the village of a point."""

from __future__ import annotations

import math
import os
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import shapely
from shapely.geometry import mapping

from shared.areas import Areas
from shared.cities.matching import Feature, Matching
from shared.cities.spelling import plain
from shared.errors import Invalid
from shared.geo import EARTH_RADIUS_M, Point, distance_m, in_box, in_range


class Boundaries:
    """The polygons of a file that `import_boundaries` wrote, ready to be asked."""

    def __init__(self, codes: list[str], polygons: list[Any]) -> None:
        self._codes, self.codes = codes, frozenset(codes)
        _, south, _, north = shapely.total_bounds(polygons)
        # Longitudes are narrowed to the length of latitudes, so that near is near in every direction.
        self._narrowing = math.cos(math.radians((south + north) / 2))
        self._polygons = shapely.transform(polygons, lambda at: at * (self._narrowing, 1.0))
        self._tree = shapely.STRtree(self._polygons)
        shapely.prepare(self._polygons)

    @classmethod
    def read(cls, path: Path, known: Container[str]) -> Boundaries:
        """The boundaries in the file; `Invalid("boundaries")` where it is none of ours, or has codes not `known`."""
        features = read_features(path, "boundaries")
        if not features or any(feature.polygon is None or feature.code not in known for feature in features):
            raise Invalid("boundaries", f"{path.name} is not made for this city: import the boundaries again.")
        return cls([feature.code for feature in features], [feature.polygon for feature in features])

    def holding(self, point: Point) -> str | None:
        """The code of the polygon that has the point in it or on its edge; of several, the first in the file."""
        found = self._tree.query(self._flat(point), predicate="intersects")
        return self._codes[int(found.min())] if found.size else None

    def distance_m(self, point: Point) -> float:
        """Metres from the point to the nearest polygon."""
        flat = self._flat(point)
        nearest = shapely.shortest_line(self._polygons[self._tree.nearest(flat)], flat)
        x, y = shapely.get_coordinates(nearest)[0].tolist()
        return distance_m(Point(x / self._narrowing, y), point)

    def _flat(self, point: Point) -> Any:
        return shapely.Point(point.lon * self._narrowing, point.lat)


class Spelling(NamedTuple):
    in_file: str
    official: str
    code: str


class Repair(NamedTuple):
    name: str
    code: str
    change_m2: float


class Unmatched(NamedTuple):
    name: str
    parent: str
    reason: str


@dataclass(frozen=True, slots=True)
class BoundaryReport:
    """What an import did: how many features became the boundary of a village, and all that a person should look at.

    `without_boundary` are codes of villages.
    """

    matched: int
    spelled_differently: list[Spelling]
    repaired: list[Repair]
    unmatched: list[Unmatched]
    without_boundary: list[str]

    def lines(self) -> list[str]:
        """The report for a terminal, a line each."""
        spellings = [f"{in_file} = {official} ({code})" for in_file, official, code in self.spelled_differently]
        repairs = [f"{name} ({code}): area {_change(m2)}" for name, code, m2 in self.repaired]
        unmatched = [f"{name}, {parent or 'no district'}: {reason}" for name, parent, reason in self.unmatched]
        return [
            f"{self.matched} of {self.matched + len(self.unmatched)} boundaries belong to a village.",
            *_section("Spelled differently", spellings),
            *_section("Repaired", repairs),
            *_section("Not matched", unmatched),
            *_section("Villages without a boundary", self.without_boundary),
        ]


def import_boundaries(areas: Areas, source: Path, target: Path) -> BoundaryReport:
    """Finds the village of each polygon in the GeoJSON file `source` and writes what a running city reads to `target`.

    Features have the properties `name` and `parent` (the district), or `code`. A polygon that crosses itself is
    repaired. One that belongs to no village stands for its district, so that no hole is left in the city. Raises
    `Invalid("source")`, and writes nothing, for a file that is not GeoJSON in degrees, lies elsewhere or fits nothing.
    """
    if not areas.enabled:
        raise Invalid("city", "Areas are switched off here: there is nothing that boundaries could belong to.")
    features = read_features(source, "source")
    _check_place(areas, [feature for feature in features if feature.polygon is not None], source)
    matching = Matching(areas, features)
    if not matching.taken:
        detail = f"No feature of {source.name} has the code or the name of a village of this city."
        raise Invalid("source", f"{detail} It needs the properties name and parent (the district), or code.")
    leftover = [(matching.district(feature), feature) for feature in matching.rest]
    # Villages first: where polygons overlap, the first one counts.
    polygons = [(code, feature.polygon) for code, feature in matching.taken.items()]
    polygons += [(district.code, feature.polygon) for district, feature in leftover if district is not None]
    _write(target, polygons)
    return _report(matching)


def read_features(path: Path, field: str) -> list[Feature]:
    """The features of a GeoJSON file, polygons repaired; `Invalid(field)` for a file that is no FeatureCollection."""
    try:
        document = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        raise Invalid(field, f"{path.name} cannot be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        raise Invalid(field, f"{path.name} is not JSON, so it is not GeoJSON: {error}.") from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        raise Invalid(field, f"{path.name} is JSON, but not a GeoJSON FeatureCollection.")
    return [_feature(feature if isinstance(feature, dict) else {}) for feature in features]


def _feature(raw: dict[str, Any]) -> Feature:
    found = raw.get("properties")
    properties = found if isinstance(found, dict) else {}
    name, parent, code = (_text(properties.get(key)) for key in ("name", "parent", "code"))
    if raw.get("geometry") is None:
        return Feature(name, parent, code, None, "it has no polygon")
    try:
        polygon = shapely.force_2d(shapely.from_geojson(orjson.dumps(raw.get("geometry"))))
    except shapely.errors.GEOSException as error:
        return Feature(name, parent, code, None, f"its geometry cannot be read ({_text(str(error))})")
    if polygon.geom_type not in ("Polygon", "MultiPolygon") or polygon.is_empty:
        return Feature(name, parent, code, None, "it has no polygon")
    if polygon.is_valid:
        return Feature(name, parent, code, polygon)
    parts = [part for part in shapely.get_parts(shapely.make_valid(polygon)) if part.geom_type.endswith("Polygon")]
    repaired = shapely.union_all(parts)
    if repaired.is_empty:
        return Feature(name, parent, code, None, "its polygon has no area")
    return Feature(name, parent, code, repaired, change_m2=_area_m2(repaired) - _area_m2(polygon))


def _text(value: object) -> str:
    """A property as one short line, safe in a terminal."""
    text = "" if value is None else str(value).strip()[:100]
    return "".join(character if character.isprintable() else " " for character in text)


def _area_m2(polygon: Any) -> float:
    degree_m = math.radians(1) * EARTH_RADIUS_M
    _, south, _, north = polygon.bounds
    return float(polygon.area) * degree_m**2 * math.cos(math.radians((south + north) / 2))


def _check_place(areas: Areas, features: list[Feature], source: Path) -> None:
    """`Invalid("source")` unless at least one polygon lies about where the city does, within a degree."""
    if not features:
        raise Invalid("source", f"{source.name} holds no polygon: boundaries are Polygons or MultiPolygons.")
    villages = areas.under(None, "village")
    lons, lats = [village.lon for village in villages], [village.lat for village in villages]
    around = min(lons) - 1, min(lats) - 1, max(lons) + 1, max(lats) + 1
    corners = [Point(feature.polygon.bounds[0], feature.polygon.bounds[1]) for feature in features]
    if any(in_box(corner, *around) for corner in corners):
        return
    first = f"{source.name} lies elsewhere: its first polygon is near {corners[0].lon:.6g}, {corners[0].lat:.6g}"
    place = f"{first}, the city near {villages[0].lon}, {villages[0].lat}."
    if any(in_box(Point(corner.lat, corner.lon), *around) for corner in corners):
        raise Invalid("source", f"{place} Its coordinates are swapped: GeoJSON has the longitude first.")
    if not all(in_range(corner) for corner in corners):
        raise Invalid("source", f"{place} These are not degrees: convert it to WGS 84 (EPSG:4326).")
    raise Invalid("source", place)


def _write(target: Path, polygons: list[tuple[str, Any]]) -> None:
    """Writes the whole file or nothing: a reader, or a power cut, never meets half of it."""
    features = [
        {"type": "Feature", "properties": {"code": code}, "geometry": mapping(polygon)} for code, polygon in polygons
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(orjson.dumps({"type": "FeatureCollection", "features": features}))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _report(matching: Matching) -> BoundaryReport:
    official = {village.code: village.name for village in matching.villages}
    taken = matching.taken
    return BoundaryReport(
        matched=len(taken),
        spelled_differently=[
            Spelling(feature.name, official[code], code)
            for code, feature in taken.items()
            if feature.name and plain(feature.name) != plain(official[code])
        ],
        repaired=[
            Repair(official[code], code, feature.change_m2)
            for code, feature in taken.items()
            if feature.change_m2 is not None
        ],
        unmatched=[Unmatched(feature.name, feature.parent, matching.why_not(feature)) for feature in matching.rest],
        without_boundary=[code for code in official if code not in taken],
    )


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"{title}: {len(lines)}", *(f"  {line}" for line in lines)] if lines else []


def _change(m2: float) -> str:
    return "unchanged" if abs(m2) < 1 else f"changed by {m2:+,.0f} m²"
