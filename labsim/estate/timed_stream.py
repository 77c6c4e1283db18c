"""A connection whose reads end at a deadline, however the bytes drip in.

httpcore bounds each read. A server that sends a line of its answer's head now and then, or one
interim answer after the other, is never silent for so long, and never ends.
"""

from __future__ import annotations

import math
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore


class Deadline(threading.local):
    """Hold until when this thread waits for what it reads, in seconds of `time.monotonic`."""

    until: float = math.inf

    def left(self, seconds: float | None) -> float | None:
        """Return how long one read may take, at most `seconds`; ReadTimeout if none is left."""
        if self.until == math.inf:
            return seconds
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left if seconds is None else min(left, seconds)


class TimedStream(httpcore.NetworkStream):
    """Read from a stream until the deadline of whoever reads; all else is the stream's own."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the next bytes, b"" at the end; ReadTimeout beyond the deadline."""
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write the bytes."""
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> TimedStream:
        """Return the same connection over TLS."""
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks about the socket."""
        return self._stream.get_extra_info(info)


class TimedBackend(httpcore.SyncBackend):
    """Open connections that obey `deadline`."""

    def __init__(self) -> None:
        super().__init__()
        self.deadline = Deadline()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> TimedStream:
        """Connect."""
        stream = super().connect_tcp(host, port, timeout, local_address, socket_options)
        return TimedStream(stream, self.deadline)
