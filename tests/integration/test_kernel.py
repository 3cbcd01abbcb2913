"""How a command runs over the embedded store, and what is told the time: with a counter for an aggregate."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from shared.decider import PassTime
from shared.errors import NotFound, Rejected, Stale
from shared.events import SYSTEM
from shared.runtime import Context
from shared.store import Conflict, Document, Entry, Unavailable
from shared.store.sqlite import SqliteStore
from shared.timers import Timers
from tests.kernel import (
    ANI,
    COUNTER,
    KINDS,
    T0,
    Counter,
    HandClock,
    Increase,
    Open,
    WatchedStore,
    caused,
    context_over,
    increased,
    opened,
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[WatchedStore]:
    made = WatchedStore(tmp_path / "counting.db")
    yield made
    await made.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def context(store: WatchedStore, tmp_path: Path, clock: HandClock) -> Context:
    return context_over(store, tmp_path, clock)


async def folded(context: Context, key: str = "one") -> Counter:
    """The state that the stored history leads to."""
    vocabulary = COUNTER.vocabulary()
    entries = await context.store.history(key)
    return COUNTER.fold(key, [vocabulary.read(each.envelope, each.private) for each in entries])


async def test_two_processes_at_once_lose_no_command(context: Context, tmp_path: Path) -> None:
    await opened(context)
    other = context_over(WatchedStore(tmp_path / "counting.db"), tmp_path)

    async def by_turns(through: Context) -> list[int]:
        return [(await increased(through)).total for _ in range(25)]

    answers = await asyncio.gather(*(by_turns(each) for each in (context, other) * 8))
    await other.store.close()
    assert sorted(total for answer in answers for total in answer) == list(range(1, 401))
    state = await context.require(COUNTER, "one")
    assert (state.total, state.version) == (400, 401)
    assert await folded(context) == state
    envelopes = [each.envelope for each in await context.store.history("one")]
    assert [each.sequence for each in envelopes] == list(range(1, 402))
    assert len({each.id for each in envelopes}) == 401
    assert [each.envelope.id for each in await context.store.pending(1_000)] == [each.id for each in envelopes]


async def test_commands_that_wait_together_share_a_save_and_are_answered_each(
    context: Context, store: WatchedStore
) -> None:
    await opened(context, limit=3)
    store.saves = 0
    waiting = [increased(context) for _ in range(3)] + [increased(context, expected=2)] + [increased(context)]
    *made, stale, refused = await asyncio.gather(*waiting, return_exceptions=True)
    assert [each.total for each in made if isinstance(each, Counter)] == [1, 2, 3]
    assert isinstance(stale, Stale)
    assert type(refused) is Rejected
    assert (await context.require(COUNTER, "one")).version == 4
    assert store.saves == 1


async def test_more_commands_than_fit_into_one_save_are_all_answered(context: Context, store: WatchedStore) -> None:
    await opened(context, limit=240)
    store.saves = 0
    answers = await asyncio.gather(*(increased(context) for _ in range(250)), return_exceptions=True)
    assert Tally(type(each) for each in answers) == {Counter: 240, Rejected: 10}
    assert store.saves == 3
    assert (await folded(context)).total == 240


async def test_a_caller_who_goes_away_does_not_harm_those_who_wait_with_it(context: Context) -> None:
    await opened(context)
    gone, *staying = [asyncio.create_task(increased(context)) for _ in range(3)]
    await asyncio.sleep(0)
    gone.cancel()
    assert [(await each).version for each in staying] == [3, 4]
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert (await increased(context)).version == 5


async def test_commands_while_the_store_is_away_say_so_and_later_ones_run(
    context: Context, store: WatchedStore
) -> None:
    await opened(context)
    store.away = True
    answers = await asyncio.gather(*(increased(context) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in answers] == [Unavailable] * 3
    store.away = False
    assert (await increased(context)).total == 1


async def test_a_command_that_changes_nothing_saves_nothing(context: Context, store: WatchedStore) -> None:
    first = await opened(context)
    context.saved.clear()
    store.saves = 0
    assert await context.execute(COUNTER, "one", Open(by=ANI, at=T0, limit=7), caused()) == first
    assert (store.saves, context.saved.is_set()) == (0, False)
    await increased(context)
    assert (store.saves, context.saved.is_set()) == (1, True)


async def test_what_is_not_there_is_not_found_and_stays_so(context: Context) -> None:
    with pytest.raises(NotFound):
        await increased(context, "nowhere")
    with pytest.raises(NotFound):
        await context.require(COUNTER, "nowhere")
    assert await context.load(COUNTER, "nowhere") is None
    assert await context.store.history("nowhere") == []


async def test_first_answers_as_the_creation_did_after_later_changes(context: Context) -> None:
    made = await opened(context, limit=40)
    for _ in range(30):
        await increased(context)
    assert await context.first(COUNTER, "one") == made
    assert (await context.require(COUNTER, "one")).total == 30


async def test_a_stale_version_is_refused_and_changes_nothing(context: Context) -> None:
    await opened(context)
    before = await increased(context, expected=1)
    for expected in (1, 3, 0):
        with pytest.raises(Stale) as caught:
            await increased(context, expected=expected)
        assert caught.value.more == {"version": 2}
    assert await context.require(COUNTER, "one") == await folded(context) == before
    assert (await increased(context, expected=2)).version == 3


class Contended(WatchedStore):
    """A store in which somebody else is always faster, so many times."""

    faster = 0

    async def save(self, document: Document, expected: int, entries: Sequence[Entry] = ()) -> None:
        if self.faster > 0:
            self.faster -= 1
            self.saves += 1
            raise Conflict("somebody else was faster")
        await super().save(document, expected, entries)


@pytest.fixture
async def contended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Contended]:
    monkeypatch.setattr("random.uniform", lambda low, high: low)  # the pauses between attempts
    made = Contended(tmp_path / "contended.db")
    yield made
    await made.close()


@pytest.mark.parametrize("fresh", [False, True])
async def test_ten_conflicts_reject_a_command_and_nine_do_not(
    contended: Contended, tmp_path: Path, fresh: bool
) -> None:
    context = context_over(contended, tmp_path)
    contended.faster, contended.saves = 10, 0
    with pytest.raises(Rejected, match="try again"):
        await context.execute(COUNTER, "one", Open(by=ANI, at=T0), caused(), fresh=fresh)
    assert contended.saves == 10
    assert await context.load(COUNTER, "one") is None
    contended.faster = 9
    assert (await context.execute(COUNTER, "one", Open(by=ANI, at=T0), caused(), fresh=fresh)).version == 1
    assert await folded(context) == await context.require(COUNTER, "one")


async def test_a_fresh_key_that_collides_is_decided_on_what_is_there(context: Context, store: WatchedStore) -> None:
    made = await opened(context, limit=5)
    store.saves = 0
    assert await opened(context, limit=9) == made
    assert store.saves == 1
    assert (await increased(context)).version == 2
    assert await folded(context) == await context.require(COUNTER, "one")


async def test_many_fresh_ones_at_once_are_all_there(context: Context) -> None:
    keys = [f"counter {number}" for number in range(200)]
    await asyncio.gather(*(opened(context, key) for key in keys))
    assert [(await context.require(COUNTER, key)).version for key in keys] == [1] * 200
    assert await context.store.backlog() == 200


async def test_what_is_private_is_kept_with_the_history_and_in_no_envelope(context: Context) -> None:
    made = await opened(context, secret="only here")
    (entry,) = await context.store.history("one")
    assert entry.private == b'{"secret":"only here"}'
    assert b"only here" not in entry.envelope.body
    document = await context.store.load("counter", "one")
    assert document is not None
    assert b"only here" not in document.state
    assert made.private.secret == (await context.require(COUNTER, "one")).private.secret == "only here"


async def test_an_event_says_who_did_what_to_what_and_why(context: Context, clock: HandClock) -> None:
    cause = caused()
    await opened(context)
    clock.go(60)
    await context.execute(COUNTER, "one", Increase(by=ANI, at=clock()), cause)
    envelope = (await context.store.history("one"))[1].envelope
    assert (envelope.service, envelope.subject, envelope.sequence) == ("counting", "one", 2)
    assert (envelope.correlationid, envelope.causationid) == (cause.correlationid, cause.causationid)
    assert (envelope.actorkind, envelope.visibility) == ("resident", "public")
    assert envelope.time == "2026-11-25T01:01:00.000000Z"


async def test_a_saved_state_survives_the_process(context: Context, store: WatchedStore, tmp_path: Path) -> None:
    await opened(context)
    before = await increased(context)
    await store.close()
    again = SqliteStore(tmp_path / "counting.db", KINDS)
    assert await context_over(again, tmp_path).require(COUNTER, "one") == before
    await again.close()


async def test_what_is_due_is_told_once_and_what_is_not_is_not(context: Context, clock: HandClock) -> None:
    timers = Timers(context, [COUNTER])
    await opened(context, "soon", due_at=T0.timestamp() + 10)
    await opened(context, "later", due_at=T0.timestamp() + 20)
    await opened(context, "never")
    assert await timers.pass_time() == 0
    clock.go(10)
    assert await timers.pass_time() == 1
    assert await timers.pass_time() == 0
    assert [(await context.require(COUNTER, key)).rung for key in ("soon", "later", "never")] == [1, 0, 0]
    clock.go(3600)
    assert await timers.pass_time() == 1
    assert [(await context.require(COUNTER, key)).rung for key in ("soon", "later", "never")] == [1, 1, 0]


async def test_timers_of_two_instances_at_once_tell_it_once(context: Context, clock: HandClock, tmp_path: Path) -> None:
    other = context_over(WatchedStore(tmp_path / "counting.db"), tmp_path, clock)
    for number in range(20):
        await opened(context, f"counter {number}", due_at=T0.timestamp())
    await asyncio.gather(*(Timers(each, [COUNTER]).pass_time() for each in (context, other)))
    await other.store.close()
    assert [(await context.require(COUNTER, f"counter {number}")).rung for number in range(20)] == [1] * 20


async def test_one_that_refuses_the_time_does_not_stop_the_others(context: Context) -> None:
    await opened(context, "refuses", due_at=T0.timestamp() - 2, limit=0)
    await opened(context, "takes it", due_at=T0.timestamp() - 1)
    with pytest.raises(Rejected):
        await context.execute(COUNTER, "refuses", PassTime(by=SYSTEM, at=T0), caused())
    assert await Timers(context, [COUNTER]).pass_time() == 2
    assert (await context.require(COUNTER, "takes it")).rung == 1


async def test_one_whose_decider_has_a_fault_does_not_stop_the_timers_of_the_others(context: Context) -> None:
    await opened(context, "faulty", due_at=T0.timestamp() - 2, limit=-1)
    await opened(context, "takes it", due_at=T0.timestamp() - 1)
    await asyncio.gather(Timers(context, [COUNTER]).pass_time(), return_exceptions=True)
    assert (await context.require(COUNTER, "takes it")).rung == 1


async def test_timers_say_that_the_store_is_away(context: Context, store: WatchedStore) -> None:
    await opened(context, due_at=T0.timestamp())
    store.away = True
    with pytest.raises(Unavailable):
        await Timers(context, [COUNTER]).pass_time()
    store.away = False
    assert await Timers(context, [COUNTER]).pass_time() == 1
