"""Settings: deploy/settings.env has every one with its default and a reason, and wrong values are refused."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.settings import Settings

FILE = Path(__file__).resolve().parents[2] / "deploy" / "settings.env"
PREFIX = str(Settings.model_config["env_prefix"])


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of whoever runs the tests, and no `.env`."""
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def documented() -> dict[str, tuple[str, str]]:
    """Name → (value, the comment above it)."""
    found = {}
    for block in FILE.read_text(encoding="utf-8").split("\n\n"):
        *comment, setting = block.strip().splitlines()
        if match := re.fullmatch(r"([A-Z0-9_]+)=(.*)", setting):
            found[match[1]] = (match[2], " ".join(line.removeprefix("# ") for line in comment))
    return found


def test_every_setting_is_documented_in_the_order_of_the_code() -> None:
    assert list(documented()) == [PREFIX + name.upper() for name in Settings.model_fields]


def test_each_has_its_reason() -> None:
    for name, (_, why) in documented().items():
        assert len(why.split()) > 5, name


def test_the_documented_values_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = Settings()
    for name, (value, _) in documented().items():
        monkeypatch.setenv(name, value)
    assert Settings() == defaults


def test_the_file_can_be_used_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    defaults = Settings()
    (tmp_path / ".env").write_bytes(FILE.read_bytes())
    assert Settings() == defaults
    (tmp_path / ".env").write_text("GOTONG_PORT=8111\nGOTONG_LANGUAGE=en\n")
    monkeypatch.setenv("GOTONG_LANGUAGE", "id")
    assert (Settings().port, Settings().language) == (8111, "id")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIMEZONE", "Mars/Base"),
        ("TIMEZONE", ""),
        ("TIMEZONE", "../../etc/passwd"),
        ("PORT", "abc"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", "80.5"),
        ("LANGUAGE", "fr"),
        ("DEMO", "perhaps"),
        ("LOG", "loud"),
        ("LOG_LEVEL", "INFO!"),
        ("ARGON2_MEMORY_KIB", "1"),
        ("OUTBOX_LIMIT", "0"),
    ],
)
def test_a_wrong_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert [each["loc"] for each in refused.value.errors()] == [(name.lower(),)]


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "UTC", "America/New_York"])
def test_the_time_zone_is_an_iana_name(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv(f"{PREFIX}TIMEZONE", zone)
    assert Settings().zone.key == zone
