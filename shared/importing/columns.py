"""Decides which column of a file is which field of a report, from the names that 311 systems use or as it is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from shared.errors import Invalid

# The names of Boston's and New York's open data, of Open311 GeoReport v2, and plain English and Indonesian ones. The
# first that a file has is taken. A bare "subject" is not a title: in Boston's export it is a department.
NAMES: dict[str, tuple[str, ...]] = {
    "id": ("case_enquiry_id", "unique_key", "service_request_id", "id", "request_id", "report_id", "case_id"),
    "opened_at": (
        "open_dt", "created_date", "requested_datetime", "opened_at", "at", "created_at", "datetime", "timestamp",
        "date", "time", "tanggal", "waktu",
    ),
    "title": ("case_title", "title", "judul", "summary"),
    "body": ("description", "body", "text", "descriptor", "details", "deskripsi", "isi", "keterangan"),
    "category": ("type", "complaint_type", "service_name", "category", "kategori", "reason"),
    "latitude": ("latitude", "lat", "location_lat", "location_latitude", "lintang"),
    "longitude": ("longitude", "lon", "long", "lng", "location_lon", "location_longitude", "bujur"),
    "place": ("address", "incident_address", "location", "location_street_name", "alamat", "lokasi"),
    "area": ("area", "area_code", "kode_wilayah"),
    "source": ("source", "open_data_channel_type", "channel", "sumber"),
    "depth_cm": ("depth_cm",),
}  # fmt: skip
"""Field → the names it is known by, in order; compared in lower case, with `_` for all but letters and digits."""


def decide(names: Sequence[str], chosen: Mapping[str, str] | None) -> dict[str, str]:
    """Return field → column for the fields that this file has.

    `chosen` goes before what is detected; an empty column name leaves the field out. Raises `Invalid` for an unknown
    field, an absent or doubled column, and a file that has no time, or neither title, text nor category.
    """
    columns = {field: name for field in NAMES if (name := _detected(field, names, chosen or {}))}
    for field, name in (chosen or {}).items():
        if field not in NAMES:
            raise Invalid(f"columns.{field}", f"There is no field {field!r}; there are {', '.join(NAMES)}.")
        if name:
            columns[field] = _present(field, name, names)
    _check(columns, names)
    return columns


def _detected(field: str, names: Sequence[str], chosen: Mapping[str, str]) -> str | None:
    """Return the column that this field usually has, unless the caller decides it."""
    if field in chosen:
        return None
    known: dict[str, list[str]] = {}
    for name in names:
        known.setdefault(_plain(name), []).append(name)
    found = next((known[alias] for alias in NAMES[field] if alias in known), [])
    if len(found) > 1:
        raise Invalid(f"columns.{field}", f"Columns {', '.join(map(repr, found))} could all be {field}: choose one.")
    return found[0] if found else None


def _present(field: str, name: str, names: Sequence[str]) -> str:
    """Return the chosen column if the file has it exactly once, by its exact name or else but for case and spaces."""
    found = [each for each in names if each == name] or [each for each in names if _plain(each) == _plain(name)]
    if not found:
        raise Invalid(f"columns.{field}", f"The file has no column {name!r}; {_has(names)}.")
    if len(found) > 1:
        raise Invalid(f"columns.{field}", f"The file has {len(found)} columns {name!r}: rename all but one.")
    return found[0]


def _check(columns: Mapping[str, str], names: Sequence[str]) -> None:
    if not columns.keys() & {"title", "body", "category"}:
        raise Invalid("columns", f"No column is known as title, body or category; {_has(names)}. Name one.")
    if "opened_at" not in columns:
        raise Invalid("columns.opened_at", f"No column is known as the time of a report; {_has(names)}. Name one.")
    for one, other in (("latitude", "longitude"), ("longitude", "latitude")):
        if one in columns and other not in columns:
            raise Invalid(f"columns.{other}", f"There is a {one}, {columns[one]!r}, but no {other}; {_has(names)}.")


def _has(names: Sequence[str]) -> str:
    listed = ", ".join(map(repr, names[:40]))
    return f"it has {listed}" + (f" and {len(names) - 40} more" if len(names) > 40 else "")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")
