"""Section 10 of the catalogue: a signature counts once, and no longer than its window."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from labsim.binding import ReplayMemory
from labsim.estate.replay_memory import InProcessReplayMemory, SqliteReplayMemory
from labsim.http_message import Request
from labsim.rejection import Reason
from tests.contract.attacks.http_signature import HTTP_SIGNATURE
from tests.exchange import (
    AS,
    BOTH,
    RS,
    STATUS,
    answer,
    assert_refused,
    assert_served,
    token_request,
)
from tests.signatures import resigned
from tests.vectors.signature_rows import HOLDERS, assert_not_served, good
from tests.wiring import CRM, RECORD, Lab

WINDOW = 60

type MakeMemory = Callable[[Path], ReplayMemory]


def sqlite_memory(folder: Path) -> ReplayMemory:
    return SqliteReplayMemory(folder / "spent.sqlite")


def in_process_memory(_folder: Path) -> ReplayMemory:
    return InProcessReplayMemory()


each_memory = pytest.mark.parametrize("make", [in_process_memory, sqlite_memory])
each_server = pytest.mark.parametrize("actor", BOTH)
each_key = pytest.mark.parametrize("algorithm", HOLDERS)


def use(lab: Lab, memory: ReplayMemory) -> None:
    lab.orders = replace(lab.orders, memory=memory)
    lab.authorization_server = replace(lab.authorization_server, memory=memory)


def assert_replayed(lab: Lab, request: Request, actor: str) -> None:
    assert_not_served(lab, request, actor, "nonce_is_new", Reason.PROOF_REPLAYED)


def with_nonce(lab: Lab, actor: str, nonce: str, **more: object) -> Request:
    return resigned(lab, good(lab, actor), parameters={"nonce": nonce, **more})


@each_memory
@each_server
@each_key
def test_the_same_signature_twice_is_served_once(
    lab: Lab, tmp_path: Path, actor: str, make: MakeMemory, algorithm: str
) -> None:
    """HS-15."""
    use(lab, make(tmp_path))
    lab.holder = HOLDERS[algorithm]
    request = good(lab, actor)
    assert_served(lab, request)
    assert_replayed(lab, request, actor)
    assert_served(lab, good(lab, actor))


@each_server
def test_a_new_signature_with_a_spent_nonce_is_refused(lab: Lab, actor: str) -> None:
    """HS-15: at another time, with other coverage, with another token of the same key."""
    assert_served(lab, with_nonce(lab, actor, "once"))
    lab.clock.advance(1)
    assert_replayed(lab, with_nonce(lab, actor, "once"), actor)
    covering_more = resigned(lab, good(lab, actor), adding=["@path"], parameters={"nonce": "once"})
    assert_replayed(lab, covering_more, actor)
    assert_served(lab, with_nonce(lab, actor, "Once"))


@each_memory
@each_server
def test_of_many_at_once_exactly_one_is_served(
    lab: Lab, tmp_path: Path, actor: str, make: MakeMemory
) -> None:
    """HS-15: eight threads that start together."""
    use(lab, make(tmp_path))
    request = good(lab, actor)
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
def test_a_spent_signature_stays_refused_until_it_is_out_of_its_window(
    lab: Lab, tmp_path: Path, actor: str, make: MakeMemory, ahead: int
) -> None:
    """HS-11, HS-12: both edges are served; the record lives as long as the signature could."""
    use(lab, make(tmp_path))
    created = int(lab.clock()) + ahead
    request = with_nonce(lab, actor, "once", created=created)
    assert_served(lab, request)
    while lab.clock() < created + WINDOW:
        assert_replayed(lab, request, actor)
        lab.clock.advance(10)
        assert_served(lab, good(lab, actor))  # makes the memory sweep
    lab.clock.now = created + WINDOW
    assert_replayed(lab, request, actor)
    lab.clock.now = created + WINDOW + 0.5
    assert_not_served(lab, request, actor, "created_is_recent", Reason.PROOF_OUTSIDE_WINDOW)


@each_server
def test_a_signature_is_good_until_its_own_end(lab: Lab, actor: str) -> None:
    """HS-13."""
    end = int(lab.clock()) + 5
    request = with_nonce(lab, actor, "a", expires=end)
    late = with_nonce(lab, actor, "b", expires=end)
    lab.clock.now = end - 0.5
    assert_served(lab, request)
    lab.clock.now = end
    assert_not_served(lab, late, actor, "signature_is_not_expired", Reason.PROOF_OUTSIDE_WINDOW)


@each_server
def test_another_keys_nonce_locks_nobody_out(lab: Lab, actor: str) -> None:
    own, lab.holder = lab.holder, lab.thief
    assert_served(lab, with_nonce(lab, actor, "once"))
    lab.holder = own
    assert_served(lab, with_nonce(lab, actor, "once"))
    assert_replayed(lab, with_nonce(lab, actor, "once"), actor)


@each_server
def test_a_bad_signature_burns_no_nonce(lab: Lab, actor: str) -> None:
    """Spent is last: by another key, over another body, out of its time."""
    nonce = {"nonce": "coming"}
    request = good(lab, actor)
    for bad in (
        resigned(lab, request, key=lab.thief, parameters=nonce),
        replace(resigned(lab, request, parameters=nonce), body=b"x=1"),
        resigned(lab, request, parameters={**nonce, "created": 1}),
    ):
        assert answer(lab, bad).status in (400, 401)
    assert_served(lab, resigned(lab, request, parameters=nonce))


def test_a_refused_token_request_burns_no_nonce(lab: Lab) -> None:
    """The nonce is spent last, once everything else of the token request is good."""
    wrong = HTTP_SIGNATURE.attach(token_request(lab, "signing", scope="x"), lab.presentation())
    wrong = resigned(lab, wrong, parameters={"nonce": "coming"})
    refusal = {"reason": Reason.SCOPE_INVALID, "check": "scopes_are_granted"}
    assert_refused(lab, wrong, status=400, error="invalid_scope", **refusal)
    request = with_nonce(lab, AS, "coming")
    assert_served(lab, request)
    assert_replayed(lab, request, AS)


def test_servers_that_share_no_memory_each_serve_once(lab: Lab) -> None:
    """Shows the limit: one nonce at two servers, for each of which it was signed."""
    token = lab.token("http_signature", "signing", resource=CRM).access_token
    there = HTTP_SIGNATURE.attach(Request("GET", f"{CRM}/records/o-1"), lab.presentation(token))
    assert_served(lab, resigned(lab, there, parameters={"nonce": "once"}))
    assert_served(lab, with_nonce(lab, RS, "once"))


def test_the_minimal_profile_keeps_no_memory(lab: Lab) -> None:
    """Shows the limit: without a memory a captured request works again, until its window is over."""
    lab.orders = replace(lab.orders, memory=None)
    request = good(lab, RS)
    assert request.url == RECORD
    assert_served(lab, request)
    assert_served(lab, request)
    lab.clock.advance(WINDOW + 1)
    assert_not_served(lab, request, RS, "created_is_recent", Reason.PROOF_OUTSIDE_WINDOW)


def test_a_full_memory_serves_nothing_unchecked(lab: Lab) -> None:
    use(lab, InProcessReplayMemory(1))
    assert_served(lab, good(lab, AS))
    refusal = {"reason": Reason.UNAVAILABLE, "check": "storage_answers"}
    full = resigned(lab, HTTP_SIGNATURE.attach(token_request(lab, "signing"), lab.presentation()))
    assert_refused(lab, full, status=503, error="temporarily_unavailable", **refusal)
    lab.clock.advance(2 * WINDOW + 1)
    assert_served(lab, good(lab, AS))
