"""The stores: one atomic answer, bounded, and never a guess."""

from __future__ import annotations

import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from labsim.checks import StorageUnavailable
from labsim.estate import storage
from labsim.estate.storage import Database, SqliteGrants
from labsim.roles.grants import Grant

NOW = 1000.0
GRANT = Grant("c", "owner", frozenset({"a.read", "b.read"}), "family", NOW + 60, "dpop")


def test_a_store_is_its_owners_only(tmp_path: Path) -> None:
    SqliteGrants(tmp_path / "grants.sqlite")
    assert stat.S_IMODE((tmp_path / "grants.sqlite").stat().st_mode) == 0o600


def test_a_store_is_whole_from_its_first_moment(tmp_path: Path) -> None:
    """Replicas make the same one at once: none may see half of it, or make it anew."""
    file, ready = tmp_path / "store.sqlite", threading.Barrier(8)

    def made(number: int) -> int:
        ready.wait()
        storage.make_store(file, "CREATE TABLE kept (number INTEGER PRIMARY KEY)", 1024)
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as opened:
            opened.execute("INSERT INTO kept VALUES (?)", (number,))
        return number

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(made, range(8)))
    with closing(sqlite3.connect(file)) as opened:
        assert [row[0] for row in opened.execute("SELECT number FROM kept")] == numbers
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert opened.execute("PRAGMA page_size").fetchone() == (1024,)
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert [each.name for each in tmp_path.iterdir()] == ["store.sqlite"]


def test_nothing_is_opened_before_it_is_asked(tmp_path: Path) -> None:
    grants = SqliteGrants(tmp_path / "grants.sqlite")
    assert [each.name for each in tmp_path.iterdir()] == ["grants.sqlite"]
    assert grants.find("hash") is None
    assert (tmp_path / "grants.sqlite-wal").exists()


def test_threads_take_turns_with_a_connection_and_never_share_one(tmp_path: Path) -> None:
    """A server has a thread for each of its clients, and each connection takes memory."""
    database = Database(tmp_path / "store.sqlite", "CREATE TABLE kept (number INTEGER)")
    seen: list[sqlite3.Connection] = []

    def one_after_another() -> None:
        with database.connection() as connection:
            seen.append(connection)

    for _ in range(5):
        thread = threading.Thread(target=one_after_another)
        thread.start()
        thread.join()
    assert len(set(map(id, seen))) == 1
    with database.connection() as first, database.connection() as second:
        assert first is not second
        assert seen[0] in (first, second)


def test_a_connection_that_failed_is_not_used_again(tmp_path: Path) -> None:
    database = Database(tmp_path / "store.sqlite", "CREATE TABLE kept (number INTEGER)")

    def fail() -> None:
        with database.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO kept VALUES (0)")
            connection.execute("no SQL at all")

    for _ in range(3):
        with pytest.raises(StorageUnavailable, match="syntax error"):
            fail()
    with database.connection() as connection:
        assert not connection.in_transaction
        connection.execute("INSERT INTO kept VALUES (1)")
        assert connection.execute("SELECT number FROM kept").fetchall() == [(1,)]


def test_a_store_that_is_no_database_answers_nothing(tmp_path: Path) -> None:
    file = tmp_path / "grants.sqlite"
    grants = SqliteGrants(file)
    for part in tmp_path.iterdir():
        part.unlink()
    file.write_bytes(b"something else altogether" * 1000)
    with pytest.raises(StorageUnavailable, match=r"grants\.sqlite"):
        grants.find("hash")


def test_a_locked_store_answers_nothing_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_BUSY_SECONDS", 0)
    file = tmp_path / "grants.sqlite"
    grants = SqliteGrants(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody_else:
        somebody_else.execute("BEGIN IMMEDIATE")
        for change in (
            lambda: grants.put("h", GRANT),
            lambda: grants.rotate("h", "i", GRANT),
            lambda: grants.end_family("family"),
        ):
            with pytest.raises(StorageUnavailable, match="locked"):
                change()
        assert grants.find("h") is None, "reading goes on"
        somebody_else.execute("ROLLBACK")
    grants.put("h", GRANT)
    assert grants.find("h") == (GRANT, False)


@pytest.fixture
def grants(tmp_path: Path) -> SqliteGrants:
    held = SqliteGrants(tmp_path / "grants.sqlite")
    held.put("first", GRANT)
    return held


def test_a_grant_comes_back_as_it_went(grants: SqliteGrants) -> None:
    assert grants.find("first") == (GRANT, False)
    assert grants.find("second") is None


def test_a_rotation_spends_one_and_keeps_the_next(grants: SqliteGrants) -> None:
    assert grants.rotate("first", "second", GRANT)
    assert grants.find("first") == (GRANT, True)
    assert grants.find("second") == (GRANT, False)


@pytest.mark.parametrize("spent", ["first", "unknown"])
def test_a_rotation_that_comes_too_late_changes_nothing(grants: SqliteGrants, spent: str) -> None:
    assert grants.rotate("first", "second", GRANT)
    assert not grants.rotate(spent, "third", GRANT)
    assert grants.find("third") is None
    assert grants.find("second") == (GRANT, False)


def test_a_rotation_to_a_token_that_is_there_already_is_undone(grants: SqliteGrants) -> None:
    grants.put("second", GRANT)
    with pytest.raises(StorageUnavailable, match="UNIQUE"):
        grants.rotate("first", "second", GRANT)
    assert grants.find("first") == (GRANT, False)
    assert grants.rotate("first", "third", GRANT)


def test_a_family_ends_as_a_whole_and_alone(grants: SqliteGrants) -> None:
    other = Grant("c", "owner", frozenset(), "other family", NOW)
    grants.put("theirs", other)
    assert grants.rotate("first", "second", GRANT)
    grants.end_family("family")
    assert [grants.find(h) for h in ("first", "second")] == [None, None]
    assert grants.find("theirs") == (other, False)
