"""A resource server's way to the introspection endpoint (RFC 7662), as a client of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labsim.checks import StorageUnavailable
from labsim.estate.issuer_keys import issuer_metadata
from labsim.jose import Malformed, json_object
from labsim.roles.client import Send
from labsim.roles.client_authentication import Authentication
from labsim.roles.form import form_request


class AskedIssuer:
    """Ask the authorization server what a token is (see `roles.introspected_tokens.Ask`).

    Anything but an answer is StorageUnavailable: the request is then refused, never served.
    """

    def __init__(self, issuer: str, dial: Send, authenticate: Authentication) -> None:
        self._issuer = issuer
        self._dial = dial
        self._authenticate = authenticate
        self._endpoint = ""

    def __call__(self, token: str) -> Mapping[str, Any]:
        """Return the introspection response; raises StorageUnavailable if there is none."""
        if not self._endpoint:
            metadata = issuer_metadata(self._dial, self._issuer)
            self._endpoint = str(metadata.get("introspection_endpoint", ""))
        asked = form_request(self._endpoint, {"token": token})
        outcome = self._dial(self._authenticate(asked))
        if outcome.response is None or outcome.response.status != 200:
            status = outcome.response.status if outcome.response else ""
            why = outcome.detail or f"it answered {status}"
            raise StorageUnavailable(f"introspection: {why}")
        try:
            return json_object(outcome.response.body)
        except Malformed as error:
            raise StorageUnavailable(f"introspection: {error}") from None
