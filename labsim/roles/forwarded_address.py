"""Where the client meant its request to go, behind a proxy that ends TLS: Forwarded (RFC 7239).

Proofs and signatures are made for the URL that the client knows, which is the proxy's. The server
behind it learns that URL from the proxy alone: see `forwarded_certificate` for whom it believes.
"""

from __future__ import annotations

import re

from labsim.http_message import Request
from labsim.rejection import Reason, Rejected

FIELD = "Forwarded"
FORGEABLE = (FIELD, "X-Forwarded-Host", "X-Forwarded-Proto")
"""What a careful proxy lets no client write: the field, and what vendors had before it."""

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR = rf'({_TOKEN})=({_TOKEN}|"[^"\\]*")'
_ELEMENT = rf"{_PAIR}(?:;{_PAIR})*"
_LIST = re.compile(rf"(?:{_ELEMENT}[ \t]*,[ \t]*)*(?P<last>{_ELEMENT})", re.ASCII)
_PAIRS = re.compile(_PAIR, re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.\-]+(?::[0-9]+)?|\[[0-9A-Fa-f:.]+\](?::[0-9]+)?", re.ASCII)
_PROTOCOLS = ("http", "https")


def element(request: Request) -> str:
    """Return what a proxy says of a request that it was sent: the value of its Forwarded line."""
    return f'host="{request.authority}";proto={request.url.partition(":")[0].lower()}'


def at_the_clients_url(request: Request) -> Request:
    """Return the request of a trusted proxy with the URL that the proxy's client asked for.

    Only the last element counts, which is the proxy's own: what stands before it, others have
    written (RFC 7239 section 8.1). Raises Rejected where it does not say `host` and `proto`.
    """
    lines = request.values(FIELD)
    if not lines:
        return request
    found = _LIST.fullmatch(lines[-1].strip(" \t"))
    pairs = _PAIRS.findall(found["last"]) if found else []
    said = {name.lower(): value.strip('"') for name, value in pairs}
    host, protocol = said.get("host", ""), said.get("proto", "").lower()
    if len(said) != len(pairs) or not _HOST.fullmatch(host) or protocol not in _PROTOCOLS:
        raise Rejected(
            Reason.REQUEST_MALFORMED, "forwarded_says_host_and_proto", "RFC 7239 section 4"
        )
    rest = request.url.partition("://")[2].partition("/")[2]
    return request.at(f"{protocol}://{host}/{rest}")
