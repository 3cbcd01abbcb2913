"""The signing keys: made on the first start, kept in a file only its owner may read; the public half verifies."""

from __future__ import annotations

import json
import os
from pathlib import Path

from joserfc.jwk import KeySet, OKPKey


def signing_key(folder: Path) -> OKPKey:
    """The key that signs access tokens; made where there is none yet."""
    path = folder / "signing.json"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not path.exists():
        _create(path, json.dumps(OKPKey.generate_key("Ed25519", auto_kid=True).as_dict(private=True)))
    return OKPKey.import_key(json.loads(path.read_text()))


def verifying_keys(folder: Path) -> KeySet:
    """The public keys, for everybody who verifies access tokens."""
    public = signing_key(folder).as_dict(private=False)
    return KeySet([OKPKey.import_key(public)])


def secret(folder: Path, name: str) -> bytes:
    """A random secret of 32 bytes under this name; made where there is none yet."""
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _create(path, os.urandom(32).hex())
    return bytes.fromhex(path.read_text())


def _create(path: Path, content: str) -> None:
    """Write a secret whole or not at all; of two processes that begin together, the first one's stays."""
    draft = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
