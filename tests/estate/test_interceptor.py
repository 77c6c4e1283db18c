"""The interceptor as a real process: a real mitmproxy between real TLS clients and servers."""

from __future__ import annotations

import datetime
import gzip
import itertools
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from labsim.certificates import KeyPair, certificate_authority, client_leaf, server_leaf
from labsim.estate.captured import Captured, exchanges
from labsim.estate.dialler import Dialler
from labsim.estate.processes import Child, Preloaded, ProcessDied
from labsim.estate.tls import server_context
from labsim.http_message import Ending, Fields, Request, Response

PATIENCE = 30.0  # Only a broken test waits this long.
NOW = datetime.datetime.now(datetime.UTC)
OTHER = certificate_authority("another lab", NOW)
EVERY_BYTE = bytes(range(256)) * 4096
TOKEN = ("Authorization", "Bearer t-0-k-e-n")
numbers = itertools.count()


class Run:
    """A run folder with the lab's certificates in it, and the preloaded parent that made it."""

    def __init__(self, name: str) -> None:
        self.parent = Preloaded(name, ["labsim.estate.interceptor"])
        self.folder = self.parent.open_run_folder()
        self.lab, self.own = (certificate_authority(name, NOW) for name in ("lab", "interceptor"))
        self.ca = self.file("lab.pem", self.lab.certificate_pem)
        self.own_ca = self.file("interceptor.pem", self.own.certificate_pem)
        self.leaf = self.pair(server_leaf(self.lab, ["127.0.0.1", "localhost"], NOW))
        self.client = self.pair(client_leaf(self.lab, "spiffe://lab/client", "client", NOW))

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(content)
        return str(path)

    def pair(self, leaf: KeyPair) -> tuple[str, str]:
        name = f"leaf-{next(numbers)}"
        return self.file(f"{name}.pem", leaf.certificate_pem), self.file(name, leaf.key_pem)

    def server_context(self, *, asks: bool) -> ssl.SSLContext:
        return server_context(*self.leaf, self.ca if asks else None)

    def fork(self, name: str, **pem: bytes) -> Child:
        own = self.own.key_pem + self.own.certificate_pem
        self.file(f"{name}/mitmproxy-ca.pem", pem.get("own", own))
        ca_file = self.file(f"{name}-trusts.pem", pem.get("trusted", self.lab.certificate_pem))
        return self.parent.fork(name, "labsim.estate.interceptor:run", {"ca_file": ca_file})


class Tap:
    """A running interceptor, which ends with the test, as its clients do."""

    def __init__(self, run: Run, ends: ExitStack, name: str = "", **pem: bytes) -> None:
        self.run, self.ends = run, ends
        self.child = run.fork(name or f"tap-{next(numbers)}", **pem)
        ends.callback(self.child.kill)
        self.proxy = str(self.child.call("address")["proxy"])
        self.folder = run.folder / self.child.name

    def client(self, proxied: bool = True, trusts: bool = True, shows: bool = False) -> Any:
        proxy = self.proxy if proxied else None
        own_ca = self.run.own_ca if proxied and trusts else None
        pair = self.run.client if shows else None
        dialler = Dialler(self.run.ca, proxy, own_ca, pair, PATIENCE)
        return self.ends.enter_context(closing(dialler))

    def connected(self) -> socket.socket:
        address = ("127.0.0.1", int(self.proxy.rpartition(":")[2]))
        return self.ends.enter_context(socket.create_connection(address, PATIENCE))

    def captured(self) -> list[tuple[Request, Response | None]]:
        return list(exchanges(self.folder / "captured.jsonl"))


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Preload mitmproxy once for all tests."""
    run = Run("tests-interceptor")
    with closing(run.parent):
        yield run


@pytest.fixture
def files(run: Run) -> Run:
    """Let the servers of `serve` have certificates of the lab's."""
    return run


@pytest.fixture
def ends() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def tap(run: Run, ends: ExitStack) -> Tap:
    return Tap(run, ends)


