"""The lab's own servers as what is probed: good requests for every binding, at both of them.

Unlike a stranger, it knows the keys of the issuer and of the clients' authority, which lie in the
run folder, so that every row can be made.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from labsim.binding import Binding, Presentation
from labsim.catalogue.good_request import GoodRequest, KeyedClient
from labsim.catalogue.vector import Actor, Vector
from labsim.certificates import as_der, certified, key_pair
from labsim.estate.dialler import Dialler
from labsim.estate.names import AUTHORIZATION_SERVER, CLIENT_CA_KEY_FILE, KEY_FILE
from labsim.estate.private_file import read_json
from labsim.http_message import Outcome, Request
from labsim.keys import SigningKey
from labsim.lab import Lab
from labsim.nonces import PERIOD
from labsim.probing.sending import PacedSender, origin_of
from labsim.roles.client import TokenSet, obtain_token
from labsim.roles.client_authentication import PRIVATE_KEY_JWT, basic
from labsim.roles.form import form_request
from labsim.rooms import rooms

RESOURCE = "orders"
KEYED = "probe-keyed"
_SPARE_SECONDS = 120.0
"""A token that ends sooner is not used for another row."""


def clients() -> list[dict[str, Any]]:
    """Return the registration of one client for each binding, with fresh secrets (RFC 7591).

    One more has a key in a secret's place.
    """
    bindings = rooms("labsim.bindings", "BINDING").values()
    keyed: dict[str, Any] = {"client_id": KEYED, "token_endpoint_auth_method": PRIVATE_KEY_JWT}
    keyed |= {"grant_types": ["client_credentials"], "jwks": {"keys": [_client_key().public_jwk]}}
    return [*(_client(binding, secrets.token_urlsafe(32)) for binding in bindings), keyed]


@cache
def _client_key() -> SigningKey:
    # Of this process: what is registered is public, so that the lab cannot give it back.
    return SigningKey.generate()


def _client(binding: Binding, secret: str) -> dict[str, Any]:
    member, asks = binding.registered_by
    metadata: dict[str, Any] = {"client_id": f"probe-{binding.name}", "client_secret": secret}
    metadata |= {"grant_types": ["client_credentials"]}
    return {**metadata, member: asks} if member else metadata


class OwnLab:
    """Make good requests for a running lab that was started with `clients()`, and send them."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._bindings: Mapping[str, Binding] = rooms("labsim.bindings", "BINDING")
        folder = lab.run_folder / AUTHORIZATION_SERVER
        self._issuer_key = SigningKey.from_jwk(read_json(folder / KEY_FILE))
        self._authority = key_pair((folder / CLIENT_CA_KEY_FILE).read_bytes())
        self._holders = {"ES256": self._certified("holder")}
        self._holders["Ed25519"] = SigningKey.generate("Ed25519")
        self._stranger = self._certified("stranger")
        registered = [c for c in lab.clients_from_outside if c["client_id"] != KEYED]
        self._secrets = {c["client_id"]: c["client_secret"] for c in registered}
        self._tokens: dict[tuple[str, str], TokenSet] = {}
        self._stale_nonces: dict[str, str] = {}
        estate = lab.estate
        urls = (estate.issuer, estate.mtls_alias, estate.urls[RESOURCE])
        self.send = PacedSender(
            Dialler(str(estate.ca_file)),
            frozenset(map(origin_of, urls)),
            keys=(self._holders["ES256"], self._stranger),
            clock=time.monotonic,
            wait=time.sleep,
        )

    def _certified(self, name: str) -> SigningKey:
        key = SigningKey.generate()
        pem = certified(self._authority, name, key.public_jwk)
        return key.certified(as_der(pem.encode()))

    def forget_tokens(self) -> None:
        """Get new tokens from here on: a server is another than it was when it made the old."""
        self._tokens.clear()

    def ask_for_none(self) -> None:
        """Put every server into its base variant, in which none asks for nonces."""
        self._lab.vary("base")
        self._tokens.clear()
        self.send.nonces.clear()

    def ask_for_nonces(self) -> None:
        """Let every server ask for nonces, and keep one of each that it takes no more."""
        self._lab.require_nonce()
        self._tokens.clear()
        for actor in Actor:
            self.send(self.good("dpop", actor).request)
        self._stale_nonces = dict(self.send.nonces)
        self._lab.advance(seconds=3 * PERIOD)
        self._tokens.clear()
        for actor in Actor:
            self.send(self.good("dpop", actor).request)

    def good_for(self, vector: Vector, algorithm: str = "ES256") -> GoodRequest:
        """Make the good request that this vector is a change of."""
        return self.good(vector.binding, vector.actor, algorithm)

    def good(self, binding: str, actor: Actor, algorithm: str = "ES256") -> GoodRequest:
        """Make a request that the server must serve."""
        room = self._bindings[binding]
        endpoint = self._endpoint(room)
        authenticate = basic(f"probe-{binding}", self._secrets[f"probe-{binding}"])
        if actor is Actor.AS:
            plain = authenticate(form_request(endpoint, self._asked()))
            presentation = self._presentation(room, algorithm, endpoint)
        else:
            url = f"{self._lab.estate.urls[RESOURCE]}/records"
            # A signature's rows are about its body as well.
            plain = Request("GET", url, body=b'{"a": 1}' if binding == "http_signature" else b"")
            presentation = self._presentation(room, algorithm, url)
            token = self._token(room, algorithm)
            presentation = replace(presentation, token=token.access_token)
        return GoodRequest.of(
            plain,
            room,
            presentation,
            stranger=self._stranger,
            issuer=self._issuer_key,
            authority=self._authority,
            keyed=KeyedClient(
                client_id=KEYED, key=_client_key(), issuer=self._lab.estate.issuer, jti=_new_id()
            ),
            stale_nonce=self._stale_nonces.get(origin_of(plain.url), ""),
        )

    def event_of(self, outcome: Outcome) -> dict[str, Any]:
        """Return the server's own event for an answer; empty if there is none."""
        response = outcome.response
        return self._lab.event(str(response.value("Request-Id") or "")) if response else {}

    def close(self) -> None:
        """Close the connections to the lab."""
        self.send.close()

    def _endpoint(self, room: Binding) -> str:
        estate = self._lab.estate
        origin = estate.mtls_alias if room.asks_client_certificate else estate.issuer
        return f"{origin}/token"

    def _asked(self) -> dict[str, str]:
        resource = self._lab.plan.resource(RESOURCE)
        return {
            "grant_type": "client_credentials",
            "resource": self._lab.estate.urls[RESOURCE],
            "scope": resource.scopes[0],
        }

    def _presentation(self, room: Binding, algorithm: str, url: str) -> Presentation:
        nonce = self.send.nonces.get(origin_of(url)) if room.nonce_field else None
        holder = self._holders[algorithm]
        return Presentation(None, holder, self._lab.now, _new_id, nonce)

    def _token(self, room: Binding, algorithm: str) -> TokenSet:
        key = (room.name, algorithm)
        held = self._tokens.get(key)
        if held is None or held.expires < self._lab.now + _SPARE_SECONDS:
            client = f"probe-{room.name}"
            endpoint = self._endpoint(room)
            self._tokens[key] = obtain_token(
                endpoint,
                self._asked(),
                basic(client, self._secrets[client]),
                room,
                self._presentation(room, algorithm, endpoint),
                self.send,
            )
        return self._tokens[key]


def _new_id() -> str:
    return secrets.token_urlsafe(12)
