"""The attacker's own address: an HTTPS server that takes whatever is sent there.

Its certificate is one that clients trust, as anybody who has a name on the internet can have.
"""

from __future__ import annotations

import sys
from pathlib import Path

from labsim.estate.listener import Listener, server_context
from labsim.estate.private_socket import listening_socket
from labsim.http_message import Request, Response


class Inbox:
    """Listen, once it is opened, with the certificate in `folder`; keep what is posted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._address = ""
        self._received: list[bytes] = []

    def open(self) -> str:
        """Start to listen, if it does not yet, forget what came before, and return the address."""
        self._received = []
        if not self._address:
            listening = listening_socket()
            files = (str(self._folder / f"tls_{part}.pem") for part in ("certificate", "key"))
            self._address = f"https://127.0.0.1:{listening.getsockname()[1]}/inbox"
            Listener(listening, server_context(*files), self._handle, _refused).start()
        return self._address

    def received(self) -> list[bytes]:
        """Return the body of each request that was sent, in the order of their arrival."""
        return list(self._received)

    def _handle(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(405, (("Allow", "POST"),))
        self._received.append(request.body)
        return Response(204)


def _refused(kind: str, reason: str) -> None:
    print(f"inbox: {kind}: {reason}", file=sys.stderr)
