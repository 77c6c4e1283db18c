"""Stores: replay memory and grants, in SQLite (the default) and in process.

SQLite in WAL mode, one file per store, one atomic statement per decision. What cannot be answered
(locked, full, gone) raises StorageUnavailable, and the server refuses: it never guesses.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from labsim.checks import StorageUnavailable
from labsim.roles.grants import Grant

REPLAY_BOUND = 200_000
"""Entries a replay memory holds at most; past it, it fails closed."""
_BUSY_SECONDS = 2.0

_REPLAY_SCHEMA = """
CREATE TABLE IF NOT EXISTS spent (
    who TEXT NOT NULL, what TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (who, what)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS spent_until ON spent (until);
CREATE TABLE IF NOT EXISTS size (one INTEGER PRIMARY KEY CHECK (one = 1), entries INTEGER NOT NULL);
INSERT OR IGNORE INTO size VALUES (1, 0);
CREATE TRIGGER IF NOT EXISTS counted_in AFTER INSERT ON spent
    BEGIN UPDATE size SET entries = entries + 1; END;
CREATE TRIGGER IF NOT EXISTS counted_out AFTER DELETE ON spent
    BEGIN UPDATE size SET entries = entries - 1; END;
"""
# One statement decides: two servers that share the file cannot both be first.
_REPLAY_INSERT = """
INSERT INTO spent (who, what, until) SELECT ?, ?, ? WHERE (SELECT entries FROM size) < ?
ON CONFLICT DO NOTHING
"""
_GRANT_SCHEMA = """
CREATE TABLE IF NOT EXISTS grants (
    token_hash TEXT PRIMARY KEY, family TEXT NOT NULL, used INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS grants_family ON grants (family);
"""
_GRANTS_END = "DELETE FROM grants WHERE json_extract(body, '$.client_id') = ?"


class _Connection(sqlite3.Connection):
    """Close when nobody holds it any more: a thread that ends cannot be asked to."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it never opened
            self.close()


class Database:
    """Hold one SQLite file of at most so many pages, one connection per thread."""

    def __init__(self, file: Path, schema: str, pages: int | None = None) -> None:
        self._file = file
        self._pages = pages
        self._local = threading.local()
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        connection = self._open()
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(schema)

    def _open(self) -> sqlite3.Connection:
        # Never made anew: an empty store in place of a lost one would forget what was spent.
        connection = sqlite3.connect(
            f"{self._file.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=_BUSY_SECONDS,
            check_same_thread=False,  # whoever lets go of it last closes it
            factory=_Connection,
        )
        connection.execute("PRAGMA synchronous=OFF")
        if self._pages is not None:  # past it, SQLite says that the database is full
            connection.execute(f"PRAGMA max_page_count={self._pages:d}")
        return connection

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection; raises StorageUnavailable for whatever SQLite raises."""
        try:
            if not self._file.exists():
                raise StorageUnavailable(f"{self._file.name} is gone")
            if not hasattr(self._local, "connection"):
                self._local.connection = self._open()
            yield self._local.connection
        except (sqlite3.Error, OSError) as error:
            self._local.__dict__.pop("connection", None)
            raise StorageUnavailable(f"{self._file.name}: {error}") from error


class SqliteReplayMemory:
    """Remember spent proofs in a file that replicas of a server can share (RFC 9449 11.1)."""

    def __init__(self, file: Path, bound: int = REPLAY_BOUND) -> None:
        self._database = Database(file, _REPLAY_SCHEMA)
        self._bound = bound
        self._swept = float("-inf")

    def is_first(self, key: tuple[str, str], until: float, now: float) -> bool:
        """Record `key` until `until` and say whether it is new; raises StorageUnavailable."""
        who, what = key
        with self._database.connection() as connection:
            if now - self._swept >= 1.0:  # once a lab second is often enough to make room
                self._swept = now
                connection.execute("DELETE FROM spent WHERE until < ?", (now,))
            values = (who, json.dumps(what), until, self._bound)
            if connection.execute(_REPLAY_INSERT, values).rowcount == 1:
                return True
            known = connection.execute(
                "SELECT 1 FROM spent WHERE who = ? AND what = ?", (who, json.dumps(what))
            ).fetchone()
            if known is None:
                raise StorageUnavailable(f"the replay memory is full ({self._bound} entries)")
            return False


class InProcessReplayMemory:
    """Remember spent proofs in this process: for one server without replicas, and for tests."""

    def __init__(self, bound: int = REPLAY_BOUND) -> None:
        self._spent: dict[tuple[str, str], float] = {}
        self._bound = bound
        self._lock = threading.Lock()
        self._swept = float("-inf")

    def is_first(self, key: tuple[str, str], until: float, now: float) -> bool:
        """Record `key` until `until` and say whether it is new; raises StorageUnavailable."""
        with self._lock:
            if now - self._swept >= 1.0:
                self._swept = now
                self._spent = {k: end for k, end in self._spent.items() if end >= now}
            if key in self._spent:
                return False
            if len(self._spent) >= self._bound:
                raise StorageUnavailable(f"the replay memory is full ({self._bound} entries)")
            self._spent[key] = until
            return True


class SqliteGrants:
    """Keep refresh tokens, hashed; see `roles.grants.Grants`."""

    def __init__(self, file: Path) -> None:
        self._database = Database(file, _GRANT_SCHEMA)

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
