"""Both servers and a client of each binding in one process, for the catalogue: no socket.

A stage is made in a moment, has a clock to set by hand, and may be weakened: a check taken out here
shows which rows it alone stops.
"""

from __future__ import annotations

import datetime
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives import serialization

from labsim.binding import Binding, Presentation, ReplayMemory
from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.running import Means
from labsim.catalogue.stage_stores import (
    BYSTANDER,
    CALLER,
    KEYED,
    REFRESHING,
    SCOPES,
    SECRET,
    OneKey,
    OneRecord,
    StageClients,
    StageGrants,
    StageTokens,
)
from labsim.catalogue.vector import Actor, Needs, Vector
from labsim.certificates import KeyPair, certificate_authority, client_certificate, client_uri
from labsim.http_message import Outcome, Request
from labsim.keys import SigningKey
from labsim.nonces import PERIOD, RollingNonces
from labsim.roles.authorization_server import AuthorizationServer
from labsim.roles.client import TokenSet, obtain_token
from labsim.roles.client_authentication import basic, private_key_jwt
from labsim.roles.decision import Event
from labsim.roles.form import form_request
from labsim.roles.grants import (
    CLIENT_CREDENTIALS,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    Grant,
    token_hash,
)
from labsim.roles.resource_server import ResourceServer
from labsim.roles.token_exchange import ACCESS_TOKEN_TYPE
from labsim.rooms import rooms

ISSUER, RESOURCE = "https://as.test", "https://orders.test"
TOKEN_ENDPOINT, RECORD = f"{ISSUER}/token", f"{RESOURCE}/records/o-1"
BEGINNING = 1_800_000_000.0
"""Lab seconds at which a stage's clock stands at first."""
NEXT_RESOURCE = "https://crm.test"
ASKED = {"grant_type": CLIENT_CREDENTIALS, "resource": RESOURCE, "scope": "orders.read"}
_SPARE = 120.0
"""Lab seconds: a token that ends sooner is not presented again."""


