"""What a client can ask a resource server for: all it has, some of it, or to keep something new."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from labsim.errors import LabError
from labsim.estate.plan import Client
from labsim.http_message import Request

_ACCEPT: Final = ("Accept", "application/json")
_NOTE: Final = json.dumps({"title": "A note", "text": "Nothing to report."}).encode()


def _read(url: str) -> Request:
    return Request("GET", url, (_ACCEPT,))


def _query(url: str) -> Request:
    return Request("GET", f"{url}?sensitivity=internal", (_ACCEPT,))


def _write(url: str) -> Request:
    return Request("POST", url, (_ACCEPT, ("Content-Type", "application/json")), _NOTE)


CALLS: Final[dict[str, Callable[[str], Request]]] = {
    "read": _read,
    "query": _query,
    "write": _write,
}
"""The requests by name: `read` lists all records, `query` the internal ones, `write` adds one."""


def resources_for(client: Client, doing: str, asked: tuple[str, ...]) -> list[str]:
    """Return the resource servers that a client does this at: those asked for, or all it may.

    Raises LabError for a name that does not exist, and for a client that may write nowhere.
    """
    if doing not in CALLS:
        raise LabError.unknown("call", doing, CALLS)
    for name in asked:
        if name not in client.calls:
            raise LabError.unknown(f"resource server that {client.name} calls", name, client.calls)
    if asked or doing != "write":
        return list(asked or client.calls)
    found = [name for name in client.calls if f"{name}.write" in client.scopes]
    if not found:
        todo = "Choose a client with a scope that ends in .write."
        raise LabError(f"{client.name} may write nowhere.", "Nothing was sent.", todo)
    return found
