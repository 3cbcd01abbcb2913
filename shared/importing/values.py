"""Makes the single values of a report from what a file holds: text, titles, categories, places and depths."""

from __future__ import annotations

import re
import unicodedata

from shared.importing.rows import Unreadable

TITLE = 140
BODY = 4_000
CATEGORY = 40

# C0 and C1 controls and what turns the direction of text around go; the old and the Unicode line ends become newlines.
_CONTROLS: dict[int, str | None] = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
    **{ord("\t"): "\t", **dict.fromkeys(map(ord, "\n\r\u2028\u2029"), "\n")},
}

_NUMBER = re.compile(r"[+-]?\d{1,9}(?:[.,]\d+)?(?:[eE][+-]?\d{1,2})?", re.ASCII)
# A full stop after a number or up to three letters is mostly an abbreviation: "di Jl. Menceng", "30 cm. lagi".
_SENTENCE = re.compile(r"\n|(?<=[^\W\d_]{4}\.)\s+|(?<=[!?…])\s+")


def body_text(text: str) -> str:
    """Return the text without control characters; line ends become newlines, tabs stay, all others are kept."""
    kept = text.replace("\r\n", "\n").translate(_CONTROLS)
    return kept.strip(" \t\n") if not kept.isspace() else ""


def line_text(text: str) -> str:
    """Return the text as one line: newlines and tabs become spaces, other control characters go."""
    return body_text(text).replace("\n", " ").replace("\t", " ")


def cut(text: str) -> str:
    """Return a title of at most 140 characters, ended with … at a word's end if the text is longer."""
    if len(text) <= TITLE:
        return text
    head = text[: TITLE - 1]
    words = head.rsplit(maxsplit=1)
    inside = not (head[-1].isspace() or text[TITLE - 1].isspace())
    return (words[0] if inside and len(words) == 2 else head).rstrip() + "…"


def first_sentence(text: str) -> str:
    """Return the first sentence that says something: one that has a word besides hashtags; empty if there is none."""
    sentences = [each.strip() for each in _SENTENCE.split(text)]
    words = [each for each in sentences if re.search(r"\w", re.sub(r"#\w+", "", each))]
    tags = [each for each in sentences if re.search(r"\w", each)]
    return next(iter(words or tags), "")


def slug(text: str) -> str:
    """Return `General Comments` as `general-comments`: ASCII letters and digits, at most 40 characters, whole words."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(words) <= CATEGORY or words[CATEGORY] == "-":
        return words[:CATEGORY]
    return words[:CATEGORY].rpartition("-")[0] or words[:CATEGORY]


def coordinates(longitude: str, latitude: str) -> tuple[float, float] | None:
    """Return (longitude, latitude) in degrees, or None for a blank pair and for 0, 0, which stands for "not known".

    A comma is a decimal mark if the pair has no point beside it: a group of thousands would lie off the earth anyway.
    Raises `Unreadable` for half a pair, for what is no number, and for what lies off the earth.
    """
    pair = (longitude.strip(), latitude.strip())
    if pair == ("", ""):
        return None
    if "" in pair:
        raise Unreadable("is half a place: one coordinate is blank")
    if "," in "".join(pair) and "." in "".join(pair):
        raise Unreadable("is written with both comma and point")
    lon, lat = (_number(each) for each in pair)
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        swapped = -180 <= lat <= 180 and -90 <= lon <= 90
        raise Unreadable("lies off the earth" + ("; longitude and latitude may be swapped" if swapped else ""))
    return (lon, lat) if (lon, lat) != (0, 0) else None


def depth(text: str) -> str:
    """Return a depth in centimetres as a sentence; empty for blank."""
    if not text.strip():
        return ""
    value = _number(text.strip())
    if value < 0:
        raise Unreadable("is not a depth in centimetres")
    return f"Water depth: {value:g} cm."


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise Unreadable("is not a number")
    return float(text.replace(",", "."))
