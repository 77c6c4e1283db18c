"""TLS on the server's side, roles that fail, and ends that lose nothing."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labsim.errors import LabError
from labsim.estate.listener import server_context
from labsim.http_message import Request, Response

if TYPE_CHECKING:
    from conftest import Connect, Files, Serve

GET = b"GET /a HTTP/1.1\r\n@\r\n\r\n"
BAD = b"GET /bad HTTP/1.1\r\n@\r\n\r\n"


def der(pem_file: str) -> bytes:
    """Return the DER of a certificate file."""
    return ssl.PEM_cert_to_DER_cert(Path(pem_file).read_text())


def test_the_client_certificate_comes_with_every_request(
    serve: Serve, connect: Connect, files: Files
) -> None:
    served = serve(asks=True)
    peer = connect(served, files.client)
    assert [peer.send(GET).answer().status for _ in range(2)] == [200, 200]
    assert connect(served).send(GET).answer().status == 200
    shown = [request.peer_certificate for request in served.requests]
    assert shown == [der(files.client[0])] * 2 + [None]


def test_a_certificate_that_nobody_asked_for_is_not_shown(
    serve: Serve, connect: Connect, files: Files
) -> None:
    served = serve()
    assert connect(served, files.client).send(GET).answer().status == 200
    assert served.requests[0].peer_certificate is None


def test_the_alert_of_a_refused_certificate_reaches_the_client(
    serve: Serve, connect: Connect, files: Files
) -> None:
    served = serve(asks=True)
    assert connect(served, files.client).send(GET).answer().status == 200
    for _ in range(30):
        peer = connect(served, files.stranger)
        # Much is on its way to the server when it refuses: a plain close would answer it with a
        # reset, and the alert would be lost.
        peer.tls.sendall(GET * 4000)
        with pytest.raises(ssl.SSLError) as caught:
            peer.answer()
        assert caught.value.reason == "TLSV1_ALERT_UNKNOWN_CA"
        kind, reason = served.refusal()
        assert kind == "tls"
        assert reason.startswith("CERTIFICATE_VERIFY_FAILED: ")
    assert len(served.requests) == 1


def test_a_client_that_distrusts_the_server_is_reported(
    serve: Serve, connect: Connect, files: Files
) -> None:
    served = serve()
    assert connect(served).send(GET).answer().status == 200
    context = ssl.create_default_context(cafile=files.other_ca)
    raw = socket.create_connection(("127.0.0.1", served.port), 30)
    with raw, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(raw, server_hostname="127.0.0.1")
    assert served.refusal() == ("tls", "TLSV1_ALERT_UNKNOWN_CA")


def test_only_tls_1_3_is_spoken(serve: Serve, connect: Connect, files: Files) -> None:
    served = serve()
    peer = connect(served)
    assert peer.send(GET).answer().status == 200
    assert (peer.tls.version(), peer.tls.selected_alpn_protocol()) == ("TLSv1.3", None)
    session = peer.tls.session
    assert session is None or not session.has_ticket
    context = ssl.create_default_context(cafile=files.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    raw = socket.create_connection(("127.0.0.1", served.port), 30)
    with raw, pytest.raises(ssl.SSLError) as caught:
        context.wrap_socket(raw, server_hostname="127.0.0.1")
    assert caught.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"
    assert served.refusal() == ("tls", "UNSUPPORTED_PROTOCOL")


def test_what_is_not_tls_is_reported_and_harms_nobody(serve: Serve, connect: Connect) -> None:
    served = serve()
    with socket.create_connection(("127.0.0.1", served.port), 30) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert served.refusal() == ("tls", "HTTP_REQUEST")
    with socket.create_connection(("127.0.0.1", served.port), 30) as raw:
        raw.shutdown(socket.SHUT_WR)
        assert served.refusal()[0] == "tls"
    peer = connect(served)
    assert peer.send(GET).answer().status == 200
    # Below TLS, so that the server meets a record that no key of this connection made.
    socket.socket.sendall(peer.tls, b"\x17\x03\x03\x00\x20" + b"x" * 32)
    with pytest.raises(ssl.SSLError):
        peer.answer()
    assert served.refusal()[0] == "tls"
    assert connect(served).send(GET).answer().status == 200


@pytest.mark.parametrize("kind", ["fin", "close_notify"])
def test_a_half_closed_client_still_gets_its_answer(
    serve: Serve, connect: Connect, kind: str
) -> None:
    closed = threading.Event()

    def handle(_: Request) -> Response:
        assert closed.wait(30)
        return Response(200)

    peer = connect(serve(handle)).send(GET + GET)
    if kind == "close_notify":
        peer.tls.settimeout(0)
        with contextlib.suppress(ssl.SSLWantReadError):
            peer.tls.unwrap()
        peer.tls.settimeout(30)
    else:
        socket.socket.shutdown(peer.tls, socket.SHUT_WR)
    closed.set()
    assert [peer.answer().status for _ in range(2)] == [200, 200]
    assert peer.is_at_end()


@pytest.mark.parametrize("half", [GET[:-2], b"POST /a HTTP/1.1\r\n@\r\nContent-Length: 9\r\n\r\na"])
def test_a_client_that_ends_in_mid_request_is_told(
    serve: Serve, connect: Connect, half: bytes
) -> None:
    served = serve()
    peer = connect(served).send(half)
    socket.socket.shutdown(peer.tls, socket.SHUT_WR)
    assert peer.answer().status == 400
    assert served.refusal()[1].startswith("400 ")
    assert served.requests == []


class Unprintable(Exception):
    """An exception whose text cannot be made."""

    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    "error", [KeyError("k"), RecursionError(), SystemExit(3), KeyboardInterrupt(), Unprintable()]
)
def test_a_role_that_raises_costs_one_answer(
    serve: Serve, connect: Connect, error: BaseException
) -> None:
    def handle(request: Request) -> Response:
        if request.url.endswith("bad"):
            raise error
        return Response(200)

    served = serve(handle)
    peer = connect(served)
    answers = [peer.send(request).answer() for request in (GET, BAD, GET)]
    assert [answer.status for answer in answers] == [200, 500, 200]
    assert answers[1].body == b"{}"
    kind, text = served.refusal()
    assert kind == "handler_failed"
    assert type(error).__name__ in text
    assert "Traceback" in text


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (Response(200, (("X", "a"),)), Response(200, (("X", "a\r\nSet-Cookie: b"),))),
        (Response(200, (("X", "a"),)), Response(200, (("X", "a\nb"),))),
        (Response(200, (("X", "a"),)), Response(200, (("X", "a\x00"),))),
        (Response(200, (("X", "a"),)), Response(200, (("X", "\u20ac"),))),
        (Response(200, (("X", "a"),)), Response(200, (("X Y", "a"),))),
        (Response(200, (("X", "a"),)), Response(200, (("X\r\nY", "a"),))),
        (Response(200), Response(101)),
        (Response(200), Response(600)),
        (Response(200), None),
    ],
)
def test_a_response_that_cannot_be_sent_becomes_500(
    serve: Serve, connect: Connect, good: Response, bad: Response
) -> None:
    served = serve(lambda request: bad if request.url.endswith("bad") else good)
    peer = connect(served)
    answers = [peer.send(request).answer() for request in (GET, BAD, GET)]
    assert [answer.status for answer in answers] == [200, 500, 200]
    assert answers[1].fields.keys() == {"content-type", "cache-control", "content-length"}
    assert served.refusal()[0] == "handler_failed"


def test_a_log_that_fails_costs_no_answer(
    serve: Serve, connect: Connect, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(_kind: str, _text: str) -> None:
        raise OSError(28, "No space left on device")

    peer = connect(serve(log=full))
    assert peer.send(GET.replace(b"@", b"Host: elsewhere.example")).answer().status == 421
    assert peer.send(GET).answer().status == 200
    assert "No space left on device" in capfd.readouterr().err


def test_an_upgrade_is_not_taken_up(serve: Serve, connect: Connect) -> None:
    peer = connect(serve())
    upgrade = GET.replace(b"@", b"@\r\nUpgrade: websocket\r\nConnection: Upgrade")
    answer = peer.send(upgrade).answer()
    assert (answer.status, json.loads(answer.body)[0]) == (200, "GET")


def test_unusable_certificate_files_are_named(files: Files, tmp_path: Path) -> None:
    nothing, text = str(tmp_path / "missing.pem"), tmp_path / "text.pem"
    text.write_text("no certificate")
    for certificate, key, ca in (
        (nothing, files.server[1], None),
        (str(text), files.server[1], None),
        (files.server[0], files.client[1], None),
        (*files.server, nothing),
        (*files.server, str(text)),
    ):
        with pytest.raises(LabError, match=r"\.(pem|key) cannot be used"):
            server_context(certificate, key, ca)
    assert server_context(*files.server, files.ca).verify_mode is ssl.CERT_OPTIONAL
