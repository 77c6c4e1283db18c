"""What a client may meet on the other side: a server that follows a script, a CONNECT proxy."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Script = Callable[[socket.socket], None]


class Scripted:
    """Run `script` on each accepted connection, over TLS if there is a context."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.place = f"127.0.0.1:{self.port}"
        self.accepted = 0
        self._closing = False
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        socket.create_connection(("127.0.0.1", self.port), 30).close()
        for thread in self._threads:
            thread.join(30)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._closing:
                connection.close()
                return
            self.accepted += 1
            connection.settimeout(30)
            thread = threading.Thread(target=self._run, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _run(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._script(connection)
        except OSError:
            pass  # The client may leave as it likes; its side of it is what the tests look at.
        finally:
            connection.close()


def until_closed(connection: socket.socket) -> bytes:
    """Read to the end of the stream."""
    data = b""
    while more := connection.recv(65536):
        data += more
    return data


def saying(answer: bytes) -> Script:
    """Read a request's header block, answer with these bytes, and wait for the client to leave."""

    def script(connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536) or b"\r\n\r\n"
        connection.sendall(answer)
        until_closed(connection)

    return script


def hanging_up(connection: socket.socket) -> None:
    """Read something and end the connection in order."""
    connection.recv(65536)


def resetting(connection: socket.socket) -> None:
    """Close so that the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silent(connection: socket.socket) -> None:
    """Say nothing until the client leaves."""
    until_closed(connection)


def tunnelling(upstream: int | None = None) -> Script:
    """Be a CONNECT proxy; with `upstream`, one that leads every tunnel to that port."""

    def script(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536) or b"\r\n\r\n"
        port = upstream or int(head.split(b" ")[1].rpartition(b":")[2])
        try:
            far = socket.create_connection(("127.0.0.1", port), 30)
        except OSError:
            connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with far:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            _join(connection, far)

    return script


def _join(one: socket.socket, other: socket.socket) -> None:
    to = {one: other, other: one}
    while True:
        for ready in select.select(list(to), [], [], 30)[0]:
            data = ready.recv(65536)
            if not data:
                return
            to[ready].sendall(data)
