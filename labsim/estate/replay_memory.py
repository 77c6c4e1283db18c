"""Replay memories: in this process, and in a SQLite file that replicas of a server can share.

Each keeps to `binding.ReplayMemory`: one atomic step decides. What cannot be answered (locked,
full, gone) raises StorageUnavailable, and the server then refuses. It never guesses.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from labsim.checks import StorageUnavailable
from labsim.errors import LabError
from labsim.estate.storage import make_store

KINDS = ("sqlite", "in_process")
"""Besides these: the URL of a Redis server (see `redis_memory`)."""
BOUND = 200_000
"""Entries a replay memory holds at most; past it, it fails closed."""
BUSY_SECONDS = 2.0
"""Real seconds to wait for a replica that is just writing."""
_SWEEP_SECONDS = 10.0
# With less room than this, the entries are counted before each insert and not only at each sweep.
_LITTLE_ROOM = 1000

# One table and nothing beside it: each page that an insert touches is written to the log.
SPENT_SCHEMA = """
CREATE TABLE IF NOT EXISTS spent (proof BLOB PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID
"""
SPENT_PAGE = 1024
"""Octets of a page: an insert rewrites one."""
_SWEPT = b""
"""The row that says up to when the store was swept; a proof's fingerprint has 32 octets."""
# One statement decides: two servers that share the file cannot both be first. What is there still,
# although its time is over, makes way. Whoever looked at the clock before a sweep comes too late
# for a proof that the sweep may have taken away.
_INSERT = """
INSERT INTO spent SELECT ?1, ?2
WHERE NOT EXISTS (SELECT 1 FROM spent WHERE proof = x'' AND until > ?2 AND until > ?3)
ON CONFLICT DO UPDATE SET until = ?2 WHERE until < ?3
"""
_SWEEPING = "INSERT INTO spent VALUES (?1, ?2) ON CONFLICT DO UPDATE SET until = max(until, ?2)"


def known_kind(kind: str) -> str:
    """Return the kind of replay memory that was asked for; LabError for one that is not there."""
    urls = ("redis://", "rediss://", "unix://")
    if kind not in KINDS and not (isinstance(kind, str) and kind.startswith(urls)):
        raise LabError.unknown("replay memory", kind, [*KINDS, "redis://host:port"])
    return kind


def fingerprint(key: tuple[str, str]) -> bytes:
    """Return 32 octets that stand for (who, what), whatever characters these have."""
    return hashlib.sha256(ascii(key).encode()).digest()


class InProcessReplayMemory:
    """Remember spent proofs in this process: for one server without replicas, and for tests."""

    def __init__(self, bound: int = BOUND) -> None:
        self._spent: dict[tuple[str, str], float] = {}
        self._bound = bound
        self._swept = float("-inf")
        self._lock = threading.Lock()

    def is_first(self, key: tuple[str, str], until: float, now: float) -> bool:
        """Record `key` until `until` and say whether it is new; raises StorageUnavailable."""
        with self._lock:
            self._swept = max(self._swept, now)
            # The oldest stand in front; one whose time was set further ahead holds up the next,
            # for no longer than the window is wide.
            while self._spent:
                oldest = next(iter(self._spent))
                if self._spent[oldest] >= now:
                    break
                del self._spent[oldest]
            # A request that waited has a clock behind the sweep, which may have taken its proof.
            is_late = now < self._swept and until < self._swept
            if is_late or self._spent.get(key, now - 1) >= now:
                return False
            if len(self._spent) >= self._bound:
                raise StorageUnavailable(f"the replay memory is full ({self._bound} entries)")
            self._spent.pop(key, None)  # one whose time is over goes to the end
            self._spent[key] = until
            return True


class SqliteReplayMemory:
    """Remember spent proofs in a file that replicas of a server can share (RFC 9449 section 11.1).

    Replicas share the bound as well, but for what the others have added since the last count.
    """

    def __init__(self, file: Path, bound: int = BOUND) -> None:
        self._file, self._path = file, str(file)  # looked for with every proof
        self._bound = bound
        self._room = 0
        self._swept = float("-inf")
        # One connection: threads of one process would only wait for one another in SQLite.
        self._lock = threading.Lock()
        make_store(file, SPENT_SCHEMA, SPENT_PAGE)
        self._connection: sqlite3.Connection | None = None  # opened when a proof comes

    def __del__(self) -> None:
        connection = getattr(self, "_connection", None)
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _open(self) -> sqlite3.Connection:
        # Never made anew: an empty store in place of a lost one would forget what was spent.
        connection = sqlite3.connect(
            f"{self._file.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=BUSY_SECONDS,
            check_same_thread=False,
        )
        connection.execute("PRAGMA synchronous=OFF")  # it outlives the process, not a power cut
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        return connection

    def is_first(self, key: tuple[str, str], until: float, now: float) -> bool:
        """Record `key` until `until` and say whether it is new; raises StorageUnavailable."""
        proof = fingerprint(key)
        with self._lock:
            if not os.path.exists(self._path):
                raise StorageUnavailable(f"{self._file.name} is gone")
            try:
                if self._connection is None:
                    self._connection = self._open()
                return self._decide(self._connection, proof, until, now)
            except sqlite3.Error as error:
                self._let_go()
                raise StorageUnavailable(f"{self._file.name}: {error}") from error

    def _decide(
        self, connection: sqlite3.Connection, proof: bytes, until: float, now: float
    ) -> bool:
        if now - self._swept >= _SWEEP_SECONDS:
            # In this order: what is said to be swept may be there still, and not the other way.
            connection.execute(_SWEEPING, (_SWEPT, now))
            connection.execute("DELETE FROM spent WHERE until < ?", (now,))
            self._room = self._counted_room(connection)
            self._swept = now
        elif self._room < _LITTLE_ROOM:
            self._room = self._counted_room(connection)
        if self._room <= 0:
            known = "SELECT 1 FROM spent WHERE proof = ? AND until >= ?"
            if connection.execute(known, (proof, now)).fetchone():
                return False
            self._swept = float("-inf")  # the next one looks whether there is room again
            raise StorageUnavailable(f"the replay memory is full ({self._bound} entries)")
        self._room -= 1
        return connection.execute(_INSERT, (proof, until, now)).rowcount == 1

    def _counted_room(self, connection: sqlite3.Connection) -> int:
        count: int = connection.execute("SELECT count(*) FROM spent").fetchone()[0]
        return self._bound - (count - 1)  # without the row about sweeps

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None
