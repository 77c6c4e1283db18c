"""An estate of many clients: each is started when something is first asked of it, as planned."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import psutil
import pytest

import labsim
from benchmarks._estates import write
from labsim.errors import LabError
from labsim.estate.running import MOST_EARLY

CLIENTS = MOST_EARLY + 1


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labsim.Lab]:
    file = write(tmp_path_factory.mktemp("big"), servers=4, clients=CLIENTS)
    with labsim.start(file, quiet=True) as started:
        yield started


def clients_that_run(lab: labsim.Lab) -> set[str]:
    parent = psutil.Process(lab.estate.process("attacker").pid).parent()
    assert parent is not None
    names = {" ".join(child.cmdline()).strip("\0 ") for child in parent.children()}
    return {name.removeprefix("labsim:") for name in names} & set(lab.plan.clients)


def test_a_client_runs_from_its_first_use_bound_as_planned_and_is_served(lab: labsim.Lab) -> None:
    assert clients_that_run(lab) == set()
    for name, client in list(lab.plan.clients.items())[:12]:
        assert {row["outcome"] for row in lab.work_rows(name)} == {"served"}
        tokens = json.loads((lab.run_folder / name / "tokens.json").read_bytes())
        assert {token["binding"] for token in tokens.values()} == {client.binding}
        has_key_file = (lab.run_folder / name / "key.json").exists()
        assert has_key_file == (client.custody == "file" and client.binding != "bearer")
    assert len(clients_that_run(lab)) == 12
    assert lab.estate.ended() == []


def test_the_first_use_may_be_a_binding_a_theft_or_a_revocation(lab: labsim.Lab) -> None:
    lab.bind("client-008", "dpop", "memory")
    assert {row["outcome"] for row in lab.work_rows("client-008")} == {"served"}
    haul = lab.attacker.steal("client-004", by="log_line")
    assert "served" in set(lab.attacker.replay(haul, by="token_as_is").outcome)
    assert list(lab.revoke("client-012").tokens) == []
    assert lab.revoke_certificate("client-002") == list(lab.estate.urls)
    assert clients_that_run(lab) == {"client-008", "client-004", "client-002"}


def test_who_starts_behind_a_proxy_goes_through_it(lab: labsim.Lab) -> None:
    lab.work_rows("client-002")
    lab.vary("proxy_strips")
    for client in ("client-002", "client-006"):
        assert {row["outcome"] for row in lab.work_rows(client)} == {"served"}
        (first, *_) = lab.work_rows(client)
        authority = lab.estate.reached_at[first["resource"]].partition("://")[2]
        assert f"Host: {authority}" in first["sent"]
    lab.vary("base")
    for client in ("client-002", "client-006"):
        assert {row["outcome"] for row in lab.work_rows(client)} == {"served"}


def test_two_threads_that_ask_first_get_one_process(lab: labsim.Lab) -> None:
    pids: list[int] = []
    threads = [
        threading.Thread(target=lambda: pids.append(lab.estate.process("client-003").pid))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 4
    assert len(set(pids)) == 1


def test_a_client_that_died_stays_dead_and_an_unknown_one_is_named(lab: labsim.Lab) -> None:
    lab.estate.process("client-000").kill()
    with pytest.raises(LabError, match="client-000"):
        lab.work_rows("client-000")
    with pytest.raises(LabError, match="client-032"):
        lab.estate.process("client-999")