def get(served: Any, *fields: tuple[str, str]) -> Request:
    return Request("GET", f"https://127.0.0.1:{served.port}/records", fields)


def said(sock: socket.socket, data: bytes) -> str:
    """Send bytes as they are and return status and body of the whole answer."""
    sock.sendall(data)
    with HTTPResponse(sock, method="HEAD" if data.startswith(b"CONNECT") else None) as answer:
        answer.begin()
        return f"{answer.status} {answer.read().decode()}"


@pytest.mark.parametrize(
    ("method", "target", "fields", "body"),
    [
        ("GET", "/a/../b//%7e%2F;p?x=%20&y=a+b&&", (("dPoP", "p"), ("AUTHORIZATION", "D t")), b""),
        ("GET", "/%C3%A9?'(*)", (("x-a", "1"), ("X-b", ""), ("X-A", "2 ,3"), ("x-a", "\xe9")), b""),
        ("POST", "/records", (("content-type", "x/y"), ("Accept-Encoding", "gzip")), EVERY_BYTE),
        ("POST", "/records", (), b""),
        ("pAtch", "/", (("Connection", "keep-alive"),), b"\r\n\r\nGET / HTTP/1.1\r\n"),
    ],
)
def test_what_was_captured_goes_out_again_byte_for_byte(
    tap: Tap, serve: Any, method: str, target: str, fields: Fields, body: bytes
) -> None:
    coding = (("X-Twice", "1"), ("x-twice", "2"), ("Content-Encoding", "gzip"))
    served = serve(lambda _: Response(200, coding, gzip.compress(EVERY_BYTE, mtime=0)))
    sent = Request(method, f"https://127.0.0.1:{served.port}{target}", fields, body)
    outcome = tap.client()(sent)
    ((captured, answer),) = tap.captured()
    assert (captured.url, captured.wire()) == (sent.url, sent.wire())
    direct = tap.client(proxied=False)(captured)
    original, replayed = served.requests
    assert original == captured == replayed
    assert outcome.response == answer == direct.response


def test_the_host_becomes_the_url_where_it_is_the_same_place(tap: Tap, serve: Any) -> None:
    port = serve().port
    trust = ssl.create_default_context(cafile=tap.run.own_ca)
    sock = tap.connected()
    assert said(sock, f"CONNECT localhost:{port} HTTP/1.1\r\n\r\n".encode()) == "200 "
    with trust.wrap_socket(sock, server_hostname="localhost") as tls:
        version_and_host = f" HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n".encode()
        assert said(tls, b"GET /a?b" + version_and_host).startswith("200")
        assert said(tls, b"OPTIONS *" + version_and_host).startswith("400")
        assert said(tls, b"GET /x HTTP/1.1\r\nHost: example.com\r\n\r\n").startswith("421")
    urls = [f"https://127.0.0.1:{port}{path}" for path in ("/a?b", "")]
    assert [r.url for r, _ in tap.captured()] == [*urls, f"https://localhost:{port}/x"]


def test_a_client_that_does_not_trust_it_sends_nothing(tap: Tap, serve: Any) -> None:
    served = serve()
    outcome = tap.client(trusts=False)(get(served, TOKEN))
    assert outcome.ending is Ending.REFUSED_BY_TLS
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.detail
    assert (tap.captured(), served.requests) == ([], [])


def test_a_server_of_another_authority_gets_nothing(run: Run, ends: Any, serve: Any) -> None:
    served, tap = serve(), Tap(run, ends, trusted=OTHER.certificate_pem)
    assert tap.client()(get(served, TOKEN)).response.status == 502
    assert served.refusal()[0] == "tls"
    served.listener.close()
    assert tap.client()(get(served, TOKEN)).response.status == 502
    assert (tap.captured(), served.requests) == ([], [])


