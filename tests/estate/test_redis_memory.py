"""The replay memory in Redis, against a real server of this test's own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

import labsim
from labsim.checks import StorageUnavailable
from labsim.errors import LabError
from labsim.estate.redis_memory import RedisReplayMemory, connected
from tests.redis_server import Server

pytestmark = pytest.mark.needs_redis_server

NOW = 1_800_000_000.0


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


def test_a_record_is_kept_for_as_long_as_the_proof_is_good(clients: list[redis.Redis]) -> None:
    memory = RedisReplayMemory(clients[0], "orders")
    assert memory.is_first(("who", "what"), NOW + 119.5, NOW)
    (key,) = clients[0].keys("labsim:orders:*")  # type: ignore[misc,union-attr]
    assert 149.5 < clients[0].pttl(key) / 1000 <= 150  # type: ignore[operator]


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
        with pytest.raises(LabError, match=r"does not answer: .*Start Redis there") as caught:
            labsim.start(replay_memory=url, quiet=True)
        assert "Traceback" not in str(caught.value)
        assert "File " not in str(caught.value)


@pytest.mark.parametrize(("variant", "outcome"), [("shared", "rejected"), ("apart", "served")])
def test_replicas_of_a_whole_estate_share_it_or_do_not(
    server: Server, variant: str, outcome: str
) -> None:
    with labsim.start(quiet=True, replay_memory=server.url) as lab:
        lab.bind("ops-console", "dpop")
        haul = lab.attacker.steal("ops-console", by="wiretap")
        (before,) = lab.attacker.replay(haul, by="request_as_is").to_dict("records")
        assert (before["outcome"], before["check"]) == ("rejected", "jti_is_new")
        lab.vary(f"replicas_{variant}")
        haul = lab.attacker.steal("ops-console", by="wiretap")
        assert list(lab.attacker.replay(haul, by="request_as_is").outcome) == [outcome]


def test_an_estate_whose_redis_is_gone_serves_no_proof_and_recovers(server: Server) -> None:
    with labsim.start(quiet=True, replay_memory=server.url) as lab:
        lab.bind("ops-console", "dpop")
        assert lab.work_rows("ops-console")[0]["outcome"] == "served"
        server.stop()
        (row,) = lab.work_rows("ops-console")
        assert (row["outcome"], row["status"]) == ("rejected", 503)
        assert lab.event(row["request_id"])["reason"] == "UNAVAILABLE"
        server.start()
        assert lab.work_rows("ops-console")[0]["outcome"] == "served"
