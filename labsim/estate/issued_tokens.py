"""The stores of revocation, in SQLite: what the issuer has issued and ended, what a server heard.

As in `storage`: one file per store, one atomic statement per decision, and StorageUnavailable for
whatever cannot be answered.
"""

from __future__ import annotations

import threading
from pathlib import Path

from labsim.checks import StorageUnavailable
from labsim.estate.storage import Database
from labsim.roles.issued_tokens import Ended, Issued

PAGES = 25_000
"""Pages of 4 KiB that a store may grow to, some 100 MB; past it, it fails closed."""

ISSUED_SCHEMA = """
CREATE TABLE IF NOT EXISTS issued (
    jti TEXT PRIMARY KEY, client_id TEXT NOT NULL, origin TEXT NOT NULL, audience TEXT NOT NULL,
    expires REAL NOT NULL, reach TEXT NOT NULL, ended INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS issued_origin ON issued (origin);
CREATE INDEX IF NOT EXISTS issued_client ON issued (client_id);
CREATE INDEX IF NOT EXISTS issued_expires ON issued (expires);
"""
# One statement decides: nothing is issued from a token that another request is just ending.
_RECORD = """
INSERT INTO issued SELECT ?, ?, ?, ?, ?, ?, 0
WHERE NOT EXISTS (SELECT 1 FROM issued WHERE jti = ? AND ended = 1)
"""
# For a family, which is no token itself: it stands where `record` looks for what has ended.
_GRAVESTONE = "INSERT OR IGNORE INTO issued VALUES (?, '', '', '', ?, '', 1)"
_END = """
WITH RECURSIVE following (jti) AS (
    SELECT jti FROM issued WHERE {root}
    UNION SELECT issued.jti FROM issued JOIN following ON issued.origin = following.jti
)
UPDATE issued SET ended = 1 WHERE jti IN following RETURNING jti, audience, expires
"""
_END_ROOT = _END.format(root=":root IN (jti, origin)")
_END_CLIENT = _END.format(root="client_id = :root")

REVOKED_SCHEMA = """
CREATE TABLE IF NOT EXISTS revoked (jti TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS revoked_until ON revoked (until);
"""


class SqliteIssuedTokens:
    """Remember access tokens until they expire; see `roles.issued_tokens.IssuedTokens`."""

    def __init__(self, file: Path, pages: int = PAGES) -> None:
        self._database = Database(file, ISSUED_SCHEMA, pages)
        self._swept = float("-inf")

    def record(self, issued: Issued, now: float) -> bool:
        """Remember a token, unless the one it came from has ended; raises StorageUnavailable."""
        reach = " ".join(sorted(issued.reach))
        values = (issued.jti, issued.client_id, issued.origin, issued.audience, issued.expires)
        with self._database.connection() as connection:
            if now - self._swept >= 1.0:
                self._swept = now
                connection.execute("DELETE FROM issued WHERE expires <= ?", (now,))
            return connection.execute(_RECORD, (*values, reach, issued.origin)).rowcount == 1

    def find(self, jti: str) -> Issued | None:
        """Return what is remembered of a token; raises StorageUnavailable."""
        with self._database.connection() as connection:
            row = connection.execute(
                "SELECT jti, client_id, origin, audience, expires, reach FROM issued WHERE jti = ?",
                (_stored(jti),),
            ).fetchone()
        if row is None:
            return None
        jti, client_id, origin, audience, expires, reach = row
        return Issued(jti, client_id, origin, audience, expires, frozenset(reach.split()))

    def is_ended(self, jti: str) -> bool:
        """Tell whether a token was ended; raises StorageUnavailable."""
        with self._database.connection() as connection:
            found = connection.execute(
                "SELECT 1 FROM issued WHERE jti = ? AND ended = 1", (_stored(jti),)
            ).fetchone()
        return found is not None

    def end(self, root: str, until: float) -> list[Ended]:
        """End a token or a family and all that came from it; raises StorageUnavailable."""
        if not root:  # the origin of whatever came from nothing
            return []
        with self._database.connection() as connection:
            connection.execute(_GRAVESTONE, (_stored(root), until))
        return self._end(_END_ROOT, root)

    def end_all_of(self, client_id: str) -> list[Ended]:
        """End every token of a client and all that came from those; raises StorageUnavailable."""
        return self._end(_END_CLIENT, client_id)

    def _end(self, statement: str, root: str) -> list[Ended]:
        with self._database.connection() as connection:
            rows = connection.execute(statement, {"root": _stored(root)}).fetchall()
        return [Ended(*row) for row in rows if row[1]]


class SqliteRevocationList:
    """Hold what a resource server was told of; see `roles.revocation_notice.RevocationList`."""

    def __init__(self, file: Path, pages: int = PAGES) -> None:
        self._database = Database(file, REVOKED_SCHEMA, pages)
        self._swept = float("-inf")
        self._missed: dict[str, float] = {}
        self._lock = threading.Lock()

    def add(self, jtis: dict[str, float], now: float) -> None:
        """Keep each `jti` until its time; raises StorageUnavailable.

        A list that could not keep what it was told answers nothing until it can: it would call a
        token good of which it was told that it is not.
        """
        with self._lock:
            told = {**self._missed, **jtis}
            self._missed = {jti: until for jti, until in told.items() if until > now}
            with self._database.connection() as connection:
                if now - self._swept >= 1.0:
                    self._swept = now
                    connection.execute("DELETE FROM revoked WHERE until <= ?", (now,))
                connection.executemany(
                    "INSERT OR REPLACE INTO revoked VALUES (?, ?)",
                    [(_stored(jti), until) for jti, until in self._missed.items()],
                )
            self._missed = {}

    def holds(self, jti: str) -> bool:
        """Tell whether a token was revoked; raises StorageUnavailable."""
        if self._missed:
            raise StorageUnavailable("the list of revocations could not keep what it was told")
        with self._database.connection() as connection:
            found = connection.execute(
                "SELECT 1 FROM revoked WHERE jti = ?", (_stored(jti),)
            ).fetchone()
        return found is not None


def _stored(text: str) -> str | bytes:
    # Half a surrogate pair is a string in JSON and none in UTF-8; as bytes it stays what it is.
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text
