"""The fence round the attacker's process, as an attacker would try it; each attempt is a real one."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

import labsim
from labsim.errors import LabError
from labsim.estate.plan import DATA
from labsim.estate.processes import OperationFailed
from tests.estate.conftest import Files, listening

SCRIPT = Path(__file__).with_name("fenced.py")


@pytest.fixture
def places(files: Files) -> Iterator[dict[str, object]]:
    """Lay out a run folder with a victim, a server, a signer and an attacker in it."""
    # Not pytest's own: a path to a Unix socket may not be long.
    run = Path(tempfile.mkdtemp())
    for name in ("attacker", "storefront", "orders", "given"):
        (run / name).mkdir()
    for name in ("attacker/own.json", "storefront/key.json", "given/tokens.json"):
        (run / name).write_text("{}")
    (run / "attacker" / "planted").symlink_to(run / "storefront" / "key.json")
    for name, pair in (("orders/tls.pem", files.server), ("pair.pem", files.client)):
        (run / name).write_text("".join(Path(file).read_text() for file in pair))
    with closing(sqlite3.connect(run / "orders" / "records.db")) as database:
        database.execute("CREATE TABLE records (id)")
    with ExitStack() as opened:
        server = opened.enter_context(listening())
        signer = opened.enter_context(socket.socket(socket.AF_UNIX))
        signer.bind(str(run / "signer.sock"))
        signer.listen()
        datagram = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        datagram.bind(str(run / "datagram.sock"))
        yield {
            "run": str(run),
            "own": str(run / "attacker"),
            "given": str(run / "given"),
            "pair": str(run / "pair.pem"),
            "authority": files.ca,
            "data": str(DATA / "estate.toml"),
            "signer": str(run / "signer.sock"),
            "datagram": str(run / "datagram.sock"),
            "port": server.getsockname()[1],
        }
    shutil.rmtree(run)


def tried(fence: str, places: dict[str, object]) -> tuple[dict[str, str], dict[str, str]]:
    """Try everything in a process of its own; return what came of it: allowed, and refused."""
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), fence, json.dumps(places)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return found["allowed"], found["refused"]


def test_what_reaches_beyond_the_fence_is_refused_and_nothing_else(
    places: dict[str, object],
) -> None:
    allowed, refused = tried("up", places)
    assert {name: how for name, how in allowed.items() if how != "done"} == {}
    words = (
        "the attacker was not given this",
        "the attacker's process may not",
        "the attacker reaches",
    )
    let_through = {
        name: how
        for name, how in refused.items()
        if how != "found nothing" and not any(each in how for each in words)
    }
    assert let_through == {}
    assert len(refused) > 50


def test_without_the_fence_the_operating_system_would_allow_it(places: dict[str, object]) -> None:
    """The control: every attempt is one that works."""
    allowed, refused = tried("down", places)
    assert {name: how for name, how in (allowed | refused).items() if how != "done"} == {}


def test_the_attackers_own_process_has_it_up_and_what_was_given_is_taken_back() -> None:
    with labsim.start(quiet=True) as lab:
        attacker = lab.estate.process("attacker")
        folder = lab.run_folder / "ops-console"
        lab.work_rows("ops-console")
        for _ in range(2):
            assert len(lab.attacker.steal("ops-console", by="container_files")) == 1
            with pytest.raises((OperationFailed, LabError), match="was not given this"):
                attacker.call("look", path=str(folder))
        own = attacker.call("look", path=str(lab.run_folder / "attacker"))
        assert {"key.json", "loot-0000.json", "loot-0001.json"} <= set(own)
