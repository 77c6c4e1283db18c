"""What passed through, as JSON lines: interceptor or server writes them, the attacker reads them.

A line holds `request` (as `Request.to_json`), `response` (status, fields in order, body as latin-1
text; null for a request that is held back) and `time` (real seconds since the epoch, when the
answer had been read).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labsim.estate.events import EventLog
from labsim.http_message import Request, Response

# No JSON, or JSON of another shape.
_NO_EXCHANGE = (ValueError, RecursionError, KeyError, TypeError, AttributeError)


class Captured:
    """Append exchanges to a file of mode 0600, each as one line and one write.

    As the file holds tokens and proofs in clear, nothing of them is kept anywhere else.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lines = EventLog(file)

    def append(self, request: Request, response: Response | None) -> None:
        """Add one exchange, or without a response a request that is held back.

        Raises StorageUnavailable if it cannot be written whole.
        """
        answer = response and {
            "status": response.status,
            "fields": [list(field) for field in response.fields],
            "body": response.body.decode("latin-1"),
        }
        line = {"request": request.to_json(), "response": answer, "time": time.time()}
        self._lines.append(line)

    def forget(self) -> None:
        """Drop everything that was captured so far."""
        os.truncate(self._file, 0)


def exchanges(file: Path) -> Iterator[tuple[Request, Response | None]]:
    """Yield each exchange in the file, oldest first; no response where the request was held back.

    Half a line, of an interceptor that was killed or of a full disk, is skipped, and so is whatever
    else is no exchange. FileNotFoundError if no interceptor has run.
    """
    for line in file.read_bytes().split(b"\n"):
        try:
            value = json.loads(line)
            exchange = Request.from_json(value["request"]), _response(value["response"])
        except _NO_EXCHANGE:
            continue
        yield exchange


def _response(value: dict[str, Any] | None) -> Response | None:
    if value is None:
        return None
    fields = tuple((str(name), str(text)) for name, text in value["fields"])
    return Response(int(value["status"]), fields, value["body"].encode("latin-1"))
