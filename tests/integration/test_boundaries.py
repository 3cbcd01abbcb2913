"""Boundaries are imported from real and from wrong files, and then say where real flood reports came from."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry import shape

from shared.areas import Areas, Located
from shared.boundaries import BoundaryReport, import_boundaries
from shared.errors import Invalid
from shared.geo import Point

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
VILLAGES = DATA / "jakarta" / "kelurahan.geojson"
REPORTS = DATA / "flood-2017" / "reports-2017-02-21.jsonl"
with_data = pytest.mark.skipif(
    not (VILLAGES.exists() and REPORTS.exists()), reason="the folder of trial data is not here"
)

TABLE = """code,name,level,parent,lon,lat
1,Utopia,city,,10,50
1.1,Harbour Side,district,1,10,50
1.1.1,East Quay,village,1.1,10.01,50.01
1.1.2,West Quay,village,1.1,9.99,50.01
1.1.3,Tengah,village,1.1,10.03,50.01
1.2,Upper Town,district,1,10.1,50.1
1.2.1,Mill Hill,village,1.2,10.11,50.11
1.2.2,Chapel,village,1.2,10.13,50.11
"""


@pytest.fixture(scope="module")
def jakarta(tmp_path_factory: pytest.TempPathFactory) -> tuple[BoundaryReport, Areas]:
    """The report of importing the real file, and the city with its boundaries."""
    target = tmp_path_factory.mktemp("city") / "boundaries.geojson"
    report = import_boundaries(Areas.load("jakarta", target), VILLAGES, target)
    return report, Areas.load("jakarta", target)


@pytest.fixture(scope="module")
def reports() -> list[Point]:
    with REPORTS.open(encoding="utf-8") as lines:
        return [Point(report["lon"], report["lat"]) for report in map(json.loads, lines)]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "city" / "boundaries.geojson"


@pytest.fixture
def utopia(tmp_path: Path, target: Path) -> Areas:
    table = tmp_path / "utopia.csv"
    table.write_text(TABLE, encoding="utf-8")
    return Areas.load(str(table), target)


def square(west: float, south: float, size: float = 0.02) -> list[list[float]]:
    return [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]


def feature(name: str | None, parent: str | None, ring: list[list[float]], **more: object) -> dict[str, Any]:
    properties = {"name": name, "parent": parent, **more}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


EAST = feature("EAST QUAY", "HARBOUR SIDE", square(10, 50))
MILL = feature("Mill Hill", "Upper Town", square(10.1, 50.1))
WEST = feature("West-Quay", "Harbourside", square(9.98, 50))


def brought(areas: Areas, target: Path, *features: object) -> BoundaryReport:
    """The report of importing these features."""
    source = target.parent.parent / "source.geojson"
    source.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return import_boundaries(areas, source, target)


def codes(target: Path) -> list[str]:
    return [feature["properties"]["code"] for feature in json.loads(target.read_text(encoding="utf-8"))["features"]]


@with_data
def test_every_real_boundary_but_that_of_a_park_belongs_to_a_village(jakarta: tuple[BoundaryReport, Areas]) -> None:
    report, _ = jakarta
    assert report.matched == 261
    # Taman Mini Indonesia Indah is drawn as if it were a village; the official list has none of that name.
    assert [(name, parent) for name, parent, _ in report.unmatched] == [("TMII", "CIPAYUNG")]
    assert report.without_boundary == [
        "31.01.01.1001",
        "31.01.01.1002",
        "31.01.01.1003",
        "31.01.02.1001",
        "31.01.02.1002",
        "31.01.02.1003",
    ]


@with_data
def test_seven_real_names_are_spelled_differently(jakarta: tuple[BoundaryReport, Areas]) -> None:
    assert sorted(jakarta[0].spelled_differently) == [
        ("HARAPAN MULYA", "Harapan Mulia", "31.71.03.1003"),
        ("KAMPUNG TENGAH", "Tengah", "31.75.04.1002"),
        ("KREDANG", "Krendang", "31.73.04.1005"),
        ("PAL MERIEM", "Palmeriam", "31.75.01.1004"),
        ("PAPANGO", "Papanggo", "31.72.02.1003"),
        ("TANJUNG PRIUK", "Tanjung Priok", "31.72.02.1001"),
        ("WIJAYA KESUMA", "Wijaya Kusuma", "31.73.02.1007"),
    ]


@with_data
def test_two_real_boundaries_are_repaired_and_keep_their_area(jakarta: tuple[BoundaryReport, Areas]) -> None:
    repaired = jakarta[0].repaired
    assert [repair.name for repair in repaired] == ["Srengseng Sawah", "Sungai Bambu"]
    assert all(abs(repair.change_m2) < 1 for repair in repaired)


@with_data
def test_every_village_centre_lies_in_its_own_boundary_if_it_has_one(jakarta: tuple[BoundaryReport, Areas]) -> None:
    report, areas = jakarta
    for village in areas.under(None, "village"):
        guessed = Located(village.code, "nearest") if village.code in report.without_boundary else None
        assert areas.locate(village.centre) == (guessed or Located(village.code, "boundary"))


@with_data
def test_of_1057_real_reports_978_lie_in_a_village_and_the_others_are_kept(
    jakarta: tuple[BoundaryReport, Areas], reports: list[Point]
) -> None:
    located = [jakarta[1].locate(point) for point in reports]
    assert Counter(where.source for where in located) == {"boundary": 978, "outside": 79}
    # The 79 came from Bekasi, Tangerang and Depok, around the city: no village of Jakarta is guessed for them.
    assert {where.area for where in located if where.source == "outside"} == {None}


@with_data
def test_a_village_is_the_one_that_a_plain_search_of_all_polygons_finds(
    jakarta: tuple[BoundaryReport, Areas], reports: list[Point]
) -> None:
    report, areas = jakarta
    spelled = {in_file: official for in_file, official, _ in report.spelled_differently}
    features = json.loads(VILLAGES.read_text(encoding="utf-8"))["features"]
    polygons = [(raw["properties"]["name"], shapely.make_valid(shape(raw["geometry"]))) for raw in features]
    for point in reports[::5]:
        holding = [name for name, polygon in polygons if polygon.covers(shapely.Point(point))]
        code = areas.locate(point).area
        found = [] if code is None else [areas.require(code).name]
        assert [plainly(name) for name in found] == [plainly(spelled.get(name, name)) for name in holding]


def plainly(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


@with_data
def test_a_guess_by_the_nearest_centre_is_right_seven_times_in_ten(
    jakarta: tuple[BoundaryReport, Areas], reports: list[Point], tmp_path: Path
) -> None:
    guessing = Areas.load("jakarta", tmp_path / "none.geojson")
    known = [(point, where.area) for point in reports if (where := jakarta[1].locate(point)).source == "boundary"]
    right = sum(guessing.locate(point).area == area for point, area in known)
    assert 0.69 < right / len(known) < 0.72


@with_data
def test_the_islands_have_no_boundary_and_are_guessed_and_the_park_is_its_district(
    jakarta: tuple[BoundaryReport, Areas],
) -> None:
    _, areas = jakarta
    assert areas.locate(Point(106.706, -5.98)) == Located("31.01.02.1001", "nearest")
    assert areas.locate(Point(106.896, -6.303)) == Located("31.75.10", "boundary")


def test_names_match_whatever_their_case_spaces_and_punctuation(utopia: Areas, target: Path) -> None:
    report = brought(utopia, target, EAST, WEST)
    assert (report.matched, report.spelled_differently, report.unmatched) == (2, [], [])
    assert report.without_boundary == ["1.1.3", "1.2.1", "1.2.2"]
    assert codes(target) == ["1.1.1", "1.1.2"]


def test_a_slip_of_the_pen_is_taken_for_the_village_it_must_mean(utopia: Areas, target: Path) -> None:
    report = brought(utopia, target, feature("Mil Hil", "Upper Town", square(10.1, 50.1)))
    assert report.spelled_differently == [("Mil Hil", "Mill Hill", "1.2.1")]


def test_a_name_half_alike_is_taken_only_where_its_polygon_holds_the_centre(utopia: Areas, target: Path) -> None:
    around, beside = square(10.02, 50), square(10.04, 50)
    assert brought(utopia, target, EAST, feature("KAMPUNG TENGAH", "Harbour Side", beside)).matched == 1
    assert brought(utopia, target, EAST, feature("KAMPUNG TENGAH", "Harbour Side", around)).matched == 2


def test_a_name_that_may_mean_two_villages_means_none(utopia: Areas, target: Path) -> None:
    report = brought(utopia, target, feature("st Quay", "Harbour Side", square(10.2, 50.2)), MILL)
    assert [name for name, _, _ in report.unmatched] == ["st Quay"]


def test_two_names_that_may_mean_one_village_mean_none(utopia: Areas, target: Path) -> None:
    one, other = (feature(name, "Upper Town", square(10.12, 50.1)) for name in ("Chapell", "Chapels"))
    assert [name for name, _, _ in brought(utopia, target, one, MILL, other).unmatched] == ["Chapell", "Chapels"]


def test_a_name_most_like_a_village_that_is_taken_means_no_other(utopia: Areas, target: Path) -> None:
    elsewhere = feature("Est Quay", "Harbour Side", square(9.9, 50))
    assert brought(utopia, target, EAST, elsewhere).matched == 1


def test_a_name_of_another_district_does_not_count(utopia: Areas, target: Path) -> None:
    report = brought(utopia, target, EAST, feature("Mill Hill", "Harbour Side", square(10.1, 50.1)))
    reason = "no village of Harbour Side has such a name; its points are given the district 1.1"
    assert report.unmatched == [("Mill Hill", "Harbour Side", reason)]


def test_without_a_district_the_same_name_counts_but_no_similar_one(utopia: Areas, target: Path) -> None:
    chapel, mill = feature("CHAPEL", None, square(10.12, 50.1)), feature("Mil Hil", None, square(10.1, 50.1))
    report = brought(utopia, target, chapel, mill)
    assert codes(target) == ["1.2.2"]
    assert report.unmatched == [
        ("Mil Hil", "", "it names no district of this city, and its own name is not that of one village")
    ]


@pytest.mark.parametrize("code", ["1.2.1", "121", 121])
def test_a_known_code_wins_over_the_name(utopia: Areas, target: Path, code: object) -> None:
    report = brought(utopia, target, feature("East Quay", "Harbour Side", square(10.1, 50.1), code=code), EAST)
    assert codes(target) == ["1.2.1", "1.1.1"]
    assert report.spelled_differently == [("East Quay", "Mill Hill", "1.2.1")]


def test_a_code_that_is_there_twice_is_not_made_up_for_by_the_name(utopia: Areas, target: Path) -> None:
    twice = feature("Chapel", "Upper Town", square(10.12, 50.1), code="1.2.1")
    report = brought(utopia, target, {**MILL, "properties": {"code": "1.2.1"}}, twice)
    assert [reason for _, _, reason in report.unmatched] == ["Mill Hill (1.2.1) has the boundary of another feature"]
    assert report.spelled_differently == []


def test_an_unknown_code_does_not_hide_the_name(utopia: Areas, target: Path) -> None:
    assert brought(utopia, target, feature("East Quay", "Harbour Side", square(10, 50), code="9.9")).matched == 1


def test_a_village_gets_one_boundary(utopia: Areas, target: Path) -> None:
    report = brought(utopia, target, EAST, EAST)
    assert report.matched == 1
    assert [reason for _, _, reason in report.unmatched] == ["East Quay (1.1.1) has the boundary of another feature"]


def test_a_boundary_far_from_its_village_is_not_taken(utopia: Areas, target: Path) -> None:
    far = feature("West Quay", "Harbour Side", square(10.5, 50.5))
    report = brought(utopia, target, EAST, far)
    assert [reason for _, _, reason in report.unmatched] == ["it lies 65 km from West Quay (1.1.2)"]
    assert codes(target) == ["1.1.1"]


def test_a_boundary_that_crosses_itself_is_repaired_and_the_change_is_told(utopia: Areas, target: Path) -> None:
    bow: list[list[float]] = [[10, 50], [10.02, 50.02], [10.02, 50], [10, 50.02], [10, 50]]
    report = brought(utopia, target, feature("East Quay", "Harbour Side", bow))
    [(name, code, change_m2)] = report.repaired
    assert (name, code) == ("East Quay", "1.1.1")
    # The two halves of a bow cancel out until it is repaired: half of a square of 1.43 km by 2.22 km.
    assert change_m2 == pytest.approx(1_590_000, rel=0.01)
    assert f"  East Quay (1.1.1): area changed by {change_m2:+,.0f} m²" in report.lines()


def test_only_the_areas_of_a_repaired_boundary_are_kept(utopia: Areas, target: Path) -> None:
    spike: list[list[float]] = [
        [10, 50],
        [10.02, 50],
        [10.02, 50.02],
        [10.02, 50.08],
        [10.02, 50.02],
        [10, 50.02],
        [10, 50],
    ]
    brought(utopia, target, feature("East Quay", "Harbour Side", spike))
    [raw] = json.loads(target.read_text(encoding="utf-8"))["features"]
    assert shape(raw["geometry"]).equals(shapely.box(10, 50, 10.02, 50.02))


NO_POLYGON: list[tuple[object, str]] = [
    (None, "it has no polygon"),
    ({"type": "Point", "coordinates": [10, 50]}, "it has no polygon"),
    ({"type": "Polygon", "coordinates": []}, "it has no polygon"),
    ({"type": "Polygon", "coordinates": [[[10, 50], [10, 50], [10, 50], [10, 50]]]}, "its polygon has no area"),
    ({"type": "Polygon", "coordinates": [[[10, 50], [10, 51], [11, 51], [9, 9]]]}, "its geometry cannot be read"),
    ({"type": "Polygon", "coordinates": [[["10", "50"]]]}, "its geometry cannot be read"),
    ({"type": "Polygon"}, "its geometry cannot be read"),
]


@pytest.mark.parametrize(("geometry", "reason"), NO_POLYGON)
def test_a_feature_without_a_polygon_is_told_and_the_others_are_taken(
    utopia: Areas, target: Path, geometry: object, reason: str
) -> None:
    report = brought(utopia, target, EAST, {**WEST, "geometry": geometry})
    assert report.matched == 1
    assert report.unmatched[0].reason.startswith(reason)


@pytest.mark.parametrize("odd", [None, 7, {"type": "Feature"}, {**WEST, "properties": [1]}])
def test_a_feature_that_is_none_is_told_and_the_others_are_taken(utopia: Areas, target: Path, odd: object) -> None:
    assert len(brought(utopia, target, EAST, odd).unmatched) == 1


SWAPPED = feature("East Quay", "Harbour Side", [[lat, lon] for lon, lat in square(10, 50)])
IN_METRES = feature("East Quay", "Harbour Side", [[lon * 70_000, lat * 110_000] for lon, lat in square(10, 50)])
WRONG_FILES = {
    "is not JSON": b"PK\x03\x04 a shapefile in a zip",
    "not JSON.*": b'{"type": "FeatureCollection", "features": [{',
    "not a GeoJSON FeatureCollection": b"[]",
    "not a GeoJSON FeatureCollection.": json.dumps(EAST).encode(),
    "holds no polygon": b'{"type": "FeatureCollection", "features": []}',
    "coordinates are swapped": json.dumps({"type": "FeatureCollection", "features": [SWAPPED]}).encode(),
    "not degrees: convert it to WGS 84": json.dumps({"type": "FeatureCollection", "features": [IN_METRES]}).encode(),
    "lies elsewhere.* near 106.8, -6.2, the city near 10": json.dumps(
        {"type": "FeatureCollection", "features": [feature("East Quay", "Harbour Side", square(106.8, -6.2))]}
    ).encode(),
    "properties name and parent": json.dumps(
        {"type": "FeatureCollection", "features": [feature("Elsewhere", "Far Side", square(10, 50))]}
    ).encode(),
}


@pytest.mark.parametrize(("reason", "content"), WRONG_FILES.items())
def test_a_wrong_file_is_refused_and_nothing_is_written(
    utopia: Areas, target: Path, reason: str, content: bytes
) -> None:
    brought(utopia, target, EAST)
    before, source = target.read_bytes(), target.parent / "wrong.geojson"
    source.write_bytes(content)
    with pytest.raises(Invalid, match=reason) as refused:
        import_boundaries(utopia, source, target)
    assert refused.value.field == "source"
    assert target.read_bytes() == before


def test_a_file_that_is_not_there_is_refused(utopia: Areas, target: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read: No such file"):
        import_boundaries(utopia, target.with_name("none.geojson"), target)
    assert not target.exists()


def test_a_city_without_areas_has_no_use_for_boundaries(utopia: Areas, target: Path) -> None:
    with pytest.raises(Invalid, match="switched off"):
        brought(Areas.load("none", target), target, EAST)


def test_a_file_with_a_byte_order_mark_is_read(utopia: Areas, target: Path, tmp_path: Path) -> None:
    source = tmp_path / "bom.geojson"
    source.write_text(json.dumps({"type": "FeatureCollection", "features": [EAST]}), encoding="utf-8-sig")
    assert import_boundaries(utopia, source, target).matched == 1


def test_a_write_that_fails_leaves_no_half_file(utopia: Areas, target: Path) -> None:
    target.mkdir(parents=True)
    with pytest.raises(OSError, match=target.name):
        brought(utopia, target, EAST)
    assert list(target.parent.iterdir()) == [target]


def test_the_report_is_lines_for_a_terminal_without_control_characters(utopia: Areas, target: Path) -> None:
    report = brought(utopia, target, EAST, WEST, feature("\x1b[2J\nX", "Nowhere", square(10, 50)))
    assert report.lines() == [
        "2 of 3 boundaries belong to a village.",
        "Not matched: 1",
        "   [2J X, Nowhere: it names no district of this city, and its own name is not that of one village",
        "Villages without a boundary: 3",
        "  1.1.3",
        "  1.2.1",
        "  1.2.2",
    ]


def test_the_running_city_reads_what_the_import_wrote(utopia: Areas, target: Path, tmp_path: Path) -> None:
    brought(utopia, target, EAST, WEST)
    again = Areas.load(str(tmp_path / "utopia.csv"), target)
    assert again.locate(Point(9.985, 50.015)) == Located("1.1.2", "boundary")