@pytest.mark.parametrize("host", ["example.com", "192.0.2.1", "127.0.0.2", "localhost.example"])
def test_it_leads_to_this_machine_only(tap: Tap, host: str) -> None:
    outcome = tap.client()(Request("GET", f"https://{host}:443/", (TOKEN,)))
    assert outcome.ending is Ending.UNREACHABLE
    assert outcome.detail.startswith(f"The proxy {tap.proxy[7:]} answered 403")
    plain = f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"
    assert "leads to 127.0.0.1 only" in said(tap.connected(), plain.encode())
    assert tap.captured() == []


def test_the_server_sees_no_client_certificate(tap: Tap, serve: Any) -> None:
    served = serve(asks=True)
    for proxied in (False, True):
        assert tap.client(proxied, shows=True)(get(served, TOKEN)).ending is Ending.SERVED
    assert [request.peer_certificate is None for request in served.requests] == [False, True]
    assert [request.value("Authorization") for request, _ in tap.captured()] == [TOKEN[1]]


def test_a_connection_is_kept(tap: Tap, serve: Any) -> None:
    connection = threading.local()  # The server has one thread for each.

    def count(_: Request) -> Response:
        connection.requests = getattr(connection, "requests", 0) + 1
        return Response.of_json(200, connection.requests)

    served, client = serve(count), tap.client()
    for number in range(1, 6):
        assert client(get(served)).response.json() == len(tap.captured()) == number


def test_clients_at_the_same_time_get_their_own_answers(tap: Tap, serve: Any) -> None:
    both = threading.Barrier(2, timeout=PATIENCE)

    def echo(request: Request) -> Response:
        both.wait()
        return Response.of_json(200, request.value("X-Client"))

    served = serve(echo)

    def work(client: Any, names: list[str]) -> list[str]:
        return [client(get(served, ("X-Client", name))).response.json() for name in names]

    names = [[f"{client}{turn}" for turn in range(10)] for client in "ab"]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, [tap.client(), tap.client()], names)) == names
    found = [(request.value("X-Client"), answer.json()) for request, answer in tap.captured()]
    assert sorted(found) == [(name, name) for name in [*names[0], *names[1]]]


def test_what_it_keeps_is_for_its_owner_alone_and_can_be_forgotten(tap: Tap, serve: Any) -> None:
    served, client = serve(), tap.client()
    client(get(served, TOKEN))
    assert not (tap.folder / "stderr.log").read_bytes()
    holding = [f for f in tap.folder.iterdir() if TOKEN[1].encode() in f.read_bytes()]
    assert [(f.name, f.stat().st_mode & 0o777) for f in holding] == [("captured.jsonl", 0o600)]
    tap.child.call("forget")
    client(get(served, ("X-Number", "2")))
    assert [request.value("X-Number") for request, _ in tap.captured()] == ["2"]


def test_an_answer_that_cannot_be_kept_is_not_passed_on(run: Run, ends: Any, serve: Any) -> None:
    name = f"tap-{next(numbers)}"
    pipe = Path(run.file(f"{name}/x", b"")).with_name("captured.jsonl")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    tap = Tap(run, ends, name)
    os.close(reader)  # From here on a write fails, as it does on a full disk.
    answer = tap.client()(get(serve(), TOKEN)).response
    assert answer.status == 502
    assert b"could not be written" in answer.body
    assert "could not be kept" in (tap.folder / "stderr.log").read_text()


def test_a_client_of_a_dead_interceptor_is_told_which_proxy(tap: Tap, serve: Any) -> None:
    served, clients, proxy = serve(), [tap.client(), tap.client()], tap.proxy[7:]
    assert clients[0](get(served)).ending is Ending.SERVED
    tap.child.kill()
    for outcome in [client(get(served)) for client in clients]:
        assert outcome.ending is Ending.UNREACHABLE
        assert proxy in outcome.detail
    assert len(tap.captured()) == 1


def test_it_dies_with_its_parent(ends: ExitStack) -> None:
    run = Run("tests-orphan")
    ends.callback(run.parent.close)
    tap = Tap(run, ends)  # Its process would end with the object, too.
    assert said(connection := tap.connected(), b"CONNECT localhost:1 HTTP/1.1\r\n\r\n") == "200 "
    os.kill(run.parent.run("os:getpid"), signal.SIGKILL)
    assert connection.recv(1) == b""


