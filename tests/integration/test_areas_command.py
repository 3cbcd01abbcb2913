"""`python -m services areas`: the official tree, and boundaries for a city that may be running."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commands import DATA, needs_data, run, running, until

# A square around the centre of Gambir (31.71.01.1001), and another one that belongs to no village.
GAMBIR, NOWHERE = (106.8267, -6.1766), (106.7, -6.3)


def boundaries(path: Path, *features: tuple[str, str, tuple[float, float]]) -> Path:
    def square(at: tuple[float, float]) -> list[list[float]]:
        lon, lat = at
        corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
        return [[lon + 0.005 * east, lat + 0.005 * north] for east, north in corners]

    made: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "properties": {"name": name, "parent": parent},
            "geometry": {"type": "Polygon", "coordinates": [square(at)]},
        }
        for name, parent, at in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": made}))
    return path


def test_the_tree_begins_with_the_widest_areas(tmp_path: Path) -> None:
    listed = run("areas", "list", folder=tmp_path / "data")
    assert listed.returncode == 0
    lines = listed.stdout.splitlines()
    assert lines[0].split() == ["code", "name", "level", "areas", "in", "it", "centre", "(lon,", "lat)"]
    assert lines[1].split()[:4] == ["31", "DKI", "Jakarta", "province"]
    assert [line.split()[0] for line in lines[2:]] == ["31.01", "31.71", "31.72", "31.73", "31.74", "31.75"]
    assert not (tmp_path / "data").exists()


def test_under_an_area_are_the_areas_directly_in_it(tmp_path: Path) -> None:
    listed = run("areas", "list", "--under", "31.74.01", folder=tmp_path / "data")
    codes = [line.split()[0] for line in listed.stdout.splitlines()[1:]]
    assert codes == [f"31.74.01.100{number}" for number in range(1, 8)]
    assert "Tebet Timur" in listed.stdout


def test_an_unknown_area_is_told_with_what_may_be_meant(tmp_path: Path) -> None:
    listed = run("areas", "list", "--under", "Tebet", folder=tmp_path / "data")
    assert (listed.returncode, listed.stdout) == (2, "")
    assert listed.stderr == "There is no area 'Tebet'. Perhaps: 31.74.01 (Tebet).\n"


def test_a_city_without_areas_lists_none(tmp_path: Path) -> None:
    listed = run("areas", "list", folder=tmp_path / "data", city="none")
    assert (listed.returncode, listed.stderr) == (2, "Areas are switched off here (GOTONG_CITY=none).\n")


def test_boundaries_are_imported_with_a_report(tmp_path: Path) -> None:
    file = boundaries(tmp_path / "b.geojson", ("GAMBIR", "GAMBIR", GAMBIR), ("Atlantis", "GAMBIR", NOWHERE))
    done = run("areas", "import", file, folder=tmp_path / "data")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[:2] == ["1 of 2 boundaries belong to a village.", "Not matched: 1"]
    assert lines[2].startswith("  Atlantis, GAMBIR: ")
    assert (tmp_path / "data" / "boundaries.geojson").is_file()


@needs_data
def test_the_boundaries_of_jakarta_are_imported(tmp_path: Path) -> None:
    done = run("areas", "import", DATA / "jakarta" / "kelurahan.geojson", folder=tmp_path / "data")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "261 of 262 boundaries belong to a village."
    assert {"Spelled differently: 7", "Repaired: 2", "Not matched: 1", "Villages without a boundary: 6"} <= set(lines)


def test_a_running_city_takes_new_boundaries_up(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    file = boundaries(tmp_path / "b.geojson", ("GAMBIR", "GAMBIR", GAMBIR))
    with running(folder=folder) as city:

        def source() -> str:
            asked = f"{city.address}/api/areas?at={GAMBIR[0]},{GAMBIR[1]}"
            return str(httpx.get(asked).raise_for_status().json()["source"])

        assert source() == "nearest"
        assert run("areas", "import", file, folder=folder).returncode == 0
        until(lambda: source() == "boundary")


def test_boundaries_that_cannot_be_read_any_more_are_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "boundaries.geojson").write_text("half a fi")
    file = boundaries(tmp_path / "b.geojson", ("GAMBIR", "GAMBIR", GAMBIR))
    broken = run("areas", "list", folder=folder)
    assert (broken.returncode, broken.stderr.count("\n")) == (2, 1)
    assert "boundaries.geojson is not JSON" in broken.stderr
    assert run("areas", "import", file, folder=folder).returncode == 0
    assert run("areas", "list", folder=folder).returncode == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory."),
        ("no JSON", "is not JSON, so it is not GeoJSON"),
        ('{"type": "Topology"}', "not a GeoJSON FeatureCollection."),
        ('{"type": "FeatureCollection", "features": []}', "holds no polygon"),
    ],
)
def test_a_wrong_file_is_told_and_nothing_is_written(tmp_path: Path, content: str | None, reason: str) -> None:
    file = tmp_path / "wrong.geojson"
    if content is not None:
        file.write_text(content)
    done = run("areas", "import", file, folder=tmp_path / "data")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert reason in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    file = boundaries(tmp_path / "b.geojson", ("GAMBIR", "GAMBIR", GAMBIR))
    done = run("areas", "import", file, folder=tmp_path / "data")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "cannot be written" in done.stderr
