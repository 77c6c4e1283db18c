"""What an attacker would try, tried: `fenced.py FENCE PLACES`, which prints a JSON object.

FENCE is `up` or `down`: down, the same attempts show that the operating system would allow them.
PLACES is a JSON object of paths and addresses. Each attempt's name is answered with `done`, with
`found nothing`, or with the name of the exception and its text.
"""

from __future__ import annotations

import gc
import glob
import importlib
import io
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from labsim.estate import process
from labsim.estate.fence import Fence
from labsim.estate.private_file import write_private_json
from labsim.estate.tls import client_context, file_of_memory

PLACES = json.loads(sys.argv[2])
OWN, RUN, GIVEN = (Path(PLACES[name]) for name in ("own", "run", "given"))
VICTIM = RUN / "storefront"
SECRET = VICTIM / "key.json"
os.chdir(OWN)
AUTHORITY = PLACES["authority"]


def relative_to_a_folder(flags: int = 0) -> bytes:
    folder = os.open(sys.prefix, os.O_RDONLY | os.O_DIRECTORY | flags)
    up = "/".join([".."] * sys.prefix.count("/"))
    return os.read(os.open(f"{up}{SECRET}", os.O_RDONLY, dir_fd=folder), 99)


def by_link(link: Callable[[Path], None]) -> str:
    way = OWN / "way"
    way.unlink(missing_ok=True)
    link(way)
    return way.read_text()


def from_elsewhere() -> list[str]:
    os.chdir(VICTIM)
    try:
        return os.listdir()
    finally:
        os.chdir(OWN)


def by_database() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("ATTACH ? AS theirs", (str(RUN / "orders" / "records.db"),))
        database.execute("SELECT * FROM theirs.records").fetchall()


def in_a_child() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def without_an_event() -> None:
    from multiprocessing.util import spawnv_passfds

    os.waitpid(spawnv_passfds(b"/bin/true", [b"true"], []), 0)


def to_socket(address: Any, family: int = socket.AF_INET) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(10)
        sock.connect(address)


def to_datagram(send: str, family: int, address: Any) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if send == "sendto":
            sock.sendto(b"loot", address)
        else:
            sock.sendmsg([b"loot"], [], 0, address)


def listening_at(address: Any) -> None:
    with socket.socket() as sock:
        sock.bind(address)


def by_key_log() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.keylog_filename = str(VICTIM / "keylog")


def with_their_key() -> None:
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(RUN / "orders" / "tls.pem")


def native() -> None:
    assert process._LIBC.getpid() == os.getpid()


def spent(file: Path) -> Path:
    file.write_text("x")
    return file


# A child, as its memory may be read everywhere: until the fence is up.
CHILD = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

REFUSED: dict[str, Callable[[], object]] = {
    "open a file": lambda: SECRET.read_bytes(),
    "open it by a path of bytes": lambda: open(os.fsencode(SECRET)).close(),
    "open it by dots": lambda: open(f"../storefront/../storefront/{SECRET.name}").close(),
    "open it through the own folder": lambda: open(OWN / ".." / "storefront" / "key.json").close(),
    "open it by descriptor": lambda: os.open(SECRET, os.O_RDONLY),
    "open it as code": lambda: io.open_code(str(SECRET)).close(),
    "open it unbuffered": lambda: io.FileIO(str(SECRET)).close(),
    "open it with an opener": lambda: open("x", opener=lambda _, f: os.open(SECRET, f)).close(),
    "open it by a process's root": lambda: open(f"/proc/self/root{SECRET}").close(),
    "open it by a process's folder": lambda: open("/proc/self/cwd/../storefront/key.json").close(),
    "open it relative to a folder": relative_to_a_folder,
    "follow a symbolic link of its own": lambda: by_link(lambda way: way.symlink_to(SECRET)),
    "follow a relative symbolic link": lambda: by_link(
        lambda way: way.symlink_to("../storefront/key.json")
    ),
    "follow a hard link of its own": lambda: by_link(lambda way: os.link(SECRET, way)),
    "follow a link that was there": lambda: (OWN / "planted").read_text(),
    "list a folder": lambda: os.listdir(VICTIM),
    "list the run folder": lambda: list(RUN.iterdir()),
    "scan a folder": lambda: list(os.scandir(VICTIM)),
    "walk": lambda: list(os.walk(VICTIM)),
    "match names": lambda: glob.glob(f"{RUN}/*/key.json"),
    "list from elsewhere": from_elsewhere,
    "copy a file": lambda: shutil.copyfile(SECRET, OWN / "copy"),
    "move a file": lambda: os.rename(spent(VICTIM / "moved"), OWN / "moved"),
    "read the system's files": lambda: Path("/etc/passwd").read_bytes(),
    "read the lab's data": lambda: Path(PLACES["data"]).read_bytes(),
    "read what was given before": lambda: (GIVEN / "tokens.json").read_bytes(),
    "write elsewhere": lambda: (VICTIM / "new").write_text("x"),
    "append elsewhere": lambda: open(VICTIM / "app.log", "a").close(),
    "write into what was given": lambda: (GIVEN / "new").write_text("x"),
    "write by descriptor": lambda: os.open(VICTIM / "made", os.O_RDONLY | os.O_CREAT),
    "write into the code": lambda: spent(Path(sys.prefix, "labsim-test")).unlink(),
    "remove a file": lambda: spent(VICTIM / "removed").unlink(),
    "rename into another folder": lambda: os.rename(spent(OWN / "r"), VICTIM / "r"),
    "make a folder elsewhere": lambda: (VICTIM / "folder").mkdir(),
    "change modes": lambda: SECRET.chmod(0o644),
    "change times": lambda: os.utime(SECRET),
    "truncate": lambda: os.truncate(spent(VICTIM / "truncated"), 0),
    "use a database": by_database,
    "log TLS keys elsewhere": by_key_log,
    "show a server's certificate": with_their_key,
    "start a program": lambda: subprocess.run(["/bin/true"], check=True),
    "start a shell": lambda: os.system("true"),
    "fork": in_a_child,
    "spawn": lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0),
    "start a program without an event": without_an_event,
    "signal another process": lambda: os.kill(os.getppid(), 0),
    "call native code": native,
    "look for the fence in memory": lambda: gc.get_objects(),
    "connect to a signer": lambda: to_socket(PLACES["signer"], socket.AF_UNIX),
    "connect to a signer by dots": lambda: to_socket("../signer.sock", socket.AF_UNIX),
    "send a datagram": lambda: to_datagram("sendto", socket.AF_UNIX, PLACES["datagram"]),
    "send a message": lambda: to_datagram("sendmsg", socket.AF_UNIX, PLACES["datagram"]),
    "listen to everybody": lambda: listening_at(("0.0.0.0", 0)),
}
"""Refused with the fence up, done with it down: the operating system would not mind."""