@pytest.mark.parametrize("which", ["own", "trusted"])
@pytest.mark.parametrize("pem", [b"", b"nonsense", OTHER.key_pem], ids=["empty", "no PEM", "key"])
def test_it_does_not_start_on_a_bad_file(run: Run, which: str, pem: bytes) -> None:
    with pytest.raises(ProcessDied, match=r"The .*\.pem cannot be used: "):
        run.fork(f"bad-{next(numbers)}", **{which: pem}).wait_ready()


def test_it_does_not_start_where_mitmproxy_cannot(run: Run) -> None:
    name = f"bad-{next(numbers)}"
    Path(run.file(f"{name}/x", b"")).with_name("mitmproxy-dhparam.pem").symlink_to("no/where")
    with pytest.raises(ProcessDied, match="The interceptor could not start: "):
        run.fork(name).wait_ready()


@pytest.fixture
def aside(ends: ExitStack) -> ThreadPoolExecutor:
    """Send without waiting for the end of it."""
    return ends.enter_context(ThreadPoolExecutor(2))


def test_a_held_request_reaches_the_server_when_it_is_released(
    tap: Tap, serve: Any, aside: ThreadPoolExecutor
) -> None:
    served, client = serve(), tap.client()
    tap.child.call("hold")
    sent = aside.submit(client, get(served, TOKEN))
    assert tap.child.call("held")
    ((request, answer),) = tap.captured()
    assert (request.value("Authorization"), answer) == (TOKEN[1], None)
    assert (served.requests, sent.done()) == ([], False)
    assert client(get(served, ("X-Other", "1"))).ending is Ending.SERVED, "no other one is held"
    tap.child.call("release")
    assert sent.result(PATIENCE).ending is Ending.SERVED
    assert [request.value("X-Other") for request in served.requests] == ["1", None]
    assert [answer is None for _, answer in tap.captured()] == [True, False, False]


def test_a_client_that_gives_up_while_it_is_held_has_sent_nothing(tap: Tap, serve: Any) -> None:
    served = serve()
    trust = ssl.create_default_context(cafile=tap.run.own_ca)
    sock = tap.connected()
    assert said(sock, f"CONNECT 127.0.0.1:{served.port} HTTP/1.1\r\n\r\n".encode()) == "200 "
    tap.child.call("hold")
    with trust.wrap_socket(sock, server_hostname="127.0.0.1") as tls:
        host = f"Host: 127.0.0.1:{served.port}"
        tls.sendall(f"GET /records HTTP/1.1\r\n{host}\r\n\r\n".encode())
        assert tap.child.call("held")
    # Another client's exchange: by then it has seen the first one leave.
    assert tap.client()(get(served, ("X-Other", "1"))).ending is Ending.SERVED
    tap.child.call("release")
    assert tap.client()(get(served, ("X-Other", "2"))).ending is Ending.SERVED
    assert [request.value("X-Other") for request in served.requests] == ["1", "2"]


def test_a_held_request_ends_with_its_interceptor(
    tap: Tap, serve: Any, aside: ThreadPoolExecutor
) -> None:
    served = serve()
    tap.child.call("hold")
    sent = aside.submit(tap.client(), get(served, TOKEN))
    assert tap.child.call("held")
    tap.child.kill()
    assert sent.result(PATIENCE).ending is Ending.UNREACHABLE
    assert served.requests == []


def test_half_a_line_hides_no_other(tmp_path: Path) -> None:
    file, answer = tmp_path / "captured.jsonl", Response(200, (("X-A", "1"), ("x-a", "")), b"\xff")
    first, second = Request("GET", "https://a/\xe9"), Request("POST", "https://b/", (), b"\xff\n")
    Captured(file).append(first, answer)
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2] + b"\n")
    Captured(file).append(second, Response(204))
    assert list(exchanges(file)) == [(first, answer), (second, Response(204))]
