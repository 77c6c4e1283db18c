"""One accepted TLS connection: handshake, requests in order, and an end that loses no answer."""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from labsim.estate.http1 import HttpRefusal, Incoming, RequestReader, encode
from labsim.estate.limits import Limits
from labsim.estate.tls import tls_reason
from labsim.http_message import Request, Response

# A TLS record carries no more than this, so a larger buffer would never be filled.
_RECORD: Final = 16 * 1024
# The peer left without a word. That is no refusal, and it is no news after the handshake.
_GONE: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


@dataclass(frozen=True, slots=True)
class Service:
    """Say whom a connection works for: its own authorities, the role, the log and the limits.

    `refused` is told what no role ever sees: "tls" with OpenSSL's reason, "http" with status and
    reason, "handler_failed" with the traceback.
    """

    authorities: frozenset[str]
    handle: Callable[[Request], Response]
    refused: Callable[[str, str], None]
    limits: Limits


class Connection:
    """Serve one client until it leaves, breaks a rule or runs out of time. Raise nothing."""

    def __init__(self, tls: ssl.SSLSocket, service: Service) -> None:
        self._tls = tls
        self._service = service
        self._until = 0.0
        self._aborted = False

    def serve(self) -> None:
        """Do the handshake, answer requests in order, and say goodbye."""
        if self._shake_hands():
            self._talk(self._answer_all)
        self._part()

    def turn_away(self) -> None:
        """Answer 503 before any request is read (RFC 9110 section 15.6.4)."""
        if self._shake_hands():
            self._talk(lambda: self._refuse(HttpRefusal(503, "too many connections"), None))
        self._part()

    def abort(self) -> None:
        """Wake the connection's thread and make it end; safe from any other thread."""
        self._aborted = True
        # The base class's shutdown: SSLSocket's would take the TLS state from under the thread.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._tls, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the descriptor back."""
        self._tls.close()

    def _shake_hands(self) -> bool:
        self._tls.settimeout(self._service.limits.handshake_seconds)
        try:
            self._tls.do_handshake()
        except OSError as error:
            self._report("tls", tls_reason(error))
            return False
        return True

    def _talk(self, work: Callable[[], object]) -> None:
        """Run `work`; a client that left, stalled or broke TLS ends it and nothing else."""
        try:
            work()
        except _GONE:
            pass
        except ssl.SSLError as error:
            self._report("tls", tls_reason(error))
        except OSError:
            pass

    def _answer_all(self) -> None:
        limits = self._service.limits
        certificate = self._tls.getpeercert(binary_form=True)
        address = self._tls.getpeername()[0]
        reader = RequestReader(self._receive, self._send, limits)
        self._until = time.monotonic() + limits.request_seconds
        while reader.begin():
            self._until = time.monotonic() + limits.request_seconds
            try:
                incoming = reader.read()
            except HttpRefusal as refusal:
                return self._refuse(refusal, None)
            except TimeoutError:
                return self._refuse(HttpRefusal(408, "half a request, then nothing"), None)
            try:
                request = incoming.request(self._service.authorities, certificate, address)
            except HttpRefusal as refusal:
                # The request is whole, so the next one's beginning is known: only this one fails.
                self._refuse(refusal, incoming)
            else:
                self._send(self._decide(request, incoming))
            if not incoming.is_kept:
                return None
            self._until = time.monotonic() + limits.idle_seconds
        return None

    def _decide(self, request: Request, incoming: Incoming) -> bytes:
        """Let the role answer; whatever goes wrong in it, the client gets 500 and no more."""
        # Any exception at all: SystemExit in a handler would otherwise end the thread unanswered.
        try:
            response = self._service.handle(request)
        except BaseException:  # noqa: BLE001
            self._report("handler_failed", traceback.format_exc())
            response = Response.of_json(500, {})
        try:
            return encode(response, request.method, is_kept=incoming.is_kept)
        except Exception:  # noqa: BLE001
            self._report("handler_failed", traceback.format_exc())
            failed = Response.of_json(500, {})
            return encode(failed, request.method, is_kept=incoming.is_kept)

    def _refuse(self, refusal: HttpRefusal, incoming: Incoming | None) -> None:
        self._report("http", f"{refusal.status} {refusal.detail}")
        answer = Response.of_json(refusal.status, {})
        method = incoming.head.method.decode("ascii") if incoming else ""
        self._send(encode(answer, method, is_kept=incoming is not None and incoming.is_kept))

    def _report(self, kind: str, text: str) -> None:
        if self._aborted:
            return
        try:
            self._service.refused(kind, text)
        except Exception:  # noqa: BLE001
            # A log that cannot be written (a full disk) must not cost the client its answer.
            traceback.print_exc(file=sys.stderr)

    def _receive(self) -> bytes:
        """Return the next bytes; TimeoutError at the deadline, however the bytes drip in."""
        self._tls.settimeout(_left(self._until))
        return self._tls.recv(_RECORD)

    def _send(self, data: bytes) -> None:
        # For a whole sendall(), not for each piece: a client that reads slowly gains nothing.
        self._tls.settimeout(self._service.limits.request_seconds)
        self._tls.sendall(data)

    def _part(self) -> None:
        """End in order: close_notify, our FIN, then read until the client's.

        Closing with unread bytes makes TCP send a reset, which destroys an answer or a TLS alert
        that is still on its way (RFC 9112 section 9.6).
        """
        tls, limits = self._tls, self._service.limits
        with contextlib.suppress(OSError, ValueError):
            # Not blocking: close_notify goes out, and the client's is not waited for here.
            tls.settimeout(0)
            tls.unwrap()
        with contextlib.suppress(OSError):
            tls.shutdown(socket.SHUT_WR)
            # From here on the bytes are read below TLS, as nobody looks at them.
            until, left = time.monotonic() + limits.linger_seconds, limits.linger_bytes
            sink = bytearray(4 * _RECORD)
            while left > 0:
                tls.settimeout(_left(until))
                size = tls.recv_into(sink)
                left = left - size if size else 0


def _left(until: float) -> float:
    """Return the seconds until a deadline; TimeoutError when it has passed."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
