"""Reads the times of a file: what a value does not say is asked for, never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import timezone as fixed
from typing import Literal
from zoneinfo import ZoneInfo

from shared.errors import Invalid
from shared.importing.rows import Unreadable

Order = Literal["dmy", "mdy"]

# A time may have points, 13.47, as in Indonesia; `\s` takes the narrow space that newer systems put before PM.
_DATE = r"(?P<a>[0-9]{1,4})(?P<mark>[-/.])(?P<b>[0-9]{1,2})(?P=mark)(?P<c>[0-9]{1,4})"
_SECOND = r"(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,9}))?"
_CLOCK = rf"(?P<hour>[0-9]{{1,2}})(?P<colon>[:.])(?P<minute>[0-9]{{2}})(?:(?P=colon){_SECOND})?"
_VALUE = re.compile(
    rf"{_DATE}(?:(?:[Tt]|,?\s+){_CLOCK}(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"(?:\s*(?P<zone>[Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the dates of a whole file prove about their order; both can be proved by a file put together from two."""

    dmy: bool
    mdy: bool

    @property
    def order(self) -> Order | None:
        """The one order that is proved and not contradicted."""
        if self.dmy == self.mdy:
            return None
        return "dmy" if self.dmy else "mdy"


def zone_of(name: str | None) -> ZoneInfo | None:
    """Return the IANA time zone; raises `Invalid` for a name that is none."""
    try:
        return ZoneInfo(name) if name is not None else None
    except (KeyError, ValueError, OSError) as error:
        raise Invalid("timezone", f"{name!r} is not a time zone of the IANA list, such as Asia/Jakarta.") from error


def evidence_of(values: Iterable[str]) -> Evidence:
    """Look at all values of a column: a date that exists in one order only proves that order, such as 21/01/2022."""
    proved: set[Order] = set()
    for value in values:
        match = _VALUE.fullmatch(value.strip())
        if match and len(match["a"]) <= 2 and len(match["c"]) == 4:
            orders = _orders(match)
            proved |= orders if len(orders) == 1 else set()
    return Evidence("dmy" in proved, "mdy" in proved)


def parse(text: str, *, zone: tzinfo | None, order: Order | None, evidence: Evidence) -> datetime:
    """Return the time in UTC.

    ISO 8601 with an offset says it all. Without one, `zone` tells: of a time that the clocks showed twice the first is
    taken, one that they skipped is refused; a date alone is midnight. Numeric dates that end in the year are read in
    `order`, else in the order that `evidence` proves, else only where the date itself proves it and the file is mixed.
    Raises `Unreadable` for whatever else: it says what is wrong with the value.
    """
    match = _VALUE.fullmatch(text.strip())
    if match is None:
        raise Unreadable("is not a date and time, such as 2022-01-21T13:47:00+07:00")
    day = _day(match, order or evidence.order, evidence)
    if not 1900 <= day.year < 9999:
        raise Unreadable("is of a year in which no report was made")
    return _in_utc(datetime(day.year, day.month, day.day) + _clock(match), match["zone"], zone)


def _day(match: re.Match[str], order: Order | None, evidence: Evidence) -> date:
    if len(match["a"]) == 4 and len(match["c"]) <= 2:
        day = _date(match["a"], match["b"], match["c"])
    elif len(match["a"]) > 2 or len(match["c"]) != 4:
        raise Unreadable("has a year that is not written with four digits")
    elif order is not None:
        day = _in_order(match, order)
        if day is None and _orders(match):
            raise Unreadable(f"is not a date in the order {order} in which the dates of this file are read")
    else:
        day = _undecided(match, evidence)
    if day is None:
        raise Unreadable("is not a date of the calendar")
    return day


def _undecided(match: re.Match[str], evidence: Evidence) -> date | None:
    """Read a date of a file of unknown order: by itself if the file is mixed, not at all if it proves nothing."""
    orders = _orders(match)
    if orders and not (evidence.dmy and evidence.mdy):
        raise Unreadable("is ambiguous: give --dates dmy or mdy, for no date of this file proves which it is")
    if len(orders) > 1:
        raise Unreadable("is ambiguous: give --dates dmy or mdy, for this file has dates of both orders")
    return _in_order(match, orders.pop()) if orders else None


def _orders(match: re.Match[str]) -> set[Order]:
    both: tuple[Order, Order] = ("dmy", "mdy")
    return {order for order in both if _in_order(match, order) is not None}


def _in_order(match: re.Match[str], order: Order) -> date | None:
    day, month = (match["a"], match["b"]) if order == "dmy" else (match["b"], match["a"])
    return _date(match["c"], month, day)


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _clock(match: re.Match[str]) -> timedelta:
    """Return the time of day; 12 AM is midnight, and a half of the day with an hour past 12 contradicts itself."""
    hour, minute, second = int(match["hour"] or 0), int(match["minute"] or 0), int(match["second"] or 0)
    if hour > 23 or minute > 59 or second > 59 or (match["half"] and not 1 <= hour <= 12):
        raise Unreadable("has a time of day that does not exist")
    if match["half"]:
        hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
    part = int((match["part"] or "0").ljust(6, "0")[:6])
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=part)


def _in_utc(local: datetime, offset: str | None, zone: tzinfo | None) -> datetime:
    if offset is not None:
        return local.replace(tzinfo=_offset(offset)).astimezone(UTC)
    if zone is None:
        raise Unreadable("has no offset; give --timezone, such as Asia/Jakarta")
    instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local:
        raise Unreadable(f"is a time that the clocks of {zone} skipped")
    return instant


def _offset(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:] if len(text) > 3 else 0)
    if minutes > 14 * 60 or int(text[-2:]) > 59:
        raise Unreadable("has an offset that no place on earth has")
    return fixed(timedelta(minutes=minutes if text[0] == "+" else -minutes))
