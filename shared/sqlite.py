"""The one room with sqlite3: a file with a writer thread that commits whatever is waiting in one transaction."""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Generic, TypeVar

from shared.store import Unavailable

Connection = sqlite3.Connection
J = TypeVar("J")
Apply = Callable[[sqlite3.Connection, list[J]], Sequence[Any]]

_MOST_AT_ONCE = 512
_log = logging.getLogger("gotong.sqlite")


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in WAL mode whose commits are on the disk when they return."""
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=10000")
    connection.execute("PRAGMA cache_size=-32000")
    # Hot pages are written again and again: copying them into the file less often saves most of that work.
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
        connection.text_factory = bytes  # states go out as the bytes they are
    return connection


class Database(Generic[J]):
    """One SQLite file. Writes are jobs: a thread takes all that wait, has `apply` do them, and commits once.

    `apply(connection, jobs)` answers a result or an exception per job. Reads run on the caller's thread (short ones)
    or on a small pool.
    """

    def __init__(self, path: Path, schema: Sequence[str], apply: Apply[J]) -> None:
        self.path = path
        self._apply = apply
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = connect(path)
            self._schema(schema)
            self._reader = connect(path, read_only=True)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"{path} cannot be opened: {error}.") from error
        self._local = threading.local()
        self._pooled: list[sqlite3.Connection] = []
        self._pool = ThreadPoolExecutor(2, thread_name_prefix=f"read-{path.stem}")
        self._jobs: queue.SimpleQueue[tuple[J, asyncio.AbstractEventLoop, asyncio.Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._write_all, name=f"write-{path.stem}", daemon=True)
        self._thread.start()

    def _schema(self, statements: Sequence[str]) -> None:
        self._writer.execute("BEGIN IMMEDIATE")
        for statement in statements:
            self._writer.execute(statement)
        self._writer.execute("COMMIT")

    async def write(self, job: J) -> Any:
        """Do a job durably and give its result."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._jobs.put((job, loop, done))
        return await done

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """A short read, on this thread."""
        try:
            return self._reader.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The store cannot be read: {error}.") from error

    async def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """A read that may take longer, on another thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._query, sql, parameters)

    def _query(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        if not hasattr(self._local, "connection"):
            self._local.connection = connect(self.path, read_only=True)
            self._pooled.append(self._local.connection)
        try:
            rows: list[tuple[Any, ...]] = self._local.connection.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The store cannot be read: {error}.") from error
        return rows

    async def close(self) -> None:
        """Finish the waiting jobs and close the file."""
        self._jobs.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
        self._pool.shutdown()
        for connection in (*self._pooled, self._reader, self._writer):
            connection.close()

    def _write_all(self) -> None:
        running = True
        while running:
            waiting = [self._jobs.get()]
            while len(waiting) < _MOST_AT_ONCE and not self._jobs.empty():
                waiting.append(self._jobs.get())
            running = None not in waiting
            batch = [each for each in waiting if each is not None]
            if batch:
                self._settle(batch)

    def _settle(self, batch: list[tuple[J, asyncio.AbstractEventLoop, asyncio.Future[Any]]]) -> None:
        try:
            results = self._transaction([job for job, _, _ in batch])
        except Exception as error:
            if len(batch) > 1:  # one bad job must not fail the others
                for each in batch:
                    self._settle([each])
                return
            results = [_as_problem(error)]
        loop = batch[0][1]
        futures = [done for _, _, done in batch]
        try:
            loop.call_soon_threadsafe(_resolve, futures, results)
        except RuntimeError:
            _log.warning("the event loop was closed before %d writes could be answered", len(batch))

    def _transaction(self, jobs: list[J]) -> Sequence[Any]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            results = self._apply(self._writer, jobs)
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        return results


def _as_problem(error: Exception) -> Exception:
    if isinstance(error, sqlite3.OperationalError):
        _log.error("the store cannot write: %s", error)
        return Unavailable(f"The store cannot write now: {error}.")
    return error


def _resolve(futures: list[asyncio.Future[Any]], results: Sequence[Any]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.cancelled():
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
