"""The tables of the embedded store, and the statements that write a whole batch at once.

A batch travels to SQLite as one JSON text and is taken apart there, in C and without Python's lock: with one
statement per row, the writer thread would wait for the event loop at every row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.decider import Collection

_HISTORY = (
    "CREATE TABLE IF NOT EXISTS history (position INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, body TEXT NOT NULL, private TEXT, UNIQUE (subject, sequence))",
    "CREATE TABLE IF NOT EXISTS published (only INTEGER PRIMARY KEY CHECK (only = 1), position INTEGER NOT NULL)",
    "INSERT OR IGNORE INTO published VALUES (1, 0)",
)

HISTORY_INSERT = (
    "INSERT INTO history (subject, sequence, body, private) SELECT json_extract(value, '$[0]'), "
    "json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]') FROM json_each(?)"
)


@dataclass(frozen=True)
class Statements:
    """The SQL for one kind of document."""

    load: str
    look_up: str
    upsert: str
    untag: str
    tag: str
    delete: tuple[str, str]


def schema(collections: Iterable[Collection]) -> list[str]:
    """What makes the tables where they are not there yet."""
    return [*_HISTORY, *(statement for each in collections for statement in _tables(each))]


def _tables(collection: Collection) -> list[str]:
    kind = collection.kind
    columns = "".join(f', "{column}"' for column in collection.columns)
    made = [
        f'CREATE TABLE IF NOT EXISTS "{kind}" (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, '
        f"version INTEGER NOT NULL, state TEXT NOT NULL, private TEXT, tags TEXT NOT NULL{columns})",
        f'CREATE TABLE IF NOT EXISTS "{kind}_tag" (tag TEXT NOT NULL, ord, doc INTEGER NOT NULL, '
        "PRIMARY KEY (tag, ord, doc)) WITHOUT ROWID",
    ]
    for index in collection.indexes:
        listed = ", ".join(f'"{column}"' for column in index)
        name = f"{kind}_{'_'.join(index)}"
        # Most documents are not due for anything: what has no value needs no place in the index.
        made.append(f'CREATE INDEX IF NOT EXISTS "{name}" ON "{kind}" ({listed}) WHERE "{index[0]}" IS NOT NULL')
    return made


def statements(collection: Collection) -> Statements:
    """The SQL for one kind of document; each statement takes one JSON array of rows (`load`: a key)."""
    kind = collection.kind
    order = f'd."{collection.ordered_by}"' if collection.ordered_by else "NULL"
    names = ["key", "version", "state", "private", "tags", *collection.columns]
    listed = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(names)))
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in names[1:])
    keys = f'SELECT id FROM "{kind}" WHERE key IN (SELECT value FROM json_each(?))'
    return Statements(
        load=f'SELECT version, state, private FROM "{kind}" WHERE key = ?',
        look_up=f"SELECT json_group_array(json_array(d.key, d.version, {order}, json(d.tags))) "
        f'FROM json_each(?) AS j JOIN "{kind}" AS d ON d.key = j.value',
        upsert=f'INSERT INTO "{kind}" ({listed}) SELECT {values} FROM json_each(?) WHERE true '
        f"ON CONFLICT (key) DO UPDATE SET {updates}",
        untag=f'DELETE FROM "{kind}_tag" WHERE (tag, ord, doc) IN (SELECT {_TAG_ROW} FROM json_each(?) AS j '
        f"JOIN \"{kind}\" AS d ON d.key = json_extract(j.value, '$[0]'))",
        tag=f'INSERT OR IGNORE INTO "{kind}_tag" (tag, ord, doc) SELECT {_TAG_ROW} FROM json_each(?) AS j '
        f"JOIN \"{kind}\" AS d ON d.key = json_extract(j.value, '$[0]')",
        delete=(f'DELETE FROM "{kind}_tag" WHERE doc IN ({keys})', f'DELETE FROM "{kind}" WHERE id IN ({keys})'),
    )


_TAG_ROW = "json_extract(j.value, '$[2]'), json_extract(j.value, '$[1]'), d.id"
