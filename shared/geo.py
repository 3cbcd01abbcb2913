"""Plain geometry on the globe: distances, blurred places, and the H3 cells by which the stores find what is near."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import h3

from shared.errors import Invalid

EARTH_RADIUS_M = 6_371_008.8
"""The mean radius of WGS 84 (IUGG)."""

RESOLUTIONS = (8, 6, 4)
"""The H3 resolutions that are index tags, finest first: cells about 350 m to 45 km across."""

BLUR_RESOLUTION = 8
"""A blurred place is the centre of a cell of about 0.7 km²."""

MAX_RADIUS_M = 50_000
MAX_SIDE_M = 200_000
MAX_CELLS = 40
"""What one query asks of an index, about: cells differ in size, and the coarsest resolution takes what is left."""


class Point(NamedTuple):
    """A place in degrees of WGS 84, longitude first as in GeoJSON."""

    lon: float
    lat: float


def in_range(point: Point) -> bool:
    """Whether both are numbers a place can have: NaN and infinity are not."""
    return -180 <= point.lon <= 180 and -90 <= point.lat <= 90


def distance_m(a: Point, b: Point) -> float:
    """The metres between two points on a sphere (haversine); at most 0.6 % off the ellipsoid."""
    south, north = math.radians(a.lat), math.radians(b.lat)
    across = math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    h = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * across
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))


def blur(point: Point) -> Point:
    """The centre of the H3 cell that holds the point, rounded to a decimetre; blurring again moves nothing."""
    return _centre(_cell(point, BLUR_RESOLUTION))


def cells(point: Point) -> tuple[str, ...]:
    """The H3 cells that hold the point, one per resolution of `RESOLUTIONS`: the tags it is indexed by.

    Each is worked out from the point itself: a cell sticks out of its parent, so a parent need not hold the point.
    """
    return tuple(_cell(point, resolution) for resolution in RESOLUTIONS)


def cover(point: Point, radius_m: float, most: int = MAX_CELLS) -> tuple[str, ...]:
    """Cells of one resolution that together hold every point within `radius_m` metres, and some beyond.

    About `most` cells are the most; fewer are quicker to find and to ask for, and reach farther beyond. Raises
    `Invalid("radius")` unless 0 < radius_m <= MAX_RADIUS_M, `Invalid("near")` for a point that cannot be.
    """
    if not in_range(point):
        raise Invalid("near", "A point needs a longitude from -180 to 180 and a latitude from -90 to 90 degrees.")
    if not 0 < radius_m <= MAX_RADIUS_M:
        detail = f"The radius must be more than 0 and at most {MAX_RADIUS_M} metres."
        raise Invalid("radius", detail, maximum=MAX_RADIUS_M)

    def touches(centre: Point, reach_m: float) -> bool:
        return distance_m(point, centre) <= radius_m + reach_m

    resolution = _finest(math.pi * radius_m**2, math.tau * radius_m, most)
    return _touched(point, radius_m, resolution, touches)


def cover_box(west: float, south: float, east: float, north: float) -> tuple[str, ...]:
    """Cells of one resolution that together hold every point of the box (degrees), and some beyond.

    Raises `Invalid("bbox")` for a box that is upside down, out of range, or longer than `MAX_SIDE_M` on a side.
    """
    width, height = _sides_m(west, south, east, north)

    def touches(centre: Point, reach_m: float) -> bool:
        up, across = _spans(centre.lat, reach_m)
        if centre.lat + up < south or centre.lat - up > north:
            return False
        return any(west - across <= centre.lon + turn <= east + across for turn in (0, -360, 360))

    middle = Point((west + east) / 2, (south + north) / 2)
    resolution = _finest(width * height, 2 * (width + height))
    return _touched(middle, math.hypot(width, height) / 2, resolution, touches)


def box_around(point: Point, radius_m: float) -> tuple[float, float, float, float]:
    """West, south, east, north of a circle, in degrees; a circle around the date line or a pole is not cut."""
    up, across = _spans(point.lat, radius_m)
    return point.lon - across, point.lat - up, point.lon + across, point.lat + up


def in_box(point: Point, west: float, south: float, east: float, north: float) -> bool:
    """Whether the point lies in the box or on its edge, all in degrees."""
    return west <= point.lon <= east and south <= point.lat <= north


def _cell(point: Point, resolution: int) -> str:
    return str(h3.latlng_to_cell(point.lat, point.lon, resolution))


def _centre(cell: str) -> Point:
    lat, lon = h3.cell_to_latlng(cell)
    return Point(round(lon, 6), round(lat, 6))


@lru_cache
def _reach_m(resolution: int) -> float:
    """How far a cell goes from its centre, at most, wherever it lies.

    The farthest corner of all cells of resolutions 0 to 4, and of 60,000 of each finer one, is at 1.102 mean edges.
    """
    return 1.15 * float(h3.average_hexagon_edge_length(resolution, unit="m"))


@lru_cache
def _area_m2(resolution: int) -> float:
    return float(h3.average_hexagon_area(resolution, unit="m^2"))


def _finest(area_m2: float, perimeter_m: float, most: int = MAX_CELLS) -> int:
    """The finest resolution that covers a convex shape with about `most` cells or fewer, else the coarsest."""
    for resolution in RESOLUTIONS[:-1]:
        reach = _reach_m(resolution)
        grown = area_m2 + perimeter_m * reach + math.pi * reach**2
        if grown <= most * _area_m2(resolution):
            return resolution
    return RESOLUTIONS[-1]


def _touched(
    start: Point, extent_m: float, resolution: int, touches: Callable[[Point, float], bool]
) -> tuple[str, ...]:
    """The cells for which `touches(centre, reach_m)`, around a point of a shape that goes `extent_m` from it.

    The cells that a shape reaches hang together, so a ring of neighbours without one of them encloses them all.
    """
    reach = _reach_m(resolution)
    origin = _cell(start, resolution)
    rings = math.ceil((extent_m + reach) / reach)
    while True:
        inside = set(h3.grid_disk(origin, rings))
        found = {cell for cell in inside if touches(_centre(cell), reach)} | {origin}
        if found.isdisjoint(inside.difference(h3.grid_disk(origin, rings - 1))):
            return tuple(sorted(found))
        rings *= 2


def _spans(lat: float, reach_m: float) -> tuple[float, float]:
    """How many degrees of latitude and of longitude a circle around a point of this latitude goes, to each side."""
    up = math.degrees(reach_m / EARTH_RADIUS_M)
    if abs(lat) + up >= 90:
        return up, 180.0  # it holds the pole
    return up, math.degrees(math.asin(math.sin(math.radians(up)) / math.cos(math.radians(lat))))


def _sides_m(west: float, south: float, east: float, north: float) -> tuple[float, float]:
    """Width where it is widest, and height, in metres, of a box that is found to be in order."""
    if not (in_range(Point(west, south)) and in_range(Point(east, north)) and west <= east and south <= north):
        raise Invalid("bbox", "A box is west,south,east,north in degrees, with west <= east and south <= north.")
    nearest_equator = min(max(south, 0.0), north)
    width = math.radians(east - west) * math.cos(math.radians(nearest_equator)) * EARTH_RADIUS_M
    height = math.radians(north - south) * EARTH_RADIUS_M
    if max(width, height) > MAX_SIDE_M:
        asked, allowed = f"{width / 1000:,.0f} km by {height / 1000:,.0f} km", f"{MAX_SIDE_M // 1000} km"
        raise Invalid("bbox", f"The box is {asked}; a side may be {allowed} at most.", maximum_side_m=MAX_SIDE_M)
    return width, height
