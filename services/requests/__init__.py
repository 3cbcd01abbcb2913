"""Requests: what people ask of each other, from the first word to the confirmed end."""
