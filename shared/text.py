"""The kinds of input that people type, checked at the door: text, places, quantities, times, ids."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

# C0 and C1 controls, line separators and the characters that turn the direction of text around.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_IN_TEXT = re.compile(f"[{_CONTROLS}]")
_IN_LINE = re.compile(f"[{_CONTROLS}\t\n]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")
_LARGEST = 10**12


def visible(value: str) -> str:
    """The text, if there is anything to see in it."""
    if not any(each.isprintable() and each != " " for each in value):
        raise ValueError("this text is blank")
    return value


def _line(value: str) -> str:
    if _IN_LINE.search(value):
        raise ValueError("control characters are not allowed here")
    return visible(value)


def _lowered(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _text(value: str) -> str:
    value = value.replace("\r\n", "\n")
    if _IN_TEXT.search(value):
        raise ValueError("control characters are not allowed here")
    return value


def _moment(value: Any) -> Any:
    # Without the look at its beginning, a number in a text would be taken for seconds since 1970.
    if not isinstance(value, datetime) and not (isinstance(value, str) and _DATE.match(value)):
        raise ValueError("give a time such as 2026-11-25T08:00:00+07:00")
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs its offset, such as 2026-11-25T08:00:00+07:00")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("this time is out of range") from error


Title = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=140), AfterValidator(_line)
]
Name = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=80), AfterValidator(_line)
]
Body = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, max_length=4000), AfterValidator(_text)]
Note = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, max_length=1000), AfterValidator(_text)]
Slug = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=40),
    BeforeValidator(_lowered),  # to_lower would come after the pattern
]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Code = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$")]
Quantity = Annotated[int, Field(strict=True, ge=1, le=_LARGEST)]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    AfterValidator(_aware),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

UNITS = ("kg", "litre", "piece", "pack", "box", "set", "meal", "person", "hour", "trip", "night", "IDR")
Unit = Literal["kg", "litre", "piece", "pack", "box", "set", "meal", "person", "hour", "trip", "night", "IDR"]


class Input(BaseModel):
    """The body of a call: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_LATITUDE: dict[str, Any] = {"minimum": -90, "maximum": 90}


class Location(Input):
    """A point in degrees, WGS 84. A latitude beyond a pole is left to the areas, who know whether it was swapped."""

    lon: Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False, json_schema_extra=_LATITUDE)]
