"""A cheap client in a process of its own: requests made ahead, over connections that are kept.

Reads one JSON object per line ({"kind", "connections", "port", "ca_file", "certificate_file",
"requests", "keep"}; requests as latin-1 text) and answers each with {"seconds"}, or {"error"} if a
request was not served. A kind keeps its own connections from one line to the next, unless "keep" is
false: then each request has a new connection.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import time
from typing import Any


class Kept:
    """Keep a few TLS connections to one server, and spread requests over them."""

    def __init__(self, port: int, context: ssl.SSLContext, connections: int) -> None:
        self._connections = [_connected(port, context) for _ in range(connections)]

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections:
            connection.close()

    def run(self, requests: list[bytes]) -> None:
        """Send all, at most one at a time on each connection; ValueError if one is not served."""
        width = len(self._connections)
        for number, request in enumerate(requests):
            connection = self._connections[number % width]
            if number >= width:
                _answered(connection)
            connection.sendall(request)
        for number in range(len(requests), len(requests) + min(width, len(requests))):
            _answered(self._connections[number % width])


def _context(ca_file: str, certificate_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    if certificate_file:
        context.load_cert_chain(certificate_file)
    return context


def _each_anew(port: int, context: ssl.SSLContext, requests: list[bytes]) -> None:
    for request in requests:
        once = Kept(port, context, 1)
        once.run([request])
        once.close()


def _connected(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def _answered(connection: ssl.SSLSocket) -> None:
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(connection)
    head = data[:end].lower()
    size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(data) < end + 4 + size:
        data += _more(connection)
    if not head.startswith(b"http/1.1 200"):
        raise ValueError(data.decode("latin-1"))


def _more(connection: ssl.SSLSocket) -> bytes:
    data = connection.recv(16384)
    if not data:
        raise ValueError("the server has hung up")
    return data


def main() -> None:
    """Answer lines until there are no more."""
    kept: dict[tuple[str, int], Kept] = {}
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        which = asked["kind"], asked["connections"]
        try:
            context = _context(asked["ca_file"], asked["certificate_file"])
            requests = [text.encode("latin-1") for text in asked["requests"]]
            if asked["keep"] and which not in kept:
                kept[which] = Kept(asked["port"], context, asked["connections"])
            began = time.perf_counter()
            if asked["keep"]:
                kept[which].run(requests)
            else:
                _each_anew(asked["port"], context, requests)
            answer: dict[str, Any] = {"seconds": time.perf_counter() - began}
        except (OSError, ValueError) as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
