"""A city to measure: a process of its own over an empty data folder, and tokens for as many people as needed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from joserfc import jwt

from services.accounts.keys import signing_key
from shared.auth import ALGORITHM, AUDIENCE, ISSUER
from shared.ids import new_id
from tests.running import CityProcess


class City(CityProcess):
    """A running city, what it costs, and who may act in it."""

    def token(self) -> str:
        """An access token of a new person, signed with the city's own key: no password is hashed for it."""
        key, now = signing_key(self.folder / "data" / "keys"), int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": new_id(), "iat": now, "exp": now + 3600}
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])

    def memory_mb(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cpu_s(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running_city(**settings: str) -> Iterator[tuple[City, float]]:
    """A city and the seconds that its start took; gone with its data at the end."""
    with TemporaryDirectory() as folder:
        city = City(Path(folder), **{"log_level": "info", **settings})
        began = time.perf_counter()
        city.start()
        try:
            yield city, time.perf_counter() - began
        finally:
            city.stop()
