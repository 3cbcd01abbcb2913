"""From a query over declared columns and tags to the one SQL statement that answers it."""

from __future__ import annotations

from typing import Any

import orjson

from shared.decider import Collection
from shared.store import Between, Condition, Prefix, Query

_MOST_WALKS = 100
# SQLite writes numbers into JSON with 15 digits; a position must be the very number that is stored.
_EXACT = "CASE typeof(ord) WHEN 'real' THEN json(printf('%!.17g', ord)) ELSE ord END"
_END = "\U0010ffff"


SEPARATOR = "\x1e"
"""Between the states of an answer: JSON never holds it bare."""


def find_sql(collection: Collection, query: Query) -> tuple[str, list[Any]]:
    """The SQL and its parameters. It answers one row: a JSON array of [order value, id, key, version] per document,
    then their states and their private parts, each joined by `SEPARATOR`.

    One row, since Python's lock is let go and fought for at every row.
    """
    sql, parameters = _rows_sql(collection, query)
    answer = (
        f"SELECT json_group_array(json_array({_EXACT}, id, key, version)), "
        f"group_concat(state, '{SEPARATOR}'), group_concat(coalesce(private, ''), '{SEPARATOR}') FROM ({sql})"
    )
    return answer, parameters


def _rows_sql(collection: Collection, query: Query) -> tuple[str, list[Any]]:
    order = query.order or (collection.ordered_by if query.has else None) or "key"
    allowed = {"key", *collection.columns}
    unknown = ({*query.where, order} - allowed) | ({"tags"} if query.has and not collection.ordered_by else set())
    if unknown:
        raise LookupError(f"{collection.kind} has no declared {', '.join(sorted(unknown))}")
    if query.has and order == collection.ordered_by and len(query.has[0]) <= _MOST_WALKS:
        return _by_tag(collection, query)
    return _by_column(collection, query, order)


def _by_tag(collection: Collection, query: Query) -> tuple[str, list[Any]]:
    """Walks the first group of tags in order; the rest are tested on each document met."""
    kind = collection.kind
    first, *others = query.has
    conditions, tested = _conditions(collection, query, others)
    turn, compare = ("DESC", "<") if query.descending else ("ASC", ">")
    walks, parameters = [], []
    for tag in first:
        after, place = _after("t.ord", "t.doc", compare, query)
        join = f'JOIN "{kind}" AS d ON d.id = t.doc' if conditions else ""
        walks.append(
            f'SELECT * FROM (SELECT t.doc AS id, t.ord FROM "{kind}_tag" AS t {join} '
            f"WHERE t.tag = ?{after}{conditions} ORDER BY t.ord {turn}, t.doc {turn} LIMIT ?)"
        )
        parameters += [tag, *place, *tested, query.limit]
    # One walk per tag, each in order and no longer than the page, is cheaper than sorting all that carry any of them.
    sql = (
        f"SELECT d.id, d.key, d.version, d.state, d.private, m.ord FROM ({' UNION '.join(walks)}) AS m "
        f'JOIN "{kind}" AS d ON d.id = m.id ORDER BY m.ord {turn}, d.id {turn} LIMIT ?'
    )
    return sql, [*parameters, query.limit]


def _by_column(collection: Collection, query: Query, ordered_by: str) -> tuple[str, list[Any]]:
    kind, order = collection.kind, f'd."{ordered_by}"'
    conditions, tested = _conditions(collection, query, query.has)
    turn, compare = ("DESC", "<") if query.descending else ("ASC", ">")
    after, place = _after(order, "d.id", compare, query)
    sql = (
        f'SELECT d.id, d.key, d.version, d.state, d.private, {order} AS ord FROM "{kind}" AS d '
        f"WHERE {order} IS NOT NULL{after}{conditions} ORDER BY {order} {turn}, d.id {turn} LIMIT ?"
    )
    return sql, [*place, *tested, query.limit]


def _after(order: str, tie: str, compare: str, query: Query) -> tuple[str, list[Any]]:
    if query.after is None:
        return "", []
    value, id = query.after
    if order == 'd."key"':
        return f" AND {order} {compare} ?", [value]
    return f" AND ({order}, {tie}) {compare} (?, ?)", [value, id]


def _conditions(
    collection: Collection, query: Query, groups: list[tuple[str, ...]] | tuple[tuple[str, ...], ...]
) -> tuple[str, list[Any]]:
    parts: list[str] = []
    parameters: list[Any] = []
    for column, condition in query.where.items():
        sql, values = _condition(f'd."{column}"', condition)
        parts += sql
        parameters += values
    for tags in groups:
        parts.append(
            f'EXISTS (SELECT 1 FROM "{collection.kind}_tag" AS x WHERE x.tag IN (SELECT value FROM json_each(?)) '
            f'AND x.ord = d."{collection.ordered_by}" AND x.doc = d.id)'
        )
        parameters.append(orjson.dumps(tags).decode())
    return "".join(f" AND {part}" for part in parts), parameters


def _condition(column: str, condition: Condition) -> tuple[list[str], list[Any]]:
    match condition:
        case None:
            return [f"{column} IS NULL"], []
        case Prefix(text):
            return [f"{column} >= ?", f"{column} < ?"], [text, text + _END]
        case Between(low, high):
            bounds = [(">=", low), ("<=", high)]
            return [f"{column} {sign} ?" for sign, bound in bounds if bound is not None], [
                bound for _, bound in bounds if bound is not None
            ]
        case tuple():
            return [f"{column} IN ({', '.join('?' * len(condition))})"], list(condition)
        case _:
            return [f"{column} = ?"], [condition]
