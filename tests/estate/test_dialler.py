"""What the dialler puts on the wire, and what it makes of an answer."""

from __future__ import annotations

import concurrent.futures
import gzip
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from labsim.errors import LabError
from labsim.estate.dialler import Dialler
from labsim.http_message import Ending, Request, Response
from tests.estate.far_side import Script, Scripted, saying, tunnelling, until_closed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.estate.conftest import Files, Serve

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def recording(size: int, into: list[bytes]) -> Script:
    """Answer after `size` bytes; keep them and whatever comes until the client leaves."""

    def script(connection: socket.socket) -> None:
        data = b""
        while len(data) < size:
            data += connection.recv(65536)
        connection.sendall(OK)
        into.append(data + until_closed(connection))

    return script


REQUESTS = [
    Request("GET", "https://127.0.0.1/"),
    Request("GET", "https://127.0.0.1"),
    Request(
        "GET", "https://127.0.0.1/a", (("X-B", "2"), ("x-a", "1"), ("X-B", "3"), ("Empty", ""))
    ),
    Request("GET", "https://localhost/a/../b/./c//d%7e%7E;v=1?q=%41&q=[x]|{y}&z='"),
    Request("GET", "https://LocalHost/a"),
    Request("get", "https://127.0.0.1/a", (("DPoP", "e30.e30.AA"), ("Authorization", "DPoP t"))),
    Request("DELETE", "https://127.0.0.1/a", (("Connection", "close"), ("TE", "trailers"))),
    Request("GET", "https://127.0.0.1/a", (("X", "\xe9\xff \x01"), ("Accept-Encoding", "gzip"))),
    Request("POST", "https://127.0.0.1/a"),
    Request("POST", "https://127.0.0.1/a", (("Content-Type", "text/plain"),), b"\r\n\r\na\x00\xff"),
    Request("GET", "https://127.0.0.1/a", (), b"a body with GET"),
    Request("POST", "https://127.0.0.1/a", (("Expect", "100-continue"),), b"b" * 200_000),
    # As a wiretap caught it: its framing fields are not the ones to send again.
    Request(
        "POST",
        "https://127.0.0.1/a",
        (("X", "1"), ("host", "elsewhere"), ("Transfer-Encoding", "chunked"), ("Y", "2")),
        b"body",
    ),
    Request("POST", "https://127.0.0.1/a", (("content-length", "99"), ("X", "1")), b"body"),
]


def at_port(request: Request, port: int) -> Request:
    """Put the port into the request's URL, and change nothing else in it."""
    host = request.authority
    return request.at(request.url.replace(f"//{host}", f"//{host}:{port}", 1))


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("proxied", [False, True])
def test_the_bytes_on_the_wire_are_the_requests_own(
    files: Files, request_: Request, proxied: bool
) -> None:
    received: list[bytes] = []
    size = len(at_port(request_, 10000).wire())
    with Scripted(tunnelling()) as proxy:
        bound = Scripted(recording(size, received), files.server_context())
        with bound as server:
            assert 10000 <= server.port <= 65535
            request = at_port(request_, server.port)
            dialler = Dialler(files.ca, f"http://{proxy.place}" if proxied else None)
            outcome = dialler(request)
            dialler.close()
        assert proxy.accepted == proxied
    assert outcome.ending is Ending.SERVED, outcome.detail
    assert outcome.request is request
    assert outcome.response == Response(200, (("Content-Length", "2"),), b"ok")
    assert received == [request.wire()]


def test_a_kept_connection_carries_the_next_request(files: Files) -> None:
    received: list[bytes] = []
    answered = threading.Semaphore(0)

    def script(connection: socket.socket) -> None:
        for _ in range(3):
            received.append(connection.recv(65536))
            connection.sendall(OK)
            answered.release()
        until_closed(connection)

    with Scripted(script, files.server_context()) as server:
        request = Request("GET", f"https://{server.place}/a")
        dialler = Dialler(files.ca)
        outcomes = [dialler(request) for _ in range(3)]
        dialler.close()
        assert server.accepted == 1
    assert [outcome.ending for outcome in outcomes] == [Ending.SERVED] * 3
    assert received == [request.wire()] * 3


def test_a_connection_that_the_server_ended_is_not_used_again(files: Files) -> None:
    left = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_WR)
        left.set()
        socket.socket.recv(connection, 1)

    with Scripted(script, files.server_context()) as server:
        request = Request("GET", f"https://{server.place}/a")
        dialler = Dialler(files.ca)
        for count in (1, 2, 3):
            assert dialler(request).ending is Ending.SERVED
            assert left.wait(30)
            left.clear()
            assert server.accepted == count
        dialler.close()


