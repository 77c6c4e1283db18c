"""Stores in SQLite: how one is made, and the store of grants.

SQLite in WAL mode, one file for a store, one atomic statement per decision. What cannot be answered
(locked, full, gone) raises StorageUnavailable, and the server refuses: it never guesses.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path

from labsim.checks import StorageUnavailable
from labsim.roles.grants import Grant

PAGE = 4096
"""Octets of a page, unless a store says otherwise."""
_BUSY_SECONDS = 2.0
_KEPT = 4  # connections that are kept open while nobody asks

GRANT_SCHEMA = """
CREATE TABLE IF NOT EXISTS grants (
    token_hash TEXT PRIMARY KEY, family TEXT NOT NULL, used INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS grants_family ON grants (family);
"""
_GRANTS_END = "DELETE FROM grants WHERE json_extract(body, '$.client_id') = ?"


def make_store(file: Path, schema: str, page_size: int = PAGE) -> None:
    """Make the file of an empty store, if it is not there; OSError if it cannot be made."""
    if file.exists():
        return
    # Under another name until it is whole: replicas may make the same store at once.
    part = file.with_name(f"{file.name}-{os.urandom(6).hex()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as opened:
            opened.write(empty_store(schema, page_size))
        with suppress(FileExistsError):
            os.link(part, file)
    finally:
        os.unlink(part)


@cache
def empty_store(schema: str, page_size: int) -> bytes:
    """Return what the file of an empty store holds: made once, not by each process for itself."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size={page_size:d}")
        connection.executescript(schema)
        data = bytearray(connection.serialize())
    data[18:20] = b"\2\2"  # in WAL mode, for whoever opens it (SQLite's file format, section 1.3.3)
    return bytes(data)


class _Connection(sqlite3.Connection):
    """Close when nobody holds it any more: a store that is let go of cannot be asked to."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it never opened
            self.close()


class Database:
    """Hold one SQLite file of at most so many pages.

    Whoever asks has a connection for itself, and gives it back: a server has a thread for each of
    its clients, and few of them ask at once.
    """

    def __init__(self, file: Path, schema: str, pages: int | None = None) -> None:
        self._file, self._path = file, str(file)  # looked for each time
        self._pages = pages
        self._idle: deque[sqlite3.Connection] = deque(maxlen=_KEPT)
        make_store(file, schema)

    def _open(self) -> sqlite3.Connection:
        # Never made anew: an empty store in place of a lost one would forget what was spent.
        connection = sqlite3.connect(
            f"{self._file.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=_BUSY_SECONDS,
            check_same_thread=False,  # one thread at a time
            factory=_Connection,
        )
        connection.execute("PRAGMA synchronous=OFF")
        if self._pages is not None:  # past it, SQLite says that the database is full
            connection.execute(f"PRAGMA max_page_count={self._pages:d}")
        return connection

    def _taken(self) -> sqlite3.Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection of the caller's own; StorageUnavailable for whatever SQLite raises."""
        if not os.path.exists(self._path):
            raise StorageUnavailable(f"{self._file.name} is gone")
        try:
            connection = self._taken() or self._open()
        except (sqlite3.Error, OSError) as error:
            raise StorageUnavailable(f"{self._file.name}: {error}") from error
        try:
            yield connection
        except BaseException as error:
            # It may be in the middle of something, and hold a lock.
            with suppress(sqlite3.Error):
                connection.close()
            if isinstance(error, sqlite3.Error | OSError):
                raise StorageUnavailable(f"{self._file.name}: {error}") from error
            raise
        self._idle.append(connection)


class SqliteGrants:
    """Keep refresh tokens, hashed; see `roles.grants.Grants`."""

    def __init__(self, file: Path) -> None:
        self._database = Database(file, GRANT_SCHEMA)

    def put(self, token_hash: str, grant: Grant) -> None:
        """Keep a new grant; raises StorageUnavailable."""
        with self._database.connection() as connection:
            connection.execute(
                "INSERT INTO grants VALUES (?, ?, 0, ?)", (token_hash, grant.family, _text(grant))
            )

    def find(self, token_hash: str) -> tuple[Grant, bool] | None:
        """Return the grant and whether its token was used; raises StorageUnavailable."""
        with self._database.connection() as connection:
            row = connection.execute(
                "SELECT body, used FROM grants WHERE token_hash = ?", (token_hash,)
            ).fetchone()
        return None if row is None else (_grant(row[0]), bool(row[1]))

    def rotate(self, spent_hash: str, new_hash: str, grant: Grant) -> bool:
        """Use one token up and keep the next, atomically; raises StorageUnavailable."""
        with self._database.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                spent = connection.execute(
                    "UPDATE grants SET used = 1 WHERE token_hash = ? AND used = 0", (spent_hash,)
                )
                if spent.rowcount == 1:
                    connection.execute(
                        "INSERT INTO grants VALUES (?, ?, 0, ?)",
                        (new_hash, grant.family, _text(grant)),
                    )
                connection.execute("COMMIT")
            except sqlite3.Error:
                connection.execute("ROLLBACK")
                raise
            return spent.rowcount == 1

    def end_family(self, family: str) -> None:
        """Forget every grant of a family; raises StorageUnavailable."""
        with self._database.connection() as connection:
            connection.execute("DELETE FROM grants WHERE family = ?", (family,))

    def end_all_of(self, client_id: str) -> None:
        """Forget every grant of a client; raises StorageUnavailable."""
        with self._database.connection() as connection:
            connection.execute(_GRANTS_END, (client_id,))


def _text(grant: Grant) -> str:
    return json.dumps(
        {
            "client_id": grant.client_id,
            "subject": grant.subject,
            "scopes": sorted(grant.scopes),
            "family": grant.family,
            "expires": grant.expires,
            "binding": grant.binding,
            "confirmation": grant.confirmation,
        }
    )


def _grant(text: str) -> Grant:
    value = json.loads(text)
    return Grant(**{**value, "scopes": frozenset(value["scopes"])})
