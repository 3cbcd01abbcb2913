"""A need is met only in its own unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import city_in_process
from tests.stories import ask_help, offer, organisation, person


@pytest.mark.parametrize(("unit", "status"), [("kg", 201), ("IDR", 409)])
async def test_fifty_rupiah_are_not_fifty_kilograms_of_rice(tmp_path: Path, unit: str, status: int) -> None:
    async with city_in_process(tmp_path) as city:
        request = await ask_help(await person(city), ("rice", 50, "kg"))
        giver = await organisation(city, "company")
        budget = await offer(giver, unit, 1_000_000)
        wanted = {
            "offer_id": budget["id"],
            "request_id": request["id"],
            "need_id": request["needs"][0]["id"],
            "quantity": 50,
        }
        answered = await giver.ask("POST", "/api/sponsorships", wanted)
    assert answered.status_code == status, answered.text
