"""The authorization server's public keys, fetched from where its metadata says (RFC 8414)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labsim.checks import StorageUnavailable
from labsim.estate.dialler import Dialler
from labsim.http_message import Request
from labsim.jose import Malformed, json_object
from labsim.keys import PublicKey, public_key
from labsim.roles.client import Send


class FetchedKeys:
    """Know an issuer's keys (see `credentials.IssuerKeys`).

    Fetched when first needed, and again for an unknown `kid`, at most once in a lab second: a
    stranger who invents key ids must not make this server hammer the authorization server.
    """

    def __init__(self, issuer: str, ca_file: Path, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._dial = Dialler(str(ca_file))
        self._clock = clock
        self._keys: dict[str, PublicKey] = {}
        self._fetched = float("-inf")
        self._lock = threading.Lock()

    def key(self, kid: str) -> PublicKey | None:
        """Return the key with this `kid`, or None; StorageUnavailable if the issuer is away."""
        with self._lock:
            if kid not in self._keys and self._clock() - self._fetched >= 1.0:
                self._keys = self._fetch()
                self._dial.close()  # there is nothing to ask for until the issuer has another key
                self._fetched = self._clock()
            return self._keys.get(kid)

    def _fetch(self) -> dict[str, PublicKey]:
        metadata = issuer_metadata(self._dial, self._issuer)
        found: dict[str, PublicKey] = {}
        keys = _document(self._dial, str(metadata.get("jwks_uri", ""))).get("keys")
        if not isinstance(keys, list):
            raise StorageUnavailable("the key set has no list of keys (RFC 7517 section 5.1)")
        for jwk in keys:
            kid = jwk.get("kid") if isinstance(jwk, dict) else None
            if not isinstance(kid, str):
                continue  # no token can name it
            if kid in found:  # which of the two is meant, nobody can tell
                raise StorageUnavailable(f"the key set holds two keys with the id {kid!r}")
            try:
                found[kid] = public_key(jwk)
            except Malformed:
                continue  # a key of a kind that this server does not use
        return found


def issuer_metadata(dial: Send, issuer: str) -> dict[str, Any]:
    """Fetch an issuer's metadata (RFC 8414 section 3); raises StorageUnavailable."""
    metadata = _document(dial, f"{issuer}/.well-known/oauth-authorization-server")
    if metadata.get("issuer") != issuer:  # RFC 8414 section 3.3
        raise StorageUnavailable("the metadata names another issuer")
    return metadata


def _document(dial: Send, url: str) -> dict[str, Any]:
    outcome = dial(Request("GET", url))
    if outcome.response is None or outcome.response.status != 200:
        raise StorageUnavailable(f"{url}: {outcome.detail or 'no document'}")
    try:
        return json_object(outcome.response.body)
    except Malformed as error:
        raise StorageUnavailable(f"{url}: {error}") from None
