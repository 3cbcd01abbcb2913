"""Reads the files that a city already has, 311 exports and JSON lines, as reports; pure: no store, no web."""

from shared.importing.reading import Reading, read
from shared.importing.rows import Refusal, Row

__all__ = ["Reading", "Refusal", "Row", "read"]
