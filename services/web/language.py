"""The page's two languages: their words, how numbers and times read in them, and which one a visitor gets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from fastapi import Request, Response

from shared.settings import Settings

LANGUAGES: tuple[str, ...] = get_args(Settings.model_fields["language"].annotation)
COOKIE = "lang"
_HOLE = re.compile(r"\{(\w+)\}")
_KEPT_S = 31_536_000
_MINUTE, _HOUR, _DAY, _MONTH, _YEAR = 60, 3_600, 86_400, 2_629_800, 31_557_600


class Words:
    """The texts of one language by key. Where a text has a `|`, what stands before it is for exactly one."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self.texts = texts

    def __contains__(self, key: str) -> bool:
        return key in self.texts

    def __call__(self, key: str, n: float | None = None, **values: str) -> str:
        """The text of a key with its `{holes}` filled; a hole without a value stays, for whoever fills it later."""
        one, _, many = self.texts[key].partition("|")
        text = one if n == 1 or not many else many
        if n is not None:
            values["n"] = self.number(n)
        return _HOLE.sub(lambda hole: values.get(hole[1], hole[0]), text)

    def number(self, n: float) -> str:
        """A number with this language's marks between thousands and before decimals."""
        marks = {",": self.texts["number.group"], ".": self.texts["number.decimal"]}
        return re.sub("[,.]", lambda mark: marks[mark[0]], f"{n:,}")

    def amount(self, quantity: int, unit: str) -> str:
        """`40 kg`, `2 people`, `Rp 2.000.000`."""
        key = f"unit.{unit}"
        return self(key, quantity) if key in self else f"{self.number(quantity)} {unit}"

    def distance(self, metres: float) -> str:
        """To the next 50 metres, or tenth of a kilometre: the places are blurred anyway."""
        if metres < 1_000:
            return self("distance.m", max(50, round(metres / 50) * 50))
        return self("distance.km", round(metres / 1_000, 1))

    def category(self, slug: str) -> str:
        """A category's name; one that has none here reads as it was given."""
        key = f"category.{slug}"
        return self(key) if key in self else slug.replace("-", " ").replace("_", " ").capitalize()

    def moment(self, then: datetime, now: datetime) -> str:
        """How long ago, or until when; the page's script says the same again as time goes by."""
        seconds = round((now - then).total_seconds())
        way, size = ("ago", seconds) if seconds >= 0 else ("in", -seconds)
        if size < 45:
            return self(f"{way}.now")
        steps = (("minute", _MINUTE, 60), ("hour", _HOUR, 24), ("day", _DAY, 30), ("month", _MONTH, 12))
        for name, length, most in steps:
            count = max(1, (size + length // 2) // length)
            if count < most:
                return self(f"{way}.{name}", count)
        return self(f"{way}.year", max(1, (size + _YEAR // 2) // _YEAR))


def _read(language: str) -> Words:
    texts: dict[str, Any] = json.loads((Path(__file__).parent / "words" / f"{language}.json").read_text("utf-8"))
    return Words(language, texts)


WORDS = {language: _read(language) for language in LANGUAGES}


def choose(request: Request, default: str) -> Words:
    """By `?lang=`, else the cookie that remembers it, else what the browser prefers, else the city's own."""
    asked = (request.query_params.get("lang"), request.cookies.get(COOKIE))
    for language in (*asked, *_preferred(request.headers.get("accept-language", ""))):
        if language in WORDS:
            return WORDS[language]
    return WORDS[default]


def _preferred(header: str) -> list[str]:
    """The languages of an Accept-Language header (RFC 9110, 12.5.4), best first, without their regions."""
    weighed = []
    for entry in header.split(",")[:20]:
        tag, _, parameter = entry.partition(";")
        match = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", parameter) if parameter else None
        weight = 0.0 if parameter and match is None else float(match[1]) if match else 1.0
        if weight > 0:
            weighed.append((-weight, tag.strip().lower().partition("-")[0]))
    # `in` is what some old devices still call Indonesian.
    return ["id" if tag == "in" else tag for _, tag in sorted(weighed, key=lambda each: each[0])]


def remember(request: Request, response: Response, words: Words) -> None:
    """Keep a language that was asked for in the address."""
    if request.query_params.get("lang") == words.language:
        response.set_cookie(COOKIE, words.language, _KEPT_S, samesite="lax", httponly=True)
