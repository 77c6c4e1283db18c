"""HTTP requests and responses as frozen values, and how a request ended for its sender.

Roles turn a `Request` into a `Response`; sockets are the estate's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any

type Fields = tuple[tuple[str, str], ...]

# RFC 3986 appendix B: any text at all has these parts, so that taking one never fails.
_PARTS = re.compile(r"(?:[^:/?#]+:)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?")
# json.dumps would make an encoder for each body.
_as_json = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Request:
    """Hold one HTTP request as the server received it or the client is about to send it.

    `url` is the absolute target URI (RFC 9110 section 7.1), made by the listener from its own
    authority; `fields` are name and value in the order of the wire, latin-1; `peer_certificate`
    is the DER certificate of the TLS connection, if the client showed one. `peer_address` is where
    the connection came from, as the listener saw it; it is no part of the request.
    """

    method: str
    url: str
    fields: Fields = ()
    body: bytes = b""
    peer_certificate: bytes | None = None
    peer_address: str = field(default="", compare=False)

    def values(self, name: str) -> list[str]:
        """Return the values of every field line called `name`, case-insensitively, in order."""
        wanted = name.lower()
        return [value for key, value in self.fields if key.lower() == wanted]

    def value(self, name: str) -> str | None:
        """Return the first value of the field called `name`, or None."""
        wanted = name.lower()
        for key, value in self.fields:
            if key.lower() == wanted:
                return value
        return None

    @property
    def media_types(self) -> list[str]:
        """Return the type that each Content-Type names, in lower case and without parameters.

        The field may stand once (RFC 9110 sections 5.3 and 8.3): whoever looks at the first of two
        reads another body than whoever looks at the last.
        """
        return [value.partition(";")[0].strip().lower() for value in self.values("Content-Type")]

    def adding(self, name: str, value: str) -> Request:
        """Return a copy with one more field line at the end."""
        return replace(self, fields=(*self.fields, (name, value)))

    def without(self, *names: str) -> Request:
        """Return a copy without any field line of these names."""
        dropped = {name.lower() for name in names}
        return replace(self, fields=tuple(f for f in self.fields if f[0].lower() not in dropped))

    def at(self, url: str) -> Request:
        """Return a copy that goes to another URL; nothing else changes."""
        return replace(self, url=url)

    def moved(self, url: str) -> Request:
        """Return a copy that goes to the server of another URL: its own path and query stay."""
        origin = f"{url.partition('://')[0]}://{_part(url, 1)}"
        return replace(self, url=origin + self.target)

    def showing(self, certificate: bytes | None) -> Request:
        """Return a copy that goes over a connection which shows this certificate (DER)."""
        return replace(self, peer_certificate=certificate)

    @property
    def target(self) -> str:
        """Return the origin-form request target: path and query (RFC 9112 section 3.2.1)."""
        # An empty query is not the same as none: whoever signed the URL has signed its `?`.
        query = f"?{self.query}" if "?" in self.url.partition("#")[0] else ""
        return (self.path or "/") + query

    @property
    def authority(self) -> str:
        """Return host and port as the Host field carries them."""
        return _part(self.url, 1)

    @property
    def path(self) -> str:
        """Return the URL's path as it came, empty if it has none."""
        return _part(self.url, 2)

    @property
    def query(self) -> str:
        """Return the URL's query as it came, empty if it has none."""
        return _part(self.url, 3)

    def wire(self) -> bytes:
        """Return the request as HTTP/1.1 bytes, as the dialler puts them on the connection.

        Host and framing come from the URL and the body, so that a captured request that came in
        chunks can be sent again.
        """
        made_here = ("host", "content-length", "transfer-encoding")
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {self.authority}"]
        lines += [f"{k}: {v}" for k, v in self.fields if k.lower() not in made_here]
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body

    def to_json(self) -> dict[str, Any]:
        """Return the request as JSON values (body as latin-1 text), for loot and events."""
        return {
            "method": self.method,
            "url": self.url,
            "fields": [list(f) for f in self.fields],
            "body": self.body.decode("latin-1"),
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> Request:
        """Rebuild a request from what `to_json` returned."""
        fields = tuple((str(k), str(v)) for k, v in value["fields"])
        return Request(value["method"], value["url"], fields, value["body"].encode("latin-1"))


def _part(url: str, number: int) -> str:
    found = _PARTS.match(url)
    return (found and found[number]) or ""


@dataclass(frozen=True, slots=True)
class Response:
    """Hold one HTTP response: status, fields in order, body."""

    status: int
    fields: Fields = ()
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        """Return the values of every field line called `name`, case-insensitively, in order."""
        wanted = name.lower()
        return [value for key, value in self.fields if key.lower() == wanted]

    def value(self, name: str) -> str | None:
        """Return the first value of the field called `name`, or None."""
        found = self.values(name)
        return found[0] if found else None

    def adding(self, name: str, value: str) -> Response:
        """Return a copy with one more field line at the end."""
        return replace(self, fields=(*self.fields, (name, value)))

    def json(self) -> Any:
        """Parse the body as JSON; ValueError if it is none."""
        try:
            return json.loads(self.body)
        except RecursionError as error:  # nested more deeply than anybody reads
            raise ValueError(str(error)) from error

    def wire(self) -> bytes:
        """Return the response as HTTP/1.1 bytes, for showing."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = ""
        lines = [
            f"HTTP/1.1 {self.status} {phrase}".rstrip(),
            *(f"{k}: {v}" for k, v in self.fields),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body

    @staticmethod
    def of_json(status: int, value: Any, fields: Iterable[tuple[str, str]] = ()) -> Response:
        """Make a JSON response with its content type."""
        body = _as_json(value).encode()
        return Response(status, (("Content-Type", "application/json"), *fields), body)


class Ending(StrEnum):
    """Name the five ways in which an attempt can end for the one who made it."""

    SERVED = "served"
    REJECTED = "rejected"
    REFUSED_BY_TLS = "refused_by_tls"
    UNREACHABLE = "unreachable"
    NOT_POSSIBLE = "not_possible"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say how a request ended for its sender: the ending, the answer if there was one, and why.

    `request` is what really went out. `detail` is a sentence for a person: the TLS alert, the
    refused connection, or why the attempt could not be built.
    """

    ending: Ending
    request: Request | None = None
    response: Response | None = None
    detail: str = ""

    @staticmethod
    def answered(request: Request, response: Response) -> Outcome:
        """Make the outcome of a request that got an answer: served below 400, else rejected."""
        ending = Ending.SERVED if response.status < 400 else Ending.REJECTED
        return Outcome(ending, request, response)
