"""What an owner is told when one of its processes fails or dies."""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from labsim.errors import LabError
from labsim.estate import run_folder
from labsim.estate.processes import (
    Child,
    OperationFailed,
    Preloaded,
    ProcessDied,
    listening_socket,
)

SERVE = "process_entries:serve"


def test_a_lab_error_arrives_as_it_was_raised(crm: Child) -> None:
    with pytest.raises(LabError) as caught:
        crm.call("refuse", kind="lab")
    assert type(caught.value) is LabError
    assert str(caught.value) == "No. Nothing. Ask again."
    assert caught.value.todo == "Ask again."


def test_any_other_error_names_process_operation_and_cause(lab: Preloaded, crm: Child) -> None:
    with pytest.raises(OperationFailed) as caught:
        crm.call("refuse", kind="other")
    assert "crm could not do 'refuse': RuntimeError: no" in str(caught.value)
    assert lab.run_folder is not None
    log = lab.run_folder / "crm" / "stderr.log"
    assert str(log) in str(caught.value)
    assert "process_entries.py" in log.read_text()
    assert crm.call("echo", value=1) == 1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"operation": "nonsense"}, "There is no operation of crm called 'nonsense'"),
        ({"operation": "echo", "worth": 1}, "unexpected keyword argument 'worth'"),
        ({"operation": "not_json"}, "Object of type object is not JSON serializable"),
    ],
)
def test_a_wrong_call_is_answered(crm: Child, call: dict[str, Any], said: str) -> None:
    with pytest.raises(LabError, match=said):
        crm.call(call.pop("operation"), **call)
    assert crm.call("echo", value=1) == 1


def test_arguments_that_are_no_json_are_the_callers_fault(crm: Child) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        crm.call("echo", value=object())
    assert crm.call("echo", value=1) == 1


@pytest.mark.parametrize(
    ("operation", "status", "how"),
    [
        ("leave", 3, "ended with exit status 3"),
        ("quit_with", 4, "ended with exit status 4"),
        ("quit_with", "so long", "ended with exit status 1"),
        ("quit_with", None, "ended with exit status 0"),
    ],
)
def test_a_child_that_ends_says_how_and_its_last_words(
    crm: Child, operation: str, status: object, how: str
) -> None:
    crm.call("say", text="all was well")
    with pytest.raises(ProcessDied) as caught:
        crm.call(operation, status=status)
    said = str(caught.value)
    assert f"The process crm (pid {crm.pid}) {how}; {operation!r} got no answer." in said
    assert "all was well" in said
    assert "lab.reset()" in said
    assert not crm.alive


def test_a_child_that_cannot_start_says_why(lab: Preloaded) -> None:
    lab.open_run_folder()
    child = lab.fork("crm", "process_entries:fail", {})
    with pytest.raises(ProcessDied, match="RuntimeError: crm cannot start"):
        child.wait_ready()
    for entry, status in (("leave_early", 5), ("do_nothing", 0)):
        child = lab.fork("crm", f"process_entries:{entry}", {"status": 5})
        with pytest.raises(ProcessDied, match=f"ended with exit status {status}"):
            child.wait_ready()


def test_an_entry_that_does_not_exist_is_refused(lab: Preloaded) -> None:
    lab.open_run_folder()
    for entry in ("process_entries:nothing", "no_such_module:nothing"):
        with listening_socket() as sock, pytest.raises(OperationFailed, match=r"nothing|no_such"):
            lab.fork("crm", entry, {}, [sock])
        assert sock.fileno() == -1
    assert lab.fork("crm", SERVE, {}).call("echo", value=1) == 1


def test_a_call_to_a_dead_child_fails_at_once_every_time(crm: Child) -> None:
    crm.kill()
    for _ in range(2):
        with pytest.raises(ProcessDied, match="was killed by SIGKILL"):
            crm.call("echo", value=1)
    assert not crm.alive
    crm.kill()


def test_a_child_killed_in_the_middle_of_a_call(lab: Preloaded, crm: Child) -> None:
    def kill(step: object) -> None:
        if step == 0:  # the next ones it had sent before its end, and they are heard after it
            os.kill(crm.pid, signal.SIGKILL)

    with pytest.raises(ProcessDied, match=r"crm .* was killed by SIGKILL; 'steps' got no answer"):
        crm.call("steps", count=10_000_000, progress=kill)
    assert lab.fork("vault", SERVE, {}).call("echo", value=1) == 1


def test_a_dead_child_is_no_zombie(
    lab: Preloaded, crm: Child, watch: Callable[[list[int]], Any]
) -> None:
    watched = watch([crm.pid])
    os.kill(crm.pid, signal.SIGKILL)
    assert watched.all_gone()
    patience = time.monotonic() + 60
    while psutil.pid_exists(crm.pid) and time.monotonic() < patience:
        lab.run("os:getpid")
    assert not psutil.pid_exists(crm.pid)


@pytest.mark.parametrize("outside", [True, False])
def test_a_killed_servers_port_refuses(lab: Preloaded, outside: bool) -> None:
    lab.open_run_folder()
    sock = listening_socket()
    address = sock.getsockname()
    crm = lab.fork("crm", SERVE, {}, [sock])
    lab.fork("vault", SERVE, {}).wait_ready()
    socket.create_connection(address).close()
    if outside:
        os.kill(crm.pid, signal.SIGKILL)
        with pytest.raises(ProcessDied):
            crm.call("block")
    else:
        crm.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_a_child_can_be_replaced(lab: Preloaded, crm: Child) -> None:
    crm.call("say", text="first")
    new = lab.fork("crm", SERVE, {})
    new.call("say", text="second")
    with pytest.raises(ProcessDied, match="was killed by SIGKILL"):
        crm.call("echo", value=1)
    assert lab.run_folder is not None
    assert (lab.run_folder / "crm" / "stderr.log").read_text() == "first\nsecond\n"


def test_a_child_that_nobody_holds_stays_until_the_run_ends(
    lab: Preloaded, watch: Callable[[list[int]], Any]
) -> None:
    lab.open_run_folder()
    child = lab.fork("crm", SERVE, {})
    child.wait_ready()
    watched = watch([child.pid])
    del child
    gc.collect()
    assert lab.fork("vault", SERVE, {}).call("echo", value=1) == 1
    assert watched.all_alive()
    lab.end_run()
    assert watched.all_gone(0)


def test_a_death_in_a_full_folder_says_so(crm: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    os.kill(crm.pid, signal.SIGKILL)
    with pytest.raises(ProcessDied) as caught:
        crm.call("echo", value=1)
    assert "is full" not in str(caught.value)
    assert caught.value.todo == "Call lab.reset() to start afresh."
    real = os.statvfs

    def full(path: Path) -> os.statvfs_result:
        values = list(real(path))
        values[4] = 0  # f_bavail
        return os.statvfs_result(values)

    monkeypatch.setattr(os, "statvfs", full)
    with pytest.raises(ProcessDied) as caught:
        crm.call("echo", value=1)
    assert f"{run_folder.choose().parent} is full: 0 KiB are free." in caught.value.did
    assert caught.value.todo.startswith("Make room there or set TMPDIR")
