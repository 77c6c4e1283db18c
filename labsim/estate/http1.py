"""HTTP/1.1 bytes to `Request`, and `Response` to bytes; sockets are the connection's business.

h11 parses; what h11 leaves open is decided here, always for the strict reading: bounds, line ends,
two ways of framing at once, and which authority a request was really sent to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import h11

from labsim.estate.limits import Limits
from labsim.http_message import Request, Response

_PRINTABLE: Final = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])
# RFC 3986 section 3.2.2 plus a port; "@" is not in it: a Host has no userinfo.
_HOST: Final = re.compile(r"[A-Za-z0-9\-._~%!$&'()*+,;=:\[\]]*")
_ABSOLUTE: Final = re.compile(r"https://([^/?]*)(.*)", re.IGNORECASE)
# Sizes, extensions and trailers of a chunked body together, counted in header blocks.
_CHUNK_FRAMING: Final = 4
_FIELD_LINE: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*")
# Framing belongs to this file, so a role that names one of these is not listened to.
_FRAMING_FIELDS: Final = frozenset(
    {"connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"}
)


class HttpRefusal(Exception):
    """Refuse a request before a role sees it; `status` goes to the client, `detail` does not."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Incoming:
    """Hold one whole request as it came, and whether the connection may carry another."""

    head: h11.Request
    body: bytes
    is_kept: bool

    def request(
        self,
        authorities: frozenset[str],
        peer_certificate: bytes | None,
        peer_address: str = "",
    ) -> Request:
        """Make the `Request`; HttpRefusal if its target is not ours (RFC 9112 section 3.2)."""
        fields = tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in self.head.headers.raw_items()
        )
        hosts = [value for name, value in fields if name.lower() == "host"]
        if self.head.method == b"CONNECT":
            raise HttpRefusal(400, "CONNECT is for proxies")
        url = _target_uri(self.head.target.decode("ascii"), hosts, authorities)
        method = self.head.method.decode("ascii")
        return Request(method, url, fields, self.body, peer_certificate, peer_address)


def _target_uri(target: str, hosts: list[str], authorities: frozenset[str]) -> str:
    """Return the target URI (RFC 9110 section 7.1): a proof is compared with it.

    The authority must be one of the server's own: one that the client chose freely would let a
    proof made for another server match here.
    """
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise HttpRefusal(400, "not exactly one valid Host (RFC 9112 section 3.2)")
    if "#" in target:
        raise HttpRefusal(400, "a fragment in the request target")
    authority, path = hosts[0], target
    if not target.startswith("/"):
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            raise HttpRefusal(400, "a request target in neither origin nor https absolute form")
        # RFC 9112 section 3.2.2: the target's authority wins over Host.
        authority, path = absolute[1], absolute[2]
        path = path if path.startswith("/") else "/" + path
    if authority.lower() not in authorities:
        raise HttpRefusal(421, f"this server is not {authority!r}")
    return f"https://{authority}{path}"


