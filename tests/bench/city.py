"""A city to measure: a process of its own over an empty data folder, and tokens for as many people as needed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from joserfc import jwt

from services.accounts.keys import signing_key
from shared.auth import ALGORITHM, AUDIENCE, ISSUER
from shared.ids import new_id


@dataclass
class City:
    """A running city; `ready_s` is how long its start took."""

    port: int
    data: Path
    process: subprocess.Popen[bytes]
    ready_s: float

    def token(self) -> str:
        """An access token of a new person, signed with the city's own key: no password is hashed for it."""
        key, now = signing_key(self.data / "keys"), int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": new_id(), "iat": now, "exp": now + 3600}
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])

    def memory_mb(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cpu_s(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running_city(**settings: str) -> Iterator[City]:
    """A city on a free port, gone with its data at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "GOTONG_PORT": str(port),
            "GOTONG_DATA": folder,
            "GOTONG_DEMO": "0",
            "GOTONG_LOG_LEVEL": "info",
            **settings,
        }
        began = time.perf_counter()
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "services"],
                env=environment,
                stdout=log,
                stderr=log,
            )
        try:
            _wait(port, process)
            yield City(port, Path(folder), process, time.perf_counter() - began)
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1000):
        if process.poll() is not None:
            raise RuntimeError("the city ended before it was ready")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=1)
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
    raise RuntimeError("the city was not ready in time")
