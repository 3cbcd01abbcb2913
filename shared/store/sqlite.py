"""The embedded store: one SQLite file per service, written in batches of whole transactions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from shared.decider import Collection
from shared.events import Envelope
from shared.sqlite import Connection, Database
from shared.store import Conflict, Document, Entry, Found, Query
from shared.store.sqlite_find import SEPARATOR, find_sql
from shared.store.sqlite_schema import HISTORY_INSERT, Statements, schema, statements


@dataclass(frozen=True, slots=True)
class _Save:
    document: Document
    expected: int
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class _Put:
    documents: Sequence[Document]


@dataclass(frozen=True, slots=True)
class _Delete:
    kind: str
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Published:
    position: int


_BETWEEN = SEPARATOR.encode()

_Job = _Save | _Put | _Delete | _Published


@dataclass(slots=True)
class _Known:
    """A document as a batch finds it and leaves it."""

    version: int = 0
    order: Any = None
    tags: frozenset[str] = frozenset()
    written: Document | None = None
    deleted: bool = False


class SqliteStore:
    """The Store protocol over one file. `collections` are all kinds that the service keeps."""

    def __init__(self, path: Path, collections: Iterable[Collection]) -> None:
        self._collections = {each.kind: each for each in collections}
        self._statements = {kind: statements(each) for kind, each in self._collections.items()}
        self._database: Database[_Job] = Database(path, schema(self._collections.values()), self._apply)

    async def load(self, kind: str, key: str) -> Document | None:
        rows = self._database.read(self._statements[kind].load, (key,))
        return Document(kind, key, rows[0][0], rows[0][1], rows[0][2]) if rows else None

    async def save(self, document: Document, expected: int, entries: Sequence[Entry] = ()) -> None:
        await self._database.write(_Save(document, expected, entries))

    async def put(self, documents: Sequence[Document]) -> None:
        if documents:
            await self._database.write(_Put(documents))

    async def delete(self, kind: str, keys: Sequence[str]) -> None:
        await self._database.write(_Delete(kind, keys))

    async def find(self, kind: str, query: Query) -> list[Found]:
        if not all(query.has):
            return []  # a group without tags is hit by nothing
        sql, parameters = find_sql(self._collections[kind], query)
        read = self._database.read(sql, parameters) if query.short else await self._database.query(sql, parameters)
        ((heads, states, privates),) = read
        if states is None:
            return []
        rows = zip(orjson.loads(heads), states.split(_BETWEEN), privates.split(_BETWEEN), strict=True)
        return [
            Found(Document(kind, key, version, state, private or None), (order, id))
            # An aggregate promises no order of its rows; the order value and id do.
            for (order, id, key, version), state, private in sorted(rows, key=_place, reverse=query.descending)
        ]

    async def history(self, subject: str, after: int = 0, limit: int = 10_000) -> list[Entry]:
        rows = await self._database.query(
            "SELECT body, private, position FROM history WHERE subject = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (subject, after, limit),
        )
        return [_entry(row) for row in rows]

    async def pending(self, limit: int = 500) -> list[Entry]:
        rows = self._database.read(
            "SELECT body, private, position FROM history "
            "WHERE position > (SELECT position FROM published) ORDER BY position LIMIT ?",
            (limit,),
        )
        return [_entry(row) for row in rows]

    async def published(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        # One writer at a time hands out positions, so whatever lies at or below the last one is published too.
        await self._database.write(_Published(max(entry.position for entry in entries)))

    async def backlog(self) -> int:
        rows = self._database.read("SELECT coalesce(max(position), 0) - (SELECT position FROM published) FROM history")
        waiting: int = rows[0][0]
        return max(waiting, 0)

    async def close(self) -> None:
        await self._database.close()

    def _apply(self, connection: Connection, jobs: list[_Job]) -> list[Any]:
        known = self._look_up(connection, jobs)
        entries: list[Entry] = []
        results = [self._settle(connection, job, known, entries) for job in jobs]
        for kind, sql in self._statements.items():
            written = {key: each for (of, key), each in known.items() if of == kind and each.written is not None}
            deleted = [key for (of, key), each in known.items() if of == kind and each.deleted and not each.written]
            if deleted:
                for statement in sql.delete:
                    connection.execute(statement, (_json(deleted),))
            if written:
                self._write(connection, self._collections[kind], sql, written)
        if entries:
            rows = [
                [e.envelope.subject, e.envelope.sequence, e.envelope.body.decode(), _text(e.private)] for e in entries
            ]
            connection.execute(HISTORY_INSERT, (_json(rows),))
        return results

    def _look_up(self, connection: Connection, jobs: list[_Job]) -> dict[tuple[str, str], _Known]:
        wanted: dict[str, list[str]] = {}
        for job in jobs:
            for kind, key in _touched(job):
                wanted.setdefault(kind, []).append(key)
        known = {(kind, key): _Known() for kind, keys in wanted.items() for key in keys}
        for kind, keys in wanted.items():
            (found,) = connection.execute(self._statements[kind].look_up, (_json(keys),)).fetchone()
            for key, version, order, tags in orjson.loads(found):
                known[kind, key] = _Known(version, order, frozenset(tags))
        return known

    def _settle(
        self,
        connection: Connection,
        job: _Job,
        known: dict[tuple[str, str], _Known],
        entries: list[Entry],
    ) -> Exception | None:
        match job:
            case _Save(document, expected, new):
                there = known[document.kind, document.key]
                if there.version != expected:
                    return Conflict(f"{document.kind} {document.key} is at version {there.version}, not {expected}")
                there.version, there.written = document.version, document
                entries.extend(new)
            case _Put(documents):
                for document in documents:
                    there = known[document.kind, document.key]
                    if there.version < document.version:
                        there.version, there.written = document.version, document
            case _Delete(kind, keys):
                for key in keys:
                    there = known[kind, key]
                    there.version, there.written, there.deleted = 0, None, True
            case _Published(position):
                connection.execute("UPDATE published SET position = max(position, ?)", (position,))
        return None

    def _write(
        self, connection: Connection, collection: Collection, sql: Statements, written: dict[str, _Known]
    ) -> None:
        rows, gone, come = [], [], []
        for key, each in written.items():
            document = each.written
            assert document is not None
            index = document.index
            order = index.get(collection.ordered_by) if collection.ordered_by else None
            tags = frozenset(index.get("tags", ()))
            rows.append(
                [key, document.version, document.state.decode(), _text(document.private), sorted(tags)]
                + [index.get(column) for column in collection.columns]
            )
            moved = order != each.order
            gone += [[key, each.order, tag] for tag in (each.tags if moved else each.tags - tags)]
            come += [[key, order, tag] for tag in (tags if moved else tags - each.tags)]
        connection.execute(sql.upsert, (_json(rows),))
        if gone:
            connection.execute(sql.untag, (_json(gone),))
        if come:
            connection.execute(sql.tag, (_json(come),))


def _place(row: tuple[list[Any], bytes, bytes]) -> tuple[Any, int]:
    return row[0][0], row[0][1]


def _touched(job: _Job) -> list[tuple[str, str]]:
    """Kind and key of every document that a job is about."""
    match job:
        case _Save(document):
            return [(document.kind, document.key)]
        case _Put(documents):
            return [(document.kind, document.key) for document in documents]
        case _Delete(kind, keys):
            return [(kind, key) for key in keys]
        case _:
            return []


def _entry(row: tuple[Any, ...]) -> Entry:
    return Entry(Envelope.from_json(row[0]), row[1], row[2])


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