class Stage:
    """Hold an authorization server `issuing` and a resource server `serving`, and their clock.

    `memory` makes each server's replay memory. `send` is a `Sender`, and `event` what the server
    wrote of the last request; `means` go with it. Both roles may be replaced by weakened ones.
    """

    def __init__(self, memory: Callable[[], ReplayMemory], *, asks_nonces: bool = False) -> None:
        numbers = itertools.count(1)
        self.now = BEGINNING
        self.new_id: Callable[[], str] = lambda: f"id-{next(numbers):08d}"
        self._last, self._grants = threading.local(), StageGrants()
        self.issuer_key, self.client_key = SigningKey.generate(), SigningKey.generate()
        self._tokens: dict[tuple[str, str], tuple[AuthorizationServer, TokenSet]] = {}
        self.bindings: Mapping[str, Binding] = rooms("labsim.bindings", "BINDING")
        self.nonces = RollingNonces(bytes(32)) if asks_nonces else None
        self.authority = certificate_authority("client CA", _date(BEGINNING))
        self.stranger = _certified(self.authority, "stranger")
        self._holders = {
            "ES256": _certified(self.authority, "holder"),
            "Ed25519": SigningKey.generate("Ed25519"),
        }
        shared: dict[str, Any] = {
            "bindings": tuple(self.bindings.values()),
            "clock": self.clock,
            "new_id": self.new_id,
            "nonces": self.nonces,
        }
        self.issuing = AuthorizationServer(
            issuer=ISSUER,
            key=self.issuer_key,
            clients=StageClients(self.bindings, self.client_key, RESOURCE),
            grants=self._grants,
            issued_tokens=StageTokens(),
            memory=memory(),
            resources={RESOURCE: "orders", NEXT_RESOURCE: "crm"},
            **shared,
        )
        self.serving = ResourceServer(
            name="orders",
            resource=RESOURCE,
            issuer=ISSUER,
            issuer_keys=OneKey(self.issuer_key),
            records=OneRecord(),
            memory=memory(),
            **shared,
        )

    @property
    def event(self) -> Event:
        """Return what the server wrote of this thread's last request."""
        return dict(getattr(self._last, "event", {}))

    @property
    def means(self) -> Means:
        """Return what can be done here besides sending: the clock is there to be moved."""
        return Means(self.advance)

    def advance(self, seconds: float) -> None:
        """Let lab time pass."""
        self.now += seconds

    def clock(self) -> float:
        """Return the stage's time, in lab seconds."""
        return self.now

    def send(self, request: Request) -> Outcome:
        """Let the server whose URL it is decide a request, and keep its event."""
        role: Any = self.issuing if request.url.startswith(ISSUER) else self.serving
        response, event = role.handle(request)
        self._last.event = event or {}
        return Outcome.answered(request, response)

    def good(
        self,
        binding: str,
        actor: Actor,
        algorithm: str = "ES256",
        needs: Needs = Needs.NOTHING,
    ) -> GoodRequest:
        """Make a request that the server must serve; `algorithm` is the holder's key's.

        `needs` says which kind of token request it is, where there is more than one.
        """
        room = self.bindings[binding]
        nonce = self.nonces.issue(self.now) if self.nonces and room.nonce_field else None
        holder = self._holders[algorithm]
        bare = Presentation(None, holder, self.now, self.new_id, nonce)
        more: dict[str, Any] = {"stranger": self.stranger, "issuer": self.issuer_key}
        more |= {"authority": self.authority, "is_in_process": True}
        more["bystander"] = basic(BYSTANDER, SECRET)
        if self.nonces:
            more["stale_nonce"] = self.nonces.issue(self.now - 2 * PERIOD)
        if actor is Actor.AS:
            more["client_key"] = self.client_key if needs is Needs.ASSERTION else None
            return GoodRequest.of(self._token_request(room, bare, needs), room, bare, **more)
        presented = replace(bare, token=self._token(room, bare))
        body = b'{"a": 1}' if binding == "http_signature" else b""
        return GoodRequest.of(Request("GET", RECORD, body=body), room, presented, **more)

    def good_for(self, vector: Vector, algorithm: str = "ES256") -> GoodRequest:
        """Make the good request that this vector is a change of."""
        return self.good(vector.binding, vector.actor, algorithm, vector.needs)

    def weaken(self, binding: str, *checks: str) -> None:
        """Take checks of a binding out of both servers; KeyError for one that it does not have."""
        weak = {**self.bindings, binding: self.bindings[binding].without(*checks)}
        accepted: Sequence[Binding] = tuple(weak.values())
        self.issuing = replace(self.issuing, bindings=accepted)
        self.serving = replace(self.serving, bindings=accepted)

    def _token_request(self, room: Binding, bare: Presentation, needs: Needs) -> Request:
        """Make a token request that is good but for the key that it brings."""
        if needs is Needs.ASSERTION:
            shows = private_key_jwt(KEYED, self.client_key, ISSUER, self.clock, self.new_id)
            return shows(form_request(TOKEN_ENDPOINT, ASKED))
        if needs is Needs.REFRESH:
            token, until = self.new_id(), self.now + 86400
            grant = Grant(REFRESHING, "owner", SCOPES, f"family of {token}", until)
            self._grants.put(token_hash(token), grant)
            asked = {**ASKED, "grant_type": REFRESH_TOKEN, "refresh_token": token}
            return basic(REFRESHING, SECRET)(form_request(TOKEN_ENDPOINT, asked))
        if needs is Needs.EXCHANGE:
            asked = exchange_of(self._token(room, bare), NEXT_RESOURCE, "crm.read")
            return basic(CALLER, SECRET)(form_request(TOKEN_ENDPOINT, asked))
        return basic(room.name, SECRET)(form_request(TOKEN_ENDPOINT, ASKED))

    def _token(self, room: Binding, bare: Presentation) -> str:
        """Return a token, the last one if it came from this very server and lives on."""
        holder = bare.holder.algorithm if bare.holder else ""
        issuing, token = self._tokens.get((room.name, holder), (None, None))
        if token is None or issuing is not self.issuing or token.expires < self.now + _SPARE:
            shows = basic(room.name, SECRET)
            token = obtain_token(TOKEN_ENDPOINT, ASKED, shows, room, bare, self.send)
            self._tokens[room.name, holder] = self.issuing, token
        return token.access_token


def exchange_of(token: str, resource: str, scope: str) -> dict[str, str]:
    """Return the form that exchanges a token for one for another resource (RFC 8693)."""
    return {
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN_TYPE,
        "resource": resource,
        "scope": scope,
    }


def asks_nonces(vector: Vector) -> bool:
    """Tell whether a vector is about a server that asks for nonces."""
    return vector.needs in (Needs.NONCES, Needs.STALE_NONCE)


def _date(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _certified(authority: KeyPair, name: str) -> SigningKey:
    key = SigningKey.generate()
    public: Any = key.private.public_key()
    uri, day = client_uri(name), datetime.timedelta(days=1)
    made = client_certificate(authority, public, uri, name, _date(BEGINNING), day)
    return key.certified(made.public_bytes(serialization.Encoding.DER))
