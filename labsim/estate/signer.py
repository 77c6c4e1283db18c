"""The signer: a process that has a client's key and uses it, and never gives it out.

It stands for an HSM, a TPM or a signing sidecar. Its socket is all that the client has. Two kinds:

- a raw one signs any bytes that its client sends, so also a proof that names another time;
- one that stamps the time puts the whole proof together, by its own clock, and signs nothing else.

For mutual TLS the key is needed in the handshake, and Python's `ssl` takes no signing callback: the
signer opens the connection itself, as a sidecar does. So a key in a PKCS #11 token, which even the
signer does not see, is for proofs only.
"""

from __future__ import annotations

import base64
import re
import socket
from typing import Any

from cryptography import x509

from labsim.binding import Holder, Presentation
from labsim.certificates import as_der
from labsim.errors import LabError
from labsim.estate.clock import Clock
from labsim.estate.dialler import Dialler
from labsim.estate.held import PATIENCE_SECONDS
from labsim.estate.json_lines import (
    Operation,
    Unusable,
    answered,
    outcome_to_json,
    request_from_json,
    serve,
)
from labsim.estate.names import CA_FILE, CLOCK_FILE, INTERCEPTOR, SIGNER_SOCKET
from labsim.estate.process import Process
from labsim.estate.serving import BINDINGS, new_id
from labsim.estate.token_key import TokenKey
from labsim.keys import SigningKey

_A_PROXY = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}")


class Signer:
    """Hold the key of one client, once it has been made; answer what its socket is asked."""

    _key: Holder

    def __init__(self, process: Process) -> None:
        self._folder = process.folder
        self._module: str = process.config["module"]
        self._binding = BINDINGS[process.config["binding"]]
        self._clock = Clock(process.run_folder / CLOCK_FILE)
        self._ca_file = str(process.run_folder / CA_FILE)
        self._interceptor_ca = str(process.run_folder / INTERCEPTOR / CA_FILE)
        self._diallers: dict[str, Dialler] = {}
        self._stamps: bool = process.config["stamps"]
        self._address: str = process.config["address"]
        self._operations = {
            "hello": Operation(self.hello, {}),
            "certified": Operation(self.certified, {"pem": str}),
            "sign": Operation(self.sign, {"message": str}),
            "attach": Operation(
                self.attach, {"request": dict, "token": str | None, "nonce": str | None}
            ),
            "dial": Operation(self.dial, {"request": dict, "proxy": str}),
        }

    def begin(self) -> None:
        """Make the key and let the client in; raises LabError if either cannot be done."""
        self.make_key()
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            (self._folder / SIGNER_SOCKET).unlink(missing_ok=True)  # of the signer before this one
            # Relative to the process's own folder: a path to a Unix socket may not be long.
            listening.bind(SIGNER_SOCKET)
        except OSError as error:
            raise LabError(
                f"The signer has no socket: {error}.", todo="Start the lab again."
            ) from error
        listening.listen()
        serve(listening, self.answer, "signer")

    def make_key(self) -> None:
        """Make a fresh key, in this process or in a token; raises LabError if that gives none."""
        self._key = TokenKey(self._module, self._folder) if self._module else SigningKey.generate()

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the client's; `refused` says why there is nothing to give."""
        return answered(self._operations, asked)

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
        try:
            der = as_der(pem.encode())
            public = x509.load_der_x509_certificate(der).public_key()
        except ValueError:
            raise Unusable("that is no certificate") from None
        key = self._own_key()
        if public != key.private.public_key():
            raise Unusable("that certificate is for another key")
        self._key = key.certified(der)
        return {}

    def _own_key(self) -> SigningKey:
        """Return the key, where it is this process's own; Unusable where it is a token's."""
        if not isinstance(self._key, SigningKey):
            raise Unusable("a key in a token opens no TLS connection here")
        return self._key

    def sign(self, message: str) -> dict[str, Any]:
        """Sign any octets (base64), unless this signer stamps the time itself."""
        if self._stamps:
            raise Unusable("this signer writes the time into a proof itself, and signs no other")
        try:
            octets = base64.b64decode(message, validate=True)
        except ValueError:
            raise Unusable("a message is base64") from None
        signature = self._key.sign(octets)
        return {"signature": base64.b64encode(signature).decode()}

    def attach(
        self, request: dict[str, Any], token: str | None, nonce: str | None
    ) -> dict[str, Any]:
        """Put the token and a proof of this very moment on a request."""
        presentation = Presentation(token, self._key, self._clock(), new_id, nonce)
        bare = request_from_json(request)
        try:
            return {"request": self._binding.attach(bare, presentation).to_json()}
        except ValueError as error:
            raise Unusable(f"there is no proof for that: {error}") from error

    def dial(self, request: dict[str, Any], proxy: str) -> dict[str, Any]:
        """Send a request over a connection that shows the certificate; return how it ended."""
        key = self._own_key()
        certificate = key.certificate
        if certificate is None:
            raise Unusable("there is no certificate to show")
        sent = request_from_json(request)
        if proxy and not _A_PROXY.fullmatch(proxy):
            raise Unusable("that is no proxy on this machine")
        dialler = self._diallers.get(proxy) or self._dialler(proxy)
        dialler.identify(certificate, key.pem)
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
    """Run one signer, which waits for `begin`.

    config: `binding`, `stamps` (whether it writes the time itself), `module` (a PKCS #11 module for
    its key, or empty), `address`.
    """
    signer = Signer(process)
    process.serve({"begin": signer.begin, "stamp": signer.stamp, "send_from": signer.send_from})
