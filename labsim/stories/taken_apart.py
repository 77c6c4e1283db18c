"""What a request carries besides JWTs, taken apart: a signature, a certificate in a header.

And what is not in its bytes at all: the certificate that its connection showed, as far as the
server's own event tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cryptography import x509

from labsim.certificates import certificate_thumbprint
from labsim.http_message import Request
from labsim.jose import Malformed
from labsim.signature_base import signature_base
from labsim.structured_fields import SignatureInput, item_byte_sequence, signature_inputs

type Part = tuple[str, str]
"""A title, and a text below it; neither is fit for a page yet: see `exchange.visible`."""

LONGEST_LINE: Final = 90
"""Characters of a line of the signature base that are shown; the rest is counted."""
_CONNECTION: Final = {
    "certificate_is_shown": "It showed no certificate.",
    "certificate_is_the_bound_one": "It showed a certificate, but not the one the token names.",
    "": "It showed the certificate that the token names.",
}


def parts(wire: str, event: Mapping[str, Any]) -> list[Part]:
    """Return what a request (latin-1 text) holds and its connection showed, part by part.

    `event` is the server's own, or empty. What cannot be read is left out.
    """
    request = _request(wire)
    found = [*_signatures(request), *_certificate(request)] if request else []
    said = _CONNECTION.get(str(event.get("check", ""))) if event.get("binding") == "mtls" else None
    return [*found, ("The connection, as the server saw it", said)] if said else found


def _request(wire: str) -> Request | None:
    """Read a request's own wire form again (`Request.wire`); None if it is not one."""
    head, _, body = wire.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, _, target = first.removesuffix(" HTTP/1.1").partition(" ")
    fields = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
    request = Request(method, "", fields, body.encode("latin-1", "replace"))
    host = request.value("Host")
    return request.at(f"https://{host}{target}") if host and target else None


def _signatures(request: Request) -> list[Part]:
    try:
        members = signature_inputs(", ".join(request.values("Signature-Input")))
        return [part for member in members for part in _signature(request, member)]
    except Malformed:
        return []


def _signature(request: Request, member: SignatureInput) -> list[Part]:
    base = signature_base(request, member.components, member.text).decode("ascii")
    covers = ", ".join(member.components) or "nothing"
    said = [f"  {name}: {value}" for name, value in member.parameters.items()]
    return [
        ("The signature, taken apart", "\n".join([f"  covers: {covers}", *said])),
        ("The signature base of this request", "\n".join(map(_shortened, base.split("\n")))),
    ]


def _shortened(line: str) -> str:
    # The last line has the parameters, and is never cut: it is what the others are read by.
    if len(line) <= LONGEST_LINE or line.startswith('"@'):
        return line
    shown = LONGEST_LINE // 2
    return f"{line[:shown]} [{len(line) - shown} more characters]"


def _certificate(request: Request) -> list[Part]:
    try:
        der = item_byte_sequence(request.value("Client-Cert") or "")
        subject = x509.load_der_x509_certificate(der).subject.rfc4514_string()
    except (Malformed, ValueError, x509.InvalidVersion):
        return []
    said = f"  subject: {subject}\n  x5t#S256: {certificate_thumbprint(der)}"
    return [("The certificate in Client-Cert", said)]
