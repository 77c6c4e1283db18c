"""What a client from outside has: files for its certificate, and TLS contexts that show it."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import labsim
from labsim.certificates import KeyPair
from labsim.estate.outside_clients import certificate_files
from tests.estate.conftest import PATIENCE, Answer, Peer

type Pair = tuple[str, str]
"""A certificate's file and its key's file."""


def written(folder: Path, name: str, pair: KeyPair) -> Pair:
    """Write a certificate and its key where a client keeps them."""
    files = folder / f"{name}-certificate.pem", folder / f"{name}-key.pem"
    files[0].write_bytes(pair.certificate_pem)
    files[1].write_bytes(pair.key_pem)
    return str(files[0]), str(files[1])


def given(where: dict[str, Any], client_id: str) -> Pair:
    """Return the files that `labsim up` says it has made for a client."""
    files = where["certificates"][client_id]
    return files["certificate_file"], files["key_file"]


def context_of(ca_file: str, pair: Pair | None = None) -> ssl.SSLContext:
    """Return a strict client's context, as Python makes them, with a certificate to show."""
    context = ssl.create_default_context(cafile=ca_file)
    if pair is not None:
        context.load_cert_chain(*pair)
    return context


def port_of(url: str) -> int:
    return urlsplit(url).port or 443


@contextlib.contextmanager
def connected(url: str, context: ssl.SSLContext) -> Iterator[Peer]:
    """Connect to the server of a URL; the connection is kept until the end of the block."""
    peer = Peer(port_of(url), context)
    try:
        yield peer
    finally:
        peer.tls.close()


def get(peer: Peer, path: str, token: str = "", scheme: str = "Bearer") -> Answer:
    """Ask for a path on a kept connection, with a token."""
    field = f"Authorization: {scheme} {token}\r\n" if token else ""
    return peer.send(f"GET {path} HTTP/1.1\r\n@\r\n{field}\r\n".encode()).answer()


def refusal_by_tls(url: str, context: ssl.SSLContext) -> str:
    """Ask for anything, be refused by TLS, and return the alert; wait until the server hangs up.

    With TLS 1.3 a server judges the certificate after the client has done with its handshake, so
    that the alert comes with the first answer. The server writes its event before it hangs up.
    """
    raw = socket.create_connection(("127.0.0.1", port_of(url)), PATIENCE)
    tls = context.wrap_socket(raw, server_hostname="127.0.0.1", do_handshake_on_connect=False)
    with tls:
        try:
            tls.do_handshake()
            tls.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            answer = tls.recv(65536)
        except ssl.SSLError as error:
            while socket.socket.recv(tls, 65536):
                pass
            return str(error.reason)
    raise AssertionError(f"it was not refused: {answer!r}")


def events_of(run_folder: Path, process: str) -> list[dict[str, Any]]:
    """Return what a server has written down so far."""
    file = run_folder / "events" / f"{process}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()]


def named(client_id: str) -> dict[str, Any]:
    """Return the metadata of a client that is given a certificate by the lab."""
    method = {"token_endpoint_auth_method": "tls_client_auth"}
    return {"client_id": client_id, **method, "tls_client_auth_san_dns": f"{client_id}.test"}


class Running:
    """A lab with clients from outside, and the files of each one's certificate."""

    def __init__(self, lab: labsim.Lab, folder: Path, own: KeyPair | None = None) -> None:
        self.lab, self.estate = lab, lab.estate
        self.pairs: dict[str, Pair] = {}
        for number, client in enumerate(lab.clients_from_outside, 1):
            certificate_file, key_file = certificate_files(lab.run_folder, number)
            self.pairs[client["client_id"]] = str(certificate_file), str(key_file)
        if own is not None:
            self.pairs["own"] = written(folder, "own", own)

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
        return answer.status, json.loads(answer.body)

    def token(self, client: str) -> str:
        status, body = self.ask(client)
        assert status == 200
        return str(body["access_token"])

    def last(self, name: str, decision: str) -> dict[str, Any]:
        """Return the last event of a server that has this decision."""
        found = [e for e in self.lab.events() if (e["name"], e["decision"]) == (name, decision)]
        return found[-1]
