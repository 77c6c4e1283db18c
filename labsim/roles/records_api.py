"""What a resource server serves once a request is allowed: records, as JSON.

`GET /records` lists them all, `GET /records?sensitivity=public` those of one sensitivity (of
several if it stands there more than once, of none if nothing has it), `GET /records/{id}` returns
one, `POST /records` adds one. Other members of a query are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

from labsim.http_message import Request, Response
from labsim.jose import Malformed, json_object

COLLECTION = "/records"
READING = frozenset({"GET", "HEAD"})


class Records(Protocol):
    """Hold a resource server's records, each a JSON object with an `id`."""

    def all(self) -> Sequence[Mapping[str, Any]]:
        """Return every record."""

    def one(self, record_id: str) -> Mapping[str, Any] | None:
        """Return the record with this id, or None."""

    def add(self, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Keep a record and return it with its id; None if there is no room for more."""


def needed_scope(server: str, request: Request) -> str:
    """Return the scope that a request needs: reading or writing, at this server."""
    return f"{server}.{'read' if request.method in READING else 'write'}"


def answer(records: Records, request: Request) -> tuple[Response, list[str]]:
    """Serve an allowed request; return the response and the ids of the records in it."""
    path = request.path
    if path == COLLECTION and request.method in READING:
        found = _listed(records, request)
        return Response.of_json(200, {"records": found}), [str(r["id"]) for r in found]
    if path == COLLECTION and request.method == "POST":
        return _add(records, request)
    if path.startswith(f"{COLLECTION}/"):
        record = records.one(unquote(path.removeprefix(f"{COLLECTION}/")))
        if record is not None and request.method in READING:
            return Response.of_json(200, dict(record)), [str(record["id"])]
        if record is not None:
            return Response.of_json(405, {}, (("Allow", "GET, HEAD"),)), []
    if path == COLLECTION:
        return Response.of_json(405, {}, (("Allow", "GET, HEAD, POST"),)), []
    return Response.of_json(404, {}), []


def _listed(records: Records, request: Request) -> list[Mapping[str, Any]]:
    asked = parse_qs(request.query, keep_blank_values=True).get("sensitivity")
    return [r for r in records.all() if asked is None or r.get("sensitivity") in asked]


def _add(records: Records, request: Request) -> tuple[Response, list[str]]:
    try:
        sent = json_object(request.body)
    except Malformed:
        return Response.of_json(400, {"error": "invalid_request"}), []
    record = records.add({name: str(sent.get(name, ""))[:1000] for name in ("title", "text")})
    if record is None:
        return Response.of_json(507, {}), []
    return Response.of_json(201, dict(record)), []
