"""One JSON object asked, one answered, a line each, over a stream socket.

The signer is asked this way over a Unix socket, a foothold over loopback. What is no JSON object,
or longer than the bound, ends the connection.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

from labsim.http_message import Ending, Outcome, Request, Response

LONGEST_LINE = 16 * 2**20
"""Octets of one line: the largest answer that a dialler takes fits in."""

type Answer = Callable[[dict[str, Any]], dict[str, Any]]


def serve(listening: socket.socket, answer: Answer, name: str) -> None:
    """Answer whoever connects, each in a thread of its own, until the socket is closed."""

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:  # closed: nobody is let in any more
                return
            threading.Thread(target=_converse, args=(connection, answer), daemon=True).start()

    threading.Thread(target=accept, name=name, daemon=True).start()


def _converse(connection: socket.socket, answer: Answer) -> None:
    with connection, connection.makefile("rwb") as lines:
        while line := lines.readline(LONGEST_LINE):
            try:
                asked = json.loads(line)
            except ValueError:
                return
            if not isinstance(asked, dict):
                return
            lines.write(json.dumps(answer(asked), separators=(",", ":")).encode() + b"\n")
            lines.flush()


class Asking:
    """Keep one connection and ask over it, one thread at a time."""

    def __init__(self, family: socket.AddressFamily, address: Any) -> None:
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.connect(address)
        self._lines = self._socket.makefile("rwb")
        self._lock = threading.Lock()

    def __call__(self, **asked: Any) -> dict[str, Any]:
        """Ask and return the answer; ConnectionError if the other side is gone."""
        with self._lock:
            self._lines.write(json.dumps(asked, separators=(",", ":")).encode() + b"\n")
            self._lines.flush()
            line = self._lines.readline(LONGEST_LINE)
        if not line:
            raise ConnectionResetError("the other side has hung up")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON values."""
    answer = outcome.response
    return {
        "ending": outcome.ending,
        "request": outcome.request.to_json() if outcome.request else None,
        "response": {
            "status": answer.status,
            "fields": [list(field) for field in answer.fields],
            "body": answer.body.decode("latin-1"),
        }
        if answer
        else None,
        "detail": outcome.detail,
    }


def outcome_from_json(value: dict[str, Any]) -> Outcome:
    """Rebuild an outcome from what `outcome_to_json` returned."""
    answer, request = value["response"], value["request"]
    response = None
    if answer is not None:
        fields = tuple((str(name), str(text)) for name, text in answer["fields"])
        response = Response(answer["status"], fields, answer["body"].encode("latin-1"))
    sent = Request.from_json(request) if request is not None else None
    return Outcome(Ending(value["ending"]), sent, response, value["detail"])
