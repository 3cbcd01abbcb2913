"""Distances, blurred places and covers hold for every place on the globe, not only in Jakarta."""

from __future__ import annotations

import math

import h3
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.geo import (
    BLUR_RESOLUTION,
    EARTH_RADIUS_M,
    MAX_RADIUS_M,
    MAX_SIDE_M,
    RESOLUTIONS,
    Point,
    blur,
    box_around,
    cells,
    cover,
    cover_box,
    distance_m,
    in_box,
    in_range,
)

MONAS = Point(106.8272, -6.1754)
POLES_AND_DATE_LINE = [Point(0, 90), Point(0, -90), Point(180, 0), Point(-180, 51.2), Point(179.9999, -16.8)]
# The twelve pentagons and what is around them are where cells are most uneven.
ODD_PLACES = [Point(lon, lat) for lat, lon in map(h3.cell_to_latlng, h3.get_pentagons(4))] + POLES_AND_DATE_LINE

unhurried = settings(deadline=None)  # a slow machine is no failure

globe = st.one_of(
    st.builds(Point, st.floats(-180, 180), st.floats(-90, 90)),
    st.builds(Point, st.floats(106.3, 107.1), st.floats(-6.5, -5.1)),
    st.sampled_from(ODD_PLACES),
)


def moved(start: Point, bearing: float, metres: float) -> Point:
    """The point so many metres from the start, going off at the bearing (radians)."""
    lat, lon, angle = math.radians(start.lat), math.radians(start.lon), metres / EARTH_RADIUS_M
    sine = math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(bearing)
    north = math.asin(max(-1.0, min(1.0, sine)))
    east = math.atan2(
        math.sin(bearing) * math.sin(angle) * math.cos(lat), math.cos(angle) - math.sin(lat) * math.sin(north)
    )
    return Point((math.degrees(lon + east) + 540) % 360 - 180, math.degrees(north))


def resolutions(found: tuple[str, ...]) -> set[int]:
    return {h3.get_resolution(cell) for cell in found}


def test_a_degree_of_latitude_is_111_km() -> None:
    assert distance_m(Point(106, -6), Point(106, -7)) == pytest.approx(111_195, abs=1)


def test_a_degree_of_longitude_narrows_with_the_latitude() -> None:
    assert distance_m(Point(10, 60), Point(11, 60)) == pytest.approx(55_597, abs=5)


def test_the_other_side_of_the_earth_is_half_its_circumference_away() -> None:
    assert distance_m(Point(0, 0), Point(180, 0)) == pytest.approx(math.pi * EARTH_RADIUS_M)


@unhurried
@given(globe, globe)
def test_there_is_as_far_as_back(a: Point, b: Point) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a), abs=1e-6)
    assert 0 <= distance_m(a, b) <= math.pi * EARTH_RADIUS_M + 1


@unhurried
@given(globe)
def test_blurring_again_moves_nothing(point: Point) -> None:
    once = blur(point)
    assert blur(once) == once


@unhurried
@given(globe)
def test_a_blurred_place_is_in_the_same_cell_and_hides_where_in_it(point: Point) -> None:
    cell = h3.latlng_to_cell(point.lat, point.lon, BLUR_RESOLUTION)
    lat, lon = h3.cell_to_latlng(cell)
    assert blur(point) == Point(round(lon, 6), round(lat, 6))
    assert distance_m(point, blur(point)) < 700


@unhurried
@given(globe)
def test_a_point_is_tagged_once_per_resolution_finest_first(point: Point) -> None:
    found = cells(point)
    assert tuple(h3.get_resolution(cell) for cell in found) == RESOLUTIONS
    assert found == tuple(h3.latlng_to_cell(point.lat, point.lon, resolution) for resolution in RESOLUTIONS)


@unhurried
@given(globe, st.floats(1, MAX_RADIUS_M), st.floats(0, math.tau), st.one_of(st.just(1.0), st.floats(0, 1)))
@example(Point(0, 90), MAX_RADIUS_M, 1.0, 1.0)
@example(Point(180, 0), 20_000.0, math.pi / 2, 1.0)
def test_every_point_within_the_radius_lies_in_the_cover(
    point: Point, radius: float, bearing: float, part: float
) -> None:
    near = moved(point, bearing, radius * part)
    assert set(cells(near)) & set(cover(point, radius))


@unhurried
@given(globe, st.floats(1, MAX_RADIUS_M))
def test_a_cover_is_a_few_cells_of_one_resolution(point: Point, radius: float) -> None:
    found = cover(point, radius)
    assert len(resolutions(found)) == 1
    assert resolutions(found) <= set(RESOLUTIONS)
    assert len(set(found)) == len(found) <= 80


