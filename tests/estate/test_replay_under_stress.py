"""One proof sent two hundred times at once: exactly one is served, whatever keeps the memory.

To one server, and to two replicas that share a memory; in threads for fifty rounds each, and over
real TLS to real processes for some. A memory in the process itself has no replicas to share with.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

import labsim
from benchmarks._clients import REGISTRATION, Client
from labsim.binding import ReplayMemory
from labsim.checks import StorageUnavailable
from labsim.estate.redis_memory import RedisReplayMemory, connected
from labsim.estate.replay_memory import BOUND, InProcessReplayMemory, SqliteReplayMemory
from labsim.http_message import Request
from labsim.lab import Lab as RunningLab
from labsim.rejection import Reason
from labsim.weakened.find_then_insert import FindThenInsert
from tests.estate.conftest import PATIENCE, Peer
from tests.estate.outside import context_of, events_of
from tests.exchange import assert_served
from tests.redis_server import Server
from tests.wiring import BINDINGS, RECORD, Lab

if TYPE_CHECKING:
    from conftest import Connect, Serve

COPIES = 200
ROUNDS, LIVE_ROUNDS = 50, 10
THREADS, CONNECTIONS = 20, 20
WINDOW = 60
PROVEN = ("dpop", "http_signature")
NEEDS_REDIS = pytest.mark.needs_redis_server
KINDS = [
    pytest.param("in_process", 1, id="in process"),
    pytest.param("sqlite", 1, id="SQLite"),
    pytest.param("sqlite", 2, id="SQLite, two replicas"),
    pytest.param("redis", 1, id="Redis", marks=NEEDS_REDIS),
    pytest.param("redis", 2, id="Redis, two replicas", marks=NEEDS_REDIS),
]
each_kind = pytest.mark.parametrize(("kind", "servers"), KINDS)
each_alone = pytest.mark.parametrize(
    "kind", ["in_process", "sqlite", pytest.param("redis", marks=NEEDS_REDIS)]
)


@contextmanager
def memories(kind: str, servers: int, folder: Path) -> Iterator[list[ReplayMemory]]:
    """Give a memory for each server, which share what they remember."""
    if kind == "in_process":
        yield [InProcessReplayMemory()]
    elif kind == "sqlite":
        yield [SqliteReplayMemory(folder / "memory.sqlite") for _ in range(servers)]
    else:
        server = Server(folder)
        with ExitStack() as clients:
            clients.callback(server.stop)
            each = [clients.enter_context(connected(server.url)) for _ in range(servers)]
            yield [RedisReplayMemory(client, "orders") for client in each]


def presented(lab: Lab, binding: str, url: str = RECORD) -> Request:
    token = lab.token(binding).access_token
    return BINDINGS[binding].attach(Request("GET", url), lab.presentation(token))


def at_once(work: Sequence[Callable[[], object]]) -> None:
    """Do each of these in a thread of its own; all begin together."""
    together = threading.Barrier(len(work), timeout=PATIENCE)

    def begin(task: Callable[[], object]) -> None:
        together.wait()
        task()

    threads = [threading.Thread(target=begin, args=(task,)) for task in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@each_kind
def test_of_two_hundred_in_threads_one_is_served_in_each_of_fifty_rounds(
    lab: Lab, tmp_path: Path, kind: str, servers: int
) -> None:
    with memories(kind, servers, tmp_path) as shared:
        replicas = [replace(lab.orders, memory=memory) for memory in shared]
        for number in range(ROUNDS):
            request = presented(lab, PROVEN[number % 2])
            reasons: list[str] = []

            def send(number: int, request: Request = request, reasons: list[str] = reasons) -> None:
                for _ in range(COPIES // THREADS):
                    _response, event = replicas[number % servers].decide(request)
                    reasons.append(event["reason"])

            at_once([lambda number=number: send(number) for number in range(THREADS)])
            assert Counter(reasons) == {"": 1, "PROOF_REPLAYED": COPIES - 1}, number


class Live:
    """A running lab, a holder for each binding with proofs, and kept connections to the replicas."""

    def __init__(self, lab: RunningLab, servers: int) -> None:
        self.lab = lab
        self.holders = {b: Client(lab, b, "ES256", "orders") for b in PROVEN}
        self.url = lab.estate.urls["orders"]
        lab.vary("replicas_shared" if servers == 2 else "base")
        own = urlsplit(self.url).port or 0
        ports = [own, lab.estate.attackers_ports[f"127.0.0.1:{own}"]] if servers == 2 else [own]
        context = context_of(str(lab.estate.ca_file))
        self.peers = [Peer(ports[n % servers], context) for n in range(CONNECTIONS)]
        for peer in self.peers:  # a replica's port is not the one that the proof is for
            peer.host = f"Host: 127.0.0.1:{own}".encode()

    def proven(self, binding: str = "dpop", ahead: float = 0) -> bytes:
        """Make a request whose proof was made so many seconds from now."""
        url = f"{self.url}/records/orders-0001"
        (request,) = self.holders[binding].requests(url, 1, self.lab.now + ahead)
        return request

    def answered(self, request: bytes) -> int:
        """Send a request once and return the status."""
        return self.peers[0].send(request).answer().status

    def crowd(self, request: bytes) -> Counter[int]:
        """Send copies over all connections before any answer is read, and count the answers."""
        each = COPIES // CONNECTIONS
        for peer in self.peers:
            peer.send(request * each)
        return Counter(peer.answer().status for peer in self.peers for _ in range(each))

    def refusals(self) -> list[dict[str, Any]]:
        """Return what the first server has written of requests that it has refused."""
        events = events_of(self.lab.run_folder, "orders")
        return [event for event in events if event["decision"] == "rejected"]


@contextmanager
def live(kind: str, servers: int, folder: Path) -> Iterator[tuple[Live, Server | None]]:
    """Start a lab whose resource servers remember proofs in this kind of memory."""
    with ExitStack() as stack:
        redis = None
        if kind == "redis":
            redis = Server(folder)
            stack.callback(redis.stop)
        where = redis.url if redis else kind
        lab = stack.enter_context(
            labsim.start(quiet=True, clients=[REGISTRATION], replay_memory=where)
        )
        running = Live(lab, servers)
        for peer in running.peers:
            stack.callback(peer.tls.close)
        yield running, redis


@each_kind
def test_of_two_hundred_over_tls_one_is_served(tmp_path: Path, kind: str, servers: int) -> None:
    with live(kind, servers, tmp_path) as (running, _):
        for number in range(LIVE_ROUNDS):
            request = running.proven(PROVEN[number % 2])
            assert running.crowd(request) == {200: 1, 401: COPIES - 1}, number
        assert {event["reason"] for event in running.refusals()} == {"PROOF_REPLAYED"}


@each_alone
def test_a_proof_at_the_edge_stays_refused_until_it_can_no_longer_be_accepted(
    tmp_path: Path, kind: str
) -> None:
    """Dated as far ahead as it may be: its record must live for twice the window."""
    with live(kind, 1, tmp_path) as (running, _):
        request = running.proven(ahead=WINDOW)
        made = running.lab.now + WINDOW
        assert running.answered(request) == 200
        for at in (0, WINDOW, 1.9 * WINDOW):
            running.lab.advance(seconds=max(0.0, made - WINDOW + at - running.lab.now))
            assert running.answered(running.proven()) == 200  # makes the memory sweep
            assert running.answered(request) == 401
            assert running.refusals()[-1]["reason"] == "PROOF_REPLAYED"
        running.lab.advance(seconds=made + WINDOW + 1 - running.lab.now)
        assert running.answered(request) == 401
        assert running.refusals()[-1]["check"] == "iat_is_recent"
        assert running.answered(running.proven()) == 200


def fill(running: Live, redis: Server | None) -> Callable[[], None]:
    """Leave a running server no room for one more proof; returns what gives it back."""
    if redis is not None:
        with connected(redis.url) as client:
            client.config_set("maxmemory", 1)

        def empty() -> None:
            with connected(redis.url) as client:
                client.config_set("maxmemory", 0)

        return empty
    file = running.lab.run_folder / "orders" / "replay_memory.sqlite"
    until = running.lab.now + 2 * WINDOW
    rows = ((number.to_bytes(32), until) for number in range(BOUND))
    with closing(sqlite3.connect(file)) as store, store:
        store.executemany("INSERT INTO spent VALUES (?, ?)", rows)
    running.lab.advance(seconds=11)  # the server counts at its next sweep
    return lambda: running.lab.advance(seconds=2 * WINDOW)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("redis", marks=NEEDS_REDIS)])
def test_a_full_memory_fails_closed_with_an_event_and_recovers(tmp_path: Path, kind: str) -> None:
    with live(kind, 1, tmp_path) as (running, redis):
        spent = running.proven()
        assert running.answered(spent) == 200
        empty = fill(running, redis)
        assert running.crowd(running.proven()) == {503: COPIES}
        refused = running.refusals()
        assert {event["reason"] for event in refused[-COPIES:]} == {"UNAVAILABLE"}
        assert {event["check"] for event in refused[-COPIES:]} == {"storage_answers"}
        assert running.answered(spent) in (401, 503), "what it knows it does not serve"
        empty()
        assert running.crowd(running.proven()) == {200: 1, 401: COPIES - 1}


def test_a_memory_in_the_process_fails_closed_over_its_bound_and_recovers(lab: Lab) -> None:
    memory = InProcessReplayMemory(bound=COPIES)
    server = replace(lab.orders, memory=memory)
    requests = [presented(lab, PROVEN[number % 2]) for number in range(2 * COPIES)]
    reasons: list[str] = []

    def send(part: Sequence[Request]) -> None:
        reasons.extend(server.decide(request)[1]["reason"] for request in part)

    at_once([lambda part=requests[n::THREADS]: send(part) for n in range(THREADS)])
    assert Counter(reasons) == {"": COPIES, Reason.UNAVAILABLE.name: COPIES}
    with pytest.raises(StorageUnavailable):
        memory.is_first(("who", "what"), lab.clock() + WINDOW, lab.clock())
    lab.clock.advance(2 * WINDOW + 1)
    lab.orders = server
    assert_served(lab, presented(lab, "dpop"))


def over_tls(
    lab: Lab, serve: Serve, connect: Connect, memory: ReplayMemory, copies: int
) -> Counter[int]:
    """Send one proof so many times at once, a connection each, to a listener with this memory."""
    role = replace(lab.orders, memory=memory)
    served = serve(lambda request: role.handle(request)[0])
    url = f"https://127.0.0.1:{served.port}/records"
    request = presented(lab, "dpop", url).wire()
    peers = [connect(served) for _ in range(copies)]
    for peer in peers:
        peer.send(request)
    return Counter(peer.answer().status for peer in peers)


def test_who_finds_before_it_inserts_loses_the_race(
    lab: Lab, serve: Serve, connect: Connect
) -> None:
    """Each request looks before any has recorded: all of them are served. Once is what is right."""
    copies = 8
    all_have_looked = threading.Barrier(copies, timeout=PATIENCE)
    weak = FindThenInsert(round_trip=all_have_looked.wait)
    assert over_tls(lab, serve, connect, weak, copies) == {200: copies}
    good = InProcessReplayMemory()
    assert over_tls(lab, serve, connect, good, copies) == {200: 1, 401: copies - 1}


def test_two_replicas_that_find_before_they_insert_both_serve(lab: Lab) -> None:
    both, spent = threading.Barrier(2, timeout=PATIENCE), dict[tuple[str, str], float]()
    replicas = [replace(lab.orders, memory=FindThenInsert(spent, both.wait)) for _ in range(2)]
    for binding in PROVEN:
        request, statuses = presented(lab, binding), list[int]()

        def send(replica: Any, request: Request = request, found: list[int] = statuses) -> None:
            found.append(replica.decide(request)[0].status)

        at_once([lambda replica=replica: send(replica) for replica in replicas])
        assert statuses == [200, 200]
