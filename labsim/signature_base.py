"""What a signature over an HTTP request is made of: components and the signature base.

RFC 9421 section 2, for requests, and for components without parameters: `sf`, `key`, `bs`, `tr`,
`req` and `name` are not understood here, and a signature that uses them is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from labsim.http_message import Request
from labsim.jose import Malformed

_DEFAULT_PORTS = {"https": 443, "http": 80}


def signature_base(request: Request, components: Sequence[str], parameters: str) -> bytes:
    """Return the octets that are signed (RFC 9421 section 2.5).

    `parameters` is the serialised inner list of Signature-Input. Raises Malformed for a component
    that is listed twice, is not understood, or is a field that the request does not have, and for
    a value that a line of ASCII cannot hold.
    """
    if len(set(components)) != len(components):
        raise Malformed("a component is listed twice")
    fields = _fields(request)
    lines = [f'"{name}": {_component(request, fields, name)}' for name in components]
    lines.append(f'"@signature-params": {parameters}')
    base = "\n".join(lines)
    if base.count("\n") != len(components):
        raise Malformed("a covered value has a line break")
    try:
        return base.encode("ascii")
    except UnicodeEncodeError:
        raise Malformed("a covered value has other characters than ASCII") from None


def _fields(request: Request) -> dict[str, list[str]]:
    """Sort the field lines by name, once: looked for one by one, n of n would take n * n steps."""
    found: dict[str, list[str]] = {}
    for name, value in request.fields:
        found.setdefault(name.lower(), []).append(value.strip(" \t"))
    return found


def _component(request: Request, fields: Mapping[str, Sequence[str]], name: str) -> str:
    """Return the value of one component (RFC 9421 sections 2.1 and 2.2); raises Malformed."""
    if name.startswith("@"):
        derived = _DERIVED.get(name)
        if derived is None:
            raise Malformed(f"{name} is not understood")
        return derived(request)
    if name not in fields:
        raise Malformed(f"there is no field {name}")
    return ", ".join(fields[name])


@lru_cache(maxsize=256)
def _target_uri(url: str) -> str:
    """Return the whole URI but for its fragment; an empty path is `/` (RFC 9110 section 4.2.3)."""
    uri = url.partition("#")[0]
    if Request("", url).path:
        return uri
    origin, mark, query = uri.partition("?")
    return f"{origin}/{mark}{query}"


def _authority(request: Request) -> str:
    """Return host and port, in lower case and without a default port (RFC 9421 section 2.2.3)."""
    try:
        parts = urlsplit(request.url)
        port = parts.port
    except ValueError as error:
        raise Malformed(f"no URL: {error}") from None
    host = parts.netloc.lower()
    if port is not None and port == _DEFAULT_PORTS.get(parts.scheme.lower()):
        return host.removesuffix(f":{port}")
    return host


_DERIVED: Mapping[str, Callable[[Request], str]] = {
    "@method": lambda request: request.method,
    "@target-uri": lambda request: _target_uri(request.url),
    "@authority": _authority,
    "@scheme": lambda request: request.url.partition(":")[0].lower(),
    "@request-target": lambda request: request.target,
    "@path": lambda request: request.path or "/",
    "@query": lambda request: f"?{request.query}",
}
