"""A foothold: a stranger's code that runs in the victim's process, and how the thief reaches it.

What it can do there is what any code in that process can: read its memory, use its key where that
lies, send requests from it. It lasts until the process is started afresh. Who connects must know a
secret, so that nobody but the thief gets in.
"""

from __future__ import annotations

import contextlib
import gc
import math
import secrets
import socket
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from labsim.binding import Binding, Presentation
from labsim.errors import LabError
from labsim.estate.custody import Custody
from labsim.estate.json_lines import (
    Asking,
    Operation,
    Unusable,
    answered,
    outcome_from_json,
    outcome_to_json,
    request_from_json,
    serve,
)
from labsim.estate.private_socket import listening_socket
from labsim.estate.serving import new_id
from labsim.http_message import Ending, Outcome, Request
from labsim.keys import SigningKey
from labsim.roles.client import Send, TokenRefused, TokenSet, present

OPERATIONS = ("memory", "ahead", "send")
"""What a foothold can be asked for: keys in memory, proofs made ahead, a request sent now."""


class Inhabited(Protocol):
    """What the code finds in the process: all that the process itself can use."""

    @property
    def binding(self) -> Binding:
        """Return the binding of the process's tokens, with its client's face."""

    @property
    def key(self) -> Custody | None:
        """Return what the process can do with its key."""

    def clock(self) -> float:
        """Return lab seconds."""

    def token_for(self, url: str) -> TokenSet | None:
        """Return a token for this address, or None if the process has no business there."""

    def refreshed(self, refresh_token: str) -> tuple[str, TokenSet]:
        """Return the address that a grant is for, and tokens from it; raises TokenRefused."""

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Return address and audience of each resource server that the process calls."""

    @property
    def send(self) -> Send:
        """Return what the process sends with."""


class Foothold:
    """Run in the victim's process, and answer the thief until it is evicted.

    `offers` are the operations that it has for the thief: code that runs there has all of them, an
    agent that was talked into helping has fewer.
    """

    def __init__(self, process: Inhabited, offers: Sequence[str] = OPERATIONS) -> None:
        self._process = process
        self._secret = secrets.token_urlsafe(16)
        self._socket = listening_socket()
        known = {
            "memory": Operation(self._memory, {}),
            "ahead": Operation(self._ahead, {"url": str, "times": list}),
            "send": Operation(self._send, {"request": dict}),
        }
        self._operations = {name: known[name] for name in offers}
        serve(self._socket, self._answer, "foothold")

    @property
    def address(self) -> str:
        """Return where it listens, and what to say there: host:port/secret."""
        return f"127.0.0.1:{self._socket.getsockname()[1]}/{self._secret}"

    def close(self) -> None:
        """Evict it: nobody is let in any more."""
        self._secret = ""
        with contextlib.suppress(OSError):  # macOS: a listening socket is not connected
            self._socket.shutdown(socket.SHUT_RDWR)  # which wakes the thread that waits at it
        self._socket.close()

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        given = str(asked.pop("secret", "")).encode(errors="backslashreplace")
        if not self._secret or not secrets.compare_digest(given, self._secret.encode()):
            return {"gone": True}
        return answered(self._operations, asked)

    def _memory(self) -> dict[str, Any]:
        """Go through every object of the process, as any code in it can, and keep the keys."""
        found = [each for each in gc.get_objects() if isinstance(each, SigningKey)]
        return {"keys": [key.private_jwk for key in found]}

    def _ahead(self, url: str, times: list[Any]) -> dict[str, Any]:
        if not all(isinstance(at, int | float) and math.isfinite(at) for at in times):
            raise Unusable("times are lab seconds")
        binding, key = self._process.binding, self._process.key
        try:
            token = self._process.token_for(url)
        except TokenRefused as refused:
            raise Unusable(str(refused)) from None
        if key is None or token is None or binding.asks_client_certificate:
            return {"requests": []}
        nonce = self._nonce(url, token, key)
        made = []
        for at in times:
            presentation = Presentation(token.access_token, key.holder, at, new_id, nonce)
            made.append([at, binding.attach(Request("GET", url), presentation).to_json()])
        return {"requests": made}

    def _nonce(self, url: str, token: TokenSet, key: Custody) -> str | None:
        """Get the server's nonce, if it gives one out, by the request that its holder would make.

        One without a proof would be refused, and that is noticed.
        """
        binding = self._process.binding
        if not binding.nonce_field:
            return None
        own = Presentation(token.access_token, key.holder, self._process.clock(), new_id)
        answer = self._process.send(binding.attach(Request("GET", url), own)).response
        return answer.value(binding.nonce_field) if answer else None

    def _send(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request_from_json(request)
        try:
            token = self._process.token_for(wanted.url)
        except TokenRefused as refused:
            return outcome_to_json(refused.outcome)
        if token is None:
            why = "the holder has no token for that server"
            return outcome_to_json(Outcome(Ending.NOT_POSSIBLE, detail=why))
        key = self._process.key
        holder = key.holder if key else None
        presentation = Presentation(token.access_token, holder, self._process.clock(), new_id)
        sent = present(lambda: wanted, self._process.binding, presentation, self._process.send)
        return outcome_to_json(sent)


class RemoteFoothold:
    """Reach a foothold from the attacker's process (see `loot.Foothold`)."""

    def __init__(self, address: str) -> None:
        self._address = address

    @property
    def address(self) -> str:
        """Return where it is reached."""
        return self._address

    def read_memory(self) -> list[Mapping[str, str]]:
        """Return each private key that lies in the process's memory, as a JWK."""
        return list(self._ask(do="memory")["keys"])

    def sign_ahead(self, url: str, times: Iterable[float]) -> list[tuple[float, Request]]:
        """Let the holder sign a GET of this URL as if it were these lab seconds, one each."""
        made = self._ask(do="ahead", url=url, times=list(times))["requests"]
        return [(at, Request.from_json(request)) for at, request in made]

    def send(self, request: Request) -> Outcome:
        """Let the victim's process send a request with its own token and proof."""
        try:
            return outcome_from_json(self._ask(do="send", request=request.to_json()))
        except ConnectionError:
            why = "The attacker's code no longer runs in the holder's process."
            return Outcome(Ending.UNREACHABLE, request, None, why)
        except LabError as error:
            return Outcome(Ending.NOT_POSSIBLE, None, None, str(error))

    def _ask(self, **asked: Any) -> dict[str, Any]:
        place, _, secret = self._address.partition("/")
        host, _, port = place.partition(":")
        ask = Asking(socket.AF_INET, (host, int(port)))
        try:
            answer = ask(secret=secret, **asked)
        finally:
            ask.close()
        if answer.get("gone"):
            raise ConnectionRefusedError("evicted")
        if "refused" in answer:
            raise LabError(f"The holder's process cannot do it: {answer['refused']}.")
        return answer
