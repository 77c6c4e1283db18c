"""What a client from outside has: files for its certificate, and TLS contexts that show it."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from labsim.certificates import KeyPair
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
