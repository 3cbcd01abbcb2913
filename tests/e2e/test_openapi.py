"""The OpenAPI document is valid and complete, and the running city keeps to it whatever is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from services.web.routes import ROUTES
from tests.running import application
from tests.world import World, running_world

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def _operations(document: Any) -> Iterator[Any]:
    """All but the stream, which never ends."""
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(found, Ok)
        if found.ok().path != "/api/events/stream":
            yield found.ok()


# As the applications of this code make it; that a running city serves the same is a test of its own.
DOCUMENT = application(Path("nowhere")).openapi()
OPERATIONS = {each.label: each for each in _operations(DOCUMENT)}


def _takes_something(operation: Any) -> bool:
    """Whether there is something to get wrong: a header may be any text."""
    raw = operation.definition.raw
    return "requestBody" in raw or any(each["in"] != "header" for each in raw.get("parameters", ()))


TAKING = [label for label, each in OPERATIONS.items() if _takes_something(each)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("city")) as made:
        yield made


def test_the_document_is_valid_and_the_running_city_serves_it(world: World) -> None:
    served = world.client.get("/openapi.json")

    assert served.status_code == 200
    assert served.json() == DOCUMENT
    schemathesis.openapi.from_dict(served.json()).validate()


def test_the_document_has_operations_of_every_route_and_no_route_is_unknown() -> None:
    segments = {path.split("/")[2] for path in DOCUMENT["paths"] if path.startswith("/api/")}
    assert segments == set(ROUTES)


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    every = [each for path in DOCUMENT["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in every}) == len(every)
    assert all(each["description"] for each in every)


def test_every_refusal_is_documented_as_a_problem_document() -> None:
    for path, methods in DOCUMENT["paths"].items():
        if path.startswith("/api/") and not path.startswith("/api/areas"):
            for each in methods.values():
                for status in ("401", "404", "409", "412", "422", "503"):
                    assert "application/problem+json" in each["responses"][status]["content"], path


def _check(world: World, label: str, mode: GenerationMode, examples: int, checks: list[Any], **known: str) -> None:
    """Send what the operation's schema allows (or, in the other mode, does not) and check each answer."""
    who = "firm" if label.split("/api/")[-1].startswith(("offers", "sponsorships")) else "author"

    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def sent(case: Any) -> None:
        for given_ids in (case.path_parameters, case.body):
            if isinstance(given_ids, dict):
                given_ids |= {name: value for name, value in known.items() if name in given_ids}
        case.call_and_validate(base_url=world.city.url, checks=checks, headers=world.headers[who], timeout=20)

    sent()


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_an_operation_may_be_sent_is_answered_as_it_says(world: World, label: str) -> None:
    names = world.names
    known = {f"{each}_id": names[each] for each in ("request", "pledge", "offer", "activity", "sponsorship", "need")}
    known |= {"organisation_id": names["firm"], "contribution_id": names["pledge"], "person": names["helper_id"]}
    _check(world, label, GenerationMode.POSITIVE, 10, CHECKS, **known)


@pytest.mark.parametrize("label", TAKING)
def test_what_an_operation_may_not_be_sent_is_refused_as_it_says(world: World, label: str) -> None:
    _check(world, label, GenerationMode.NEGATIVE, 15, CHECKS)


def test_the_city_noted_no_fault_of_its_own(world: World) -> None:
    assert "Traceback" not in world.city.log
