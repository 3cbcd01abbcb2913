"""Feeds: the public log of everything that happened, to pull and to follow."""
