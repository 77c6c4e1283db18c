"""Campaigns on real processes, and an attacker that is killed in the middle of them."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import labsim

KILLS = 12
LOST = {"crm", "collab", "orders", "payments", "deploy", "vault"}


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def told(result: Any) -> list[tuple[Any, ...]]:
    names = ("credential", "led_by", "hop", "resource", "replay", "binding", "outcome", "error")
    return [tuple(row[name] for name in (*names, "records")) for row in result.rows]


def rows(frame: Any, **what: object) -> list[dict[str, Any]]:
    return [r for r in frame.to_dict("records") if all(r[k] == v for k, v in what.items())]


def test_a_token_in_a_log_line_leads_to_the_vault(lab: labsim.Lab) -> None:
    haul = lab.attacker.steal("support-agent", by="log_line")
    result = lab.attacker.campaign(haul, seed=3)
    path = result.path().set_index("credential")
    assert path.loc["support-agent/crm by log_line"].opened == "crm"
    assert path.loc["support-agent/collab by log_line"].opened == "collab"
    assert path.loc["ci-runner in collab-4127"].opened == "deploy, vault"
    assert path.loc["nightly-export in crm-0009"].opened == "orders, crm"
    assert path.loc["storefront in crm-0017"].opened == "orders, payments"
    assert set(path.hop) == {0, 1}
    every = {r.id: name for name in LOST for r in lab.plan.resource(name).records}
    assert set(result.records) == set(every)
    # Each record really was sent: the servers' own events say so.
    events = {n: lab.event(str(row["request_id"])) for n, row in enumerate(result.course.rows, 1)}
    for number, ids in result.exposed.items():
        if ids:
            assert set(events[number]["records"]) == set(ids)
    assert {r["reason"] for r in rows(result.attempts, resource="admin", replay="token_as_is")} == {
        "TOKEN_AUDIENCE_MISMATCH"
    }
    assert {r["reason"] for r in rows(result.attempts, resource="admin", hop=1)} == {
        "TARGET_INVALID"
    }


def test_it_repeats_for_a_seed(lab: labsim.Lab) -> None:
    haul = lab.attacker.steal("support-agent", by="log_line")
    first, second, other = (lab.attacker.campaign(haul, seed=seed) for seed in (1, 1, 2))
    assert told(first) == told(second)
    assert told(first) != told(other)
    assert sorted(told(first)) == sorted(told(other))


@pytest.mark.parametrize("binding", ["dpop", "mtls", "http_signature"])
def test_a_bound_token_leads_nowhere_until_its_key_is_stolen_too(
    lab: labsim.Lab, binding: str
) -> None:
    lab.bind("support-agent", binding)
    try:
        alone = lab.attacker.campaign(lab.attacker.steal("support-agent", by="log_line"))
        assert alone.records == ()
        assert len(alone.attempts) > len(lab.plan.resources)
        files = lab.attacker.campaign(lab.attacker.steal("support-agent", by="container_files"))
        assert {r["resource"] for r in rows(files.attempts, outcome="served")} == LOST
        assert rows(files.attempts, outcome="served", replay="stolen_key", hop=0)
    finally:
        lab.bind("support-agent", "bearer")


def test_a_found_client_that_must_prove_a_key_proves_the_attackers(lab: labsim.Lab) -> None:
    for client, binding in (("ci-runner", "mtls"), ("storefront", "dpop")):
        lab.bind(client, binding)
    try:
        result = lab.attacker.campaign(lab.attacker.steal("support-agent", by="log_line"))
        served = rows(result.attempts, outcome="served", hop=1)
        used = {(r["client"], r["binding"]) for r in served}
        assert {("ci-runner", "mtls"), ("storefront", "dpop"), ("nightly-export", "bearer")} <= used
        assert {r["resource"] for r in rows(result.attempts, outcome="served")} == LOST
    finally:
        for client in ("ci-runner", "storefront"):
            lab.bind(client, "bearer")


def test_killed_time_and_again_nothing_is_missing_or_there_twice(lab: labsim.Lab) -> None:
    haul = lab.attacker.steal("support-agent", by="log_line")
    later = lab.attacker.steal("storefront", by="log_line")
    whole = lab.attacker.campaign(haul, seed=1)
    chance, deaths = random.Random(1), 0
    while deaths < KILLS:
        when = set(chance.sample(range(1, len(whole.rows)), 3))

        def kill(done: int, when: set[int] = when) -> None:
            # The attacker has gone on meanwhile: it dies wherever it is.
            if done in when:
                os.kill(lab.estate.process("attacker").pid, signal.SIGKILL)

        result = lab.attacker.campaign(haul, seed=1, progress=kill)
        assert told(result) == told(whole)
        assert result.course.deaths > 0
        assert int(result.attempts.again.sum()) <= result.course.deaths
        deaths += result.course.deaths
        journals = sorted((lab.run_folder / "attacker").glob("campaign-*.jsonl"))
        entries = [json.loads(line) for line in journals[-1].read_bytes().splitlines()]
        done = Counter(tuple(e["attempt"]) for e in entries if e["entry"] == "outcome")
        assert max(done.values()) == 1
        assert {tuple(e["attempt"]) for e in entries if e["entry"] == "intent"} == set(done)
    # What was stolen before it died has kept its number.
    assert later[0]["number"] == haul[-1]["number"] + 1
    assert set(lab.attacker.replay(later, by="token_as_is").outcome) == {"served", "rejected"}
    new = lab.attacker.steal("storefront", by="log_line")
    assert new[0]["number"] == later[-1]["number"] + 1


def test_killed_before_it_began(lab: labsim.Lab) -> None:
    haul = lab.attacker.steal("ops-console", by="log_line")
    os.kill(lab.estate.process("attacker").pid, signal.SIGKILL)
    result = lab.attacker.campaign(haul)
    assert result.course.deaths == 1
    assert {r["resource"] for r in rows(result.attempts, outcome="served")} == {"admin"}


def test_killed_while_it_waits_for_an_answer(lab: labsim.Lab) -> None:
    """A server is held still, so that the attacker is in the middle of a request when it is killed."""
    haul = lab.attacker.steal("support-agent", by="log_line")
    whole = lab.attacker.campaign(haul, seed=4)
    folder = lab.run_folder / "attacker"
    before, over, killed = (
        set(folder.glob("campaign-*.jsonl")),
        threading.Event(),
        threading.Event(),
    )
    attacker, server = (lab.estate.process(name).pid for name in ("attacker", "vault"))

    def waits() -> bool:
        for file in set(folder.glob("campaign-*.jsonl")) - before:
            last = file.read_text(encoding="utf-8").splitlines()[-1:]
            if any('"intent"' in line and '"vault"' in line for line in last):
                return True
        return False

    def watch() -> None:
        while not over.is_set() and not killed.is_set():
            if waits():
                os.kill(attacker, signal.SIGKILL)
                killed.set()
                os.kill(server, signal.SIGCONT)

    watcher = threading.Thread(target=watch)
    os.kill(server, signal.SIGSTOP)
    watcher.start()
    try:
        result = lab.attacker.campaign(haul, seed=4)
    finally:
        over.set()
        watcher.join()
        os.kill(server, signal.SIGCONT)
    assert killed.is_set()
    assert told(result) == told(whole)
    assert result.course.deaths == 1


def test_a_revived_attacker_is_sent_to_the_same_replicas(lab: labsim.Lab) -> None:
    lab.bind("support-agent", "dpop")
    lab.vary("replicas_apart")
    try:
        haul = lab.attacker.steal("support-agent", by="wiretap")
        os.kill(lab.estate.process("attacker").pid, signal.SIGKILL)
        result = lab.attacker.campaign(haul)
        # A replica that has not seen the proof serves it a second time.
        assert rows(result.attempts, outcome="served", replay="request_as_is")
        assert result.course.deaths == 1
    finally:
        lab.vary("base")
        lab.bind("support-agent", "bearer")
