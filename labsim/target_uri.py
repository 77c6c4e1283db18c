"""Compare target URIs as RFC 3986 sections 6.2.2 and 6.2.3 say, and no further.

Case of scheme and host, the default port, dot segments and needless percent-encoding do not count.
A trailing slash, the case of the path and an encoded slash do. What is no RFC 3986 URI is refused,
never repaired as browsers do.
"""

from __future__ import annotations

import re
from functools import lru_cache

_URI = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)"
    r"(?::(?P<port>[0-9]*))?(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*)"
    r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?(?:#[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?",
    re.ASCII | re.IGNORECASE,  # without ASCII, U+017F would pass for an s and U+212A for a k
)
_ESCAPE = re.compile(r"%(..)")
_HEX = re.compile(r"[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_DEFAULT_PORT = {"https": "443", "http": "80"}


@lru_cache(maxsize=1024)
def comparable_target_uri(uri: str) -> str | None:
    """Return the normalised URI without query and fragment, or None if it is no http(s) URI."""
    match = _URI.fullmatch(uri)
    if match is None:
        return None
    host, path = _escapes(match["host"]), _escapes(match["path"])
    if host is None or path is None:
        return None
    scheme = match["scheme"].lower()
    port = match["port"] or _DEFAULT_PORT[scheme]
    shown_port = "" if port == _DEFAULT_PORT[scheme] else f":{port}"
    return f"{scheme}://{host.lower()}{shown_port}{_without_dot_segments(path) or '/'}"


def _escapes(text: str) -> str | None:
    """Decode escaped unreserved octets, put the rest in upper case; None for a broken one."""
    if "%" not in text:
        return text
    pieces = text.split("%")
    if not all(_HEX.fullmatch(piece[:2]) for piece in pieces[1:]):
        return None

    def normal(match: re.Match[str]) -> str:
        octet = chr(int(match[1], 16))
        return octet if octet in _UNRESERVED else f"%{match[1].upper()}"

    return _ESCAPE.sub(normal, text)


def _without_dot_segments(path: str) -> str:
    """Remove `.` and `..` segments (RFC 3986 section 5.2.4)."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        if segment == "..":
            del kept[-1:]  # in place: a copy for each would take as many steps as there are squared
        elif segment != ".":
            kept.append(segment)
        if last and segment in (".", ".."):
            kept.append("")
    return "/" + "/".join(kept)