@pytest.mark.parametrize(
    ("answer", "ending", "status", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", Ending.SERVED, 204, b""),
        (
            b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
            Ending.SERVED,
            302,
            b"",
        ),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 1\r\n\r\nx", Ending.REJECTED, 401, b"x"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Ending.REJECTED, 500, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, Ending.SERVED, 200, b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            *(Ending.SERVED, 200, b"ok"),
        ),
    ],
)
def test_any_answer_is_an_outcome_and_nothing_is_followed(
    files: Files, answer: bytes, ending: Ending, status: int, body: bytes
) -> None:
    with Scripted(saying(answer), files.server_context()) as server:
        dialler = Dialler(files.ca)
        outcome = dialler(Request("GET", f"https://{server.place}/a"))
        dialler.close()
        assert server.accepted == 1
    assert outcome.response is not None
    assert (outcome.ending, outcome.response.status, outcome.response.body) == (
        ending,
        status,
        body,
    )


def test_an_answer_is_handed_over_as_it_came(files: Files) -> None:
    zipped = gzip.compress(b"zipped")
    head = "HTTP/1.1 200 OK\r\nX-b: \xe9\r\nx-A: 1\r\nX-B: 2\r\nContent-Encoding: gzip\r\n"
    answer = head.encode("latin-1") + b"Content-Length: %d\r\n\r\n" % len(zipped) + zipped
    with Scripted(saying(answer), files.server_context()) as server:
        dialler = Dialler(files.ca)
        outcome = dialler(Request("GET", f"https://{server.place}/a"))
        dialler.close()
    assert outcome.response is not None
    assert outcome.response.fields[:4] == (
        *(("X-b", "\xe9"), ("x-A", "1"), ("X-B", "2"), ("Content-Encoding", "gzip")),
    )
    assert outcome.response.body == zipped


def test_several_threads_share_one_dialler(files: Files, serve: Serve) -> None:
    served = serve(asks=True)
    dialler = Dialler(files.ca, certificate=files.client)

    def call(number: int) -> bool:
        url = f"https://localhost:{served.port}/{number}"
        response = dialler(Request("POST", url, (), b"%d" % number)).response
        return response is not None and response.json() == ["POST", url, str(number)]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(call, range(200)))
    dialler.close()
    assert all(request.peer_certificate for request in served.requests)


def test_the_environment_is_not_read(
    files: Files, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", files.other_ca)
    served = serve()
    dialler = Dialler(files.ca)
    assert dialler(Request("GET", f"https://127.0.0.1:{served.port}/")).ending is Ending.SERVED
    dialler.close()


def test_unusable_files_are_named(files: Files, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    good: dict[str, object] = {"ca_file": files.ca, "certificate": files.client}
    Dialler(**good).close()  # type: ignore[arg-type]
    for bad in (
        {"ca_file": missing},
        {"proxy_ca_file": missing},
        {"certificate": (missing, files.client[1])},
        {"certificate": (files.client[0], files.server[1])},
    ):
        with pytest.raises(LabError, match="cannot be used"):
            Dialler(**(good | bad))  # type: ignore[arg-type]


GOOD = Request("GET", "https://127.0.0.1:{}/a", (("X", "a"),))


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.at(r.url.replace("https", "http")),
        lambda r: r.at("https:///a"),
        lambda r: r.at("https://127.0.0.1:x/a"),
        lambda r: r.at("https://127.0.0.1:99999/a"),
        lambda r: r.at("https://[::1/a"),
        lambda r: r.at(r.url + "b c"),
        lambda r: r.at(r.url + "\xe9"),
        lambda r: r.at(r.url.replace("127", "\xe9")),
        lambda r: replace(r, method="GE T"),
        lambda r: replace(r, method="G\r\nX"),
        lambda r: replace(r, method=""),
        lambda r: r.adding("X", "a\r\nY: b"),
        lambda r: r.adding("X", "a\nb"),
        lambda r: r.adding("X", "a\x00b"),
        lambda r: r.adding("X", " a"),
        lambda r: r.adding("X", "\u20ac"),
        lambda r: r.adding("X\r\nY", "a"),
        lambda r: r.adding("X Y", "a"),
        lambda r: r.adding("", "a"),
    ],
)
def test_what_is_no_request_is_not_sent(
    files: Files, serve: Serve, change: Callable[[Request], Request]
) -> None:
    served = serve()
    dialler = Dialler(files.ca)
    good = GOOD.at(GOOD.url.format(served.port))
    assert dialler(good).ending is Ending.SERVED
    outcome = dialler(change(good))
    assert (outcome.ending, outcome.request, outcome.response) == (Ending.NOT_POSSIBLE, None, None)
    assert outcome.detail.startswith("This cannot be sent: ")
    assert dialler(good).ending is Ending.SERVED
    dialler.close()
    assert len(served.requests) == 2
