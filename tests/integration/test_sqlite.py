"""The file behind store and bus: what it cannot do it says, and what it was given to write it writes."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from shared.sqlite import Connection, Database
from shared.store import Unavailable

NOTES = ("CREATE TABLE IF NOT EXISTS note (text TEXT NOT NULL)",)


def write_notes(connection: Connection, texts: list[str]) -> list[Any]:
    connection.executemany("INSERT INTO note VALUES (?)", [(text,) for text in texts])
    return texts


async def notes(file: Path) -> list[str]:
    """What is in the file."""
    database = Database(file, NOTES, write_notes)
    found = [text.decode() for (text,) in database.read("SELECT text FROM note ORDER BY rowid")]
    await database.close()
    return found


async def test_what_cannot_be_read_is_unavailable(tmp_path: Path) -> None:
    database = Database(tmp_path / "notes.db", NOTES, write_notes)
    with pytest.raises(Unavailable, match="cannot be read"):
        database.read("SELECT * FROM nowhere")
    with pytest.raises(Unavailable, match="cannot be read"):
        await database.query("SELECT * FROM nowhere")
    assert await database.write("hello") == "hello"
    assert await database.query("SELECT text FROM note") == [(b"hello",)]
    await database.close()


async def test_what_waits_when_the_file_is_closed_is_still_written(tmp_path: Path) -> None:
    database = Database(tmp_path / "notes.db", NOTES, write_notes)
    writes = [asyncio.create_task(database.write(f"note {number}")) for number in range(300)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*writes) == [f"note {number}" for number in range(300)]
    assert await notes(tmp_path / "notes.db") == [f"note {number}" for number in range(300)]


async def test_a_caller_who_gave_up_disturbs_nobody(tmp_path: Path) -> None:
    database = Database(tmp_path / "notes.db", NOTES, write_notes)
    gone, *staying = [asyncio.create_task(database.write(f"note {number}")) for number in range(3)]
    await asyncio.sleep(0)
    gone.cancel()
    assert await asyncio.gather(*staying) == ["note 1", "note 2"]
    await database.close()
    assert await notes(tmp_path / "notes.db") == ["note 0", "note 1", "note 2"]


def test_a_write_whose_caller_is_gone_with_its_loop_is_done_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    may_write = threading.Event()

    def slowly(connection: Connection, texts: list[str]) -> list[Any]:
        may_write.wait(20)
        return write_notes(connection, texts)

    async def give_up() -> Database[str]:
        database = Database(tmp_path / "notes.db", NOTES, slowly)
        writing = asyncio.create_task(database.write("too late"))
        await asyncio.sleep(0)
        writing.cancel()
        return database

    with caplog.at_level(logging.WARNING, "gotong.sqlite"):
        database = asyncio.run(give_up())
        may_write.set()
        asyncio.run(database.close())
    assert "before 1 writes could be answered" in caplog.text
    assert asyncio.run(notes(tmp_path / "notes.db")) == ["too late"]
