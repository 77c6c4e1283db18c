"""An owner of processes for the tests to end: `process_owner.py MODE [ARGUMENT...]`.

It prints one JSON line that says what it has started, waits for a line, and ends in the way of its
mode.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import sys
import threading
from types import FrameType

from labsim.errors import LabError
from labsim.estate.processes import Child, Preloaded, listening_socket

ESTATE = Preloaded("estate", ["process_entries"])
SECOND = Preloaded("second", [])


def parent_pid(parent: Preloaded) -> int:
    """Return the pid of a parent that runs."""
    assert parent._running is not None
    return parent._running.process.pid


def started(extra: tuple[int, ...] = ()) -> list[Child]:
    """Start three children and say so."""
    folder = ESTATE.open_run_folder()
    names = ("crm", "vault", "attacker")
    children = [ESTATE.fork(n, "process_entries:serve", {}, [listening_socket()]) for n in names]
    for child in children:
        child.wait_ready()
    pids = [parent_pid(ESTATE), *(child.pid for child in children), *extra]
    print(json.dumps({"pids": pids, "folder": str(folder)}), flush=True)
    return children


def leave() -> None:
    """End as the interpreter does."""
    started()
    input()


def os_exit() -> None:
    """End without any cleaning up."""
    started()
    input()
    os._exit(0)


def fail() -> None:
    """End with an exception."""
    started()
    input()
    raise RuntimeError("the owner failed")


def in_a_thread() -> None:
    """Start everything in a thread that ends long before the owner does."""
    children: list[Child] = []
    thread = threading.Thread(target=lambda: children.extend(started()))
    thread.start()
    thread.join()
    assert [child.call("echo", value=1) for child in children] == [1, 1, 1]
    print(json.dumps("all there"), flush=True)
    input()


def in_a_call() -> None:
    """End in the middle of a call, with a thread that waits for another."""
    crm, vault, _ = started()
    threading.Thread(target=crm.call, args=("block",), daemon=True).start()
    vault.call("block")


def importing(pipe: str) -> None:
    """Have a parent that is still importing."""
    os.environ["LABSIM_TEST_TOLD"] = pipe
    slow = Preloaded("slow", ["process_slow_module"])
    slow.begin()
    print(json.dumps({"pids": [parent_pid(slow)], "folder": "/nowhere"}), flush=True)
    input()


def running(pipe: str) -> None:
    """Have a parent that is busy with a function of its own."""
    children = started()
    threading.Thread(
        target=ESTATE.run, args=("process_entries:block",), kwargs={"told": pipe}, daemon=True
    ).start()
    input()
    del children


def two_parents(order: str) -> None:
    """Have two parents that share a run folder, whose children write into it all the time."""
    folder = ESTATE.open_run_folder()
    SECOND.join_run(ESTATE)
    children = [
        ESTATE.fork("crm", "process_entries:serve", {}),
        SECOND.fork("interceptor", "process_entries:serve", {}),
    ]
    for child in children:
        written = threading.Event()
        threading.Thread(
            target=child.call,
            args=("write_on",),
            kwargs={"folder": str(folder), "progress": lambda _, seen=written: seen.set()},
            daemon=True,
        ).start()
        written.wait()
    parents = {"host": parent_pid(ESTATE), "guest": parent_pid(SECOND)}
    pids = [*parents.values(), *(child.pid for child in children)]
    print(json.dumps({"pids": pids, "folder": str(folder), **parents}), flush=True)
    input()
    if order == "os._exit":
        os._exit(0)


def with_a_fork() -> None:
    """Fork a process that stays when this one is killed."""
    children = started()
    pid = os.fork()
    if pid == 0:
        assert not any(child.alive for child in children)
        for use in (lambda: ESTATE.run("os:getpid"), ESTATE.open_run_folder, children[0].kill):
            said = ""
            try:
                use()
            except LabError as error:
                said = str(error)
            assert "belongs to process" in said
        print(json.dumps({"fork": os.getpid()}), flush=True)
        signal.pause()
    input()


def forks_that_end() -> None:
    """Let forks end in both ways, and go on."""
    children = started()
    for ending in (sys.exit, os._exit):
        pid = os.fork()
        if pid == 0:
            ending(0)
        os.waitpid(pid, 0)
    helper = multiprocessing.get_context("fork").Process(target=os.getpid)
    helper.start()
    helper.join()
    helper.close()
    assert [child.call("echo", value=1) for child in children] == [1, 1, 1]
    print("all right", flush=True)


def small_files_only() -> None:
    """Have a file system that takes no file of useful size."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    try:
        ESTATE.open_run_folder()
    except LabError as error:
        print(error)


def interrupted() -> None:
    """Be interrupted in the middle of calls whose answers, small and large, come nevertheless."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    crm, vault, _ = started()
    payload = "y" * 3_000_000
    for round_ in range(20):
        try:
            crm.call("interrupt", pid=os.getpid(), size=3_000_000 if round_ % 3 == 0 else 10)
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError("not interrupted")
        value = payload if round_ % 2 else round_
        assert crm.call("echo", value=value) == value
    assert vault.call("echo", value=1) == 1
    print("all right", flush=True)


class Storm:
    """Take an interrupt only where one is expected."""

    def __init__(self) -> None:
        self.armed = False
        self.taken = 0
        signal.signal(signal.SIGINT, self.interrupted)

    def interrupted(self, number: int, frame: FrameType | None) -> None:
        """Raise once."""
        if self.armed:
            self.armed = False
            self.taken += 1
            raise KeyboardInterrupt


def stormy_calls() -> None:
    """Call while interrupts come at any moment; every answer is the right one."""
    storm = Storm()
    crm, vault, _ = started()
    vault.call("storm", pid=os.getpid(), count=600, longest=0.004)
    number = 0
    while storm.taken < 300 and number < 100_000:
        number += 1
        value = str(number) * (1 if number % 7 else 100_000)
        try:
            storm.armed = True
            answer = crm.call("echo", value=value)
            storm.armed = False
            assert answer == value
        except KeyboardInterrupt:
            continue
    assert crm.call("echo", value="end") == "end"
    print("all right", storm.taken, flush=True)


def stormy_runs() -> None:
    """Start and end runs while interrupts come at any moment; nothing is left, all goes on."""
    storm = Storm()
    elsewhere = Preloaded("elsewhere", ["process_entries"])
    elsewhere.open_run_folder()
    blower = elsewhere.fork("blower", "process_entries:serve", {})
    blower.call("storm", pid=os.getpid(), count=1000, longest=0.02)
    number = 0
    while storm.taken < 100 and number < 2000:
        number += 1
        try:
            storm.armed = True
            ESTATE.open_run_folder()
            sockets = [listening_socket()]
            child = ESTATE.fork("crm", "process_entries:serve", {"number": number}, sockets)
            assert child.call("config") == {"number": number}
            assert len(child.call("sockets")) == 1
            ESTATE.end_run()
            storm.armed = False
        except KeyboardInterrupt:
            continue
    elsewhere.close()
    started()
    ESTATE.end_run()
    print("all right", storm.taken, flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
