"""Clients made for measuring: for each binding what its holder needs, and requests made ahead."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labsim.binding import Binding, Evidence, Presentation
from labsim.certificates import as_der
from labsim.estate.dialler import Dialler
from labsim.estate.names import AUTHORIZATION_SERVER
from labsim.estate.private_file import write_private
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.lab import Lab
from labsim.roles.client import obtain_token
from labsim.roles.client_authentication import basic
from labsim.rooms import rooms

BINDINGS: Mapping[str, Binding] = rooms("labsim.bindings", "BINDING")
ALGORITHMS = ("ES256", "Ed25519")
CLIENT, SECRET = "benchmark", secrets.token_urlsafe(32)
REGISTRATION = {
    "client_id": CLIENT,
    "client_secret": SECRET,
    "grant_types": ["client_credentials"],
    "token_endpoint_auth_method": "client_secret_basic",
}
_NOW = 1_800_000_000.0
_ENDPOINT, _URL = "https://127.0.0.1:4433/token", "https://127.0.0.1:4434/records/orders-0001"


def new_id() -> str:
    """Return an identifier that was never used before."""
    return secrets.token_urlsafe(16)


def signs_requests(binding: Binding) -> bool:
    """Tell whether each request carries a signature: with bearer none does, with mTLS TLS does."""
    return binding.confirmation is not None and not binding.asks_client_certificate


@dataclass(frozen=True, slots=True)
class Case:
    """Hold one request with its token and the token's `cnf`: plain values, to be sent over."""

    request: Request
    token: str
    cnf: dict[str, Any]

    @property
    def evidence(self) -> Evidence:
        """Return what the proof is judged by; no memory: spending a proof is measured apart."""
        return Evidence(self.request, _NOW, token=self.token, claims={"cnf": self.cnf})


def presented(name: str, algorithm: str, keys: int, each: int) -> list[Case]:
    """Make requests of a binding, `each` with every one of new keys.

    Run it in another process, and no cache in this one has seen a key, a token or a proof.
    """
    binding, made = BINDINGS[name], []
    for _ in range(keys):
        key, token = SigningKey.generate(algorithm), secrets.token_urlsafe(480)
        introduction = Presentation(None, key, _NOW, new_id)
        cnf = binding.bind(binding.parse(binding.attach(Request("POST", _ENDPOINT), introduction)))
        shown = Presentation(token, key, _NOW, new_id)
        requests = [binding.attach(Request("GET", _URL), shown) for _ in range(each)]
        made += [Case(request, token, cnf) for request in requests]
    return made


class Client:
    """Hold a token of one binding for one resource server, and make requests with it.

    `certificate_file` holds the certificate that connections must show, and its key; empty if none.
    """

    def __init__(self, lab: Lab, binding: str, algorithm: str, resource: str) -> None:
        self._binding = BINDINGS[binding]
        self._key = SigningKey.generate(algorithm) if self._binding.confirmation else None
        self._lab = lab
        self.certificate_file = ""
        if self._key and self._binding.asks_client_certificate:
            issued = {"client_id": CLIENT, "jwk": self._key.public_jwk}
            pem = lab.estate.process(AUTHORIZATION_SERVER).call("certify", **issued)
            self._key = self._key.certified(as_der(pem.encode()))
            file = lab.run_folder / f"{CLIENT}.pem"
            write_private(file, self._key.pem)
            self.certificate_file = str(file)
        self._token = self._obtained(lab.estate.urls[resource])

    def _obtained(self, audience: str) -> str:
        dialler = Dialler(str(self._lab.estate.ca_file))
        origin = self._lab.estate.issuer
        if self._key and self._key.certificate:
            dialler.identify(self._key.certificate, self._key.pem)
            origin = self._lab.estate.mtls_alias
        parameters: dict[str, Any] = {"grant_type": "client_credentials", "resource": audience}
        try:
            return obtain_token(
                f"{origin}/token",
                parameters,
                basic(CLIENT, SECRET),
                self._binding,
                Presentation(None, self._key, self._lab.now, new_id),
                dialler,
            ).access_token
        finally:
            dialler.close()

    def requests(self, url: str, count: int, now: float | None = None) -> list[bytes]:
        """Return GET requests as bytes, each with a proof of its own if the binding has one.

        The proofs are dated `now` (lab seconds), the lab's own time if None.
        """
        shown = Presentation(self._token, self._key, now or self._lab.now, new_id)
        return [self._binding.attach(Request("GET", url), shown).wire() for _ in range(count)]
