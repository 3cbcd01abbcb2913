"""Volunteering: pledges towards needs, and communal work."""
