"""Mutual TLS on real connections: who is let in, and that a connection is one sender for good.

Section 9 of the catalogue: MT-18, MT-19, MT-20 and, live, MT-05 and MT-10; the rest is in
tests/vectors/test_9_*.py.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import labsim
from labsim.certificates import KeyPair
from labsim.estate.listener import Listener
from labsim.estate.outside_clients import certificate_files
from labsim.estate.running import Estate
from labsim.http_message import Request, Response
from tests.estate.conftest import Connect, Files, Peer, Serve, listening
from tests.estate.outside import Pair, connected, context_of, get, refusal_by_tls, written
from tests.own_certificates import (
    AUTHORITY,
    FOR_ITSELF,
    NETSCAPE_AUTHORITY,
    SIGNS_CERTIFICATES,
    of_version_1,
    registration,
    self_signed,
)

RECORDS = "/records"
OWN = self_signed(FOR_ITSELF)


def named(client_id: str) -> dict[str, Any]:
    method = {"token_endpoint_auth_method": "tls_client_auth"}
    return {"client_id": client_id, **method, "tls_client_auth_san_dns": f"{client_id}.test"}


class Running:
    """A lab with three clients from outside, each with its certificate."""

    def __init__(self, lab: labsim.Lab, folder: Path) -> None:
        self.lab, self.estate = lab, lab.estate
        self.pairs = {"own": written(folder, "own", OWN)}
        for number, client in enumerate(("one", "other"), 2):
            one, other = certificate_files(lab.run_folder, number)
            self.pairs[client] = str(one), str(other)

    def context(self, client: str | None) -> ssl.SSLContext:
        return context_of(str(self.estate.ca_file), self.pairs[client] if client else None)

    def ask(self, client: str, context: ssl.SSLContext | None = None) -> tuple[int, dict[str, Any]]:
        """Ask for a token at the alias, over a connection that shows the client's certificate."""
        form = {"grant_type": "client_credentials", "client_id": client}
        body = urlencode({**form, "resource": self.estate.urls["orders"]})
        head = f"POST /token HTTP/1.1\r\n@\r\nContent-Length: {len(body)}\r\n"
        head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        with connected(self.estate.mtls_alias, context or self.context(client)) as peer:
            answer = peer.send((head + body).encode()).answer()
        return answer.status, Response(200, (), answer.body).json()

    def token(self, client: str) -> str:
        status, body = self.ask(client)
        assert status == 200
        return str(body["access_token"])

    def last(self, name: str, decision: str) -> dict[str, Any]:
        found = [e for e in self.lab.events() if (e["name"], e["decision"]) == (name, decision)]
        return found[-1]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    clients = [registration("own", [OWN]), named("one"), named("other")]
    with labsim.start(clients=clients, quiet=True) as lab:
        yield Running(lab, tmp_path_factory.mktemp("certificates"))


# Who is let in.


def places(estate: Estate) -> dict[str, str]:
    return {"authorization-server": estate.mtls_alias, **estate.urls}


def test_every_listener_lets_the_registered_certificates_in(running: Running) -> None:
    for url in places(running.estate).values():
        for client in ("own", "one", None):
            with connected(url, running.context(client)) as peer:
                assert get(peer, "/nowhere").status in (401, 404)


def test_one_that_nobody_registered_is_refused_with_its_reason_in_the_event(
    running: Running, tmp_path: Path
) -> None:
    unknown = written(tmp_path, "unknown", self_signed(FOR_ITSELF))
    context = context_of(str(running.estate.ca_file), unknown)
    for name, url in places(running.estate).items():
        assert refusal_by_tls(url, context) == "TLSV1_ALERT_UNKNOWN_CA"
        event = running.last(name, "refused_by_tls")
        assert (event["role"], event["reason"]) == ("listener", "tls")
        assert event["detail"] == "CERTIFICATE_VERIFY_FAILED: self-signed certificate"


def test_a_registered_certificate_lets_in_nobody_that_it_has_signed(
    running: Running, tmp_path: Path
) -> None:
    issued = self_signed(FOR_ITSELF, subject="issued", by=OWN)
    alone = written(tmp_path, "issued", issued)
    Path(tmp_path / "chain.pem").write_bytes(issued.certificate_pem + OWN.certificate_pem)
    for pair in (alone, (str(tmp_path / "chain.pem"), alone[1])):
        refusal_by_tls(running.estate.urls["orders"], context_of(str(running.estate.ca_file), pair))
        event = running.last("orders", "refused_by_tls")
        assert event["detail"] == "CERTIFICATE_VERIFY_FAILED: invalid CA certificate"
    with connected(running.estate.urls["orders"], running.context("own")) as peer:
        assert get(peer, RECORDS).status == 401


