"""How the time of each parser grows with what a stranger sends: twice the octets, twice as long."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from labsim.binding import Evidence
from labsim.checks import run_checks
from labsim.commands.bench import Figure
from labsim.estate.http1 import HttpRefusal, RequestReader
from labsim.estate.limits import Limits
from labsim.http_message import Request
from labsim.jose import Malformed, b64url, json_object, parse_compact
from labsim.rejection import Rejected
from labsim.roles.form import FORM, read_form
from labsim.roles.resource_server import extract_credential
from labsim.signature_base import signature_base
from labsim.structured_fields import digests, item_byte_sequence, signature_inputs, signatures
from labsim.target_uri import comparable_target_uri
from tests.wiring import BINDINGS, ORDERS, Lab

TITLE = "Growth of time with the size of hostile input"
SIZES = (16 * 1024, 64 * 1024)
"""Octets: what a header block may hold, and four times as much, which no listener lets in."""
MOST = 1.35
"""Power of the size that time may grow with: 1 is linear, 2 quadratic; the rest is for noise."""
_WIDE = Limits(header_bytes=2**20, body_bytes=2**22)


def measure(quick: bool) -> list[Figure]:
    """Time each case at both sizes; return the power of its growth, and the time of the lesser."""
    rounds, figures = (5 if quick else 25), []
    for name, (work, made) in cases().items():
        small, large = (partial(work, made(size)) for size in SIZES)
        times = [[_seconds(each) for each in (small, large)] for _ in range(rounds)]
        least = [min(column) for column in zip(*times, strict=True)]
        power = math.log(least[1] / least[0]) / math.log(SIZES[1] / SIZES[0])
        figures.append(Figure(what=f"{name}: power of growth", value=power, unit="", target=MOST))
        figures.append(Figure(what=f"{name}: 16 KiB", value=1000 * least[0], unit="ms"))
    return figures


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    try:
        work()
    except (Malformed, Rejected, HttpRefusal):
        pass
    return time.process_time() - began


def _filled(piece: str, start: str = "", end: str = "") -> Callable[[int], str]:
    """Return a maker of texts of about so many characters, out of one piece again and again."""
    return lambda size: start + piece * (size // len(piece)) + end


def _numbered(piece: str, between: str, start: str = "", end: str = "") -> Callable[[int], str]:
    """Return a maker of texts out of pieces that are each another one."""

    def made(size: int) -> str:
        count = size // (len(piece) + len(between) + 4)
        return start + between.join(piece.replace("#", str(n)) for n in range(count)) + end

    return made


type Case = tuple[Callable[[Any], object], Callable[[int], Any]]


def cases() -> Mapping[str, Case]:
    """Return work and input of each case, by name."""
    uncached = comparable_target_uri.__wrapped__
    return {
        **_jose(),
        **_fields(),
        "htu of dot segments": (uncached, _half("https://a", "/b", "/..")),
        "htu of escapes": (uncached, _filled("%41", "https://a/")),
        "htu without an end": (uncached, _filled("a/", "https://a/", "\\")),
        "Authorization of spaces": (_credential, _filled(" ", "DPoP ")),
        "Authorization of equals": (_credential, _filled("=", "DPoP a", "!")),
        "query of pairs": (
            _decided,
            lambda size: _request(f"{ORDERS}/records?{'a=1&' * (size // 4)}"),
        ),
        "path of dots": (_decided, lambda size: _request(f"{ORDERS}/{'../' * (size // 3)}")),
        "field lines": (_decided, lambda size: _request(ORDERS, (("A", "b"),) * (size // 6))),
        "proofs": (_decided, lambda size: _request(ORDERS, (("DPoP", "a.b"),) * (size // 11))),
        "form of pairs": (_form, _filled("a=1&")),
        "form of percent signs": (_form, _filled("%41", "a=")),
        "certificate of sequences": (_certificate, lambda size: b"\x30\x80" * (size // 2)),
        **_wire(),
    }


def _half(start: str, first: str, second: str) -> Callable[[int], str]:
    return lambda size: start + first * (size // 5) + second * (size // 5)


def _jose() -> dict[str, Case]:
    head = b64url(b'{"typ":"dpop+jwt"}')
    octets: dict[str, Callable[[int], str]] = {
        "JSON of brackets": _filled("[", '{"a":'),
        "JSON of objects": _filled('{"a":'),
        "JSON of members": _numbered('"m#":1', ",", "{", "}"),
        "JSON of one member again": _filled('"a":1,', "{", '"b":1}'),
        "JSON of digits": _filled("9" * 4000 + ",", '{"a":[', "1]}"),
        "JSON of one number": _filled("9", '{"a":', "}"),
        "JSON of escapes": _filled("\\ud800", '{"a":"', '"}'),
        "JSON of backslashes": _filled("\\\\", '{"a":"'),
    }
    texts: dict[str, Callable[[int], str]] = {
        "JWS of dots": _filled("."),
        "JWS of one long segment": _filled("A", f"{head}.e30."),
        "JWS of padding": _filled("=", f"{head}.e30.AA"),
    }
    return {
        **{name: (lambda text: json_object(text.encode()), made) for name, made in octets.items()},
        **{name: (parse_compact, made) for name, made in texts.items()},
    }


def _fields() -> dict[str, Case]:
    return {
        "Signature-Input of members": (signature_inputs, _numbered("k#=()", ", ")),
        "Signature-Input of components": (signature_inputs, _numbered('"c#"', " ", "a=(", ")")),
        "Signature-Input of parameters": (signature_inputs, _numbered("p#=1", ";", "a=();", "")),
        "Signature-Input of brackets": (signature_inputs, _filled("(", "a=")),
        "Signature-Input of backslashes": (signature_inputs, _filled("\\\\", 'a=("')),
        "Signature-Input of spaces": (signature_inputs, _filled(" ", 'a=("b"', ")")),
        "Signature-Input of commas": (signature_inputs, _filled(" ,", "a=()")),
        "Signature-Input of one key": (signature_inputs, _filled("k")),
        "Signature of members": (signatures, _numbered("k#=:AA==:", ", ")),
        "Signature of one long value": (signatures, _filled("A", "a=:", ":")),
        "Content-Digest of members": (digests, _numbered("k#=:AA==:", ", ")),
        "Client-Cert": (item_byte_sequence, _filled("AAAA", ":", ":")),
        "signature base of fields": (_base, _names),
    }


def _names(size: int) -> tuple[Request, list[str]]:
    names = [f"n{number}" for number in range(size // 8)]
    return _request(ORDERS, tuple((name, "v") for name in names)), names


def _base(made: tuple[Request, list[str]]) -> bytes:
    return signature_base(made[0], made[1], "()")


def _wire() -> dict[str, Case]:
    head = b"POST /a HTTP/1.1\r\nHost: a.test\r\n"
    return {
        "head of lines": (_read, lambda size: [head + b"a: b\r\n" * (size // 6) + b"\r\n"]),
        "head in pieces of 64": (_read, lambda size: _pieces(head + b"x" * size, 64)),
        "body in pieces of 64": (
            _read,
            lambda size: _pieces(head + b"Content-Length: %d\r\n\r\n" % size + b"x" * size, 64),
        ),
        "chunks of one octet": (
            _read,
            lambda size: [
                head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * (size // 6)
            ],
        ),
        "pipeline": (
            _read,
            lambda size: [b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n" * (size // 32)],
        ),
        "empty lines": (_read, lambda size: [b"\r\n" * (size // 2)]),
    }


def _pieces(octets: bytes, size: int) -> list[bytes]:
    return [octets[at : at + size] for at in range(0, len(octets), size)]


def _read(pieces: list[bytes]) -> None:
    left = iter(pieces)
    reader = RequestReader(lambda: next(left, b""), lambda _interim: None, _WIDE)
    while reader.begin():
        reader.read()


def _request(url: str, fields: tuple[tuple[str, str], ...] = ()) -> Request:
    return Request("GET", url, fields)


def _credential(value: str) -> object:
    request = _request(ORDERS, (("Authorization", value),))
    return extract_credential(request, tuple(BINDINGS.values()))


_LAB = Lab()


def _decided(request: Request) -> object:
    """Let the resource server decide, and each binding look for its proof."""
    decided = _LAB.orders.handle(request)
    for binding in BINDINGS.values():
        try:
            proof = binding.parse(request)
            run_checks(binding.proof_checks, proof, Evidence(request, 0.0))
        except Rejected:
            continue
    return decided


def _form(body: str) -> object:
    return read_form(Request("POST", ORDERS, (("Content-Type", FORM),), body.encode()))


def _certificate(der: bytes) -> object:
    return BINDINGS["mtls"].parse(Request("GET", ORDERS, peer_certificate=der))
