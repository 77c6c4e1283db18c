"""`labsim up` ends when its estate does, and says so; what came in is in no event."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import labsim


@pytest.mark.parametrize("whose", ["labsim.estate.preloaded", "crm"])
def test_up_ends_with_its_estate_and_names_what_ended(whose: str) -> None:
    command = [sys.executable, "-m", "labsim", "up", "--json"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        where = json.loads(process.stdout.readline())
        below = psutil.Process(process.pid).children(recursive=True)
        if whose == "crm":
            port = int(where["resources"]["crm"]["url"].split(":")[2].split("/")[0])
            (ended,) = (
                p.pid
                for p in below
                for c in p.net_connections()
                if c.status == psutil.CONN_LISTEN and c.laddr.port == port
            )
        else:
            ended = next(
                p.pid for p in below if whose in p.cmdline() and "labsim-estate" in p.cmdline()
            )
        os.kill(ended, signal.SIGKILL)
        assert process.wait() == 1
        assert "ended" in process.stderr.read()
    assert not Path(where["run_dir"]).exists()


def test_an_event_does_not_repeat_what_could_not_be_read() -> None:
    with labsim.start(quiet=True) as lab:
        context = ssl.create_default_context(cafile=str(lab.estate.ca_file))
        port = int(lab.estate.urls["crm"].rpartition(":")[2])
        for line in (b"Authorization : Bearer SECRET", b"GET /rec ords?token=SECRET HTTP/1.1"):
            with (
                socket.create_connection(("127.0.0.1", port)) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
            ):
                first = b"" if line.startswith(b"GET") else b"GET / HTTP/1.1\r\nHost: a\r\n"
                tls.sendall(first + line + b"\r\n\r\n")
                assert b" 400 " in tls.recv(4096)
        refused = [event for event in lab.events() if event.get("reason") == "http"]
        assert len(refused) == 2
        assert "SECRET" not in json.dumps(refused)
