"""A TLS socket on loopback to `Request` and `Response`, with one thread for each connection.

Blocking sockets with threads, because they hand over the client's certificate and really send
OpenSSL's alerts. `connection.py` serves one client, `http1.py` reads its bytes.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Final

from labsim.estate.connection import Connection, Service
from labsim.estate.limits import Limits
from labsim.estate.tls import server_context
from labsim.http_message import Request, Response

__all__ = ["Limits", "Listener", "server_context"]

# How many newcomers above the bound are told 503 at the same time; any more are just closed, as
# telling them takes a handshake and a thread each.
_TURNED_AWAY_AT_ONCE: Final = 16
# How long accept() rests when the process has no descriptor left, so that it does not spin.
_REST_SECONDS: Final = 0.05
# How long close() waits for the threads; they are daemons, so none can keep the process alive.
_CLOSE_SECONDS: Final = 1.0


class Listener:
    """Answer HTTPS requests on a socket that is bound to loopback and already listening.

    `handle` is the role; it may be called from many threads at once. `refused` is told what never
    reached it: ("tls", OpenSSL's reason), ("http", status and reason), ("handler_failed",
    traceback). The listener owns the socket from here on.

    Requests for any authority but 127.0.0.1 and localhost with this port are answered 421
    (RFC 9110 section 7.4); `port` is the one that clients know, where a load balancer stands
    between. Does not check credentials, methods or paths.
    """

    def __init__(
        self,
        listening_socket: socket.socket,
        context: ssl.SSLContext,
        handle: Callable[[Request], Response],
        refused: Callable[[str, str], None],
        limits: Limits | None = None,
        port: int | None = None,
    ) -> None:
        port = port or listening_socket.getsockname()[1]
        authorities = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        self._service = Service(authorities, handle, refused, limits or Limits())
        self._socket = listening_socket
        self._context = context
        self._threads: dict[Connection, threading.Thread] = {}
        self._turned_away: set[Connection] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name="accept", daemon=True)

    def start(self) -> None:
        """Accept connections from now on, in a thread; RuntimeError when called twice."""
        self._socket.setblocking(False)
        self._acceptor.start()

    def close(self) -> None:
        """Stop accepting, cut every connection and wait a moment for its thread. Twice is fine."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake.send(b"!")
        if self._acceptor.ident is not None:
            self._acceptor.join(_CLOSE_SECONDS)
        for each in (self._socket, self._wake, self._woken):
            each.close()
        with self._lock:
            threads = list(self._threads.values())
            # Under the lock, as a connection closes its descriptor only after leaving the table:
            # a number that was given away again must not be shut down here.
            for connection in self._threads:
                connection.abort()
        until = time.monotonic() + _CLOSE_SECONDS
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closing.is_set():
                selector.select()
                try:
                    accepted, _ = self._socket.accept()
                except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                    continue
                except OSError:
                    self._closing.wait(_REST_SECONDS)
                    continue
                self._admit(accepted)

    def _admit(self, accepted: socket.socket) -> None:
        """Give a new connection its thread, unless there are too many."""
        connection = None
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # The handshake is the connection's own thread's work: here it would stop all others.
            tls = self._context.wrap_socket(
                accepted, server_side=True, do_handshake_on_connect=False
            )
            connection = Connection(tls, self._service)
            self._hand_over(connection)
        except (OSError, RuntimeError):
            # The client has left already, or there is no room for one more thread.
            accepted.close()
            if connection is not None:
                self._forget(connection)

    def _hand_over(self, connection: Connection) -> None:
        with self._lock:
            work = connection.serve
            if len(self._threads) - len(self._turned_away) >= self._service.limits.connections:
                if len(self._turned_away) >= _TURNED_AWAY_AT_ONCE:
                    connection.close()
                    return
                self._turned_away.add(connection)
                work = connection.turn_away
            thread = threading.Thread(
                target=self._run, args=(connection, work), name="connection", daemon=True
            )
            self._threads[connection] = thread
        thread.start()

    def _run(self, connection: Connection, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        with self._lock:
            self._threads.pop(connection, None)
            self._turned_away.discard(connection)
        with contextlib.suppress(OSError):
            connection.close()
