"""The signer: a process that has a client's key and uses it, and never gives it out.

It stands for an HSM, a TPM or a signing sidecar. Its socket is all that the client has. Two kinds:

- a raw one signs any bytes that its client sends, so also a proof that names another time;
- one that stamps the time puts the whole proof together, by its own clock, and signs nothing else.

For mutual TLS the key is needed in the handshake, and Python's `ssl` takes no signing callback: the
signer opens the connection itself, as a sidecar does.
"""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from typing import Any

from labsim.binding import Presentation
from labsim.certificates import as_der
from labsim.errors import LabError
from labsim.estate.clock import Clock
from labsim.estate.dialler import Dialler
from labsim.estate.held import PATIENCE_SECONDS
from labsim.estate.json_lines import outcome_to_json, serve
from labsim.estate.names import CA_FILE, CLOCK_FILE, INTERCEPTOR, SIGNER_SOCKET
from labsim.estate.process import Process
from labsim.estate.serving import BINDINGS, new_id
from labsim.http_message import Request
from labsim.keys import SigningKey


class Signer:
    """Hold the key of one client; answer what its socket is asked."""

    def __init__(self, process: Process) -> None:
        self._binding = BINDINGS[process.config["binding"]]
        self._clock = Clock(process.run_folder / CLOCK_FILE)
        self._ca_file = str(process.run_folder / CA_FILE)
        self._interceptor_ca = str(process.run_folder / INTERCEPTOR / CA_FILE)
        self._diallers: dict[str, Dialler] = {}
        self._key = SigningKey.generate()
        self._stamps: bool = process.config["stamps"]
        self._address: str = process.config["address"]
        self._operations: dict[str, Callable[..., dict[str, Any]]] = {
            "hello": self.hello,
            "certified": self.certified,
            "sign": self.sign,
            "attach": self.attach,
            "dial": self.dial,
        }

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the client's; `refused` says why there is nothing to give."""
        operation = self._operations.get(str(asked.pop("do", "")))
        if operation is None:
            return {"refused": f"a signer knows {', '.join(self._operations)}"}
        return operation(**asked)

    def send_from(self, address: str) -> None:
        """Open connections from this local address from now on, empty for any."""
        self._address = address
        for dialler in self._diallers.values():
            dialler.send_from(address)

    def stamp(self, on: bool) -> None:
        """Stamp the time from now on, or sign whatever comes."""
        self._stamps = on

    def hello(self) -> dict[str, Any]:
        """Say what anybody may know: public key, algorithm, whether it stamps the time."""
        return {
            "jwk": self._key.public_jwk,
            "algorithm": self._key.algorithm,
            "stamps": self._stamps,
        }

    def certified(self, pem: str) -> dict[str, Any]:
        """Take the certificate that was issued for the key."""
        self._key = self._key.certified(as_der(pem.encode()))
        return {}

    def sign(self, message: str) -> dict[str, Any]:
        """Sign any octets (base64), unless this signer stamps the time itself."""
        if self._stamps:
            return {
                "refused": "this signer writes the time into a proof itself, and signs no other"
            }
        signature = self._key.sign(base64.b64decode(message))
        return {"signature": base64.b64encode(signature).decode()}

    def attach(
        self, request: dict[str, Any], token: str | None, nonce: str | None
    ) -> dict[str, Any]:
        """Put the token and a proof of this very moment on a request."""
        presentation = Presentation(token, self._key, self._clock(), new_id, nonce)
        return {"request": self._binding.attach(Request.from_json(request), presentation).to_json()}

    def dial(self, request: dict[str, Any], proxy: str) -> dict[str, Any]:
        """Send a request over a connection that shows the certificate; return how it ended."""
        certificate = self._key.certificate
        if certificate is None:
            return {"refused": "there is no certificate to show"}
        dialler = self._diallers.get(proxy) or self._dialler(proxy)
        dialler.identify(certificate, self._key.pem)
        sent = Request.from_json(request)
        return outcome_to_json(dialler(sent.showing(certificate)))

    def _dialler(self, proxy: str) -> Dialler:
        # One interceptor at a time: each has a port of its own.
        for old in [each for each in self._diallers if each and proxy]:
            self._diallers.pop(old).close()
        if proxy:
            bound = PATIENCE_SECONDS
            dialler = Dialler(self._ca_file, proxy, self._interceptor_ca, seconds=bound)
        else:
            dialler = Dialler(self._ca_file)
        dialler.send_from(self._address)
        self._diallers[proxy] = dialler
        return dialler


def run(process: Process) -> None:
    """Run one signer; config: `binding`, `stamps` (whether it writes the time), `address`."""
    signer = Signer(process)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    socket_file = process.folder / SIGNER_SOCKET
    try:
        socket_file.unlink(missing_ok=True)  # of the signer before this one
        # Relative to the process's own folder: a path to a Unix socket may not be long.
        listening.bind(SIGNER_SOCKET)
    except OSError as error:
        raise LabError(
            f"The signer has no socket: {error}.", todo="Start the lab again."
        ) from error
    listening.listen()
    serve(listening, signer.answer, "signer")
    process.serve({"stamp": signer.stamp, "send_from": signer.send_from})
