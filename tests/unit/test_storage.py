"""The stores: one atomic answer, bounded, and never a guess."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from labsim.checks import StorageUnavailable
from labsim.estate import storage
from labsim.estate.storage import SqliteGrants
from labsim.roles.grants import Grant

NOW = 1000.0
GRANT = Grant("c", "owner", frozenset({"a.read", "b.read"}), "family", NOW + 60, "dpop")


def test_a_store_is_its_owners_only(tmp_path: Path) -> None:
    SqliteGrants(tmp_path / "grants.sqlite")
    assert stat.S_IMODE((tmp_path / "grants.sqlite").stat().st_mode) == 0o600


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
