"""The replay memory in Redis, against a real server of this test's own."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from labsim.checks import StorageUnavailable
from labsim.errors import LabError
from labsim.estate.redis_memory import RedisReplayMemory, connected

pytestmark = pytest.mark.needs_redis_server

NOW = 1_800_000_000.0


class Server:
    """A Redis server on loopback that keeps nothing on disk."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder, self._options = folder, options
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--dir", str(self._folder), *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start")

    def stop(self) -> None:
        self._process.terminate()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def clients(server: Server) -> Iterator[list[redis.Redis]]:
    """Two connections, as two replicas have them."""
    made = [connected(server.url) for _ in range(2)]
    yield made
    for client in made:
        client.close()


def test_of_two_replicas_one_is_first(clients: list[redis.Redis]) -> None:
    one, other = (RedisReplayMemory(client, "orders") for client in clients)
    assert one.is_first(("who", "what"), NOW + 60, NOW)
    assert not other.is_first(("who", "what"), NOW + 60, NOW)
    assert other.is_first(("who else", "what"), NOW + 60, NOW)
    assert RedisReplayMemory(clients[0], "crm").is_first(("who", "what"), NOW + 60, NOW)


@pytest.mark.parametrize("what", ["a\0b", "\ud83d", "\N{KEY}", ""])
def test_any_text_can_be_remembered(clients: list[redis.Redis], what: str) -> None:
    memory = RedisReplayMemory(clients[0], "orders")
    assert memory.is_first(("who", what), NOW + 60, NOW)
    assert not memory.is_first(("who", what), NOW + 60, NOW)
    assert memory.is_first(("who", f"{what}b"), NOW + 60, NOW)


def test_a_record_is_kept_for_as_long_as_the_proof_is_good(clients: list[redis.Redis]) -> None:
    memory = RedisReplayMemory(clients[0], "orders")
    assert memory.is_first(("who", "what"), NOW + 119.5, NOW)
    (key,) = clients[0].keys("labsim:orders:*")  # type: ignore[misc,union-attr]
    assert 119.5 < clients[0].pttl(key) / 1000 <= 121  # type: ignore[operator]


def test_of_many_threads_one_is_first(clients: list[redis.Redis]) -> None:
    answers: list[bool] = []
    together = threading.Barrier(8)

    def ask(client: redis.Redis) -> None:
        memory = RedisReplayMemory(client, "orders")
        together.wait()
        answers.extend(memory.is_first(("who", str(n)), NOW + 60, NOW) for n in range(10))

    threads = [threading.Thread(target=ask, args=(clients[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 70 + [True] * 10


def test_a_server_that_is_gone_answers_nothing_and_recovers(
    server: Server, clients: list[redis.Redis]
) -> None:
    memory = RedisReplayMemory(clients[0], "orders")
    assert memory.is_first(("who", "1"), NOW + 60, NOW)
    server.stop()
    with pytest.raises(StorageUnavailable, match="Redis"):
        memory.is_first(("who", "2"), NOW + 60, NOW)
    server.start()
    assert memory.is_first(("who", "2"), NOW + 60, NOW)


def test_a_full_server_fails_closed_and_recovers(clients: list[redis.Redis]) -> None:
    memory = RedisReplayMemory(clients[0], "orders")
    clients[1].config_set("maxmemory", 1)
    with pytest.raises(StorageUnavailable, match="maxmemory"):
        memory.is_first(("who", "what"), NOW + 60, NOW)
    clients[1].config_set("maxmemory", 0)
    assert memory.is_first(("who", "what"), NOW + 60, NOW)


def test_a_server_that_would_forget_is_refused(tmp_path: Path) -> None:
    server = Server(tmp_path, "--maxmemory", "1mb", "--maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(LabError, match="would forget"):
            connected(server.url)
    finally:
        server.stop()


def test_a_server_that_is_not_there_is_a_clear_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(LabError, match="does not answer"):
            connected(url)
