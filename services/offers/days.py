"""The city's day, for limits per day."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def day_began(now: datetime, zone: ZoneInfo) -> datetime:
    """When the day of this moment began in the city, in UTC."""
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
