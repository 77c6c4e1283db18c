"""Where a client's key lies: in a file beside the token, in its process's memory, at a signer.

A workload asks for three things and does not mind which it is: a holder, a binding with the
client's face that goes with it, and who opens its connections.
"""

from __future__ import annotations

import base64
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from labsim.binding import Binding, Holder, Presentation
from labsim.certificates import as_der
from labsim.errors import LabError
from labsim.estate.dialler import Dialler
from labsim.estate.json_lines import Asking, outcome_from_json
from labsim.estate.names import KEY_FILE, SIGNER_SOCKET
from labsim.estate.private_file import write_private_json
from labsim.http_message import Outcome, Request
from labsim.keys import SigningKey
from labsim.roles.client import Send

CUSTODIES = ("file", "memory", "signer")


class Custody(Protocol):
    """What a workload can do with its key, wherever that lies."""

    @property
    def holder(self) -> Holder:
        """Return whoever signs."""

    def client_side(self, binding: Binding) -> Binding:
        """Return the binding with the client's face that this custody asks for."""

    def certified(self, pem: str) -> None:
        """Take the certificate that was issued for the key."""

    def through(self, dialler: Dialler) -> Send:
        """Return what sends a request, over a connection that this key's certificate may open."""


class OwnKey:
    """Have the key in this process, and in a file as well if that is its custody."""

    def __init__(self, key: SigningKey, folder: Path, in_file: bool) -> None:
        self._key = key
        if in_file:
            write_private_json(folder / KEY_FILE, key.private_jwk)

    @property
    def holder(self) -> SigningKey:
        """Return the key itself."""
        return self._key

    def client_side(self, binding: Binding) -> Binding:
        """Return the binding as it is."""
        return binding

    def certified(self, pem: str) -> None:
        """Keep the certificate with the key."""
        self._key = self._key.certified(as_der(pem.encode()))

    def through(self, dialler: Dialler) -> Send:
        """Let the dialler show the certificate, if there is one."""
        if self._key.certificate is not None:
            dialler.identify(self._key.certificate, self._key.pem)
        return dialler


class AtSigner:
    """Ask another process, which never gives the key out (see `estate.signer`)."""

    def __init__(self, signer: str) -> None:
        self._signer = signer
        self._certificate: bytes | None = None
        self._line = self._connected()
        self._said = self._granted(do="hello")

    def _connected(self) -> Asking:
        try:
            # Relative to this process's folder: a path to a Unix socket may not be long.
            return Asking(socket.AF_UNIX, f"../{self._signer}/{SIGNER_SOCKET}")
        except OSError as error:
            raise self._silent(error) from error

    @property
    def holder(self) -> AtSigner:
        """Return this: it signs by asking."""
        return self

    @property
    def public_jwk(self) -> dict[str, str]:
        """Return the public key."""
        return dict(self._said["jwk"])

    @property
    def algorithm(self) -> str:
        """Return the JWS algorithm: ES256 or Ed25519."""
        return str(self._said["algorithm"])

    @property
    def certificate(self) -> bytes | None:
        """Return the certificate (DER), if it has one."""
        return self._certificate

    def sign(self, message: bytes) -> bytes:
        """Return the raw JWS signature; LabError if this signer signs no bytes."""
        answer = self._granted(do="sign", message=base64.b64encode(message).decode())
        return base64.b64decode(answer["signature"])

    def client_side(self, binding: Binding) -> Binding:
        """Let a signer that stamps the time put the proof together; ask at each request which."""
        if binding.asks_client_certificate:
            return binding

        def attach(request: Request, presentation: Presentation) -> Request:
            if not self._granted(do="hello")["stamps"]:
                return binding.attach(request, presentation)
            asked = {"token": presentation.token, "nonce": presentation.nonce}
            answer = self._granted(do="attach", request=request.to_json(), **asked)
            return Request.from_json(answer["request"])

        return replace(binding, attach=attach)

    def certified(self, pem: str) -> None:
        """Give the certificate to the signer, which shows it; keep a copy, as it is no secret."""
        self._certificate = as_der(pem.encode())
        self._granted(do="certified", pem=pem)

    def through(self, dialler: Dialler) -> Send:
        """Let the signer open each connection that is to show its certificate."""

        def send(request: Request) -> Outcome:
            if self._certificate is None or request.peer_certificate != self._certificate:
                return dialler(request)
            # On a connection of its own: one that waits for its answer keeps no other waiting.
            line = self._connected()
            asked = {"do": "dial", "request": request.to_json(), "proxy": dialler.proxy or ""}
            try:
                return outcome_from_json(self._answered(line, asked))
            finally:
                line.close()

        return send

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _silent(self, error: OSError) -> LabError:
        todo = "Bind the client again; lab.reset() starts afresh."
        return LabError(f"The signer {self._signer} does not answer: {error}.", todo=todo)

    def _granted(self, **asked: Any) -> dict[str, Any]:
        return self._answered(self._line, asked)

    def _answered(self, line: Asking, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = line(**asked)
        except OSError as error:
            raise self._silent(error) from error
        if "refused" in answer:
            raise LabError(f"The signer refused: {answer['refused']}.")
        return answer
