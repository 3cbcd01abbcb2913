"""`python -m services` runs the whole city in one process; `python -m services --help` lists what else there is."""

from services.cli import app

app()
