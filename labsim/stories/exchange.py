"""One exchange as a reader sees it: the bytes, what is encoded in them, and the three views.

A refusal looks different to each of the three who see it. The wire carries a status and an error
code; the server's own event says which check failed; the client learns only how it ended.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from labsim.charts import words
from labsim.stories import taken_apart

LONGEST_BODY: Final = 480
"""Characters of a body that are shown; the rest is counted."""
_JWT = re.compile(r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*")
_CALLED: Final = {"authorization": "The access token", "dpop": "The proof"}
_FIRST: Final = ("decision", "reason", "check", "source", "detail", "role", "name", "time")
_ENDINGS: Final = {
    "served": "It was served: status {status}, and the records that it asked for.",
    "rejected": "It was rejected: status {status}{error}. It is not told which check failed.",
    "refused_by_tls": "No request was answered, for TLS refused the connection: {reason}.{alert}",
    "unreachable": "Nobody answered: {reason}.",
    "not_possible": "Nothing was sent, for it could not be built: {reason}.",
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """Hold one JWT as found on the wire: where it was, its header and its claims as JSON text."""

    called: str
    header: str
    claims: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """Hold one attempt for showing; empty texts where nothing was sent or answered."""

    request: str
    response: str
    decoded: tuple[Decoded, ...]
    parts: tuple[taken_apart.Part, ...]
    event: tuple[tuple[str, str], ...]
    client_sees: str


def view(row: Mapping[Any, Any], exchange: Mapping[str, Any] | None) -> Exchange:
    """Make the view of one attempt: its row of the table, and what went over the wire.

    Reads of `row` outcome, status, error and reason; of `exchange` request and response (latin-1
    text, or nothing) and event (the server's own, or nothing).
    """
    found = exchange or {}
    request, response = str(found.get("request") or ""), str(found.get("response") or "")
    event = found.get("event") or {}
    names = [name for name in _FIRST if name in event]
    names += [name for name in event if name not in names]
    return Exchange(
        request=_shown(request),
        response=_shown(response),
        decoded=tuple(decoded(request)),
        parts=tuple((t, visible(text)) for t, text in taken_apart.parts(request, event)),
        event=tuple((n, _value(event[n])) for n in names if event[n] not in ("", None, [])),
        client_sees=_ending(row),
    )


def _ending(row: Mapping[Any, Any]) -> str:
    error = f" and the error code {row['error']}" if row["error"] else " and no error code"
    said = _ENDINGS.get(str(row["outcome"]), "It ended as {outcome}.")
    reason = str(row["reason"]).rstrip(".") or "no more is known"
    alert = words.alert(str(row["reason"])) if row["outcome"] == "refused_by_tls" else ""
    parts = {"status": row["status"], "error": error, "reason": reason, "outcome": row["outcome"]}
    return visible(said.format(**parts, alert=f" In words: {alert}." if alert else ""))


def _value(value: Any) -> str:
    return visible(value if isinstance(value, str) else json.dumps(value))


def _shown(message: str) -> str:
    head, blank, body = message.partition("\r\n\r\n")
    if len(body) > LONGEST_BODY:
        body = f"{body[:LONGEST_BODY]}\n[{len(body) - LONGEST_BODY} more bytes]"
    return visible(head + blank + body).rstrip("\n")


def visible(text: str) -> str:
    """Return text in which nothing is invisible: no control, no mark that turns the line around."""

    def one(character: str) -> str:
        if character == "\n" or unicodedata.category(character)[0] != "C":
            return character
        return "" if character == "\r" else f"\\x{ord(character):02x}"

    return "".join(map(one, text))


def decoded(request: str) -> list[Decoded]:
    """Return every JWT in a request, decoded; what does not decode is none."""
    found = []
    for line in request.splitlines():
        name, colon, _ = line.partition(": ")
        field = name.lower() if colon else ""
        for match in _JWT.finditer(line):
            header, claims = (_part(part) for part in match[0].split(".")[:2])
            if header is not None and claims is not None:
                called = _CALLED.get(field) or (f"In {name}" if field else "In the body")
                found.append(Decoded(visible(called), header, claims))
    return found


def _part(part: str) -> str | None:
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        value = json.loads(raw)
    except (ValueError, binascii.Error, RecursionError):
        return None
    # ASCII only: a claim's text cannot turn the line around either.
    return json.dumps(value, indent=1) if isinstance(value, dict) else None
