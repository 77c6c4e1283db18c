"""The lab's own servers as what is probed: good requests for every binding, at both of them.

Unlike a stranger, it knows the keys of the issuer and of the clients' authority, which lie in the
run folder, so that every row can be made.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from labsim.binding import Binding, Presentation
from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.running import Means
from labsim.catalogue.stage import exchange_of
from labsim.catalogue.vector import Actor, Needs, Vector
from labsim.certificates import as_der, certified, key_pair
from labsim.estate.dialler import Dialler
from labsim.estate.names import (
    ATTACKER,
    AUTHORIZATION_SERVER,
    CLIENT_CA_KEY_FILE,
    CREDENTIAL_FILE,
    KEY_FILE,
)
from labsim.estate.private_file import read_json
from labsim.http_message import Outcome, Request
from labsim.keys import SigningKey
from labsim.lab import Lab
from labsim.nonces import PERIOD
from labsim.probing.sending import PacedSender, origin_of
from labsim.roles.client import TokenSet, obtain_token
from labsim.roles.client_authentication import (
    PRIVATE_KEY_JWT,
    Authentication,
    basic,
    private_key_jwt,
)
from labsim.roles.form import form_request
from labsim.roles.grants import REFRESH_TOKEN
from labsim.rooms import rooms
from labsim.starting import start

RESOURCE = "orders"
_SPARE_SECONDS = 120.0
"""A token that ends sooner is not used for another row."""


NEXT_RESOURCE = "crm"
KEYED, REFRESHING = "probe-keyed", "probe-refreshing"


@contextmanager
def started() -> Iterator[OwnLab]:
    """Start a lab with the clients that the catalogue takes, and stop it at the end."""
    key = SigningKey.generate()
    with start(clients=_clients(key), quiet=True) as lab, closing(OwnLab(lab, key)) as own:
        yield own


def _clients(key: SigningKey) -> list[dict[str, Any]]:
    """Return one client for each binding, with fresh secrets, one with this key, one to refresh."""
    bindings = rooms("labsim.bindings", "BINDING").values()
    keyed = {
        "client_id": KEYED,
        "token_endpoint_auth_method": PRIVATE_KEY_JWT,
        "jwks": {"keys": [key.public_jwk]},
    }
    refreshing = {
        "client_id": REFRESHING,
        "client_secret": secrets.token_urlsafe(32),
        "grant_types": ["client_credentials", "refresh_token"],
        "dpop_bound_access_tokens": True,
    }
    return [
        keyed,
        refreshing,
        *(_client(binding, secrets.token_urlsafe(32)) for binding in bindings),
    ]


def _client(binding: Binding, secret: str) -> dict[str, Any]:
    member, asks = binding.registered_by
    metadata: dict[str, Any] = {"client_id": f"probe-{binding.name}", "client_secret": secret}
    metadata |= {"grant_types": ["client_credentials"]}
    return {**metadata, member: asks} if member else metadata


class OwnLab:
    """Make good requests for a running lab, and send them; `started` makes both.

    `client_key` is what the client with a key signs its assertions by.
    """

    def __init__(self, lab: Lab, client_key: SigningKey) -> None:
        self.lab, self._client_key = lab, client_key
        self._bindings: Mapping[str, Binding] = rooms("labsim.bindings", "BINDING")
        folder = lab.run_folder / AUTHORIZATION_SERVER
        self._issuer_key = SigningKey.from_jwk(read_json(folder / KEY_FILE))
        self._authority = key_pair((folder / CLIENT_CA_KEY_FILE).read_bytes())
        self._holders = {"ES256": self._certified("holder")}
        self._holders["Ed25519"] = SigningKey.generate("Ed25519")
        self._stranger = self._certified("stranger")
        self._secrets = {
            c["client_id"]: c["client_secret"]
            for c in lab.clients_from_outside
            if c["client_id"] != KEYED
        }
        self._tokens: dict[tuple[str, str], TokenSet] = {}
        self._stale_nonces: dict[str, str] = {}
        estate = lab.estate
        urls = (estate.issuer, estate.mtls_alias, *self._addresses())
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

    def _addresses(self) -> tuple[str, ...]:
        """Return where the resource server is, and where clients reach it behind a proxy."""
        return self.lab.estate.urls[RESOURCE], self.lab.estate.reached_at[RESOURCE]

    def forget_tokens(self) -> None:
        """Get new tokens from now on: those that there are came from another server."""
        self._tokens.clear()

    def vary(self, variant: str) -> None:
        """Change the servers to another variant, and go on at the address that they then have."""
        self.lab.vary(variant)
        self.send.allow(*self._addresses())

    def ask_for_none(self) -> None:
        """Put every server into its base variant, in which none asks for nonces."""
        self.vary("base")
        self._tokens.clear()
        self.send.nonces.clear()

    @property
    def means(self) -> Means:
        """Return what can be done here besides sending: lab time can be let pass."""
        return Means(lambda seconds: self.lab.advance(seconds=seconds), self.send.at_once)

    def ask_for_nonces(self) -> None:
        """Let every server ask for nonces, and keep one of each that it takes no more."""
        self.vary("nonce")
        self._tokens.clear()
        for actor in Actor:
            self.send(self.good("dpop", actor).request)
        self._stale_nonces = dict(self.send.nonces)
        self.lab.advance(seconds=3 * PERIOD)
        self._tokens.clear()
        for actor in Actor:
            self.send(self.good("dpop", actor).request)

    def good_for(self, vector: Vector, algorithm: str = "ES256") -> GoodRequest:
        """Make the good request that this vector is a change of."""
        return self.good(vector.binding, vector.actor, algorithm, vector.needs)

    def good(
        self,
        binding: str,
        actor: Actor,
        algorithm: str = "ES256",
        needs: Needs = Needs.NOTHING,
    ) -> GoodRequest:
        """Make a request that the server must serve; `needs` is the kind of token request."""
        room = self._bindings[binding]
        endpoint = self._endpoint(room)
        if actor is Actor.AS:
            plain = self._token_request(room, algorithm, needs)(endpoint)
            presentation = self._presentation(room, algorithm, endpoint)
        else:
            url = f"{self.lab.estate.reached_at[RESOURCE]}/records"
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
            client_key=self._client_key if needs is Needs.ASSERTION else None,
            bystander=self._of_a_process(ATTACKER),
            stale_nonce=self._stale_nonces.get(origin_of(plain.url), ""),
        )

    def _token_request(
        self, room: Binding, algorithm: str, needs: Needs
    ) -> Callable[[str], Request]:
        """Make a token request, to be sent to an endpoint, that is good but for its proof."""
        asked, shows = self._asked(), self._by_secret(f"probe-{room.name}")
        if needs is Needs.ASSERTION:
            clock, issuer = (lambda: self.lab.now), self.lab.estate.issuer
            shows = private_key_jwt(KEYED, self._client_key, issuer, clock, _new_id)
        elif needs is Needs.REFRESH:
            server = self.lab.estate.process(AUTHORIZATION_SERVER)
            token = server.call("grant", client_id=REFRESHING)
            asked |= {"grant_type": REFRESH_TOKEN, "refresh_token": token}
            shows = self._by_secret(REFRESHING)
        elif needs is Needs.EXCHANGE:
            token = self._token(room, algorithm).access_token
            scope = self.lab.plan.resource(NEXT_RESOURCE).scopes[0]
            asked = exchange_of(token, self.lab.estate.urls[NEXT_RESOURCE], scope)
            shows = self._of_a_process(RESOURCE)
        return lambda endpoint: shows(form_request(endpoint, asked))

    def _by_secret(self, client: str) -> Authentication:
        return basic(client, self._secrets[client])

    def _of_a_process(self, name: str) -> Authentication:
        """Let a process of the estate authenticate, by the credential in its folder."""
        held = read_json(self.lab.run_folder / name / CREDENTIAL_FILE)
        return basic(held["client_id"], held["secret"])

    def event_of(self, outcome: Outcome) -> dict[str, Any]:
        """Return the server's own event for an answer; empty if there is none."""
        response = outcome.response
        return self.lab.event(str(response.value("Request-Id") or "")) if response else {}

    def close(self) -> None:
        """Close the connections to the lab."""
        self.send.close()

    def _endpoint(self, room: Binding) -> str:
        estate = self.lab.estate
        origin = estate.mtls_alias if room.asks_client_certificate else estate.issuer
        return f"{origin}/token"

    def _asked(self) -> dict[str, str]:
        resource = self.lab.plan.resource(RESOURCE)
        return {
            "grant_type": "client_credentials",
            "resource": self.lab.estate.urls[RESOURCE],
            "scope": resource.scopes[0],
        }

    def _presentation(self, room: Binding, algorithm: str, url: str) -> Presentation:
        nonce = self.send.nonces.get(origin_of(url)) if room.nonce_field else None
        holder = self._holders[algorithm]
        return Presentation(None, holder, self.lab.now, _new_id, nonce)

    def _token(self, room: Binding, algorithm: str) -> TokenSet:
        key = (room.name, algorithm)
        held = self._tokens.get(key)
        if held is None or held.expires < self.lab.now + _SPARE_SECONDS:
            endpoint = self._endpoint(room)
            self._tokens[key] = obtain_token(
                endpoint,
                self._asked(),
                self._by_secret(f"probe-{room.name}"),
                room,
                self._presentation(room, algorithm, endpoint),
                self.send,
            )
        return self._tokens[key]


def _new_id() -> str:
    return secrets.token_urlsafe(12)
