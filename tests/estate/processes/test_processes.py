"""What an owner can do with its processes."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from labsim.errors import LabError
from labsim.estate.processes import (
    Child,
    OperationFailed,
    Preloaded,
    ProcessDied,
    listening_socket,
)

SERVE = "process_entries:serve"

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")


def pid_of(parent: Preloaded) -> int:
    assert parent._running is not None
    return parent._running.process.pid


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_child_serves_calls_with_json(crm: Child) -> None:
    crm.wait_ready()
    assert crm.alive
    value = {"text": "ü\n\0", "list": [1, 2.5, None, True], "empty": {}}
    assert crm.call("echo", value=value) == value
    assert crm.call("config") == {"color": "blue"}


def test_large_messages_pass_both_ways(crm: Child) -> None:
    value = "é" * 4_000_000
    assert crm.call("echo", value=value) == value


def test_a_large_config_passes(lab: Preloaded) -> None:
    lab.open_run_folder()
    config = {"records": ["r" * 1000] * 3000}
    assert lab.fork("crm", SERVE, config).call("config") == config


def test_sixteen_children_start_side_by_side(lab: Preloaded) -> None:
    folder = lab.open_run_folder()
    sockets = [listening_socket() for _ in range(16)]
    addresses = [list(sock.getsockname()) for sock in sockets]
    names = [f"process{number}" for number in range(16)]
    children = [lab.fork(n, SERVE, {"n": n}, [s]) for n, s in zip(names, sockets, strict=True)]
    for child in children:
        child.wait_ready()
    assert all(sock.fileno() == -1 for sock in sockets)
    assert len({child.pid for child in children}) == 16
    assert [child.call("sockets") for child in children] == [[a] for a in addresses]
    assert [child.call("config")["n"] for child in children] == names
    assert sorted(p.name for p in folder.iterdir()) == sorted(names)


def test_what_the_parent_made_its_later_children_have(lab: Preloaded) -> None:
    assert lab.run("process_entries:remember", value="a key") == 1
    lab.open_run_folder()
    assert lab.fork("crm", SERVE, {}).call("made") == ["a key"]


def test_children_are_not_equally_random(lab: Preloaded) -> None:
    lab.open_run_folder()
    lab.run("random:seed", a=1)
    values = {lab.fork(name, SERVE, {}).call("random") for name in ("crm", "vault", "deploy")}
    assert len(values) == 3
    assert random.Random(1).random() not in values


def test_folders_and_logs_are_private(lab: Preloaded, crm: Child) -> None:
    crm.call("say", text="hello")
    folder = lab.run_folder
    assert folder is not None
    assert mode(folder) == mode(folder / "crm") == 0o700
    assert mode(folder / "crm" / "stderr.log") == 0o600
    assert (folder / "crm" / "stderr.log").read_text() == "hello\n"
    assert crm.call("cwd") == str(folder / "crm")
    crm.call("touch", name="made")
    assert mode(folder / "crm" / "made") == 0o600


def test_folders_are_private_whatever_the_umask(lab: Preloaded) -> None:
    before = os.umask(0o777)
    try:
        folder = lab.open_run_folder()
    finally:
        os.umask(before)
    lab.fork("crm", SERVE, {}).wait_ready()
    assert mode(folder) == mode(folder / "crm") == 0o700


@linux_only
def test_a_child_holds_nothing_but_its_own(lab: Preloaded) -> None:
    lab.open_run_folder()
    children = [lab.fork(n, SERVE, {}, [listening_socket()]) for n in ("crm", "vault", "deploy")]
    for child in children:
        targets = child.call("descriptors")
        log = str(lab.run_folder / child.name / "stderr.log") if lab.run_folder else ""
        assert [targets.pop(fd) for fd in "012"] == ["/dev/null", log, log]
        kinds = sorted(target.partition(":")[0] for target in targets.values())
        assert kinds == ["pipe", "socket", "socket"]


@linux_only
def test_ps_shows_who_is_who(lab: Preloaded, crm: Child) -> None:
    crm.wait_ready()
    process = psutil.Process(crm.pid)
    assert process.name() == "labsim:crm"
    assert process.cmdline()[0] == "labsim:crm"
    assert "".join(process.cmdline()[1:]) == ""
    assert psutil.Process(pid_of(lab)).name() == "estate"


def test_the_parent_stays_single_threaded_in_a_session_of_its_own(
    lab: Preloaded, crm: Child
) -> None:
    crm.wait_ready()
    assert psutil.Process(pid_of(lab)).num_threads() == 1
    assert os.getsid(crm.pid) == os.getsid(pid_of(lab)) == pid_of(lab) != os.getsid(0)


def test_a_child_ignores_interrupts_and_ends_at_sigterm(crm: Child) -> None:
    assert crm.call("signals") == [signal.SIG_IGN, signal.SIG_DFL]
    os.kill(crm.pid, signal.SIGINT)
    assert crm.call("echo", value=1) == 1
    os.kill(crm.pid, signal.SIGTERM)
    with pytest.raises(ProcessDied, match="was killed by SIGTERM"):
        crm.call("block")


# Several threads, progress


def test_threads_take_turns(crm: Child) -> None:
    wrong = []

    def call(number: int) -> None:
        for turn in range(50):
            value = [number, turn, "x" * (turn * 5000)]
            if crm.call("echo", value=value) != value:
                wrong.append(value)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_end_run_frees_a_thread_that_waits(lab: Preloaded, crm: Child) -> None:
    raised: list[Exception] = []
    begun = threading.Event()

    def call() -> None:
        try:
            crm.call("steps", count=10_000_000, progress=lambda _: begun.set())
        except LabError as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    begun.wait()
    lab.end_run()
    thread.join()
    assert [type(error) for error in raised] == [ProcessDied]
    assert "was stopped with its run" in str(raised[0])


def test_progress_comes_step_by_step(crm: Child) -> None:
    seen: list[int] = []
    assert crm.call("steps", count=5, progress=seen.append) == {"counted": 5}
    assert seen == [0, 1, 2, 3, 4]
    assert crm.call("steps", count=5) == {"counted": 5}
    seen.clear()
    with pytest.raises(OperationFailed, match="after the last step"):
        crm.call("steps", count=2, fail=True, progress=seen.append)
    assert seen == [0, 1]


def test_an_operation_that_nobody_follows_any_more_is_closed(crm: Child) -> None:
    def follow(number: int) -> None:
        if number == 100:
            raise OSError("I have seen enough")

    with pytest.raises(OSError, match="seen enough"):
        crm.call("count", progress=follow)
    reached, closed = crm.call("counted")
    assert reached >= 100
    assert closed


def test_it_is_closed_even_if_no_other_call_comes(crm: Child, told: Path) -> None:
    def follow(number: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crm.call("count", told=str(told), progress=follow)
    assert told.read_text() == "closed\n"


# The parent


def test_functions_run_in_the_parent(lab: Preloaded) -> None:
    assert lab.run("os:getpid") == pid_of(lab)
    with pytest.raises(LabError, match=r"^No\. Nothing\. Ask again\.$"):
        lab.run("process_entries:refuse", kind="lab")
    with pytest.raises(OperationFailed, match="estate could not do 'process_entries:refuse'"):
        lab.run("process_entries:refuse", kind="other")
    with pytest.raises(OperationFailed, match="not JSON serializable"):
        lab.run("process_entries:not_json")
    assert lab.run("os:getpid") == pid_of(lab)


def test_a_module_that_is_not_there_is_named(runs: Path) -> None:
    parent = Preloaded("estate", ["json", "no_such_module"])
    for use in (parent.open_run_folder, lambda: parent.run("os:getpid")):
        with pytest.raises(LabError, match=r"cannot import no_such_module.*doctor"):
            use()
    parent.close()
    assert list(runs.iterdir()) == []


def test_a_module_that_starts_threads_is_refused(runs: Path) -> None:
    parent = Preloaded("estate", ["process_threaded_module"])
    with pytest.raises(LabError, match=r"process_threaded_module.* started threads"):
        parent.open_run_folder()
    parent.close()


def test_a_parent_that_cannot_be_started(
    runs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(LabError, match=r"estate could not be started.*no-python"):
        Preloaded("estate", []).begin()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    parent = Preloaded("estate", [])
    parent.begin()
    with pytest.raises(ProcessDied, match="ended with exit status 1"):
        parent.run("os:getpid")


def test_a_child_needs_a_run(lab: Preloaded) -> None:
    with pytest.raises(LabError, match="does not run"):
        lab.fork("crm", SERVE, {})
    lab.begin()
    lab.begin()
    with pytest.raises(LabError, match="no run folder yet"):
        lab.fork("crm", SERVE, {})


def test_the_owners_module_is_light() -> None:
    code = "import labsim.estate.processes, sys, json; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(json.loads(run.stdout))
    heavy = {"ssl", "asyncio", "cryptography", "httpx", "h11", "ctypes", "tempfile", "shutil"}
    assert not loaded & (heavy | {"pandas", "mitmproxy", "matplotlib", "logging", "http"})
