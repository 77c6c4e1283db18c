"""`Request` to `Outcome` over real TLS, through a proxy and with a client certificate if given.

httpcore, which is the engine under httpx, and not httpx itself: httpx rewrites what it sends (dot
segments and percent-encoding of the path, the case of the method, fields of its own), and what a
proof covers must go out as it was signed.
"""

from __future__ import annotations

import contextlib
import math
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore

from labsim.estate.timed_stream import Deadline, TimedBackend
from labsim.estate.tls import client_context, file_of_memory, plain_client_context, tls_reason
from labsim.http_message import Ending, Outcome, Request, Response

__all__ = ["Dialler", "client_context"]

_NO_CERTIFICATE: Final = b""
_ANSWER_BYTES: Final = 16 * 1024 * 1024
# Shorter than the listener's idle time: a connection that the server is just closing would
# otherwise be used again, and the request could not be repeated without spending its proof twice.
_KEPT_SECONDS: Final = 15.0
_KEPT_CONNECTIONS: Final = 32
_FAILURES: Final = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    OSError,
)
# Nobody's refusal: the other side left without an alert.
_HANG_UPS: Final = (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError)
_RESETS: Final = (BrokenPipeError, ConnectionAbortedError, ConnectionResetError)


class Dialler:
    """Send requests over TLS; call it with a `Request` and it returns an `Outcome`.

    What goes out is `Request.wire()`, byte for byte; nothing is added, followed, repeated or
    decompressed, and the environment's proxy settings are not read. Connections are kept and may be
    used from several threads. LabError if a certificate file cannot be read.

    `proxy` is the URL of an HTTP proxy, reached by CONNECT (RFC 9110 section 9.3.6), and
    `proxy_ca_file` the CA of one that intercepts. `seconds` bounds each step of a call: the head of
    an answer is one, interim answers included, and its content is one.
    """

    def __init__(
        self,
        ca_file: str,
        proxy: str | None = None,
        proxy_ca_file: str | None = None,
        certificate: tuple[str, str] | None = None,
        seconds: float = 10.0,
    ) -> None:
        self._seconds = seconds
        self._proxy_url = proxy
        self._network = _Network()
        self._proxy = urlsplit(proxy).netloc if proxy else ""
        self._authorities = (ca_file, proxy_ca_file)
        self._shows_always = certificate is not None
        self._pools = {_NO_CERTIFICATE: self._pool(certificate)}

    @property
    def proxy(self) -> str | None:
        """Return the URL of the proxy that requests go through, if they do."""
        return self._proxy_url

    def _pool(self, certificate: tuple[str, str] | None) -> httpcore.ConnectionPool:
        ca_file, proxy_ca_file = self._authorities
        if certificate is None and proxy_ca_file is None:
            context = plain_client_context(ca_file)
        else:
            context = client_context(ca_file, proxy_ca_file, certificate)
        bounds: dict[str, Any] = {
            "ssl_context": context,
            "network_backend": self._network,
            "max_connections": None,
            "max_keepalive_connections": _KEPT_CONNECTIONS,
            "keepalive_expiry": _KEPT_SECONDS,
        }
        if self._proxy_url:
            return httpcore.HTTPProxy(proxy_url=self._proxy_url, **bounds)
        return httpcore.ConnectionPool(**bounds)

    def identify(self, certificate: bytes, pem: bytes) -> None:
        """Be able to show this certificate (DER) from now on; `pem` holds it and its key.

        Requests that name it (`Request.peer_certificate`) then go over connections of their own.
        LabError if the two do not belong together.
        """
        if certificate not in self._pools:
            with file_of_memory(pem) as file:
                self._pools[certificate] = self._pool((file, file))

    def __call__(self, request: Request) -> Outcome:
        """Send the request and say how it ended; nothing that a network can do is raised.

        REFUSED_BY_TLS: either side refused the other in the handshake, and `detail` says which.
        UNREACHABLE: no answer, for any other reason. NOT_POSSIBLE: this is no HTTP request, so
        nothing was sent.
        """
        shown = request.peer_certificate or _NO_CERTIFICATE
        pool = self._pools.get(shown)
        if pool is None:
            return Outcome(Ending.NOT_POSSIBLE, None, None, "There is no key for that certificate.")
        shows = self._shows_always or bool(shown)
        trip = _Trip(request, self._proxy, self._seconds, shows, self._network.deadline)
        try:
            outgoing = _outgoing(request, self._seconds, trip)
        except ValueError as error:
            return Outcome(Ending.NOT_POSSIBLE, None, None, f"This cannot be sent: {error}.")
        try:
            with contextlib.closing(pool.handle_request(outgoing)) as answer:
                return Outcome.answered(request, _received(answer))
        except httpcore.LocalProtocolError as error:
            return Outcome(Ending.NOT_POSSIBLE, None, None, f"This cannot be sent: {error}.")
        except _FAILURES as error:
            ending, detail = trip.failed(error)
            return Outcome(ending, request, None, detail)
        finally:
            self._network.deadline.until = math.inf

    def route(self, ports: Mapping[str, int]) -> None:
        """Connect for these authorities (host:port) to other ports, and drop kept connections."""
        self._network.ports = dict(ports)
        self.close()

    def send_from(self, address: str) -> None:
        """Connect from this local address, empty for any, and drop kept connections."""
        self._network.address = address
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        for pool in self._pools.values():
            pool.close()


