"""One JSON object asked, one answered, a line each, over a stream socket beside the estate.

The signer is asked this way over a Unix socket, a foothold over loopback. Whoever connects may send
anything: what is no JSON object on one line ends the connection, and what is no operation, or has
other members than it takes, is refused. Neither ends the process.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labsim.errors import LabError
from labsim.http_message import Ending, Outcome, Request, Response

LONGEST_LINE = 32 * 2**20
"""Octets of one line: the largest answer that a dialler takes fits in, as base64."""
MOST_CONNECTIONS = 64
"""How many are talked to at a time; one more waits until somebody leaves."""

type Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Unusable(Exception):
    """Say what is wrong with what somebody asked, in a few words."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for: what does it, and the type of each member that it takes."""

    do: Callable[..., dict[str, Any]]
    takes: Mapping[str, Any]


def answered(operations: Mapping[str, Operation], asked: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked for by its member `do`; `refused` says why there is nothing to give."""
    name = asked.get("do")
    operation = operations.get(name) if isinstance(name, str) else None
    if operation is None:
        return {"refused": f"there is {', '.join(operations)}"}
    given = {member: value for member, value in asked.items() if member != "do"}
    if given.keys() != operation.takes.keys():
        return {"refused": f"{name} takes {', '.join(operation.takes) or 'nothing'}"}
    for member, kind in operation.takes.items():
        if not isinstance(given[member], kind):
            return {"refused": f"{member} is of the wrong type"}
    try:
        return operation.do(**given)
    except (LabError, Unusable) as error:
        return {"refused": str(error)}


def serve(listening: socket.socket, answer: Answer, name: str) -> None:
    """Answer whoever connects, each in a thread of its own, until the socket is closed."""
    room = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def converse(connection: socket.socket) -> None:
        try:
            _converse(connection, answer)
        finally:
            room.release()

    def accept() -> None:
        while True:
            room.acquire()
            try:
                connection, _ = listening.accept()
            except ConnectionAbortedError:  # whoever came has left again
                room.release()
                continue
            except OSError:  # closed: nobody is let in any more
                return
            threading.Thread(target=converse, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, name=name, daemon=True).start()


def _converse(connection: socket.socket, answer: Answer) -> None:
    """Answer line by line until the other side hangs up, or sends what is none."""
    with connection, connection.makefile("rb") as lines:
        try:
            while (asked := _object(lines.readline(LONGEST_LINE))) is not None:
                connection.sendall(_line(answer(asked)))
        except OSError:  # it has hung up in the middle: there is nobody left to answer
            return


def _object(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a whole line; None if it is none."""
    if not line.endswith(b"\n"):  # the end, or longer than the bound
        return None
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):  # RecursionError: nested thousands deep
        return None
    return asked if isinstance(asked, dict) else None


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


class Asking:
    """Keep one connection and ask over it, one thread at a time."""

    def __init__(self, family: socket.AddressFamily, address: Any) -> None:
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rb")
        self._lock = threading.Lock()

    def __call__(self, **asked: Any) -> dict[str, Any]:
        """Ask and return the answer; ConnectionError if the other side is gone."""
        with self._lock:
            self._socket.sendall(_line(asked))
            answer = _object(self._lines.readline(LONGEST_LINE))
        if answer is None:
            raise ConnectionResetError("the other side has hung up")
        return answer

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()


def request_from_json(value: Mapping[str, Any]) -> Request:
    """Make a request of what somebody sent as JSON; Unusable if it is none (see `to_json`)."""
    method, url, fields, body = (value.get(name) for name in ("method", "url", "fields", "body"))
    texts = isinstance(method, str) and isinstance(url, str) and isinstance(body, str)
    if not texts or not isinstance(fields, list) or not all(map(_is_field, fields)):
        raise Unusable("a request has method, url, fields and body")
    try:
        request = Request.from_json(dict(value))
        request.wire()
    except UnicodeEncodeError:
        raise Unusable("a request is of latin-1 characters") from None
    return request


def _is_field(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) for v in value)


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON values, the body of its answer as base64."""
    answer = outcome.response
    return {
        "ending": outcome.ending,
        "request": outcome.request.to_json() if outcome.request else None,
        "response": {
            "status": answer.status,
            "fields": [list(field) for field in answer.fields],
            "body": base64.b64encode(answer.body).decode(),
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
        response = Response(answer["status"], fields, base64.b64decode(answer["body"]))
    sent = Request.from_json(request) if request is not None else None
    return Outcome(Ending(value["ending"]), sent, response, value["detail"])