if sys.platform == "linux":
    REFUSED["signal by descriptor"] = lambda: signal.pidfd_send_signal(
        os.pidfd_open(os.getpid()), 0
    )
    REFUSED["write extended attributes"] = lambda: os.setxattr(SECRET, "user.read", b"1")
    for what in ("mem", "environ"):
        REFUSED[f"read another's {what}"] = lambda what=what: open(
            f"/proc/{CHILD.pid}/{what}", "rb"
        ).close()

# A network would be asked for these: they are tried with the fence up only.
OUTSIDE: dict[str, Callable[[], object]] = {
    "connect to another host": lambda: to_socket(("198.51.100.1", 443)),
    "connect to another host by name": lambda: socket.create_connection(("thief.test", 443)),
    "connect over IPv6": lambda: to_socket(("2001:db8::1", 443, 0, 0), socket.AF_INET6),
    "look a name up": lambda: socket.gethostbyname("thief.test"),
    "send a datagram to a host": lambda: to_datagram(
        "sendto", socket.AF_INET, ("198.51.100.1", 53)
    ),
}


def writes() -> None:
    write_private_json(OWN / "loot.json", {"a": 1})
    assert json.loads((OWN / "loot.json").read_text()) == {"a": 1}
    (OWN / "loot.json").unlink()


def opens_tls() -> None:
    context = client_context(AUTHORITY)
    with file_of_memory(Path(PLACES["pair"]).read_bytes()) as file:
        context.load_cert_chain(file, file)


ALLOWED: dict[str, Callable[[], object]] = {
    "read its own file": lambda: (OWN / "own.json").read_bytes(),
    "list its own folder": lambda: [*os.listdir(), *os.scandir(OWN)],
    "write its own file": writes,
    "make a temporary file": lambda: tempfile.NamedTemporaryFile().close(),
    "read code": lambda: Path(os.__file__).read_bytes(),
    "import a module": lambda: importlib.import_module("colorsys"),
    "connect within the estate": lambda: to_socket(("127.0.0.1", PLACES["port"])),
    "look the own host up": lambda: socket.create_connection(("localhost", PLACES["port"])).close(),
    "listen on loopback": lambda: listening_at(("127.0.0.1", 0)),
    "read what is given": lambda: (GIVEN / "tokens.json").read_bytes(),
    "list what is given": lambda: os.listdir(GIVEN),
    "show a key of its own": opens_tls,
}


def tried(attempt: Callable[[], object]) -> str:
    try:
        return "found nothing" if attempt() == [] else "done"
    except Exception as error:  # noqa: BLE001 (whatever it is, the test is told)
        return f"{type(error).__name__}: {error}"


def main() -> None:
    fence = Fence(OWN)
    if sys.argv[1] == "up":
        fence.begin()
    with fence.giving([str(GIVEN), PLACES["pair"]]):
        allowed = {name: tried(attempt) for name, attempt in ALLOWED.items()}
    attempts = REFUSED | (OUTSIDE if sys.argv[1] == "up" else {})
    refused = {name: tried(attempt) for name, attempt in attempts.items()}
    print(json.dumps({"allowed": allowed, "refused": refused}))
    CHILD.communicate(b"\n")


if __name__ == "__main__":
    main()
