"""Names compared as people write them: case, spaces, punctuation and accents do not count, small slips count little."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher, get_close_matches
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def plain(name: str) -> str:
    """The letters and digits of a name, without case and accents: `KRAMAT JATI` and `Kramatjati` are the same."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKD", name).casefold())


def likeness(a: str, b: str) -> float:
    """How alike two names are written, from 0 to 1 (the same)."""
    return SequenceMatcher(None, plain(a), plain(b), autojunk=False).ratio()


def nearest(text: str, named: Iterable[tuple[str, A]], most: int = 3) -> list[A]:
    """Up to `most` things whose name is near the text, the nearest first; a thing may have several names."""
    by_name: dict[str, list[A]] = {}
    for name, thing in named:
        by_name.setdefault(plain(name), []).append(thing)
    close = get_close_matches(plain(text[:80]), by_name, most, cutoff=0.7)
    found = [thing for name in close for thing in by_name[name]]
    return list(dict.fromkeys(found))[:most]


def pairs(
    left: Iterable[A], right: Iterable[B], score: Callable[[A, B], float], least: float, margin: float
) -> list[tuple[A, B]]:
    """The pairs that nobody would doubt.

    Each scores `least` or more, and beats every other choice of either side by `margin`.
    """
    left, right = list(left), list(right)
    table = [[score(a, b) for b in right] for a in left]
    found = []
    for i, row in enumerate(table):
        for j, value in enumerate(row):
            others = [*row[:j], *row[j + 1 :], *(line[j] for k, line in enumerate(table) if k != i)]
            if value >= least and all(value - other >= margin for other in others):
                found.append((left[i], right[j]))
    return found
