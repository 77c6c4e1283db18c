"""Run folders: made, shared by two parents, refused where there is no room, always removed."""

from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labsim.errors import LabError
from labsim.estate import run_folder
from labsim.estate.processes import Child, Preloaded, ProcessDied

HERE = Path(__file__).parent
SERVE = "process_entries:serve"

Watch = Callable[[list[int]], Any]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's order to die")


def pid_of(parent: Preloaded) -> int:
    assert parent._running is not None
    return parent._running.process.pid


def test_stop_and_start_again_in_one_owner(lab: Preloaded, runs: Path, watch: Watch) -> None:
    folders = set()
    parents = set()
    for turn in range(3):
        folder = lab.open_run_folder()
        children = [lab.fork(name, SERVE, {"turn": turn}) for name in ("crm", "vault")]
        assert [child.call("config") for child in children] == [{"turn": turn}] * 2
        watched = watch([child.pid for child in children])
        lab.end_run()
        assert watched.all_gone(0)
        assert not folder.exists()
        assert lab.run_folder is None
        assert lab.alive
        assert not any(child.alive for child in children)
        with pytest.raises(ProcessDied, match="was stopped with its run"):
            children[0].call("echo", value=1)
        folders.add(folder)
        parents.add(pid_of(lab))
    assert len(folders) == 3
    assert len(parents) == 1
    lab.close()
    lab.close()
    lab.end_run()
    assert not lab.alive
    assert lab.open_run_folder().parent == runs


def test_a_new_run_ends_the_former(lab: Preloaded, crm: Child, runs: Path) -> None:
    crm.wait_ready()
    assert list(runs.iterdir()) == [lab.run_folder]
    new = lab.open_run_folder()
    assert list(runs.iterdir()) == [new]
    assert not crm.alive


def test_close_while_the_parent_still_imports(runs: Path) -> None:
    parent = Preloaded("estate", ["httpx", "cryptography.x509"])
    parent.begin()
    parent.close()
    assert not parent.alive


def test_a_lab_that_nobody_holds_ends(runs: Path, watch: Watch) -> None:
    parent = Preloaded("estate", ["process_entries"])
    parent.open_run_folder()
    child = parent.fork("crm", SERVE, {})
    watched = watch([pid_of(parent), child.pid])
    del parent, child
    gc.collect()
    assert watched.all_gone()
    assert list(runs.iterdir()) == []


# No room


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_temporary_folder_that_cannot_be_used_is_named(
    lab: Preloaded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("")
    with monkeypatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path / name))
        with pytest.raises(LabError, match=rf"run folder in {tmp_path / name}: .*set TMPDIR"):
            lab.open_run_folder()
    assert lab.run_folder is None
    assert lab.open_run_folder().exists()


