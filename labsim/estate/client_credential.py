"""What a workload authenticates with at the token endpoint: the file `client.json` in its folder.

With `tls_client_auth` (RFC 8705 section 2.1) it is a key with a certificate, shown on the
connection of the token request. A token that is bound by mutual TLS is bound to the certificate of
that same connection, so there the two keys are one, and it lies where the client's custody says:
with `file` in this file and beside the token, else in no file at all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from labsim.binding import Holder
from labsim.certificates import as_der
from labsim.estate.names import CREDENTIAL_FILE, KEY_FILE
from labsim.estate.private_file import read_json, write_private_json
from labsim.estate.serving import new_id
from labsim.keys import SigningKey
from labsim.roles.client_authentication import (
    PRIVATE_KEY_JWT,
    Authentication,
    basic,
    private_key_jwt,
)
from labsim.roles.tls_client_authentication import TLS_CLIENT_AUTH, by_certificate


class ClientCredential:
    """Hold a workload's credential; `identify` lets its dialler show a certificate (DER, PEM)."""

    def __init__(self, folder: Path, identify: Callable[[bytes, bytes], None]) -> None:
        self._folder = folder
        self._identify = identify
        self.rotated()

    def rotated(self) -> None:
        """Take what the client was given, as it starts or when it was given something else."""
        self._given = self._read()
        self.shows_certificate: bool = self._given["method"] == TLS_CLIENT_AUTH

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = read_json(self._folder / CREDENTIAL_FILE)
        return found

    def _write(self, credential: dict[str, Any]) -> None:
        write_private_json(self._folder / CREDENTIAL_FILE, credential)

    def start_over(self) -> None:
        """Go back to what the client was given, as its binding changes."""
        if self.shows_certificate:
            self._write(self._given)

    def follow(self, pem: str) -> None:
        """Become the binding's key, with its new certificate, if it is shown where tokens are had.

        The key itself goes into the file only if it lies in one anyway.
        """
        if self.shows_certificate:
            key_file = self._folder / KEY_FILE
            private = {"private_jwk": read_json(key_file)} if key_file.exists() else {}
            common = {name: self._given[name] for name in ("client_id", "method")}
            self._write({**common, "certificate": pem, **private})

    def authentication(
        self, issuer: str, now: Callable[[], float], holder: Holder | None
    ) -> Authentication:
        """Return how a token request is authenticated; `holder` is the binding's, if it has one."""
        credential = self._read()
        client_id = credential["client_id"]
        if self.shows_certificate:
            shown = holder.certificate if holder is not None else None
            return by_certificate(client_id, shown or self._own_certificate(credential))
        if credential["method"] == PRIVATE_KEY_JWT:
            key = SigningKey.from_jwk(credential["private_jwk"])
            return private_key_jwt(client_id, key, issuer, now, new_id)
        return basic(client_id, credential["secret"])

    def _own_certificate(self, credential: dict[str, Any]) -> bytes:
        certificate = as_der(credential["certificate"].encode())
        key = SigningKey.from_jwk(credential["private_jwk"]).certified(certificate)
        self._identify(certificate, key.pem)
        return certificate
