"""Who is asking: access tokens signed by accounts, verified here offline, and the organisation that is acted for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.errors import Problem
from shared.events import ActorKind, Party

ALGORITHM = "Ed25519"
ISSUER = "gotong-royong"
AUDIENCE = "gotong-royong-api"

_REMEMBERED = 10_000
_CLAIMS = jwt.JWTClaimsRegistry(
    exp={"essential": True},
    iat={"essential": True},
    sub={"essential": True},
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
)


class Unauthenticated(Problem):
    """Nobody, or nobody we can know, is asking."""

    status = 401
    title = "Sign in first"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, acting for themself or for an organisation they belong to."""

    person: str
    kind: ActorKind = "resident"
    organisation: str | None = None
    role: str | None = None

    @property
    def party(self) -> Party:
        """Whom others see."""
        return Party(kind=self.kind, id=self.organisation or self.person)


class Verifier:
    """Verifies access tokens with accounts' public keys; a token that was good is remembered until it ends."""

    def __init__(self, keys: Callable[[], KeySet]) -> None:
        self._keys = keys
        self._known: dict[str, tuple[str, int]] = {}

    def person(self, token: str) -> str:
        """The id of the person whose token it is; Unauthenticated if it is expired, not ours, or no token."""
        person, ends = self._known.get(token) or self._verify(token)
        if ends <= time.time():
            self._known.pop(token, None)
            raise Unauthenticated("The access token has expired; get a new one at POST /api/tokens.")
        return person

    def _verify(self, token: str) -> tuple[str, int]:
        try:
            claims = jwt.decode(token, self._keys(), algorithms=[ALGORITHM]).claims
            # decode checks the signature only: without this line an expired token would pass
            _CLAIMS.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Unauthenticated("The access token is not valid; get a new one at POST /api/tokens.") from error
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        known = self._known[token] = (str(claims["sub"]), int(claims["exp"]))
        return known