def test_a_full_disk_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(LabError, match=rf"in {tmp_path}: No space left on device.*Make room"):
        run_folder.make(tmp_path / "labsim-x")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_no_file_is_told_by_the_parent(runs: Path) -> None:
    command = [sys.executable, str(HERE / "process_owner.py"), "small_files_only"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"cannot write its run folder in {runs}: File too large" in run.stdout
    assert run.stderr == ""
    assert list(runs.iterdir()) == []


def test_a_folder_that_is_there_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(LabError, match="File exists"):
        run_folder.make(tmp_path)
    assert (tmp_path / "mine").exists()


def test_without_tmpdir_it_is_tmp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    assert run_folder.choose().parent == Path("/tmp")
    assert run_folder.choose() != run_folder.choose()


# The parent dies


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_parent_that_is_killed_takes_all_with_it(
    lab: Preloaded, runs: Path, watch: Watch, number: signal.Signals
) -> None:
    lab.open_run_folder()
    children = [lab.fork(name, SERVE, {}) for name in ("crm", "vault", "deploy")]
    for child in children:
        child.wait_ready()
    parent = pid_of(lab)
    watched = watch([parent, *(child.pid for child in children)])
    os.kill(parent, number)
    assert watched.all_gone()
    assert len(list(runs.iterdir())) == (number == signal.SIGKILL)
    with pytest.raises(ProcessDied) as caught:
        children[0].call("echo", value=1)
    said = str(caught.value)
    assert "The process crm" in said
    assert f"The parent process estate (pid {parent}) was killed by {number.name}" in said
    assert "lab.reset()" in said
    assert list(runs.iterdir()) == []
    assert not lab.alive
    with pytest.raises(ProcessDied):
        children[1].call("echo", value=1)
    with pytest.raises(ProcessDied, match="does not run"):
        lab.fork("crm", SERVE, {})
    lab.open_run_folder()
    assert lab.fork("crm", SERVE, {}).call("echo", value=1) == 1


def test_the_owner_notices_a_dead_parent_at_its_next_word(lab: Preloaded, runs: Path) -> None:
    for use in (
        lambda: lab.run("os:getpid"),
        lambda: lab.fork("vault", SERVE, {}),
    ):
        lab.open_run_folder()
        os.kill(pid_of(lab), signal.SIGKILL)
        with pytest.raises(ProcessDied, match=r"parent process estate .* was killed by SIGKILL"):
            use()
        assert list(runs.iterdir()) == []


def test_a_dead_parent_is_no_obstacle_to_an_end(lab: Preloaded, runs: Path) -> None:
    for end in (lab.end_run, lab.close):
        lab.open_run_folder()
        lab.fork("crm", SERVE, {}).wait_ready()
        os.kill(pid_of(lab), signal.SIGKILL)
        end()
        assert list(runs.iterdir()) == []


@linux_only
def test_a_child_also_watches_the_lifeline(lab: Preloaded, crm: Child, watch: Watch) -> None:
    crm.call("forget_parent")
    watched = watch([crm.pid])
    os.kill(pid_of(lab), signal.SIGKILL)
    assert watched.all_gone()


@linux_only
def test_a_busy_child_can_watch_the_lifeline(lab: Preloaded, watch: Watch, told: Path) -> None:
    lab.open_run_folder()
    crm = lab.fork("crm", SERVE, {"told": str(told)})
    watched = watch([crm.pid])

    def call() -> None:
        with pytest.raises(ProcessDied):
            crm.call("watch_and_block")

    thread = threading.Thread(target=call)
    thread.start()
    assert told.read_text() == "blocking\n"
    os.kill(pid_of(lab), signal.SIGKILL)
    assert watched.all_gone()
    thread.join()


# Two parents, one folder


def test_two_parents_share_a_folder(lab: Preloaded, runs: Path, watch: Watch) -> None:
    second = Preloaded("second", [])
    for turn in range(2):
        folder = lab.open_run_folder()
        second.join_run(lab)
        crm = lab.fork("crm", SERVE, {})
        tap = second.fork("interceptor", SERVE, {})
        assert (lab.run_folder, second.run_folder) == (folder, folder)
        assert tap.call("cwd") == str(folder / "interceptor")
        assert crm.call("cwd") == str(folder / "crm")
        watched = watch([crm.pid, tap.pid])
        if turn:
            second.end_run()
            assert not tap.alive
            assert crm.alive
            assert folder.exists()
        lab.end_run()
        assert watched.all_gone(0)
        assert second.run_folder is None
        assert list(runs.iterdir()) == []
    assert second.alive
    with pytest.raises(LabError, match="no run that second could join"):
        second.join_run(lab)
    second.close()


def test_the_guest_is_ended_before_the_folder_goes(lab: Preloaded, runs: Path) -> None:
    second = Preloaded("second", [])
    folder = lab.open_run_folder()
    second.join_run(lab)
    tap = second.fork("interceptor", SERVE, {})
    begun = threading.Event()

    def write() -> None:
        with pytest.raises(ProcessDied):
            tap.call("write_on", folder=str(folder), progress=lambda _: begun.set())

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait()
    lab.close()
    thread.join()
    assert list(runs.iterdir()) == []
    second.close()


@pytest.mark.parametrize("victim", ["host", "guest"])
def test_one_of_two_parents_is_killed(lab: Preloaded, runs: Path, victim: str) -> None:
    second = Preloaded("second", [])
    folder = lab.open_run_folder()
    second.join_run(lab)
    crm = lab.fork("crm", SERVE, {})
    tap = second.fork("interceptor", SERVE, {})
    crm.wait_ready()
    tap.wait_ready()
    dead, lives = (crm, tap) if victim == "host" else (tap, crm)
    os.kill(pid_of(lab if victim == "host" else second), signal.SIGKILL)
    with pytest.raises(ProcessDied, match="was killed by SIGKILL"):
        dead.call("block")  # it may have had time for a shorter answer
    assert lives.alive == (victim == "guest")
    assert folder.exists() == (victim == "guest")
    if victim == "guest":
        second.join_run(lab)
        assert second.fork("interceptor", SERVE, {}).call("echo", value=1) == 1
    lab.end_run()
    assert list(runs.iterdir()) == []
    second.close()
