"""Twenty thousand events go through every bus, to every group, in order and none twice while nothing fails."""

from __future__ import annotations

import asyncio

from tests.contract.test_bus import Group, OpenBus, open_bus, running
from tests.kernel import sealed

__all__ = ["open_bus"]


async def test_twenty_thousand_events_reach_every_group(open_bus: OpenBus) -> None:
    sent = [sealed(f"subject {number % 50}", number // 50 + 1) for number in range(20_000)]
    groups = [Group("one"), Group("two")]
    async with running(open_bus, *groups) as bus:
        await asyncio.gather(*(bus.publish(sent[start : start + 250]) for start in range(0, 20_000, 250)))
        for each in groups:
            await each.has(20_000)
    for each in groups:
        assert len({envelope.id for envelope in each.got}) == 20_000
        assert all(each.sequences(f"subject {which}") == list(range(1, 401)) for which in range(50))
