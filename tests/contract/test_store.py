"""What every store promises of documents, history and the outbox: the same tests for each adapter."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from shared.store import Conflict, Document, Query, Store, Unavailable
from tests.contract.stores import COLLECTIONS, OpenStore, entries, thing

NAUGHTY = [
    "Jalan Tebet Barat Dalam VIII G № 23",
    "'; DROP TABLE thing; --",
    '"double" and \\ backslash \\" both',
    "emoji 🌊👩‍👩‍👧 and 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "combining é and é, ‏مرحبا, 日本語",
    "\u2028 \u2029 \ufeff \ufffd \U0010ffff",
    "tab\tnew\nline\r\n and all C0: " + "".join(map(chr, range(1, 32))),
    "a \\u0000 that is no NUL",
    "%s %d {} ${x} ?1 :name $1",
    "",
]


async def kept(store: Store, key: str = "a", kind: str = "thing") -> tuple[int, bytes, bytes | None] | None:
    """Version, state and private part of what is stored."""
    found = await store.load(kind, key)
    return None if found is None else (found.version, found.state, found.private)


async def subjects(store: Store) -> list[tuple[str, int]]:
    """What waits to be published."""
    return [(each.envelope.subject, each.envelope.sequence) for each in await store.pending()]


async def sequences(store: Store, subject: str = "a", **paging: int) -> list[int]:
    """The history of one aggregate."""
    return [each.envelope.sequence for each in await store.history(subject, **paging)]


async def keys(store: Store, tag: str) -> list[str]:
    """Who carries a tag, in order."""
    return [each.document.key for each in await store.find("thing", Query(has=((tag,),)))]


async def test_there_is_nothing_before_something_is_saved(store: Store) -> None:
    assert await store.load("thing", "a") is None
    assert (await store.history("a"), await store.pending(), await store.find("thing", Query())) == ([], [], [])
    assert await store.backlog() == 0


async def test_a_document_is_there_as_it_was_saved(store: Store) -> None:
    await store.save(thing("a", 3, private=b'{"secret":1}'), 0)
    assert await kept(store) == (3, b'{"id":"a","version":3}', b'{"secret":1}')
    assert await store.load("plain", "a") is None
    await store.save(thing("a", 4), 3)
    assert await kept(store) == (4, b'{"id":"a","version":4}', None)


async def test_a_private_part_is_kept_apart_from_what_lists_show(store: Store) -> None:
    await store.save(thing("a", private=b'{"secret":"hush"}', n=1, tags=("x",)), 0, entries("a", 1, private=b'{"s":2}'))
    (found,) = await store.find("thing", Query(has=(("x",),)))
    (told,) = await store.history("a")
    assert (found.document.private, told.private) == (b'{"secret":"hush"}', b'{"s":2}')
    assert b"hush" not in found.document.state
    assert b'"s":2' not in told.envelope.body


async def test_an_insert_of_what_is_there_conflicts(store: Store) -> None:
    await store.save(thing("a"), 0)
    with pytest.raises(Conflict):
        await store.save(thing("a", 1, private=b"{}"), 0)
    assert await kept(store) == (1, b'{"id":"a","version":1}', None)


@pytest.mark.parametrize("expected", [0, 1, 3, 99])
async def test_a_save_for_another_version_conflicts_and_changes_nothing(store: Store, expected: int) -> None:
    await store.save(thing("a", 2, n=1, tags=("old",)), 0, entries("a", 1, 2))
    with pytest.raises(Conflict):
        await store.save(thing("a", expected + 1, n=2, tags=("new",)), expected, entries("a", expected + 10))
    assert await kept(store) == (2, b'{"id":"a","version":2}', None)
    assert (await keys(store, "old"), await keys(store, "new")) == (["a"], [])
    assert await sequences(store) == [1, 2]
    assert await store.backlog() == 2


async def test_what_is_not_there_cannot_be_changed(store: Store) -> None:
    with pytest.raises(Conflict):
        await store.save(thing("a", 2), 1, entries("a", 2))
    assert (await kept(store), await store.history("a"), await store.pending()) == (None, [], [])


@pytest.mark.parametrize("events", [True, False])
async def test_of_many_that_save_at_once_exactly_one_wins(store: Store, events: bool) -> None:
    await store.save(thing("a"), 0)
    for version in range(1, 6):
        told = entries("a", version + 1) if events else []
        wishes = [store.save(thing("a", version + 1, private=b"%d" % number), version, told) for number in range(20)]
        answers = await asyncio.gather(*wishes, return_exceptions=True)
        assert answers.count(None) == 1
        assert sum(isinstance(each, Conflict) for each in answers) == 19
        winner = b"%d" % answers.index(None)
        assert await kept(store) == (version + 1, b'{"id":"a","version":%d}' % (version + 1), winner)
    assert await sequences(store) == ([2, 3, 4, 5, 6] if events else [])


async def test_a_save_that_fails_half_way_leaves_nothing_and_spares_the_others(store: Store) -> None:
    await store.save(thing("a"), 0, entries("a", 1))
    twice = store.save(thing("a", 2, n=1, tags=("x",)), 1, entries("a", 2, 1))
    others = [store.save(thing(f"b{number}"), 0, entries(f"b{number}", 1)) for number in range(5)]
    failed, *done = await asyncio.gather(twice, *others, return_exceptions=True)
    assert isinstance(failed, Exception)
    assert done == [None] * 5
    assert await kept(store) == (1, b'{"id":"a","version":1}', None)
    assert await keys(store, "x") == []
    assert await sequences(store) == [1]
    assert sorted(await subjects(store)) == [("a", 1), *((f"b{number}", 1) for number in range(5))]


async def test_a_history_is_told_in_order_and_in_pages(store: Store) -> None:
    for sequence in range(1, 8):
        await store.save(thing("a", sequence), sequence - 1, entries("a", sequence))
    await store.save(thing("b"), 0, entries("b", 1, 2))
    assert await sequences(store) == [1, 2, 3, 4, 5, 6, 7]
    assert await sequences(store, after=3) == [4, 5, 6, 7]
    assert await sequences(store, after=3, limit=2) == [4, 5]
    assert await sequences(store, after=7) == []
    assert await sequences(store, "b") == [1, 2]


async def test_an_event_comes_back_as_it_was_written(store: Store) -> None:
    written = entries("a", 1, private=b'{"note":"\\"x\\""}')
    await store.save(thing("a"), 0, written)
    for (read,) in (await store.history("a"), await store.pending()):
        assert read.envelope == written[0].envelope
        assert read.envelope.body == written[0].envelope.body
        assert read.private == b'{"note":"\\"x\\""}'


async def test_a_view_is_written_only_by_what_is_newer(store: Store) -> None:
    await store.put([thing("a", 5, private=b"5", n=1, tags=("five",))])
    await store.put([thing("a", 4, private=b"4", n=1, tags=("four",)), thing("b", 1)])
    await store.put([thing("a", 5, private=b"again", n=1, tags=("again",))])
    assert await kept(store) == (5, b'{"id":"a","version":5}', b"5")
    assert [await keys(store, tag) for tag in ("four", "five", "again")] == [[], ["a"], []]
    await store.put([thing("a", 7, private=b"7"), thing("a", 6, private=b"6")])
    assert await kept(store) == (7, b'{"id":"a","version":7}', b"7")
    assert await kept(store, "b") == (1, b'{"id":"b","version":1}', None)
    await store.put([])


async def test_views_put_at_once_in_any_order_end_with_the_newest(store: Store) -> None:
    versions = [(number * 37) % 101 for number in range(1, 101)]
    await asyncio.gather(*(store.put([thing("a", each, n=each, tags=(f"v{each}",))]) for each in versions))
    assert await kept(store) == (100, b'{"id":"a","version":100}', None)
    assert [each for each in versions if await keys(store, f"v{each}")] == [100]


async def test_what_is_deleted_is_gone_and_its_history_stays(store: Store) -> None:
    await store.save(thing("a", n=1, tags=("x",)), 0, entries("a", 1))
    await store.save(thing("b", n=2, tags=("x",)), 0)
    await store.delete("thing", ["a", "never there"])
    await store.delete("thing", [])
    assert await kept(store) is None
    assert await keys(store, "x") == ["b"]
    assert await sequences(store) == [1]
    assert await store.backlog() == 1


async def test_what_was_deleted_can_be_made_again_and_is_found(store: Store) -> None:
    await store.save(thing("a", 4, n=1, tags=("x",)), 0)
    await store.delete("thing", ["a"])
    await store.save(thing("a", 1, n=1, tags=("x",)), 0)
    assert (await kept(store), await keys(store, "x")) == ((1, b'{"id":"a","version":1}', None), ["a"])


# While a large write goes on, what is asked for next is taken together: these three reach the store as one batch.
BUSY = [thing(f"busy {number}", n=number, tags=("busy",)) for number in range(2_000)]


async def test_a_delete_right_after_a_write_wins(store: Store) -> None:
    writes = [store.put([thing("a", n=1, tags=("x",))]), store.save(thing("b", n=2, tags=("x",)), 0)]
    await asyncio.gather(store.put(BUSY), *writes, store.delete("thing", ["a", "b"]))
    assert (await kept(store), await kept(store, "b"), await keys(store, "x")) == (None, None, [])


async def test_a_write_right_after_a_delete_wins(store: Store) -> None:
    await store.put([thing("a", 5, n=1, tags=("x",)), thing("b", 5, n=2, tags=("x",))])
    writes = [store.put([thing("a", 1, n=1, tags=("x",))]), store.save(thing("b", 1, n=2, tags=("x",)), 0)]
    await asyncio.gather(store.put(BUSY), store.delete("thing", ["a", "b"]), *writes)
    assert [each and each[0] for each in (await kept(store), await kept(store, "b"))] == [1, 1]
    assert await keys(store, "x") == ["a", "b"]


async def test_events_wait_in_order_until_they_are_published(store: Store) -> None:
    await store.save(thing("a", 2), 0, entries("a", 1, 2))
    await store.save(thing("b"), 0, entries("b", 1))
    await store.save(thing("a", 3), 2, entries("a", 3))
    assert await subjects(store) == [("a", 1), ("a", 2), ("b", 1), ("a", 3)]
    assert await store.backlog() == 4
    first = await store.pending(limit=2)
    assert [each.envelope.sequence for each in first] == [1, 2]
    await store.published(first)
    assert await subjects(store) == [("b", 1), ("a", 3)]
    await store.published(await store.pending())
    assert (await store.pending(), await store.backlog()) == ([], 0)


async def test_marking_nothing_as_published_changes_nothing(store: Store) -> None:
    await store.save(thing("a"), 0, entries("a", 1))
    await store.published([])
    assert await subjects(store) == [("a", 1)]


async def test_a_late_word_of_an_older_batch_loses_and_repeats_nothing(store: Store) -> None:
    await store.save(thing("a", 4), 0, entries("a", 1, 2, 3, 4))
    older = await store.pending(limit=2)
    await store.published(await store.pending(limit=3))
    await store.published(older)
    assert await subjects(store) == [("a", 4)]
    await store.published(older)
    assert await store.backlog() == 1


async def test_what_is_published_and_what_waits_survives_a_restart(open_store: OpenStore) -> None:
    store = open_store(COLLECTIONS)
    await store.save(thing("a", 3, n=1, tags=("x",)), 0, entries("a", 1, 2, 3))
    await store.published(await store.pending(limit=1))
    await store.close()
    again = open_store(COLLECTIONS)
    assert await subjects(again) == [("a", 2), ("a", 3)]
    assert (await again.backlog(), await sequences(again), await keys(again, "x")) == (2, [1, 2, 3], ["a"])
    await again.save(thing("a", 4), 3, entries("a", 4))
    assert await subjects(again) == [("a", 2), ("a", 3), ("a", 4)]


async def test_saves_go_on_while_a_batch_is_being_published(store: Store) -> None:
    published: list[tuple[str, int]] = []

    async def relay() -> None:
        while len(published) < 300:
            batch = await store.pending(limit=7)
            published.extend((each.envelope.subject, each.envelope.sequence) for each in batch)
            if batch:
                await store.published(batch)
            await asyncio.sleep(0)

    async def write(subject: str) -> None:
        for sequence in range(1, 101):
            await store.save(thing(subject, sequence), sequence - 1, entries(subject, sequence))

    await asyncio.wait_for(asyncio.gather(relay(), *(write(subject) for subject in "abc")), 60)
    assert await store.pending() == []
    for subject in "abc":
        assert [number for of, number in published if of == subject] == list(range(1, 101))


@pytest.mark.parametrize("text", NAUGHTY)
async def test_text_comes_back_byte_for_byte(store: Store, text: str) -> None:
    state, private = orjson.dumps({"id": text, "text": text}), orjson.dumps({"text": text})
    document = Document("thing", text, 1, state, private, {"n": 1, "word": text, "tags": (text, f"tag:{text}")})
    await store.save(document, 0, entries(text, 1, private=private))
    assert await kept(store, text) == (1, state, private)
    for query in (Query({"word": text}), Query({"key": text}), Query(has=((f"tag:{text}",),)), Query(has=((text,),))):
        (found,) = await store.find("thing", query)
        assert (found.document.key, found.document.state, found.document.private) == (text, state, private)
    (told,) = await store.history(text)
    assert (told.envelope.subject, told.private) == (text, private)


async def test_a_megabyte_is_a_document_like_any_other(store: Store) -> None:
    state, private = orjson.dumps({"text": "x🌊" * 200_000}), orjson.dumps(["y\\" * 250_000])
    assert min(len(state), len(private)) > 740_000
    await store.save(Document("thing", "a", 1, state, private, {"n": 1, "tags": ("x",)}), 0, entries("a", 1))
    assert await kept(store) == (1, state, private)
    (found,) = await store.find("thing", Query(has=(("x",),)))
    assert (found.document.state, found.document.private) == (state, private)
    assert await sequences(store) == [1]


async def test_two_thousand_saves_at_once_are_all_there_after_a_restart(open_store: OpenStore) -> None:
    store = open_store(COLLECTIONS)
    saves = [
        store.save(thing(f"k{number:04}", n=number, word=f"w{number % 7}", tags=("x",)), 0, entries(f"k{number:04}", 1))
        for number in range(2_000)
    ]
    assert await asyncio.gather(*saves) == [None] * 2_000
    await store.close()
    again = open_store(COLLECTIONS)
    expected = [f"k{number:04}" for number in range(2_000)]
    assert [each.document.key for each in await again.find("thing", Query(order="key", limit=5_000))] == expected
    assert [each.document.key for each in await again.find("thing", Query(has=(("x",),), limit=5_000))] == expected
    assert await again.backlog() == 2_000
    assert sorted(each.envelope.subject for each in await again.pending(limit=5_000)) == expected


async def versions(store: Store) -> list[int | None]:
    """Of what is called `a` in each kind."""
    found = [await kept(store, "a", kind) for kind in ("thing", "plain", "bare")]
    return [each and each[0] for each in found]


async def test_kinds_do_not_mix(store: Store) -> None:
    await store.save(thing("a", 1, word="thing"), 0)
    await store.save(thing("a", 2, kind="plain", word="plain"), 0)
    await store.save(thing("a", 3, kind="bare"), 0)
    assert [each and each[0] for each in [await kept(store, "a", kind) for kind in ("thing", "plain", "bare")]] == [
        1,
        2,
        3,
    ]
    assert [each.document.version for each in await store.find("plain", Query({"word": "plain"}))] == [2]
    assert await store.find("plain", Query({"word": "thing"})) == []
    await store.delete("plain", ["a"])
    assert [each and each[0] for each in [await kept(store, "a", kind) for kind in ("thing", "plain", "bare")]] == [
        1,
        None,
        3,
    ]


async def test_two_stores_over_one_place_guard_each_other_by_version(open_store: OpenStore) -> None:
    one, two = open_store(COLLECTIONS), open_store(COLLECTIONS)
    await one.save(thing("a"), 0, entries("a", 1))
    assert await kept(two) == (1, b'{"id":"a","version":1}', None)
    await two.save(thing("a", 2), 1, entries("a", 2))
    with pytest.raises(Conflict):
        await one.save(thing("a", 2), 1, entries("a", 2))

    async def count_up(store: Store) -> int:
        done = 0
        while done < 60:
            there = await store.load("thing", "a")
            assert there is not None
            try:
                version = there.version + 1
                await store.save(thing("a", version), there.version, entries("a", version))
                done += 1
            except Conflict:
                continue
        return done

    await asyncio.gather(count_up(one), count_up(two), count_up(one))
    assert await sequences(two) == list(range(1, 183))
    assert [sequence for _, sequence in await subjects(one)] == list(range(1, 183))


async def test_a_store_that_was_never_there_says_so(open_store: OpenStore, tmp_path: Any, adapter: str) -> None:
    if adapter != "sqlite":
        pytest.skip("only a file can be in a place that is none")
    (tmp_path / "store.db").mkdir()
    with pytest.raises(Unavailable):
        open_store(COLLECTIONS)