class _Network(TimedBackend):
    """Connect where a load balancer would send one: the request itself does not change."""

    def __init__(self) -> None:
        super().__init__()
        self.ports: dict[str, int] = {}
        self.address = ""

    def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> Any:
        more["local_address"] = self.address or None
        return super().connect_tcp(host, self.ports.get(f"{host}:{port}", port), *rest, **more)


def _outgoing(request: Request, seconds: float, trip: _Trip) -> httpcore.Request:
    """Give httpcore the request as `wire()` has it; ValueError if it is none."""
    url = urlsplit(request.url)
    if url.scheme.lower() != "https" or not url.hostname:
        raise ValueError(f"{request.url!r} is no https URL")
    port = 443 if url.port is None else url.port
    # Taken apart at its line breaks again below, so a value must not bring its own.
    if any(mark in text for field in request.fields for text in field for mark in "\r\n\0"):
        raise ValueError("a field has a line break or a NUL in it")
    head = request.wire()[: -len(request.body) or None].removesuffix(b"\r\n\r\n")
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    return httpcore.Request(
        method=request.method.encode("ascii"),
        url=httpcore.URL(
            scheme=b"https",
            host=url.hostname.encode("ascii"),
            port=port,
            target=request.target.encode("ascii"),
        ),
        headers=[(name, value) for name, _, value in lines],
        content=request.body,
        extensions={
            "timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds),
            "trace": trip.reached,
        },
    )


def _received(answer: httpcore.Response) -> Response:
    """Read the whole answer; RemoteProtocolError if it is too big, ReadTimeout if it takes long."""
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_stream():
        size += len(part)
        parts.append(part)
        if size > _ANSWER_BYTES:
            raise httpcore.RemoteProtocolError(f"the answer is over {_ANSWER_BYTES} bytes")
    fields = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers
    )
    return Response(answer.status, fields, b"".join(parts))


class _Trip:
    """Remember how far one request got, as the same error means different things on the way."""

    def __init__(
        self, request: Request, proxy: str, seconds: float, certificate: bool, deadline: Deadline
    ) -> None:
        self._deadline = deadline
        self._place = request.authority
        self._proxy = proxy
        self._seconds = seconds
        self._certificate = certificate
        self._connecting = False
        self._before_tls = False
        self._just_shaken = False
        self._write_error: Exception | None = None

    def reached(self, step: str, info: Mapping[str, Any]) -> None:
        """Take note of a step, as httpcore's trace extension reports it."""
        what = step.partition(".")[2]
        if what == "connect_tcp.started":
            self._connecting = self._before_tls = True
        elif what == "connect_tcp.complete":
            self._connecting = False
        elif what == "start_tls.started":
            self._before_tls = False
        elif what == "start_tls.complete":
            self._just_shaken = True
        elif what in ("send_request_headers.failed", "send_request_body.failed"):
            # httpcore keeps this to itself and reads on, where there may be nothing but an end.
            self._write_error = info["exception"]
        elif what == "receive_response_headers.started":
            self._deadline.until = time.monotonic() + self._seconds
        elif what == "receive_response_headers.complete":
            self._deadline.until = time.monotonic() + self._seconds  # for the content
            self._just_shaken = False

    def failed(self, error: Exception) -> tuple[Ending, str]:
        """Say what the failure of this trip means: whose refusal, or who is not there."""
        cause = _cause(error) or _cause(self._write_error)
        place = self._place + (f" (through the proxy {self._proxy})" if self._proxy else "")
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, _HANG_UPS):
            return Ending.REFUSED_BY_TLS, _refusal(cause, place)
        if isinstance(cause, _RESETS) and self._just_shaken and self._certificate:
            # With TLS 1.3 the server judges the client's certificate after the client's handshake
            # is over, and its reset may overtake its alert. Early 3.12 reports a reset as a mere
            # end of the stream, which is also how a killed server looks: that stays UNREACHABLE.
            return Ending.REFUSED_BY_TLS, (
                f"{place} reset the connection right after the handshake in which this client"
                " showed its certificate; the alert that says why was lost."
            )
        return Ending.UNREACHABLE, self._absence(error, cause, place)

    def _absence(self, error: Exception, cause: OSError | None, place: str) -> str:
        if isinstance(error, httpcore.ProxyError):
            return f"The proxy {self._proxy} answered {error} when asked for {self._place}."
        if self._before_tls and self._proxy:
            place = f"the proxy {self._proxy} (on the way to {self._place})"
        if isinstance(error, httpcore.TimeoutException):
            return f"No answer from {place} within {self._seconds:g} seconds."
        if self._connecting and isinstance(cause, ConnectionRefusedError):
            return f"Nobody listens at {place}."
        if isinstance(cause, _HANG_UPS):
            return f"The TLS handshake was cut off by {place}."
        if cause is not None:
            return f"The connection failed to {place}: {cause.strerror or cause}."
        return f"No usable answer from {place}: {str(error).rstrip('.')}."


def _refusal(error: ssl.SSLError, place: str) -> str:
    reason = tls_reason(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"This client refused the certificate of {place}: {reason}."
    if "ALERT" in reason:
        return f"TLS was refused by {place} with the alert {reason}."
    return f"This client could not agree on TLS with {place}: {reason}."


def _cause(error: BaseException | None) -> OSError | None:
    """Return the operating system's or OpenSSL's error under httpcore's."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error
