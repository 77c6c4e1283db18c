"""Section 5 of the catalogue, rows about two proofs or two servers: what was spent stays spent."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from labsim.binding import ReplayMemory
from labsim.estate import replay_memory
from labsim.estate.replay_memory import InProcessReplayMemory, SqliteReplayMemory
from labsim.http_message import Request
from labsim.rejection import Reason
from tests.exchange import (
    BOTH,
    RS,
    STATUS,
    answer,
    assert_refused,
    assert_served,
    good_request,
    with_proof,
)
from tests.jws import Change
from tests.wiring import Lab

WINDOW = 60

type MakeMemory = Callable[..., ReplayMemory]


def sqlite_memory(folder: Path, bound: int = 1000) -> ReplayMemory:
    return SqliteReplayMemory(folder / f"{secrets.token_hex(4)}.sqlite", bound)


def in_process_memory(_folder: Path, bound: int = 1000) -> ReplayMemory:
    return InProcessReplayMemory(bound)


each_memory = pytest.mark.parametrize("make", [in_process_memory, sqlite_memory])
each_server = pytest.mark.parametrize("actor", BOTH)


def use(lab: Lab, memory: ReplayMemory | None) -> None:
    lab.orders = replace(lab.orders, memory=memory)
    if memory is not None:
        lab.authorization_server = replace(lab.authorization_server, memory=memory)


def assert_replayed(lab: Lab, request: Request, actor: str) -> None:
    refusal = {
        "error": "invalid_dpop_proof",
        "reason": Reason.PROOF_REPLAYED,
        "check": "jti_is_new",
    }
    assert_refused(lab, request, status=STATUS[actor], **refusal)


def assert_full(lab: Lab, request: Request) -> None:
    refusal = {"reason": Reason.UNAVAILABLE, "check": "storage_answers"}
    response = assert_refused(lab, request, status=503, error="temporarily_unavailable", **refusal)
    assert response.values("Retry-After") == ["1"]


def with_jti(lab: Lab, actor: str, jti: str) -> Request:
    return with_proof(lab, good_request(lab, actor), Change(claims={"jti": jti}))


@each_memory
@each_server
def test_the_same_proof_twice_is_served_once(
    lab: Lab, tmp_path: Path, actor: str, make: MakeMemory
) -> None:
    """DR-01."""
    use(lab, make(tmp_path))
    request = good_request(lab, actor)
    assert_served(lab, request)
    assert_replayed(lab, request, actor)
    assert_served(lab, good_request(lab, actor))


@each_memory
@each_server
def test_a_new_proof_with_a_spent_jti_is_refused(
    lab: Lab, tmp_path: Path, actor: str, make: MakeMemory
) -> None:
    """DR-02."""
    use(lab, make(tmp_path))
    assert_served(lab, with_jti(lab, actor, "once"))
    lab.clock.advance(1)
    assert_replayed(lab, with_jti(lab, actor, "once"), actor)
    assert_served(lab, with_jti(lab, actor, "another"))


@each_memory
@each_server
def test_of_two_hundred_at_once_exactly_one_is_served(
    lab: Lab, tmp_path: Path, actor: str, make: MakeMemory
) -> None:
    """DR-03: eight threads that start together, twenty-five times the same proof each."""
    use(lab, make(tmp_path))
    request = good_request(lab, actor)
    statuses: list[int] = []
    together = threading.Barrier(8)

    def send() -> None:
        together.wait()
        statuses.extend(answer(lab, request).status for _ in range(25))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, *[STATUS[actor]] * 199]


@each_memory
@each_server
@pytest.mark.parametrize("ahead", [0, WINDOW, -WINDOW])
def test_a_spent_proof_stays_refused_until_it_is_out_of_its_window(
    lab: Lab, tmp_path: Path, actor: str, make: MakeMemory, ahead: int
) -> None:
    """DR-04: the record lives as long as the proof could be accepted, not as long as it is young."""
    use(lab, make(tmp_path))
    iat = int(lab.clock()) + ahead
    request = with_proof(lab, good_request(lab, actor), Change(claims={"iat": iat}))
    assert_served(lab, request)
    while lab.clock() < iat + WINDOW:
        lab.clock.advance(10)
        assert_served(lab, good_request(lab, actor))  # makes the memory sweep
        if lab.clock() <= iat + WINDOW:
            assert_replayed(lab, request, actor)
    lab.clock.now = iat + WINDOW + 1
    refusal = {"reason": Reason.PROOF_OUTSIDE_WINDOW, "check": "iat_is_recent"}
    assert_refused(lab, request, status=STATUS[actor], error="invalid_dpop_proof", **refusal)


@each_memory
@each_server
def test_another_clients_jti_locks_nobody_out(
    lab: Lab, tmp_path: Path, actor: str, make: MakeMemory
) -> None:
    """DR-07: the memory is kept by (key, jti)."""
    use(lab, make(tmp_path))
    theirs = good_request(lab, actor, holder=lab.thief)
    assert_served(lab, with_proof(lab, theirs, Change(claims={"jti": "same"}), key=lab.thief))
    assert_served(lab, with_jti(lab, actor, "same"))


def test_a_jti_spent_at_one_server_is_good_at_the_next(lab: Lab) -> None:
    """DR-07: a proof names its target, so that each server keeps a memory of its own."""
    assert_served(lab, with_jti(lab, "AS", "same"))
    assert_served(lab, with_jti(lab, RS, "same"))


@each_memory
@each_server
def test_a_full_memory_refuses_and_recovers(
    lab: Lab, tmp_path: Path, actor: str, make: MakeMemory
) -> None:
    """DR-09: over its bound it fails closed; what it knows it still refuses for the right reason."""
    memory = make(tmp_path, bound=3)
    known, other = good_request(lab, actor), good_request(lab, actor)
    use(lab, memory)
    assert_served(lab, known)
    for number in range(2):
        assert memory.is_first(("filler", str(number)), lab.clock() + WINDOW, lab.clock())
    assert_full(lab, other)
    assert_replayed(lab, known, actor)
    lab.clock.advance(WINDOW + 1)
    assert_served(lab, good_request(lab, actor))


def test_a_second_node_and_a_restarted_one_know_what_was_spent(lab: Lab, tmp_path: Path) -> None:
    """DR-10: replicas share the file, and it outlives the process."""
    file = tmp_path / "shared.sqlite"
    request = good_request(lab, RS)
    use(lab, SqliteReplayMemory(file))
    assert_served(lab, request)
    use(lab, SqliteReplayMemory(file))
    assert_replayed(lab, request, RS)


@each_memory
def test_odd_characters_in_a_jti_make_no_two_the_same(
    lab: Lab, tmp_path: Path, make: MakeMemory
) -> None:
    """DR-11: nothing is cut off at a NUL, and nothing is folded."""
    use(lab, make(tmp_path))
    for jti in ("a", "a\0", "a\0b", "A", "\N{KEY}", "\ud83d", "\u00e5", "a\u030a"):
        assert_served(lab, with_jti(lab, RS, jti))


def test_the_minimal_profile_serves_a_proof_twice(lab: Lab) -> None:
    """RFC 9449 section 11.1 asks for no memory: what the strict profile's memory is good for."""
    use(lab, None)
    request = good_request(lab, RS)
    assert_served(lab, request)
    assert_served(lab, request)


@each_server
def test_a_lost_store_refuses_everything(lab: Lab, tmp_path: Path, actor: str) -> None:
    file = tmp_path / "memory.sqlite"
    spent, other = good_request(lab, actor), good_request(lab, actor)
    use(lab, SqliteReplayMemory(file))
    assert_served(lab, spent)
    hidden = file.rename(tmp_path / "hidden")
    assert_full(lab, other)
    assert not file.exists(), "a new and empty store would have forgotten what was spent"
    hidden.rename(file)
    assert_replayed(lab, spent, actor)
    assert_served(lab, other)


@each_server
def test_a_locked_store_refuses_and_recovers(
    lab: Lab, tmp_path: Path, actor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_memory, "BUSY_SECONDS", 0)
    file = tmp_path / "memory.sqlite"
    use(lab, SqliteReplayMemory(file))
    request = good_request(lab, actor)
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody_else:
        somebody_else.execute("BEGIN IMMEDIATE")
        assert_full(lab, request)
        somebody_else.execute("ROLLBACK")
    assert_served(lab, request)
