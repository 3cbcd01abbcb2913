"""Finding documents by columns and tags, in order and in pages, compared with a search through a plain list."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.store import Between, Condition, Prefix, Query, Store
from tests.contract.stores import thing

KEYS = [f"k{number}" for number in range(9)]
WORDS = ["", "a", "ab", "aB", "abc", "a%", "a_c", "b'", 'b"', "\\", "ä", "ab🌊", "日本"]
# Times as they are stored, a microsecond apart, and places: numbers that a careless text would round.
DUES = [-6.2088, 0.1, 1 / 3, 1764036123.123456, 1764036123.123457, 1764036123.123458, 2.0**53, 1e-7, 7]
TAGS = ["red", "green", "blue", "status:open", "area:31.74"]


async def found(store: Store, query: Query, kind: str = "thing") -> list[str]:
    """The keys of one page."""
    return [each.document.key for each in await store.find(kind, query)]


async def walked(store: Store, query: Query) -> list[str]:
    """The keys of all pages, each of which is full but the last one."""
    keys: list[str] = []
    while True:
        page = await store.find("thing", query)
        assert len(page) <= query.limit
        keys += [each.document.key for each in page]
        assert len(keys) == len(set(keys)), "a page repeats what was there before"
        if len(page) < query.limit:
            return keys
        query = replace(query, after=page[-1].position)


@pytest.fixture
async def filled(store: Store) -> Store:
    """Five things: a to d with tags, e without anything."""
    await store.put(
        [
            thing("a", n=1, word="alang", due=1.5, tags=("red", "open")),
            thing("b", n=2, word="alas", due=None, tags=("red", "shut")),
            thing("c", n=3, word="bambú🌊", due=2.5, private=b"[3]", tags=("green", "open")),
            thing("d", n=2, word=None, due=1.5, tags=("green", "shut")),
            thing("e"),
        ]
    )
    return store


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "abcde"),
        ({"word": "alas"}, "b"),
        ({"word": "ala"}, ""),
        ({"word": ("alas", "bambú🌊", "no")}, "bc"),
        ({"word": ()}, ""),
        ({"word": None}, "de"),
        ({"n": None}, "e"),
        ({"word": Prefix("ala")}, "ab"),
        ({"word": Prefix("alang-")}, ""),
        ({"word": Prefix("bamb")}, "c"),
        ({"word": Prefix("bambú")}, "c"),
        ({"word": Prefix("")}, "abc"),
        ({"n": Between(2, 3)}, "bcd"),
        ({"n": Between(2, None)}, "bcd"),
        ({"n": Between(None, 1)}, "a"),
        ({"n": Between(3, 2)}, ""),
        ({"due": 1.5}, "ad"),
        ({"due": Between(1.5, 1.5)}, "ad"),
        ({"word": Between("alas", "bambú🌊")}, "bc"),
        ({"key": "c"}, "c"),
        ({"key": ("e", "a", "zz")}, "ae"),
        ({"key": Prefix("d")}, "d"),
        ({"n": 2, "due": None}, "b"),
        ({"n": (1, 2), "due": Between(None, 2), "word": Prefix("a")}, "a"),
    ],
)
async def test_columns_select(filled: Store, where: dict[str, Condition], expected: str) -> None:
    assert await found(filled, Query(where)) == list(expected)


@pytest.mark.parametrize(
    ("has", "expected"),
    [
        ([("red",)], "ab"),
        ([("red", "green")], "abdc"),
        ([("red", "green", "no")], "abdc"),
        ([("red",), ("open",)], "a"),
        ([("red", "green"), ("open",)], "ac"),
        ([("open",), ("red", "green")], "ac"),
        ([("open", "shut"), ("red", "green"), ("green",)], "dc"),
        ([("red",), ("green",)], ""),
        ([("no",)], ""),
        ([()], ""),
        ([("red",), ()], ""),
        ([("red", "red")], "ab"),
    ],
)
async def test_every_group_of_tags_must_hit_and_any_tag_of_it_does(
    filled: Store, has: list[tuple[str, ...]], expected: str
) -> None:
    keys = await found(filled, Query(has=tuple(has)))
    assert sorted(keys) == sorted(expected)
    assert [{"a": 1, "b": 2, "c": 3, "d": 2}[each] for each in keys] == sorted(
        {"a": 1, "b": 2, "c": 3, "d": 2}[e] for e in keys
    )
    assert await found(filled, Query(has=tuple(has), order="key")) == sorted(expected)


async def test_what_is_found_is_what_is_loaded(filled: Store) -> None:
    for query in (Query(), Query(has=(("red", "green"),), descending=True), Query({"n": 2}, order="word")):
        found_ones = [each.document for each in await filled.find("thing", query)]
        loaded = [await filled.load("thing", each.key) for each in found_ones]
        assert [(each.version, each.state, each.private) for each in found_ones] == [
            (each.version, each.state, each.private) for each in loaded if each
        ]


async def test_columns_and_tags_select_together(filled: Store) -> None:
    assert await found(filled, Query({"due": 1.5}, (("green", "red"),))) == ["a", "d"]
    assert await found(filled, Query({"word": None}, (("shut",),), order="due")) == ["d"]


async def test_an_order_leaves_out_what_has_no_value_there(filled: Store) -> None:
    assert await found(filled, Query(order="word")) == ["a", "b", "c"]
    assert await found(filled, Query(order="word", descending=True)) == ["c", "b", "a"]
    assert await found(filled, Query(order="key", descending=True)) == ["e", "d", "c", "b", "a"]
    assert (await found(filled, Query(order="due")))[-1] == "c"
    assert (await found(filled, Query(has=(("red", "green"),), descending=True)))[0] == "c"


@pytest.mark.parametrize(
    "query",
    [
        Query({"colour": "red"}),
        Query({"tags": "red"}),
        Query({"state": "x"}),
        Query(order="colour"),
        Query(order="version"),
        Query({"word": "alas", "size": 1}, (("red",),)),
    ],
)
async def test_what_was_not_declared_cannot_be_asked_for(filled: Store, query: Query) -> None:
    with pytest.raises(LookupError, match="thing"):
        await filled.find("thing", query)


async def test_tags_cannot_be_asked_for_where_there_are_none(store: Store) -> None:
    with pytest.raises(LookupError, match="plain"):
        await store.find("plain", Query(has=(("red",),)))
    with pytest.raises(LookupError, match="plain"):
        await store.find("plain", Query({"n": 1}))


async def test_an_index_with_more_than_what_was_declared_is_no_harm(store: Store) -> None:
    await store.save(thing("a", kind="plain", word="x", colour="red", tags=("t",)), 0)
    assert await found(store, Query({"word": "x"}), "plain") == ["a"]


async def test_tags_change_with_their_document(store: Store) -> None:
    await store.save(thing("a", 1, n=1, tags=("old", "both")), 0)
    await store.save(thing("a", 2, n=1, tags=("both", "new")), 1)
    assert [await found(store, Query(has=((tag,),))) for tag in ("old", "both", "new")] == [[], ["a"], ["a"]]
    await store.put([thing("a", 3, n=1)])
    assert await found(store, Query(has=(("both", "new"),))) == []


async def test_a_document_moves_in_the_order_of_its_tags(store: Store) -> None:
    await store.put([thing(key, n=n, tags=("x",)) for key, n in (("a", 1), ("b", 2), ("c", 3))])
    await store.save(thing("a", 2, n=9, tags=("x",)), 1)
    assert await found(store, Query(has=(("x",),))) == ["b", "c", "a"]
    await store.put([thing("c", 2, n=0, tags=("x", "y"))])
    assert await found(store, Query(has=(("x",),), descending=True)) == ["a", "b", "c"]
    assert await found(store, Query({"n": 0}, (("x",), ("y",)))) == ["c"]


async def test_many_changes_of_one_document_at_once_leave_its_last_tags(store: Store) -> None:
    changes = [thing("a", version, n=version % 3, tags=(f"v{version}", "x")) for version in range(1, 201)]
    await asyncio.gather(*(store.put([each]) for each in changes))
    carried = [version for version in range(1, 201) if await found(store, Query(has=((f"v{version}",),), limit=1))]
    assert carried == [200]
    assert await found(store, Query(has=(("x",),))) == ["a"]


async def test_a_great_many_tags_may_be_asked_for_at_once(store: Store) -> None:
    await store.put([thing(f"k{number:04}", n=number, tags=(f"t{number}",)) for number in range(1_500)])
    asked = tuple(f"t{number}" for number in range(0, 1_500, 2))
    keys = await found(store, Query(has=(asked,), limit=2_000))
    assert keys == [f"k{number:04}" for number in range(0, 1_500, 2)]
    assert len(await found(store, Query({"key": tuple(keys)}, limit=2_000))) == 750


async def test_a_page_goes_on_though_the_document_where_it_ended_is_gone(store: Store) -> None:
    await store.put([thing(key, n=1, tags=("x",)) for key in "abcdef"])
    for query in (Query(has=(("x",),), limit=2), Query(order="n", limit=2), Query(order="n", limit=2, descending=True)):
        first = await store.find("thing", query)
        last = first[-1].document.key
        await store.delete("thing", [last])
        rest = await found(store, replace(query, after=first[-1].position, limit=10))
        assert sorted([*(each.document.key for each in first), *rest]) == list("abcdef")
        await store.put([thing(last, n=1, tags=("x",))])


async def test_a_document_that_is_new_does_not_disturb_the_pages_behind(store: Store) -> None:
    await store.put([thing(key, n=5, tags=("x",)) for key in "abc"])
    query = Query(has=(("x",),), descending=True, limit=2)
    first = await store.find("thing", query)
    await store.put([thing("new", n=6, tags=("x",))])
    rest = await found(store, replace(query, after=first[-1].position))
    assert sorted([*(each.document.key for each in first), *rest]) == ["a", "b", "c"]


async def test_a_short_question_has_the_same_answer(filled: Store) -> None:
    query = Query({"due": Between(None, 2)}, order="due", limit=10)
    assert await filled.find("thing", replace(query, short=True)) == await filled.find("thing", query)


@dataclass
class Row:
    """A document as a plain list keeps it."""

    key: str
    n: int
    word: str | None
    due: float | None
    tags: frozenset[str]

    def value(self, column: str) -> Any:
        return getattr(self, column)

    def meets(self, query: Query) -> bool:
        """Whether it is asked for, and has a place in the order that is asked for."""
        fits = all(meets(self.value(column), condition) for column, condition in query.where.items())
        return fits and all(self.tags & set(group) for group in query.has) and self.place(query) is not None

    def place(self, query: Query) -> Any:
        return self.value(query.order or ("n" if query.has else "key"))


def meets(value: Any, condition: Condition) -> bool:
    match condition:
        case None:
            return value is None
        case Prefix(text):
            return value is not None and value.startswith(text)
        case Between(low, high):
            return value is not None and (low is None or low <= value) and (high is None or value <= high)
        case tuple():
            return value in condition
        case _:
            return bool(value == condition)


ROWS = st.builds(
    Row,
    key=st.sampled_from(KEYS),
    n=st.integers(0, 3),
    word=st.none() | st.sampled_from(WORDS),
    due=st.none() | st.sampled_from(DUES),
    tags=st.frozensets(st.sampled_from(TAGS), max_size=4),
)
STEPS = st.lists(st.tuples(st.sampled_from(["save", "put", "put", "delete"]), ROWS), min_size=1, max_size=24)


def conditions(values: list[Any], *, text: bool = False) -> st.SearchStrategy[Condition]:
    """Conditions on a column that has these values."""
    some = st.sampled_from(values)
    ranges = st.builds(Between, some, some) | st.builds(Between, some, st.none()) | st.builds(Between, st.none(), some)
    usual = some | st.lists(some, max_size=3).map(tuple) | ranges | st.none()
    return usual | st.builds(Prefix, some) if text else usual


WHERE = st.fixed_dictionaries(
    {},
    optional={
        "key": conditions(KEYS, text=True).filter(lambda condition: condition is not None),
        "n": conditions([0, 1, 2, 3]),
        "word": conditions(WORDS, text=True),
        "due": conditions(DUES),
    },
)
QUERIES = st.builds(
    Query,
    where=WHERE | st.just({}) | st.just({}),
    has=st.lists(st.lists(st.sampled_from(TAGS), min_size=1, max_size=3).map(tuple), max_size=2).map(tuple),
    order=st.sampled_from([None, "key", "n", "word", "due"]),
    descending=st.booleans(),
    limit=st.integers(1, 4),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, queries=st.lists(QUERIES, min_size=3, max_size=6))
async def test_whatever_was_written_every_walk_finds_what_a_plain_search_does(
    store: Store, steps: list[tuple[str, Row]], queries: list[Query]
) -> None:
    await store.delete("thing", KEYS)
    rows: dict[str, Row] = {}
    versions = dict.fromkeys(KEYS, 0)
    for how, row in steps:
        if how == "delete":
            await store.delete("thing", [row.key])
            rows.pop(row.key, None)
            versions[row.key] = 0
            continue
        before, versions[row.key] = versions[row.key], versions[row.key] + 1
        document = thing(row.key, before + 1, n=row.n, word=row.word, due=row.due, tags=row.tags)
        await (store.save(document, before) if how == "save" else store.put([document]))
        rows[row.key] = row
    for query in queries:
        keys = await walked(store, query)
        assert sorted(keys) == sorted(each.key for each in rows.values() if each.meets(query))
        places = [rows[key].place(query) for key in keys]
        assert places == sorted(places, reverse=query.descending)
        assert keys == await found(store, replace(query, limit=100))