class RequestReader:
    """Take requests out of the bytes of one connection, one after the other (RFC 9112).

    `receive` returns the next bytes, b"" at the end of the stream, and enforces the deadline;
    `send` is needed for `100 Continue` only.
    """

    def __init__(
        self, receive: Callable[[], bytes], send: Callable[[bytes], None], limits: Limits
    ) -> None:
        self._receive = receive
        self._send = send
        self._limits = limits
        self._pending = b""

    def begin(self) -> bool:
        """Wait for the first byte of a request; False when the client has ended the stream."""
        # RFC 9112 section 2.2: one empty line before a request is ignored, wherever it is cut.
        while len(self._pending) < 2 and b"\r\n".startswith(self._pending):
            if not self._receive_more():
                return False
        self._pending = self._pending.removeprefix(b"\r\n")
        return bool(self._pending) or self._receive_more()

    def _receive_more(self) -> bool:
        data = self._receive()
        self._pending += data
        return bool(data)

    def read(self) -> Incoming:
        """Read one whole request; HttpRefusal if it cannot be one, and its end is then unknown.

        A new h11 connection for each request: what follows the request in the same bytes is its
        trailing data, and nothing of one request's state reaches the next.
        """
        head_bytes = self._read_head()
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.header_bytes)
        try:
            http.receive_data(self._pending)
            head = http.next_event()
            if not isinstance(head, h11.Request):
                raise HttpRefusal(400, "no request")
            self._check_framing(head)
            body = self._read_body(http, len(self._pending) - head_bytes)
            # RFC 9112 section 9.3; h11 knows from version and Connection field.
            return Incoming(head, body, http.their_state is h11.DONE)
        except h11.RemoteProtocolError as error:
            # h11 quotes what came, which may be a secret: the event says only what it was.
            what = str(error).partition(":")[0]
            raise HttpRefusal(error.error_status_hint, what) from error

    def _read_head(self) -> int:
        """Collect a whole header block in the buffer and return its length; check its raw bytes."""
        bound, searched = self._limits.header_bytes, 0
        while (end := self._pending.find(b"\r\n\r\n", searched)) < 0:
            if len(self._pending) > bound:
                raise HttpRefusal(431, f"header block over {bound} bytes")
            if b"\n\n" in self._pending[searched:] or b"\n\r\n" in self._pending[searched:]:
                raise HttpRefusal(400, "a bare line feed")
            searched = max(0, len(self._pending) - 3)
            data = self._receive()
            if not data:
                raise HttpRefusal(400, "the stream ended inside a header block")
            self._pending += data
        if end + 4 > bound:
            raise HttpRefusal(431, f"header block over {bound} bytes")
        head = self._pending[: end + 4]
        # h11 takes bare line feeds and folded lines, which others read differently.
        line_ends = head.translate(None, _PRINTABLE)
        if line_ends.strip(b"\r\n"):
            raise HttpRefusal(400, "a control character in the header block")
        if len(line_ends) != 2 * head.count(b"\r\n"):
            raise HttpRefusal(400, "a bare carriage return or line feed (RFC 9112 section 2.2)")
        if b"\r\n " in head or b"\r\n\t" in head:
            raise HttpRefusal(400, "a folded header line (RFC 9112 section 5.2)")
        return len(head)

    def _check_framing(self, head: h11.Request) -> None:
        """Refuse what h11 lets pass: see RFC 9112 section 6.1, RFC 9110 sections 2.5 and 10.1.1."""
        fields = dict(head.headers)
        if not head.http_version.startswith(b"1."):
            raise HttpRefusal(505, "not HTTP/1")
        if b"transfer-encoding" in fields:
            if b"content-length" in fields:
                raise HttpRefusal(400, "both Content-Length and Transfer-Encoding")
            if head.http_version == b"1.0":
                raise HttpRefusal(400, "Transfer-Encoding in HTTP/1.0")
        if int(fields.get(b"content-length", b"0")) > self._limits.body_bytes:
            raise HttpRefusal(413, f"body over {self._limits.body_bytes} bytes")
        if head.http_version != b"1.0" and any(
            name == b"expect" and value.lower() != b"100-continue" for name, value in head.headers
        ):
            raise HttpRefusal(417, "an unknown expectation")

    def _read_body(self, http: h11.Connection, received: int) -> bytes:
        """Read to the end of the request; `received` counts the body's bytes as they came."""
        parts: list[bytes] = []
        size = 0
        is_awaited = http.they_are_waiting_for_100_continue
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                self._check_chunk_framing(received - size)
                if is_awaited:
                    is_awaited = False
                    self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
                data = self._receive()
                received += len(data)
                http.receive_data(data)
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > self._limits.body_bytes:
                    raise HttpRefusal(413, f"body over {self._limits.body_bytes} bytes")
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                # Trailers are dropped: merged into the fields they could add a credential.
                self._pending = http.trailing_data[0]
                self._check_chunk_framing(received - size - len(self._pending))
                return b"".join(parts)
            else:
                raise HttpRefusal(400, "the stream ended inside a body")

    def _check_chunk_framing(self, size: int) -> None:
        """Bound what is not body in a chunked body: it costs time and counts against no other."""
        if size > _CHUNK_FRAMING * self._limits.header_bytes:
            raise HttpRefusal(413, "chunk sizes, extensions and trailers out of proportion")


def encode(response: Response, method: str, *, is_kept: bool) -> bytes:
    """Return the response to a request of this method as bytes (RFC 9112 sections 4 to 6).

    ValueError for one that cannot be sent: a line break in a field, a status that is not final.
    """
    if not 200 <= response.status <= 599:
        raise ValueError(f"{response.status!r} is no final status")
    fields = [f"{n}: {v}" for n, v in response.fields if n.lower() not in _FRAMING_FIELDS]
    if response.value("cache-control") is None:
        fields.append("Cache-Control: no-store")
    has_content = response.status not in (204, 304)
    if has_content:
        fields.append(f"Content-Length: {len(response.body)}")
    if not is_kept:
        fields.append("Connection: close")
    for line in fields:
        # RFC 9110 section 5.5: with a line break in it, one field would become two, or a body.
        if not _FIELD_LINE.fullmatch(line):
            raise ValueError(f"{line!r} is no field line")
    lines = [f"HTTP/1.1 {response.status} {_phrase(response.status)}", *fields, "", ""]
    head = "\r\n".join(lines).encode("latin-1")
    return head + response.body if has_content and method != "HEAD" else head


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
