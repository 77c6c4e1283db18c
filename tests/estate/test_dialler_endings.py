"""Whose refusal it was, or who was not there: each failure beside a call that is served."""

from __future__ import annotations

import select
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from labsim.estate import dialler as dialler_module
from labsim.estate.dialler import Dialler
from labsim.http_message import Ending, Outcome, Request
from tests.estate.far_side import (
    Script,
    Scripted,
    hanging_up,
    resetting,
    saying,
    silent,
    tunnelling,
)

if TYPE_CHECKING:
    from tests.estate.conftest import Files, Serve

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def call(dialler: Dialler, port: int, body: bytes = b"") -> Outcome:
    """Send one request to the port and close the dialler."""
    outcome = dialler(Request("POST", f"https://127.0.0.1:{port}/a", (), body))
    dialler.close()
    return outcome


def is_unreachable(outcome: Outcome, *words: str) -> None:
    """Hold that nobody answered, in one sentence with these words."""
    assert outcome.ending is Ending.UNREACHABLE, outcome
    assert outcome.request is not None
    assert outcome.detail.endswith(".")
    assert "\n" not in outcome.detail
    for word in words:
        assert word in outcome.detail


def is_refused_by_tls(outcome: Outcome, *words: str) -> None:
    """Hold that TLS refused, in one sentence with these words."""
    assert outcome.ending is Ending.REFUSED_BY_TLS, outcome
    assert outcome.request is not None
    for word in words:
        assert word in outcome.detail


def dead_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return int(gone.getsockname()[1])


@pytest.mark.parametrize("body", [b"", b"b" * 300_000])
def test_an_unknown_certificate_is_refused_by_the_server_with_its_alert(
    files: Files, serve: Serve, body: bytes
) -> None:
    served = serve(asks=True)
    place = f"127.0.0.1:{served.port}"
    assert call(Dialler(files.ca, certificate=files.client), served.port, body).response is not None
    for _ in range(20):
        outcome = call(Dialler(files.ca, certificate=files.stranger), served.port, body)
        is_refused_by_tls(outcome, f"refused by {place} with the alert TLSV1_ALERT_UNKNOWN_CA")
        assert served.refusal()[0] == "tls"
    assert len(served.requests) == 1


def tells_resets(files: Files, server: Scripted) -> bool:
    """Tell whether this Python's ssl reports a reset as one; early 3.12 calls it an end."""
    context = ssl.create_default_context(cafile=files.ca)
    raw = socket.create_connection(("127.0.0.1", server.port), 30)
    with context.wrap_socket(raw, server_hostname="127.0.0.1") as tls:
        try:
            tls.recv(1)
        except ConnectionResetError:
            return True
        return False


def test_a_reset_right_after_a_handshake_with_a_certificate_counts_as_a_refusal(
    files: Files,
) -> None:
    with Scripted(resetting, files.server_context(asks=True)) as server:
        if not tells_resets(files, server):
            shown = call(Dialler(files.ca, certificate=files.client), server.port)
            return is_unreachable(shown, server.place)
        for _ in range(20):
            without = call(Dialler(files.ca), server.port)
            is_unreachable(without, server.place)
            shown = call(Dialler(files.ca, certificate=files.client), server.port, b"b" * 100_000)
            is_refused_by_tls(shown, server.place, "the alert that says why was lost")
    return None


def test_a_reset_later_is_no_refusal_even_with_a_certificate(files: Files) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK)
        connection.recv(65536)
        resetting(connection)

    with Scripted(script, files.server_context(asks=True)) as server:
        dialler = Dialler(files.ca, certificate=files.client)
        request = Request("GET", f"https://{server.place}/a")
        assert dialler(request).ending is Ending.SERVED
        is_unreachable(dialler(request), server.place)
        dialler.close()


def test_a_reset_in_the_answer_is_no_refusal_even_with_a_certificate(files: Files) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        # More than the buffers hold: when it is sent, the client has read the head of the answer.
        size = 15 * 1024 * 1024
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (size + 1))
        connection.sendall(b"x" * size)
        resetting(connection)

    with Scripted(script, files.server_context(asks=True)) as server:
        outcome = call(Dialler(files.ca, certificate=files.client), server.port)
        is_unreachable(outcome, server.place)


def test_a_server_that_this_client_distrusts(files: Files, serve: Serve) -> None:
    served = serve()
    assert call(Dialler(files.ca), served.port).ending is Ending.SERVED
    outcome = call(Dialler(files.other_ca), served.port)
    is_refused_by_tls(
        outcome,
        f"This client refused the certificate of 127.0.0.1:{served.port}",
        "CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate",
    )


def test_a_sloppy_ca_is_refused_by_every_python_alike(files: Files) -> None:
    for ca, pair, ending in (
        (files.ca, files.server, Ending.SERVED),
        (files.lax_ca, files.lax_server, Ending.REFUSED_BY_TLS),
    ):
        context = files.server_context()
        context.load_cert_chain(*pair)
        with Scripted(saying(OK), context) as server:
            assert call(Dialler(ca), server.port).ending is ending


