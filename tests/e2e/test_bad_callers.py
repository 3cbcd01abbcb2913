"""Callers who are not who they say, edits of other versions, and bytes that are no HTTP: refused, nothing changed."""

from __future__ import annotations

import base64
import json
import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from services.accounts.keys import signing_key
from shared.auth import ALGORITHM, AUDIENCE, ISSUER
from tests.world import World, problem_of, running_world
from tests.wrong import DOORS


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("city")) as made:
        yield made


@pytest.mark.parametrize("name", [name for name in DOORS if name not in ("people", "tokens")])
def test_nobody_in_particular_changes_nothing(world: World, name: str) -> None:
    door = DOORS[name]
    response = world.send(door.method, door.path, json=door.good)
    world.refused(response, 401)
    assert response.headers["www-authenticate"] == "Bearer"


def _claims(**other: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": str(uuid.uuid4()), "iat": now, "exp": now + 600}
    return {name: value for name, value in {**good, **other}.items() if value is not None}


def _parts(*parts: Any) -> str:
    return ".".join(base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts)


def _forged(world: World) -> tuple[str, dict[str, str]]:
    """A good header, whose person nobody knows, and those that must not let anybody in: most differ in one thing."""
    key = signing_key(world.city.folder / "data" / "keys")
    head = {"alg": ALGORITHM, "kid": key.kid}

    def signed(**other: Any) -> str:
        return jwt.encode(head, _claims(**other), key, algorithms=[ALGORITHM])

    other_key = OKPKey.generate_key("Ed25519", {"kid": str(key.kid)})
    secret = OctKey.import_key(json.dumps(key.as_dict(private=False)))
    whole = signed()
    tokens = {
        "a word": "rahasia",
        "three words": "a.b.c",
        "five parts": "a.b.c.d.e",
        "the algorithm none": _parts({"alg": "none"}, _claims()) + ".",
        "none with a capital": _parts({"alg": "None", "kid": key.kid}, _claims()) + ".",
        "a shared secret": jwt.encode({"alg": "HS256", "kid": key.kid}, _claims(), secret, algorithms=["HS256"]),
        "another key": jwt.encode(head, _claims(), other_key, algorithms=[ALGORITHM]),
        "another key's name": _parts({"alg": ALGORITHM, "kid": "x"}, _claims()) + ".AAAA",
        "a head that is a list": _parts([], _claims()) + ".AAAA",
        "a head that is a number": _parts(5, _claims()) + ".AAAA",
        "a head with a list for its algorithm": _parts({"alg": [], "kid": key.kid}, _claims()) + ".AAAA",
        "a head with an object for its key": _parts({"alg": ALGORITHM, "kid": {}}, _claims()) + ".AAAA",
        "something critical": _parts({"alg": ALGORITHM, "kid": key.kid, "crit": ["x"]}, _claims()) + ".AAAA",
        "a cut signature": whole[:-5],
        "more after it": whole + ".x",
        "another's claims": ".".join((whole.split(".")[0], _parts(_claims()), whole.split(".")[2])),
        "no good letters": "\u00e9.\u00e9.\u00e9",
        "an endless one": "a" * 20_000,
        "an end in the past": signed(exp=int(time.time()) - 1),
        "no end": signed(exp=None),
        "a word for its end": signed(exp="soon"),
        "another audience": signed(aud="somewhere-else"),
        "another issuer": signed(iss="somebody-else"),
        "nobody": signed(sub=None),
        "no beginning": signed(iat=None),
        "a beginning in the future": signed(iat=int(time.time()) + 3_600),
        "a list of audiences without ours": signed(aud=["a", "b"]),
    }
    headers = {about: f"Bearer {token}" for about, token in tokens.items()}
    others = {"another scheme": f"Basic {whole}", "no scheme": whole, "nothing": "", "a scheme alone": "Bearer"}
    return f"Bearer {whole}", {**headers, **others}


def test_no_forged_or_foreign_token_lets_anybody_in(world: World) -> None:
    good, forged = _forged(world)
    assert world.send("GET", "/api/people/me", headers={"Authorization": good}).status_code == 404
    for about, value in forged.items():
        headers = [(b"Authorization", value.encode("latin-1"))]
        response = world.client.request("GET", "/api/people/me", headers=headers)
        assert response.status_code == 401, f"{about}: {response.status_code} {response.text}"
        problem_of(response, 401)
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("organisation", ["{firm}", "00000000-0000-7000-8000-000000000000", "x"])
def test_nobody_acts_for_an_organisation_that_is_not_theirs(world: World, organisation: str) -> None:
    door = DOORS["offers"]
    headers = {"Act-For": world.named(organisation)}
    problem = world.refused(world.send("POST", door.path, "stranger", json=door.good, headers=headers), 403)
    assert problem["field"] == "Act-For"
    world.refused(world.send("POST", door.path, json=door.good, headers=headers), 401)


def test_a_person_is_no_organisation_and_an_organisation_no_person(world: World) -> None:
    world.refused(world.send("POST", "/api/offers", "author", json=DOORS["offers"].good), 403)
    world.refused(world.send("POST", "/api/organisations", "firm", json=DOORS["organisations"].good), 403)
    world.refused(world.send("POST", "/api/activities/{activity}/join", "firm", json={"role": "angkut"}), 403)


VERSIONED = [
    ("POST", "/api/requests/{request}/cancel", "author"),
    ("POST", "/api/pledges/{pledge}/withdraw", "helper"),
    ("POST", "/api/offers/{offer}/pause", "firm"),
    ("POST", "/api/activities/{activity}/cancel", "author"),
]


@pytest.mark.parametrize(("method", "path", "who"), VERSIONED)
def test_an_edit_of_another_version_is_refused(world: World, method: str, path: str, who: str) -> None:
    for wrong in ("3", '"x"', '""', '"1", "2"', '"-1"', '"1.0"', "W/3", '"' + "9" * 16 + '"'):
        world.refused(world.send(method, path, who, headers={"If-Match": wrong}), 422, field="If-Match")
    for stale in ('"999"', 'W/"0"'):
        problem = world.refused(world.send(method, path, who, headers={"If-Match": stale}), 412)
        assert problem["version"] >= 1


@pytest.mark.parametrize("key", ["a b", "", "a\tb", "x" * 256, "\u00e9", "a\u00a0b"])
@pytest.mark.parametrize("name", ["requests", "pledges", "offers", "activities", "sponsorships", "comments"])
def test_an_idempotency_key_that_is_none_is_refused(world: World, name: str, key: str) -> None:
    door = DOORS[name]
    body = json.loads(world.named(json.dumps(door.good)))
    who = [(name.encode(), value.encode()) for name, value in world.headers[door.who].items()]
    headers = [*who, (b"Idempotency-Key", key.encode("latin-1"))]
    response = world.client.request("POST", world.named(door.path), json=body, headers=headers)
    world.refused(response, 422, field="Idempotency-Key")


ODD: dict[str, bytes] = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no version": b"GET /api/requests\r\n\r\n",
    "a header without a colon": b"GET /live HTTP/1.1\r\nHost: a\r\nNonsense\r\n\r\n",
    "a length that is no number": b"POST /api/tokens HTTP/1.1\r\nHost: a\r\nContent-Length: five\r\n\r\n",
    "a negative length": b"POST /api/tokens HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    "two lengths": b"POST /api/tokens HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": b"POST /api/tokens HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a chunk without a size": b"POST /api/tokens HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "an endless header": b"GET /live HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    "an endless path": b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "NUL in a header": b"GET /live HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    "an unknown method": b"BREW /api/requests HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path that is no path": b"GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "half a body": b"POST /api/tokens HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b"Content-Length: 50\r\n\r\n{",
    "a bare percent sign": b"GET /api/requests?q=%&area=%zz HTTP/1.1\r\nHost: a\r\n\r\n",
    "a raised digit for an id": b"GET /api/events/stream HTTP/1.1\r\nHost: a\r\nLast-Event-ID: \xb2\r\n\r\n",
    "raw bytes in a path": b"GET /api/requests/\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("about", ODD)
def test_whatever_comes_over_the_wire_is_not_our_fault_and_changes_nothing(world: World, about: str) -> None:
    with socket.create_connection(("127.0.0.1", world.city.port), timeout=10) as connection:
        connection.sendall(ODD[about])
        connection.shutdown(socket.SHUT_WR)
        told = b""
        try:
            while part := connection.recv(65_536):
                told += part
        except ConnectionResetError:
            pass
    assert not told or told.split(b" ", 2)[1][:1] in (b"2", b"4"), told[:300]
    assert world.look() == world.before


def test_the_city_noted_no_fault_of_its_own(world: World) -> None:
    assert world.send("GET", "/live").status_code == 200
    assert "unexpected error" not in world.city.log
    assert "Traceback" not in world.city.log
