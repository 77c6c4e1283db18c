"""JSON messages over a stream socket that stay in step when either side is interrupted.

A kernel interrupt raises KeyboardInterrupt between any two bytecodes, so also between a `recv` and
the line that keeps what it returned: bytes may be lost, or a message be sent by half. Therefore
every message stands between two newlines (JSON text holds none), a line that is no JSON object is
dropped, and every answer carries the number of its request. Whatever was lost belonged to the
interrupted request, and the next one finds its own answer.
"""

from __future__ import annotations

import itertools
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from labsim.errors import LabError

CHUNK = 1 << 16
# What may travel with one request; Linux itself allows 253.
MOST_SOCKETS = 32

type Message = dict[str, Any]


class Gone(Exception):
    """Say that the other end of a channel is closed."""


def frame(message: Message) -> bytes:
    """Return the bytes of a message.

    Raises TypeError or ValueError if it is not JSON.
    """
    return b"\n" + json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Lines:
    """Cut a stream of bytes into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Take in the next bytes and return the messages that they complete."""
        cut = data.rfind(b"\n")
        if cut < 0:
            self._rest += data
            return []
        whole = bytes(self._rest) + data[:cut]
        self._rest = bytearray(data[cut + 1 :])
        return [message for line in whole.split(b"\n") for message in _parsed(line)]


def _parsed(line: bytes) -> Iterable[Message]:
    try:
        message = json.loads(line) if line else None
    except (ValueError, RecursionError):  # half a message of an interrupted request
        return ()
    return (message,) if isinstance(message, dict) else ()


def hung_up(sock: socket.socket, seconds: float = 0) -> bool:
    """Tell whether the other end is closed, waiting at most so long for it.

    Unread bytes do not hide it, as they would from `recv`.
    """
    poller = select.poll()
    try:
        poller.register(sock, select.POLLHUP)
    except ValueError:  # this end is closed as well
        return True
    return any(events & ~select.POLLIN for _, events in poller.poll(seconds * 1000))


def answer(number: int, action: Callable[[], Any]) -> bytes:
    """Return the answer to a request: what the action gives or raises; print its traceback."""
    try:
        return frame({"id": number, "result": action()})
    except LabError as error:
        return frame({"id": number, "lab_error": [error.happened, error.did, error.todo]})
    except Exception as error:  # noqa: BLE001 (the owner is told, whatever it is)
        import traceback  # only here: the owner imports this module and must stay light

        traceback.print_exc()
        return frame({"id": number, "failed": traceback.format_exception_only(error)[-1].strip()})


class Channel:
    """Send requests and wait for their answers; calls of several threads take turns."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._lock = threading.Lock()
        self._lines = Lines()
        self._numbers = itertools.count(1)
        sock.setblocking(False)

    def __del__(self) -> None:
        self._socket.close()

    def close(self) -> None:
        """Hang up; whoever waits for an answer in another thread gets `Gone`."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # the other end was faster
            pass
        if self._lock.acquire(blocking=False):
            self._socket.close()
            self._lock.release()

    def gone(self, seconds: float = 0) -> bool:
        """Tell whether the other end is closed, waiting at most so long for it."""
        return hung_up(self._socket, seconds)

    def post(self, operation: str, arguments: Message) -> None:
        """Send a small request whose answer nobody waits for."""
        try:
            self._socket.send(frame({"id": 0, "do": operation, "with": arguments}))
        except OSError:  # the next call tells what happened to the other side
            pass

    def call(
        self,
        operation: str,
        arguments: Message,
        sockets: Sequence[socket.socket] = (),
        progress: Callable[[Any], None] | None = None,
    ) -> Message:
        """Send a request and return its answer.

        Raises Gone if the other end closes before it has answered.
        """
        with self._lock:
            number = next(self._numbers)
            request = {"id": number, "do": operation, "with": arguments, "sockets": len(sockets)}
            data = frame(request)
            try:
                return self._exchange(number, data, [s.fileno() for s in sockets], progress)
            except Gone:
                raise
            except BaseException:
                self._abandon()
                raise

    def _exchange(
        self, number: int, data: bytes, fds: list[int], progress: Callable[[Any], None] | None
    ) -> Message:
        # Reads while it writes: the other side may still be busy sending the long answer to an
        # interrupted request, and does not read before it has got rid of that.
        poller = self._poller()
        left = memoryview(data)
        while True:
            for _, events in poller.poll():
                if left and events & ~select.POLLIN:
                    left = left[self._send(left, fds) :]
                    fds = []
                    if not left:
                        poller.modify(self._socket, select.POLLIN)
                for message in self._receive() if events & ~select.POLLOUT else ():
                    if message.get("id") != number:
                        continue  # the answer to a request that was interrupted
                    if "progress" not in message:
                        return message
                    if progress is not None:
                        progress(message["progress"])

    def _poller(self) -> select.poll:
        poller = select.poll()
        try:
            poller.register(self._socket, select.POLLIN | select.POLLOUT)
        except ValueError as error:  # closed by this side
            raise Gone from error
        return poller

    def _send(self, left: memoryview, fds: list[int]) -> int:
        try:
            return socket.send_fds(self._socket, [left], fds) if fds else self._socket.send(left)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise Gone from error

    def _receive(self) -> list[Message]:
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return []
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        return self._lines.feed(data)

    def _abandon(self) -> None:
        # Any word from here tells an operation in progress that nobody waits for it any more.
        try:
            self._socket.send(frame({}))
        except OSError:
            pass


def wait_gone(channels: Iterable[Channel], seconds: float) -> None:
    """Wait until the other ends of all these are closed, at most so long in all."""
    end = time.monotonic() + seconds
    for channel in channels:
        channel.gone(max(0.0, end - time.monotonic()))
