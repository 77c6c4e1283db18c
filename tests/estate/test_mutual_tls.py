"""Mutual TLS on real connections: a connection is one sender, from its beginning to its end.

Section 9 of the catalogue: MT-18, MT-19, MT-20 and, live, MT-05 and MT-10; the rest is in
tests/vectors/test_9_*.py.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

import labsim
from labsim.certificates import as_der, certificate_thumbprint
from labsim.estate.listener import Listener
from labsim.http_message import Response
from tests.estate.conftest import PATIENCE, Files, listening
from tests.estate.outside import (
    Pair,
    Running,
    connected,
    context_of,
    get,
    named,
    port_of,
    refusal_by_tls,
)

RECORDS = "/records"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    clients = [named(client) for client in ("one", "other", "renewed", "revoked")]
    with labsim.start(clients=clients, quiet=True) as lab:
        yield Running(lab, tmp_path_factory.mktemp("certificates"))


def asked(
    url: str, context: ssl.SSLContext, session: ssl.SSLSession | None, token: str = ""
) -> tuple[int, bool, ssl.SSLSession | None]:
    """Ask for the records on a new connection, which would resume a session if it could.

    Return the status, whether it did, and the session that there is now.
    """
    raw = socket.create_connection(("127.0.0.1", port_of(url)), PATIENCE)
    with context.wrap_socket(raw, server_hostname="127.0.0.1", session=session) as tls:
        head = f"GET {RECORDS} HTTP/1.1\r\nHost: 127.0.0.1:{port_of(url)}\r\n"
        tls.sendall(f"{head}Authorization: Bearer {token}\r\n\r\n".encode())
        status = int(tls.recv(65536).split(b" ")[1])
        return status, bool(tls.session_reused), tls.session


@pytest.mark.parametrize("first", [None, "one"], ids=["without a certificate", "with it"])
def test_no_session_is_resumed(running: Running, first: str | None) -> None:
    """MT-18: RFC 8446 section 4.6.1; what a connection showed ends with it."""
    token, url = running.token("one"), running.estate.urls["orders"]
    context = running.context(first)
    status, _, session = asked(url, context, None, token)
    assert status == (200 if first else 401)
    assert session is None or not session.has_ticket
    context.load_cert_chain(*running.pairs["one"])
    # Resumed, it would have brought no certificate: a session keeps what it began with.
    assert asked(url, context, session, token)[:2] == (200, False)


def test_a_session_without_a_certificate_would_be_resumed_by_its_ticket(files: Files) -> None:
    """MT-18, the control: the same client resumes where a server gives it a ticket."""
    for tickets, resumes in ((0, False), (2, True)):
        given = files.server_context(asks=True)
        assert given.num_tickets == 0
        given.num_tickets = tickets
        bound = listening()
        url = f"https://127.0.0.1:{bound.getsockname()[1]}"
        listener = Listener(bound, given, lambda _: Response(200), lambda *_: None)
        listener.start()
        context = context_of(files.ca)
        _, _, session = asked(url, context, None)
        assert asked(url, context, session)[:2] == (200, resumes)
        listener.close()


def test_nobody_is_asked_for_a_certificate_after_the_handshake(running: Running) -> None:
    """MT-19: RFC 8705 makes no provision for it, so it does not happen; nor at any later request."""
    context = running.context("one")
    context.post_handshake_auth = True
    with connected(running.estate.issuer, context) as peer:  # which asks for none in the handshake
        for _ in range(2):
            assert get(peer, "/jwks").status == 200
            peer.send(
                b"POST /token HTTP/1.1\r\n@\r\nContent-Type: application/x-www-form-urlencoded"
            )
            body = b"grant_type=client_credentials&client_id=one"
            answer = peer.send(b"\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)).answer()
            assert (answer.status, answer.body) == (401, b'{"error":"invalid_client"}')
    assert running.last("as", "rejected")["check"] == "client_shows_a_certificate"
    assert running.ask("one", context)[0] == 200


def test_there_is_no_older_tls_that_could_renegotiate(running: Running) -> None:
    """MT-19: RFC 8446 section 4.1.2."""
    context = running.context("one")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    url = running.estate.urls["orders"]
    assert refusal_by_tls(url, context) == "TLSV1_ALERT_PROTOCOL_VERSION"
    assert running.last("orders", "refused_by_tls")["detail"] == "UNSUPPORTED_PROTOCOL"
    with connected(url, running.context("one")) as peer:
        assert peer.tls.version() == "TLSv1.3"


def test_each_request_of_a_kept_connection_is_judged_by_its_one_certificate(
    running: Running,
) -> None:
    """MT-20: also where all of them were sent before the first was answered."""
    tokens = [running.token(client) for client in ("one", "other", "one")]
    sent = b"".join(
        f"GET {RECORDS} HTTP/1.1\r\n@\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        for token in tokens
    )
    with connected(running.estate.urls["orders"], running.context("one")) as peer:
        one_by_one = [get(peer, RECORDS, token).status for token in tokens]
        peer.send(sent)
        at_once = [peer.answer().status for _ in tokens]
    assert one_by_one == at_once == [200, 401, 200]
    event = running.last("orders", "rejected")
    assert (event["reason"], event["client_id"]) == ("BINDING_MISMATCH", "other")


def renewed(running: Running, client: str, folder: Path) -> Pair:
    """Have a client's key certified again, and keep the old certificate."""
    certificate_file, key_file = running.pairs[client]
    server = running.estate.process("authorization-server")
    pem = server.call("renew", certificate=Path(certificate_file).read_text())
    (folder / "renewed.pem").write_text(pem)
    return str(folder / "renewed.pem"), key_file


def test_after_a_rotation_the_old_token_needs_the_old_certificate(
    running: Running, tmp_path: Path
) -> None:
    """MT-05: the same key and names, another thumbprint (RFC 8705 section 6.3)."""
    url, old = running.estate.urls["orders"], running.context("renewed")
    pair = renewed(running, "renewed", tmp_path)
    assert (
        len(
            {
                certificate_thumbprint(as_der(Path(file).read_bytes()))
                for file in (pair[0], running.pairs["renewed"][0])
            }
        )
        == 2
    )
    new = context_of(str(running.estate.ca_file), pair)
    tokens = {context: running.ask("renewed", context)[1]["access_token"] for context in (old, new)}
    for context in (old, new):
        with connected(url, context) as peer:
            found = [get(peer, RECORDS, token).status for token in tokens.values()]
        assert found == ([200, 401] if context is old else [401, 200])
    assert running.last("orders", "rejected")["reason"] == "BINDING_MISMATCH"


def test_a_revoked_certificate_is_refused_at_the_next_request_of_its_connection(
    running: Running, tmp_path: Path
) -> None:
    """MT-10: the connection stays, and what it showed is good no more."""
    token, url = running.token("revoked"), running.estate.urls["orders"]
    server = running.estate.process("authorization-server")
    pem = Path(running.pairs["revoked"][0]).read_text()
    with connected(url, running.context("revoked")) as peer:
        assert get(peer, RECORDS, token).status == 200
        assert sorted(server.call("withdraw", certificate=pem)) == sorted(running.estate.urls)
        answer = get(peer, RECORDS, token)
    assert answer.status == 401
    event = running.last("orders", "rejected")
    assert (event["reason"], event["check"]) == ("PROOF_KEY_REVOKED", "certificate_is_not_revoked")
    assert running.ask("revoked") == (401, {"error": "invalid_client"})
    successor = renewed(running, "revoked", tmp_path)
    assert running.ask("revoked", context_of(str(running.estate.ca_file), successor))[0] == 200
