"""The only room with secrets: passwords, refresh tokens and the signing of access tokens."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from joserfc import jwt

from services.accounts.keys import secret, signing_key
from shared.auth import ALGORITHM, AUDIENCE, ISSUER, Unauthenticated
from shared.decider import Collection
from shared.errors import Rejected
from shared.ids import new_id
from shared.runtime import Context
from shared.store import Conflict, Document

ACCESS_S = 15 * 60
REFRESH = timedelta(days=30)

CREDENTIALS = Collection("credential")
REFRESHES = Collection("refresh", ("ends", "person"), (("ends",), ("person", "key")))


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a person gets for a password or refresh token. `expires_in` is in seconds."""

    access_token: str
    expires_in: int
    refresh_token: str


class Credentials:
    """Passwords by e-mail address, and tokens. Hashing runs on another thread: it takes tens of milliseconds."""

    def __init__(self, context: Context) -> None:
        folder = Path(context.settings.data) / "keys"
        self._context = context
        self._key = signing_key(folder)
        self._pepper = secret(folder, "address-pepper")
        self._hasher = PasswordHasher(time_cost=2, memory_cost=context.settings.argon2_memory_kib, parallelism=1)
        # Verified against where there is no such address, so that both take as long.
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    @classmethod
    def of(cls, context: Context) -> Credentials:
        """The one that the service set up at its start."""
        found: Credentials = context.parts["credentials"]
        return found

    def public_keys(self) -> dict[str, Any]:
        """The JWK set with which access tokens are verified."""
        return {"keys": [self._key.as_dict(private=False)]}

    async def register(self, email: str, password: str) -> str:
        """Set the password for an address and give the id of its person to be; Rejected where another has it.

        Who registers again with the same password after a crash half-way gets the same id, and goes on.
        """
        there = await self._load(email)
        if there is None:
            hashed = await asyncio.to_thread(self._hasher.hash, password)
            person = new_id()
            state = orjson.dumps({"person": person, "hash": hashed})
            try:
                await self._context.store.save(Document(CREDENTIALS.kind, self._address(email), 1, state), 0)
                return person
            except Conflict:
                there = await self._load(email)
        if there and await self._matches(there["hash"], password):
            return there["person"]
        raise Rejected("This e-mail address is registered already.", field="email")

    async def sign_in(self, email: str, password: str) -> Tokens:
        """Tokens for an address and password; Unauthenticated without saying which of them is wrong."""
        there = await self._load(email)
        good = await self._matches(there["hash"] if there else self._nobody, password)
        if there is None or not good:
            raise Unauthenticated("E-mail address or password is wrong.")
        return await self._issue(there["person"])

    async def refresh(self, token: str) -> Tokens:
        """New tokens for a refresh token, which is used up by it."""
        key = hashlib.sha256(token.encode()).hexdigest()
        document = await self._context.store.load(REFRESHES.kind, key)
        now = self._context.clock().timestamp()
        kept = orjson.loads(document.state) if document else None
        if document is None or kept is None or kept["used"] or kept["ends"] <= now:
            raise Unauthenticated("This refresh token is not valid; sign in again.")
        used = Document(REFRESHES.kind, key, 2, orjson.dumps({**kept, "used": True}), index=kept)
        try:
            await self._context.store.save(used, document.version)
        except Conflict as error:
            raise Unauthenticated("This refresh token is not valid; sign in again.") from error
        return await self._issue(kept["person"])

    async def _issue(self, person: str) -> Tokens:
        now = self._context.clock()
        began = int(now.timestamp())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": person, "iat": began, "exp": began + ACCESS_S, "jti": new_id()}
        access = jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key, algorithms=[ALGORITHM])
        refresh = secrets.token_urlsafe(32)
        kept = {"person": person, "ends": (now + REFRESH).timestamp(), "used": False}
        key = hashlib.sha256(refresh.encode()).hexdigest()
        await self._context.store.save(Document(REFRESHES.kind, key, 1, orjson.dumps(kept), index=kept), 0)
        return Tokens(access, ACCESS_S, refresh)

    async def _load(self, email: str) -> dict[str, str] | None:
        document = await self._context.store.load(CREDENTIALS.kind, self._address(email))
        found: dict[str, str] | None = orjson.loads(document.state) if document else None
        return found

    def _address(self, email: str) -> str:
        """The key of an address: nobody who sees the file can read or guess it without the pepper."""
        return hmac.new(self._pepper, email.casefold().encode(), hashlib.sha256).hexdigest()

    async def _matches(self, hashed: str, password: str) -> bool:
        try:
            return await asyncio.to_thread(self._hasher.verify, hashed, password)
        except VerificationError:
            return False


async def set_up(context: Context) -> None:
    """For the service's start."""
    context.parts["credentials"] = Credentials(context)
