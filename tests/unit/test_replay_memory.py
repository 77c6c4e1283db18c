"""The replay memories: one atomic answer, bounded, and never a guess."""

from __future__ import annotations

import gc
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from labsim.binding import ReplayMemory
from labsim.checks import StorageUnavailable
from labsim.errors import LabError
from labsim.estate import replay_memory
from labsim.estate.redis_memory import RedisReplayMemory, connected
from labsim.estate.replay_memory import InProcessReplayMemory, SqliteReplayMemory
from tests.redis_server import Server

NOW = 1000.0

type Make = Callable[..., ReplayMemory]
KINDS = ["sqlite", "in process", pytest.param("redis", marks=pytest.mark.needs_redis_server)]


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Make a memory, or one more that shares it; each kind keeps to the same contract."""
    if request.param != "redis":
        alone = InProcessReplayMemory(100)
        file = tmp_path / "memory.sqlite"
        yield lambda: SqliteReplayMemory(file, 100) if request.param == "sqlite" else alone
        return
    server = Server(tmp_path)
    with connected(server.url) as client:
        yield lambda: RedisReplayMemory(client, "orders")
    server.stop()


@pytest.fixture(params=["sqlite", "in process"])
def bounded(request: pytest.FixtureRequest, tmp_path: Path) -> ReplayMemory:
    """Make a memory with room for two; how much a Redis server takes is its own setting."""
    if request.param == "sqlite":
        return SqliteReplayMemory(tmp_path / "memory.sqlite", 2)
    return InProcessReplayMemory(2)


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


def test_a_record_lives_until_its_time(make: Make) -> None:
    memory = make()
    assert memory.is_first(("who", "what"), NOW + 60, NOW)
    for later in (1, 30, 59, 60):
        assert not memory.is_first(("who", "what"), NOW + 60, NOW + later)


def test_a_record_lives_no_longer_on_the_labs_clock(bounded: ReplayMemory) -> None:
    """Redis has a clock of its own, which lab time that is advanced does not move."""
    assert bounded.is_first(("who", "what"), NOW + 60, NOW)
    assert bounded.is_first(("who", "what"), NOW + 200, NOW + 61)
    assert not bounded.is_first(("who", "what"), NOW + 200, NOW + 61)


def test_whoever_looked_at_the_clock_first_and_comes_last_is_not_first(make: Make) -> None:
    """A request may wait between its clock and the memory, while others go on and sweep it."""
    one, another = make(), make()
    assert one.is_first(("who", "what"), NOW + 60, NOW)
    assert another.is_first(("who", "of now"), NOW + 121, NOW + 61)
    assert not one.is_first(("who", "what"), NOW + 60, NOW + 59.9)
    assert not another.is_first(("who", "what"), NOW + 60, NOW + 59.9)


def test_a_late_one_is_first_if_its_time_is_not_over(make: Make) -> None:
    memory = make()
    assert memory.is_first(("who", "of now"), NOW + 121, NOW + 61)
    assert memory.is_first(("who", "what"), NOW + 62, NOW + 59.9)
    assert not memory.is_first(("who", "what"), NOW + 62, NOW + 59.9)


def test_a_kind_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(LabError, match="sqlite, in_process, redis://host:port"):
        replay_memory.known_kind("paper")


def test_a_full_memory_answers_nothing_until_there_is_room(bounded: ReplayMemory) -> None:
    memory = bounded
    assert memory.is_first(("who", "1"), NOW + 10, NOW)
    assert memory.is_first(("who", "2"), NOW + 60, NOW)
    with pytest.raises(StorageUnavailable, match=r"full \(2 entries\)"):
        memory.is_first(("who", "3"), NOW + 60, NOW)
    assert not memory.is_first(("who", "2"), NOW + 60, NOW), "it still knows what it knows"
    assert memory.is_first(("who", "3"), NOW + 60, NOW + 11)
    with pytest.raises(StorageUnavailable):
        memory.is_first(("who", "4"), NOW + 60, NOW + 12)


def test_of_many_threads_one_is_first(make: Make) -> None:
    memory = make()
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


def test_a_thread_that_ends_leaves_no_connection_open(tmp_path: Path) -> None:
    """A connection that nobody closed would warn here, and warnings are errors."""
    memories = [SqliteReplayMemory(tmp_path / "m.sqlite")]
    thread = threading.Thread(target=lambda: memories[0].is_first(("a", "b"), NOW + 60, NOW))
    thread.start()
    thread.join()
    memories.clear()
    gc.collect()


def test_a_locked_memory_answers_nothing_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_memory, "BUSY_SECONDS", 0)
    file = tmp_path / "m.sqlite"
    memory = SqliteReplayMemory(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody_else:
        somebody_else.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable, match="locked"):
            memory.is_first(("who", "what"), NOW + 60, NOW)
        somebody_else.execute("ROLLBACK")
    assert memory.is_first(("who", "what"), NOW + 60, NOW)
    assert not memory.is_first(("who", "what"), NOW + 60, NOW)


def test_what_another_replica_added_counts_when_room_grows_scarce(tmp_path: Path) -> None:
    bound = 1500
    first, second = (SqliteReplayMemory(tmp_path / "m.sqlite", bound) for _ in range(2))
    assert first.is_first(("first", "0"), NOW + 60, NOW)
    for number in range(bound - 1):
        assert second.is_first(("second", str(number)), NOW + 60, NOW)
    # It counted 1499 at its sweep and so believes that there is room; the next sweep tells.
    with pytest.raises(StorageUnavailable, match="full"):
        first.is_first(("first", "1"), NOW + 60, NOW + 11)
