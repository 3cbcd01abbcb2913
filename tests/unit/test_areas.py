"""The tree of areas is read strictly, and a point is placed, guessed or refused with the reason."""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.areas import LOOK_EVERY_S, REACH_M, Area, Areas, Located
from shared.errors import Invalid
from shared.geo import Point, distance_m, in_range

ROOT = Path(__file__).resolve().parents[2]
MONAS = Point(106.8272, -6.1754)
ROW = "1,Province,province,,10,50"
TABLE = """code,name,level,parent,lon,lat
1,Utopia,province,,10.05,50.05
1.1,Low Town,city,1,10.05,50.05
1.1.1,Harbour,district,1.1,10.05,50.05
1.1.1.1,East Quay,village,1.1.1,10.06,50.05
1.1.1.2,West Quay,village,1.1.1,10.04,50.05
1.1.1.3,Lighthouse,village,1.1.1,10.05,50.15
"""


class Clock:
    """A clock that goes on when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self) -> None:
        self.now += LOOK_EVERY_S


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    return tmp_path / "boundaries.geojson"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "utopia.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


@pytest.fixture
def jakarta(nowhere: Path) -> Areas:
    return Areas.load("jakarta", nowhere)


def square(code: str, west: float, south: float, size: float = 0.02) -> dict[str, object]:
    ring = [(west, south), (west + size, south), (west + size, south + size), (west, south + size), (west, south)]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"code": code}, "geometry": geometry}


def draw(path: Path, *features: dict[str, object]) -> None:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


EAST, WEST = square("1.1.1.1", 10.05, 50.04), square("1.1.1.2", 10.03, 50.04)
IN_EAST = Point(10.052, 50.05)


def test_jakarta_has_318_areas(jakarta: Areas) -> None:
    counts = [len(jakarta.under(None, level)) for level in ("province", "city", "district", "village")]
    assert counts == [1, 6, 44, 267]
    assert jakarta.get("31.74.01.1001") == Area(
        "31.74.01.1001", "Tebet Timur", "village", "31.74.01", 106.8555, -6.2338
    )
    assert jakarta.get("31.99") is None


def test_the_built_in_table_is_the_official_one(jakarta: Areas, nowhere: Path) -> None:
    official = ROOT.parent / "shared" / "data" / "jakarta" / "areas.csv"
    if not official.exists():
        pytest.skip("the folder of trial data is not here")
    theirs = Areas.load(str(official), nowhere)
    for level in ("province", "city", "district", "village"):
        assert jakarta.under(None, level) == theirs.under(None, level)


def test_ancestors_are_the_widest_first_and_the_area_itself_last(jakarta: Areas) -> None:
    assert jakarta.ancestors("31.74.01.1001") == ("31", "31.74", "31.74.01", "31.74.01.1001")
    assert jakarta.ancestors("31") == ("31",)


def test_children_are_one_step_down_and_under_is_any_step(jakarta: Areas) -> None:
    assert [area.code for area in jakarta.children(None)] == ["31"]
    assert [area.name for area in jakarta.children("31.01")] == ["Kepulauan Seribu Utara", "Kepulauan Seribu Selatan"]
    assert jakarta.children("31.01", "village") == []
    assert len(jakarta.children("31", "city")) == 6
    assert [area.name for area in jakarta.under("31.01.02", "village")] == [
        "Pulau Untung Jawa",
        "Pulau Tidung",
        "Pulau Pari",
    ]
    assert len(jakarta.under("31.01", "village")) == 6
    assert jakarta.under("31.74.01.1001", "village") == []


@pytest.mark.parametrize("ask", ["children", "ancestors"])
def test_an_unknown_area_has_neither_children_nor_ancestors(jakarta: Areas, ask: str) -> None:
    with pytest.raises(Invalid):
        getattr(jakarta, ask)("31.99")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("tebet tmur", "31.74.01.1001"), ("3174011001", "31.74.01.1001"), ("31.74.011", "31.74.01")],
)
def test_an_unknown_area_is_refused_with_those_it_may_be(jakarta: Areas, typed: str, meant: str) -> None:
    with pytest.raises(Invalid, match="There is no area") as refused:
        jakarta.require(typed, "needs.0.area")
    near = refused.value.more["near"]
    assert refused.value.field == "needs.0.area"
    assert 1 <= len(near) <= 3
    assert meant in [area["code"] for area in near]
    assert meant in refused.value.detail


def test_a_text_like_no_area_is_refused_without_a_suggestion_and_cut_short(jakarta: Areas) -> None:
    with pytest.raises(Invalid) as refused:
        jakarta.require("?" * 1_000_000)
    assert refused.value.more == {"near": []}
    assert len(refused.value.detail) < 120


def test_a_known_area_is_required_without_complaint(jakarta: Areas) -> None:
    assert jakarta.enabled
    assert jakarta.require("31.74") == jakarta.get("31.74")


def test_without_areas_every_point_of_the_globe_is_accepted(nowhere: Path) -> None:
    none = Areas.load("none", nowhere)
    assert not none.enabled
    assert none.locate(Point(-71.06, 42.36)) == Located(None, "outside")
    assert none.children(None) == []
    with pytest.raises(Invalid, match="switched off"):
        none.require("31")


IMPOSSIBLE = [Point(181, 0), Point(0, -91), Point(math.nan, 0), Point(106, math.nan), Point(math.inf, 0)]


@pytest.mark.parametrize("city", ["jakarta", "none"])
@pytest.mark.parametrize("point", IMPOSSIBLE)
def test_a_point_that_cannot_be_is_refused(nowhere: Path, city: str, point: Point) -> None:
    with pytest.raises(Invalid, match="longitude from -180 to 180") as refused:
        Areas.load(city, nowhere).locate(point, "place")
    assert refused.value.field == "place"
    assert refused.value.more == {}


def test_without_boundaries_the_nearest_village_centre_is_a_guess(jakarta: Areas) -> None:
    assert jakarta.locate(MONAS) == Located("31.71.01.1001", "nearest")


@given(st.floats(106.7, 106.95), st.floats(-6.35, -6.1))
@settings(deadline=None)
def test_no_village_centre_is_nearer_than_the_guessed_one(lon: float, lat: float) -> None:
    jakarta, point = Areas.load("jakarta", Path("none.geojson")), Point(lon, lat)
    guessed = jakarta.require(jakarta.locate(point).area or "")
    nearest = min(distance_m(point, village.centre) for village in jakarta.under(None, "village"))
    assert distance_m(point, guessed.centre) <= nearest * 1.0001 + 0.01


def test_a_point_of_the_sea_within_reach_is_still_served(jakarta: Areas) -> None:
    assert jakarta.locate(Point(106.7, -5.88)).source == "nearest"


def test_a_point_far_from_the_city_is_refused_with_how_far(jakarta: Areas) -> None:
    with pytest.raises(Invalid, match=r"This point is 11,8\d\d km from the nearest place served here\.$") as refused:
        jakarta.locate(Point(0, 0))
    assert (refused.value.field, refused.value.more) == ("location", {})
    with pytest.raises(Invalid, match=r"21\.8 km"):
        jakarta.locate(Point(106.8, -6.55))


def test_a_swapped_point_is_refused_with_the_swapped_pair(jakarta: Areas) -> None:
    with pytest.raises(Invalid, match=r"look swapped: lon 106\.8272, lat -6\.1754 would be served") as refused:
        jakarta.locate(Point(MONAS.lat, MONAS.lon))
    assert refused.value.more == {"swapped": {"lon": 106.8272, "lat": -6.1754}}


def test_a_swapped_point_that_could_be_somewhere_says_how_far_that_is_too(table: Path, nowhere: Path) -> None:
    with pytest.raises(Invalid, match=r"is 5,\d\d\d km from .* look swapped") as refused:
        Areas.load(str(table), nowhere).locate(Point(50.05, 10.05))
    assert refused.value.more == {"swapped": {"lon": 10.05, "lat": 50.05}}


@given(st.floats() | st.floats(106, 107.5), st.floats() | st.floats(-7, -5))
@settings(deadline=None)
def test_any_two_numbers_are_placed_or_refused_by_whether_a_village_is_within_reach(lon: float, lat: float) -> None:
    jakarta = Areas.load("jakarta", Path("none.geojson"))
    served = in_range(Point(lon, lat)) and any(
        distance_m(Point(lon, lat), village.centre) <= REACH_M for village in jakarta.under(None, "village")
    )
    with nullcontext() if served else pytest.raises(Invalid):
        assert jakarta.locate(Point(lon, lat)).source == "nearest"


def test_with_boundaries_the_polygon_decides(table: Path, nowhere: Path) -> None:
    draw(nowhere, EAST, WEST)
    utopia = Areas.load(str(table), nowhere)
    assert utopia.locate(IN_EAST) == Located("1.1.1.1", "boundary")
    assert utopia.locate(Point(10.049, 50.05)) == Located("1.1.1.2", "boundary")
    assert utopia.locate(Point(10.05, 50.05)) == Located("1.1.1.1", "boundary")  # on the edge of both: the first


def test_beyond_the_boundaries_only_a_village_without_one_is_guessed(table: Path, nowhere: Path) -> None:
    draw(nowhere, EAST, WEST)
    utopia = Areas.load(str(table), nowhere)
    assert utopia.locate(Point(10.08, 50.05)) == Located(None, "outside")
    assert utopia.locate(Point(10.05, 50.16)) == Located("1.1.1.3", "nearest")


def test_reach_counts_from_the_boundary_or_from_a_centre_without_one(table: Path, nowhere: Path) -> None:
    draw(nowhere, square("1.1.1.1", 10.05, 50.04, 0.4), WEST)
    utopia = Areas.load(str(table), nowhere)
    beside = Point(10.45 + math.degrees(14_900 / (6_371_008.8 * math.cos(math.radians(50.2)))), 50.2)
    assert utopia.locate(beside) == Located(None, "outside")
    with pytest.raises(Invalid, match=r"15\.\d km"):
        utopia.locate(Point(beside.lon + 0.003, 50.2))
    near_lighthouse = Point(9.86, 50.15)
    assert distance_m(near_lighthouse, utopia.require("1.1.1.3").centre) < REACH_M
    assert utopia.locate(near_lighthouse) == Located("1.1.1.3", "nearest")


def test_a_swapped_point_is_recognised_by_the_boundaries_too(table: Path, nowhere: Path) -> None:
    draw(nowhere, EAST, WEST, square("1.1.1.3", 10.04, 50.14))
    with pytest.raises(Invalid, match="look swapped"):
        Areas.load(str(table), nowhere).locate(Point(50.05, 10.05))


def test_a_running_city_picks_up_boundaries_as_they_come_change_and_go(table: Path, nowhere: Path) -> None:
    clock = Clock()
    utopia = Areas.load(str(table), nowhere, clock)
    draw(nowhere, EAST)
    assert utopia.locate(IN_EAST).source == "nearest"  # it has looked a moment ago
    clock.wait()
    assert utopia.locate(IN_EAST) == Located("1.1.1.1", "boundary")
    draw(nowhere, square("1.1.1.2", 10.05, 50.04), square("1.1.1.1", 10.03, 50.04))
    clock.wait()
    assert utopia.locate(IN_EAST) == Located("1.1.1.2", "boundary")
    nowhere.unlink()
    clock.wait()
    assert utopia.locate(IN_EAST) == Located("1.1.1.1", "nearest")


def test_a_running_city_goes_on_as_before_when_the_new_boundaries_are_wrong(
    table: Path, nowhere: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    draw(nowhere, EAST)
    utopia = Areas.load(str(table), nowhere, clock)
    nowhere.write_text("half a file", encoding="utf-8")
    for _ in range(2):
        clock.wait()
        assert utopia.locate(IN_EAST) == Located("1.1.1.1", "boundary")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]  # said once
    draw(nowhere, EAST, WEST)
    clock.wait()
    assert utopia.locate(Point(10.049, 50.05)).source == "boundary"


@pytest.mark.parametrize("text", ["half a file", '{"type": "FeatureCollection", "features": []}'])
def test_a_city_does_not_start_with_wrong_boundaries(table: Path, nowhere: Path, text: str) -> None:
    nowhere.write_text(text, encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        Areas.load(str(table), nowhere)
    assert refused.value.field == "boundaries"


def test_a_city_does_not_start_with_another_citys_boundaries(nowhere: Path) -> None:
    draw(nowhere, EAST)
    with pytest.raises(Invalid, match="not made for this city"):
        Areas.load("jakarta", nowhere)


def test_a_city_without_boundaries_does_not_load_the_geometry_library(nowhere: Path) -> None:
    code = (
        "import sys, pathlib; from shared.areas import Areas; from shared.geo import Point\n"
        f"Areas.load('jakarta', pathlib.Path({str(nowhere)!r})).locate(Point(106.83, -6.17))\n"
        "sys.exit('shapely' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        TABLE.replace("\n", "\r"),
        TABLE.replace("\n", "\r\n"),
        "\ufeff" + TABLE,
        TABLE + "1.1.1.3,Lighthouse,village,1.1.1,10.05,50.15\n",
        "\n".join([TABLE.splitlines()[0], *reversed(TABLE.splitlines()[1:])]),
    ],
    ids=["CR line ends", "CRLF line ends", "byte order mark", "a repeated row", "children first"],
)
def test_a_table_may_be_written_in_several_ways(table: Path, nowhere: Path, text: str) -> None:
    table.write_bytes(text.encode())
    utopia = Areas.load(str(table), nowhere)
    assert utopia.ancestors("1.1.1.3") == ("1", "1.1", "1.1.1", "1.1.1.3")
    assert {area.name for area in utopia.under("1", "village")} == {"East Quay", "West Quay", "Lighthouse"}


HEADER = "code,name,level,parent,lon,lat"
WRONG_TABLES = {
    "lacks the columns parent, lat": "code,name,level,lon\n",
    "lacks the columns": "",
    "holds no village": f"{HEADER}\n{ROW}\n",
    "Line 2 .* degrees, with a point": f'{HEADER}\n1,A,village,,"10,5",50\n',
    "Line 2 .* from -180 to 180": f"{HEADER}\n1,A,village,,nan,50\n",
    "Line 2 .* lat from -90 to 90": f"{HEADER}\n1,A,village,,50,106\n",
    "Line 3 .* one of province, city, district, village": f"{HEADER}\n{ROW}\n1.1,A,hamlet,1,10,50\n",
    "Line 2 .* 1 to 40 letters": f"{HEADER}\n1 1,A,village,,10,50\n",
    "Line 2 .* a name is": f"{HEADER}\n1,,village,,10,50\n",
    "Line 2 .* more or fewer values": f"{HEADER}\n1,A,village,,10\n",
    "Line 3 .* more or fewer values": f"{HEADER}\n{ROW}\n1.1,A,village,1,10,50,7\n",
    "Line 3 .* there twice, with different": f"{HEADER}\n{ROW}\n1,Other,province,,10,50\n",
    "unexpected end": f'{HEADER}\n1,"A,village,,10,50\n',
    "parent 2 of 1.1 is missing": f"{HEADER}\n{ROW}\n1.1,A,village,2,10,50\n",
    r"1.1 \(village\) lies in a village": f"{HEADER}\n1.1,A,village,1.2,10,50\n1.2,B,village,1.1,10,50\n",
}


@pytest.mark.parametrize(("reason", "text"), WRONG_TABLES.items())
def test_a_table_that_is_wrong_is_refused_with_the_line(table: Path, nowhere: Path, reason: str, text: str) -> None:
    table.write_text(text, encoding="utf-8")
    with pytest.raises(Invalid, match=reason) as refused:
        Areas.load(str(table), nowhere)
    assert refused.value.field == "city"


def test_a_table_in_another_encoding_is_refused(table: Path, nowhere: Path) -> None:
    table.write_bytes(TABLE.replace("Harbour", "Häfen").encode("latin-1"))
    with pytest.raises(Invalid, match="UTF-8"):
        Areas.load(str(table), nowhere)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path, nowhere: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read: No such file"):
        Areas.load(str(tmp_path / "atlantis.csv"), nowhere)