@pytest.mark.parametrize(("radius", "resolution"), [(50, 8), (1_000, 8), (5_000, 6), (MAX_RADIUS_M, 4)])
def test_a_small_radius_is_covered_by_small_cells(radius: float, resolution: int) -> None:
    found = cover(MONAS, radius)
    assert resolutions(found) == {resolution}
    assert len(found) <= 40


@unhurried
@given(globe, st.floats(1, MAX_RADIUS_M), st.floats(0, math.tau), st.floats(0, 1))
def test_the_box_around_a_circle_holds_every_point_of_it(
    point: Point, radius: float, bearing: float, part: float
) -> None:
    near = moved(point, bearing, radius * part)
    west, south, east, north = box_around(point, radius)
    turned = [near.lon + turn for turn in (0, -360, 360)]
    assert any(west - 1e-6 <= lon <= east + 1e-6 for lon in turned)
    assert south - 1e-6 <= near.lat <= north + 1e-6


def test_a_cover_does_not_reach_across_the_city() -> None:
    assert not set(cells(moved(MONAS, 1.0, 4_000))) & set(cover(MONAS, 1_000))


@pytest.mark.parametrize("radius", [0, -1, MAX_RADIUS_M + 1, math.inf, math.nan])
def test_a_radius_that_cannot_be_is_refused(radius: float) -> None:
    with pytest.raises(Invalid) as refused:
        cover(MONAS, radius)
    assert refused.value.field == "radius"
    assert refused.value.more == {"maximum": MAX_RADIUS_M}


@pytest.mark.parametrize("point", [Point(181, 0), Point(0, 91), Point(math.nan, 0), Point(0, math.inf)])
def test_nothing_is_near_a_point_that_cannot_be(point: Point) -> None:
    with pytest.raises(Invalid) as refused:
        cover(point, 100)
    assert refused.value.field == "near"
    assert not in_range(point)


@unhurried
@given(globe, st.floats(1, 90_000), st.floats(1, 90_000), st.floats(0, 1), st.floats(0, 1))
@example(Point(180, 0), 90_000.0, 90_000.0, 0.0, 0.5)
@example(Point(0, 89.99), 200.0, 500.0, 1.0, 1.0)
def test_every_point_of_a_box_lies_in_its_cover(
    corner: Point, width: float, height: float, across: float, up: float
) -> None:
    south, north = corner.lat, min(90.0, corner.lat + math.degrees(height / EARTH_RADIUS_M))
    widest = math.cos(math.radians(min(max(south, 0.0), north)))
    span = 360.0 if widest < 1e-6 else math.degrees(width / EARTH_RADIUS_M / widest)
    west, east = corner.lon, min(180.0, corner.lon + span)
    inside = Point(min(east, west + across * (east - west)), min(north, south + up * (north - south)))
    assert in_box(inside, west, south, east, north)

    found = cover_box(west, south, east, north)

    assert set(cells(inside)) & set(found)
    assert len(resolutions(found)) == 1
    assert len(found) <= 100


def test_a_box_that_is_one_point_is_covered() -> None:
    assert set(cover_box(*MONAS, *MONAS)) >= {cells(MONAS)[0]}


def test_the_whole_province_with_its_islands_is_a_box() -> None:
    found = cover_box(106.37, -6.38, 106.98, -5.18)
    assert len(found) <= 40
    assert resolutions(found) == {4}


@pytest.mark.parametrize(
    "box",
    [
        (107, -6.3, 106, -6.1),
        (106, -6.1, 107, -6.3),
        (106, -91, 107, -90),
        (179, -6, 181, -5),
        (math.nan, -6, 107, -5),
        (106, -6, math.inf, -5),
    ],
)
def test_a_box_that_cannot_be_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(Invalid) as refused:
        cover_box(*box)
    assert refused.value.field == "bbox"


@pytest.mark.parametrize("box", [(100, -6.2, 110, -6.1), (106.8, -12, 106.9, -6), (-180, -90, 180, 90)])
def test_a_box_that_is_too_large_is_refused_with_what_it_may_be(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(Invalid, match="200 km at most") as refused:
        cover_box(*box)
    assert refused.value.field == "bbox"
    assert refused.value.more == {"maximum_side_m": MAX_SIDE_M}


def test_the_edge_of_a_box_belongs_to_it() -> None:
    assert in_box(Point(106, -6), 106, -6, 107, -5)
    assert in_box(Point(107, -5), 106, -6, 107, -5)
    assert not in_box(Point(107.000001, -5.5), 106, -6, 107, -5)
    assert not in_box(Point(106.5, -6.000001), 106, -6, 107, -5)