def speaking_plainly(connection: socket.socket) -> None:
    """Answer a TLS hello in plain HTTP."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    connection.recv(65536)


def test_a_server_that_speaks_no_tls(files: Files) -> None:
    with Scripted(speaking_plainly) as server:
        is_refused_by_tls(
            call(Dialler(files.ca), server.port), server.place, "WRONG_VERSION_NUMBER"
        )


def test_nobody_listens(files: Files, serve: Serve) -> None:
    port = dead_port()
    is_unreachable(call(Dialler(files.ca), port), f"Nobody listens at 127.0.0.1:{port}")
    assert call(Dialler(files.ca), serve().port).ending is Ending.SERVED


@pytest.mark.parametrize("in_tls", [False, True])
@pytest.mark.parametrize("script", [hanging_up, resetting, silent])
def test_a_server_that_says_nothing(files: Files, script: Script, in_tls: bool) -> None:
    with Scripted(script, files.server_context() if in_tls else None) as server:
        is_unreachable(call(Dialler(files.ca, seconds=0.3), server.port), server.place)


def dripping(first: bytes, more: bytes) -> Script:
    """Answer with what never ends: one piece after the other until the client has had enough."""

    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(first)
        while not select.select([connection], [], [], 0.02)[0]:
            connection.sendall(more)

    return script


INTERIM = b"HTTP/1.1 102 Processing\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("script", "word"),
    [
        (saying(b"220 mail.example ready\r\n\r\n"), "No usable answer"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), "No usable answer"),
        (saying(b"HTTP/1.1 200 OK\r\n"), "within 0.3 seconds"),
        (saying(OK[:-1]), "within 0.3 seconds"),
        (saying(OK.replace(b"2\r\n", b"1001\r\n") + b"x" * 999), "over 1000 bytes"),
        (dripping(OK[:17] + b"Content-Length: 999999\r\n\r\n", b"x"), "within 0.3 seconds"),
        (dripping(OK[:17], b"X: y\r\n"), "within 0.3 seconds"),
        (dripping(INTERIM, INTERIM), "within 0.3 seconds"),
        (dripping(CHUNKED + b"1;", b"e"), "within 0.3 seconds"),
        (dripping(CHUNKED + b"0\r\n", b"X: y\r\n"), "within 0.3 seconds"),
    ],
)
def test_an_answer_that_is_no_good(
    files: Files, script: Script, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialler_module, "_ANSWER_BYTES", 1000)
    good = saying(OK.replace(b"2\r\n", b"1000\r\n") + b"x" * 998)
    with Scripted(good, files.server_context()) as server:
        assert call(Dialler(files.ca, seconds=30.0), server.port).ending is Ending.SERVED
    with Scripted(script, files.server_context()) as server:
        is_unreachable(call(Dialler(files.ca, seconds=0.3), server.port), server.place, word)


def test_an_answer_that_breaks_off(files: Files) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK[:-1])

    with Scripted(script, files.server_context()) as server:
        is_unreachable(call(Dialler(files.ca), server.port), server.place, "No usable answer")


def test_a_dead_proxy_is_named(files: Files, serve: Serve) -> None:
    served = serve()
    with Scripted(tunnelling()) as proxy:
        alive = call(Dialler(files.ca, f"http://{proxy.place}"), served.port)
        assert alive.ending is Ending.SERVED
    port = dead_port()
    outcome = call(Dialler(files.ca, f"http://127.0.0.1:{port}"), served.port)
    is_unreachable(
        outcome,
        f"Nobody listens at the proxy 127.0.0.1:{port} (on the way to 127.0.0.1:{served.port})",
    )


def test_a_proxy_that_finds_nobody_is_told_apart(files: Files) -> None:
    port = dead_port()
    with Scripted(tunnelling()) as proxy:
        outcome = call(Dialler(files.ca, f"http://{proxy.place}"), port)
        is_unreachable(outcome, f"The proxy {proxy.place} answered 502", f"127.0.0.1:{port}")


@pytest.mark.parametrize("script", [hanging_up, resetting, silent, saying(b"nonsense\r\n\r\n")])
def test_a_proxy_that_fails_before_the_tunnel_is_blamed(
    files: Files, serve: Serve, script: Script
) -> None:
    served = serve()
    with Scripted(script) as proxy:
        dialler = Dialler(files.ca, f"http://{proxy.place}", seconds=0.3)
        blamed = f"the proxy {proxy.place} (on the way to 127.0.0.1:{served.port})"
        is_unreachable(call(dialler, served.port), blamed)
    assert served.requests == []


@pytest.mark.parametrize("script", [hanging_up, resetting])
def test_a_server_that_fails_behind_a_proxy_is_blamed(files: Files, script: Script) -> None:
    with Scripted(script, files.server_context()) as server, Scripted(tunnelling()) as proxy:
        outcome = call(Dialler(files.ca, f"http://{proxy.place}"), server.port)
        is_unreachable(outcome, f"{server.place} (through the proxy {proxy.place})")


def test_a_refused_certificate_through_a_proxy(files: Files, serve: Serve) -> None:
    served = serve(asks=True)
    with Scripted(tunnelling()) as proxy:
        address = f"http://{proxy.place}"
        known = Dialler(files.ca, address, certificate=files.client)
        assert call(known, served.port).ending is Ending.SERVED
        unknown = Dialler(files.ca, address, certificate=files.stranger)
        is_refused_by_tls(
            call(unknown, served.port), f"through the proxy {proxy.place}", "TLSV1_ALERT_UNKNOWN_CA"
        )


def test_an_interceptor_is_trusted_only_with_its_ca(files: Files) -> None:
    context = files.server_context()
    context.load_cert_chain(*files.impostor)
    with (
        Scripted(saying(OK), context) as interceptor,
        Scripted(tunnelling(interceptor.port)) as proxy,
    ):
        address = f"http://{proxy.place}"
        trusting = Dialler(files.ca, address, files.other_ca)
        assert call(trusting, 443).ending is Ending.SERVED
        distrusting = call(Dialler(files.ca, address), 443)
        is_refused_by_tls(distrusting, "This client refused the certificate")
