"""The stores: one atomic answer, bounded, and never a guess."""

from __future__ import annotations

import gc
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from labsim.checks import StorageUnavailable
from labsim.estate import storage
from labsim.estate.storage import InProcessReplayMemory, SqliteGrants, SqliteReplayMemory
from labsim.roles.grants import Grant

NOW = 1000.0
GRANT = Grant("c", "owner", frozenset({"a.read", "b.read"}), "family", NOW + 60, "dpop")

type Memory = SqliteReplayMemory | InProcessReplayMemory
type Make = Callable[..., Memory]


@pytest.fixture(params=["sqlite", "in process"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    def made(bound: int = 100) -> Memory:
        if request.param == "sqlite":
            return SqliteReplayMemory(tmp_path / "memory.sqlite", bound)
        return InProcessReplayMemory(bound)

    return made


def test_only_the_first_is_first(make: Make) -> None:
    memory = make()
    assert memory.is_first(("who", "what"), NOW + 60, NOW)
    assert not memory.is_first(("who", "what"), NOW + 60, NOW)
    assert memory.is_first(("who else", "what"), NOW + 60, NOW)
    assert memory.is_first(("who", "what else"), NOW + 60, NOW)


@pytest.mark.parametrize("what", ["a\0b", "\ud83d", "\N{KEY}", "", "'; DROP TABLE spent; --"])
def test_any_text_can_be_remembered(make: Make, what: str) -> None:
    memory = make()
    assert memory.is_first(("who", what), NOW + 60, NOW)
    assert not memory.is_first(("who", what), NOW + 60, NOW)
    assert memory.is_first(("who", f"{what}b"), NOW + 60, NOW)


def test_a_record_lives_until_its_time_and_no_longer(make: Make) -> None:
    memory = make()
    assert memory.is_first(("who", "what"), NOW + 60, NOW)
    for later in (1, 30, 59, 60):
        assert not memory.is_first(("who", "what"), NOW + 60, NOW + later)
    assert memory.is_first(("who", "what"), NOW + 200, NOW + 61)


def test_a_full_memory_answers_nothing_until_there_is_room(make: Make) -> None:
    memory = make(bound=2)
    assert memory.is_first(("who", "1"), NOW + 10, NOW)
    assert memory.is_first(("who", "2"), NOW + 60, NOW)
    with pytest.raises(StorageUnavailable, match=r"full \(2 entries\)"):
        memory.is_first(("who", "3"), NOW + 60, NOW)
    assert not memory.is_first(("who", "2"), NOW + 60, NOW), "it still knows what it knows"
    assert memory.is_first(("who", "3"), NOW + 60, NOW + 11)
    with pytest.raises(StorageUnavailable):
        memory.is_first(("who", "4"), NOW + 60, NOW + 12)


def test_of_many_threads_one_is_first(make: Make) -> None:
    memory = make(bound=1000)
    answers: list[bool] = []
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        answers.extend(memory.is_first(("who", str(number)), NOW + 60, NOW) for number in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 70 + [True] * 10


def test_two_servers_that_share_a_file_share_its_bound(tmp_path: Path) -> None:
    first, second = (SqliteReplayMemory(tmp_path / "m.sqlite", bound=2) for _ in range(2))
    assert first.is_first(("who", "1"), NOW + 60, NOW)
    assert not second.is_first(("who", "1"), NOW + 60, NOW)
    assert second.is_first(("who", "2"), NOW + 60, NOW)
    with pytest.raises(StorageUnavailable):
        first.is_first(("who", "3"), NOW + 60, NOW)


def test_a_store_outlives_its_process(tmp_path: Path) -> None:
    file = tmp_path / "m.sqlite"
    assert SqliteReplayMemory(file).is_first(("who", "what"), NOW + 60, NOW)
    gc.collect()
    assert not SqliteReplayMemory(file).is_first(("who", "what"), NOW + 60, NOW)


def test_a_store_is_its_owners_only(tmp_path: Path) -> None:
    SqliteGrants(tmp_path / "grants.sqlite")
    assert stat.S_IMODE((tmp_path / "grants.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["a b", "a?mode=ro", "a#b", "a%20b", "\u00e9"])
def test_a_store_may_lie_in_any_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert SqliteReplayMemory(folder / "m.sqlite").is_first(("who", "what"), NOW, NOW)
    assert (folder / "m.sqlite").exists()


def test_a_store_in_a_folder_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SqliteReplayMemory(tmp_path / "none" / "m.sqlite")


def test_a_store_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "m.sqlite"
    memory = SqliteReplayMemory(file)
    assert memory.is_first(("who", "1"), NOW + 60, NOW)
    hidden = file.rename(tmp_path / "hidden")
    with pytest.raises(StorageUnavailable, match="gone"):
        memory.is_first(("who", "2"), NOW + 60, NOW)
    hidden.rename(file)
    assert not memory.is_first(("who", "1"), NOW + 60, NOW)


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


def test_a_thread_that_ends_leaves_no_connection_open(tmp_path: Path) -> None:
    """A connection that nobody closed would warn here, and warnings are errors."""
    memories = [SqliteReplayMemory(tmp_path / "m.sqlite")]
    thread = threading.Thread(target=lambda: memories[0].is_first(("a", "b"), NOW + 60, NOW))
    thread.start()
    thread.join()
    memories.clear()
    gc.collect()


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