@pytest.fixture
def trusting(files: Files, tmp_path: Path) -> Iterator[Any]:
    """Start a listener that trusts these certificates, as if they had been registered."""
    started: list[Listener] = []

    def start(pair: KeyPair) -> str:
        trust = tmp_path / "trust.pem"
        trust.write_bytes(Path(files.ca).read_bytes() + pair.certificate_pem)
        context = labsim_context(files, str(trust))
        bound = listening()
        url = f"https://127.0.0.1:{bound.getsockname()[1]}"
        started.append(Listener(bound, context, lambda _: Response(200), lambda *_: None))
        started[-1].start()
        return url

    yield start
    for listener in started:
        listener.close()


def labsim_context(files: Files, trust: str) -> ssl.SSLContext:
    from labsim.estate.tls import server_context

    return server_context(*files.server, trust)


AUTHORITIES = {
    "CA:TRUE": lambda: self_signed(AUTHORITY),
    "keyCertSign": lambda: self_signed(SIGNS_CERTIFICATES),
    "Netscape's type": lambda: self_signed(NETSCAPE_AUTHORITY),
    "version 1": of_version_1,
}


@pytest.mark.parametrize("make", AUTHORITIES.values(), ids=AUTHORITIES)
def test_what_registration_refuses_would_let_others_in(
    trusting: Any, files: Files, tmp_path: Path, make: Any
) -> None:
    """Why it does: OpenSSL takes each of these for an authority, once it is trusted."""
    registered = make()
    issued = written(tmp_path, "issued", self_signed(FOR_ITSELF, subject="issued", by=registered))
    with connected(trusting(registered), context_of(files.ca, issued)) as peer:
        assert get(peer, "/").status == 200


def test_what_registration_accepts_would_not(
    trusting: Any, files: Files, tmp_path: Path
) -> None:
    for registered in (self_signed(FOR_ITSELF), self_signed()):
        url = trusting(registered)
        own = written(tmp_path, "own", registered)
        issued = written(tmp_path, "issued", self_signed(FOR_ITSELF, by=registered))
        with connected(url, context_of(files.ca, own)) as peer:
            assert get(peer, "/").status == 200
        assert refusal_by_tls(url, context_of(files.ca, issued)) == "TLSV1_ALERT_UNKNOWN_CA"


# MT-18: a new connection has nothing of an old one.


def test_no_session_is_resumed(running: Running) -> None:
    """MT-18: RFC 8446 section 4.6.1; without tickets there is nothing to resume with."""
    token, url = running.token("one"), running.estate.urls["orders"]
    for first, second, status in ((None, "one", 200), ("one", None, 401), ("one", "one", 200)):
        context = running.context(first)
        with connected(url, context) as peer:
            assert get(peer, RECORDS, token).status == (200 if first else 401)
            session = peer.tls.session
        assert session is None or not session.has_ticket
        if second and not first:
            context.load_cert_chain(*running.pairs[second])
        if first and not second:
            context = running.context(None)
        with connected(url, context) as peer:
            assert not peer.tls.session_reused
            assert get(peer, RECORDS, token).status == status


def test_with_tickets_a_session_would_be_resumed(
    serve: Serve, files: Files, tmp_path: Path
) -> None:
    """The control: the same client resumes where a server gives it a ticket."""
    context, reused = context_of(files.ca), []
    for tickets in (0, 2):
        given = files.server_context(asks=True)
        given.num_tickets = tickets or given.num_tickets
        bound = listening()
        port = bound.getsockname()[1]
        listener = Listener(bound, given, lambda _: Response(200), lambda *_: None)
        listener.start()
        session = None
        for _ in range(2):
            tls = context.wrap_socket(_plain(port), server_hostname="127.0.0.1", session=session)
            with tls:
                tls.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
                assert tls.recv(65536).startswith(b"HTTP/1.1 200")
                session = tls.session if tls.session and tls.session.has_ticket else None
                reused.append(tls.session_reused)
        listener.close()
    assert reused == [False, False, False, True]


def _plain(port: int) -> Any:
    import socket

    return socket.create_connection(("127.0.0.1", port), 30)
