"""The settings: environment variables or a `.env` file, prefix GOTONG_, read once at the edge and passed on."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting with its default; deploy/settings.env says why each one is there."""

    model_config = SettingsConfigDict(env_prefix="GOTONG_", env_file=".env", env_file_encoding="utf-8", extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    data: Path = Path("data")
    city: str = "jakarta"
    demo: bool = True
    timezone: str = "Asia/Jakarta"
    language: Literal["id", "en"] = "id"
    log: Literal["plain", "json"] = "plain"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    argon2_memory_kib: int = Field(default=19_456, ge=64)
    outbox_limit: int = Field(default=100_000, ge=1)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is not an IANA time zone such as Asia/Jakarta") from error
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone, in which days begin and times without offset are meant."""
        return ZoneInfo(self.timezone)
