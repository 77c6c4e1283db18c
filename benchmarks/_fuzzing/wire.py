"""A request as octets on a connection, with something wrong about them, and what is read of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from benchmarks._fuzzing.values import damaged_octets
from labsim.estate.http1 import HttpRefusal, RequestReader
from labsim.estate.limits import Limits
from labsim.http_message import Request

AUTHORITIES = frozenset({"orders.test", "as.test"})
LIMITS = Limits()


def _inserted(what: bytes) -> Callable[[Random, bytes], bytes]:
    """Return a mutation that puts a line into the header block."""

    def insert(rng: Random, octets: bytes) -> bytes:
        ends = [at for at in range(len(octets)) if octets.startswith(b"\r\n", at)][:12]
        at = rng.choice(ends) + 2
        return octets[:at] + what + octets[at:]

    return insert


def _chunked(rng: Random, octets: bytes) -> bytes:
    head, _, body = octets.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    size = rng.choice((1, 7, 4096))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    lines.append(b"Transfer-Encoding: chunked")
    return b"\r\n".join(lines) + b"\r\n\r\n" + chunks + b"0\r\nX-Late: 1\r\n\r\n"


WIRE: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(damaged_octets,) * 6,
    _chunked,
    lambda _rng, octets: octets + octets,
    lambda _rng, octets: octets.replace(b"\r\n", b"\n", 1),
    lambda _rng, octets: octets.replace(b": ", b" : ", 1),
    lambda _rng, octets: octets.replace(b": ", b":", 3),
    lambda _rng, octets: octets.replace(b"HTTP/1.1", b"HTTP/1.0"),
    lambda _rng, octets: octets.replace(b" /", b" https://orders.test/", 1),
    lambda rng, octets: octets[: rng.randrange(len(octets))],
    _inserted(b" folded\r\n"),
    _inserted(b"Host: elsewhere.test\r\n"),
    _inserted(b"Content-Length: 1\r\n"),
    _inserted(b"Transfer-Encoding: chunked\r\n"),
    _inserted(b"X: " + b"a" * 20000 + b"\r\n"),
    _inserted(b"a: b\r\n" * 200),
    _inserted(b"\x00: \x01\r\n"),
)


def sent(rng: Random, request: Request) -> Iterator[bytes]:
    """Yield the octets of a request after one mutation, in pieces; ValueError if it has none."""
    octets = rng.choice(WIRE)(rng, request.wire())
    size = rng.choice((len(octets), 1000, 100))
    for at in range(0, len(octets), max(1, size)):
        yield octets[at : at + size]


def received(pieces: Iterator[bytes], certificate: bytes | None) -> Iterator[Request | HttpRefusal]:
    """Yield what a listener reads of them: each request, or why it is refused."""
    reader = RequestReader(lambda: next(pieces, b""), lambda _interim: None, LIMITS)
    while reader.begin():
        try:
            incoming = reader.read()
        except HttpRefusal as refusal:
            yield refusal
            return
        try:
            yield incoming.request(AUTHORITIES, certificate)
        except HttpRefusal as refusal:
            yield refusal
        if not incoming.is_kept:
            return
