"""Both servers and a client of each binding in one process, for the catalogue: no socket.

A stage is made in a moment, has a clock to set by hand, and may be weakened: a check taken out here
shows which rows it alone stops.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives import serialization

from labsim.binding import Binding, Presentation, ReplayMemory
from labsim.catalogue.good_request import GoodRequest, KeyedClient
from labsim.catalogue.vector import Actor, Needs, Vector
from labsim.certificates import KeyPair, certificate_authority, client_certificate, client_uri
from labsim.http_message import Outcome, Request
from labsim.keys import PublicKey, SigningKey, public_key, thumbprint
from labsim.nonces import PERIOD, RollingNonces
from labsim.roles.authorization_server import AuthorizationServer
from labsim.roles.client import TokenSet, obtain_token
from labsim.roles.client_authentication import (
    PRIVATE_KEY_JWT,
    RegisteredClient,
    basic,
    secret_hash,
)
from labsim.roles.decision import Event
from labsim.roles.form import form_request
from labsim.roles.grants import Grant
from labsim.roles.issued_tokens import Ended, Issued
from labsim.roles.resource_server import ResourceServer
from labsim.rooms import rooms

ISSUER, RESOURCE = "https://as.test", "https://orders.test"
TOKEN_ENDPOINT, RECORD = f"{ISSUER}/token", f"{RESOURCE}/records/o-1"
BEGINNING = 1_800_000_000.0
"""Lab seconds at which a stage's clock stands at first."""
SCOPE = "orders.read"
KEYED = "keyed"
_SECRET = "a client's own secret"
_SPARE = 120.0
"""Lab seconds: a token that ends sooner is not presented again."""


class Stage:
    """Hold an authorization server `issuing` and a resource server `serving`, and their clock.

    `memory` makes each server's replay memory. `send` is a `Sender`, and `event` what the server
    wrote of the last request; both roles may be replaced by weakened ones.
    """

    def __init__(self, memory: Callable[[], ReplayMemory], *, asks_nonces: bool = False) -> None:
        numbers = itertools.count(1)
        self.now = BEGINNING
        self.new_id: Callable[[], str] = lambda: f"id-{next(numbers):08d}"
        self.event: Event = {}
        self.issuer_key = SigningKey.generate()
        self._tokens: dict[tuple[str, str], tuple[AuthorizationServer, TokenSet]] = {}
        self.bindings: Mapping[str, Binding] = rooms("labsim.bindings", "BINDING")
        self.nonces = RollingNonces(bytes(32)) if asks_nonces else None
        self.authority = certificate_authority("client CA", _date(BEGINNING))
        self.stranger = _certified(self.authority, "stranger")
        self.client_key = SigningKey.generate()
        holder, other = _certified(self.authority, "holder"), SigningKey.generate("Ed25519")
        self._holders = {"ES256": holder, "Ed25519": other}
        shared: dict[str, Any] = {
            "bindings": tuple(self.bindings.values()),
            "clock": self.clock,
            "new_id": self.new_id,
            "nonces": self.nonces,
        }
        self.issuing = AuthorizationServer(
            issuer=ISSUER,
            key=self.issuer_key,
            clients=_Clients(self.bindings, self.client_key),
            grants=_NoGrants(),
            issued_tokens=_Untracked(),
            memory=memory(),
            resources={RESOURCE: "orders"},
            **shared,
        )
        self.serving = ResourceServer(
            name="orders",
            resource=RESOURCE,
            issuer=ISSUER,
            issuer_keys=_OneKey(self.issuer_key),
            records=_Records(),
            memory=memory(),
            **shared,
        )

    def clock(self) -> float:
        """Return the stage's time, in lab seconds."""
        return self.now

    def send(self, request: Request) -> Outcome:
        """Let the server whose URL it is decide a request, and keep its event."""
        role: Any = self.issuing if request.url.startswith(ISSUER) else self.serving
        response, event = role.handle(request)
        self.event = event or {}
        return Outcome.answered(request, response)

    def good(self, binding: str, actor: Actor, algorithm: str = "ES256") -> GoodRequest:
        """Make a request that both servers must serve; `algorithm` is the holder's key's."""
        room = self.bindings[binding]
        nonce = self.nonces.issue(self.now) if self.nonces and room.nonce_field else None
        holder = self._holders[algorithm]
        bare = Presentation(None, holder, self.now, self.new_id, nonce)
        asked = {"grant_type": "client_credentials", "resource": RESOURCE, "scope": SCOPE}
        more: dict[str, Any] = {"stranger": self.stranger, "issuer": self.issuer_key}
        more |= {"authority": self.authority, "is_in_process": True}
        more["keyed"] = KeyedClient(
            client_id=KEYED, key=self.client_key, issuer=ISSUER, jti=self.new_id()
        )
        if self.nonces:
            more["stale_nonce"] = self.nonces.issue(self.now - 2 * PERIOD)
        if actor is Actor.AS:
            plain = basic(binding, _SECRET)(form_request(TOKEN_ENDPOINT, asked))
            return GoodRequest.of(plain, room, bare, **more)
        presented = replace(bare, token=self._token(room, bare, asked))
        body = b'{"a": 1}' if binding == "http_signature" else b""
        return GoodRequest.of(Request("GET", RECORD, body=body), room, presented, **more)

    def _token(self, room: Binding, bare: Presentation, asked: dict[str, str]) -> str:
        """Return a token, the last one if it came from this very server and lives on."""
        holder = bare.holder.algorithm if bare.holder else ""
        issuing, token = self._tokens.get((room.name, holder), (None, None))
        if token is None or issuing is not self.issuing or token.expires < self.now + _SPARE:
            authenticate = basic(room.name, _SECRET)
            token = obtain_token(TOKEN_ENDPOINT, asked, authenticate, room, bare, self.send)
            self._tokens[room.name, holder] = self.issuing, token
        return token.access_token

    def good_for(self, vector: Vector, algorithm: str = "ES256") -> GoodRequest:
        """Make the good request that this vector is a change of."""
        return self.good(vector.binding, vector.actor, algorithm)

    def weaken(self, binding: str, *checks: str) -> None:
        """Take checks of a binding out of both servers; KeyError for one that it does not have."""
        weak = {**self.bindings, binding: self.bindings[binding].without(*checks)}
        accepted: Sequence[Binding] = tuple(weak.values())
        self.issuing = replace(self.issuing, bindings=accepted)
        self.serving = replace(self.serving, bindings=accepted)


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


class _Clients:
    """One client for each binding, of its name, which must use it; `bearer` may choose.

    One more has a key in a secret's place.
    """

    def __init__(self, bindings: Mapping[str, Binding], key: SigningKey) -> None:
        self._registered = {
            name: RegisteredClient(
                client_id=name,
                secret_hash=secret_hash(_SECRET),
                scopes=frozenset({SCOPE, "orders.write"}),
                requires=None if binding.confirmation is None else name,
            )
            for name, binding in bindings.items()
        }
        self._registered[KEYED] = RegisteredClient(
            client_id=KEYED,
            method=PRIVATE_KEY_JWT,
            keys=(public_key(key.public_jwk),),
            scopes=frozenset({SCOPE}),
        )

    def client(self, client_id: str) -> RegisteredClient | None:
        return self._registered.get(client_id)


class _OneKey:
    """The issuer's only key."""

    def __init__(self, key: SigningKey) -> None:
        self._keys = {thumbprint(key.public_jwk): public_key(key.public_jwk)}

    def key(self, kid: str) -> PublicKey | None:
        return self._keys.get(kid)


class _Records:
    """One record, which nobody adds to."""

    _ONE: Mapping[str, Any] = {"id": "o-1", "sensitivity": "internal"}

    def all(self) -> Sequence[Mapping[str, Any]]:
        return [self._ONE]

    def one(self, record_id: str) -> Mapping[str, Any] | None:
        return self._ONE if record_id == self._ONE["id"] else None

    def add(self, _record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return None


class _NoGrants:
    """No refresh token was ever given out here."""

    def put(self, token_hash: str, grant: Grant) -> None:
        raise AssertionError("no grant is made on a stage")

    def find(self, _token_hash: str) -> tuple[Grant, bool] | None:
        return None

    def rotate(self, _spent_hash: str, _new_hash: str, _grant: Grant) -> bool:
        return False

    def end_family(self, family: str) -> None:
        pass

    def end_all_of(self, client_id: str) -> None:
        pass


class _Untracked:
    """Tokens that nobody ends: none is revoked on a stage."""

    def record(self, _issued: Issued, _now: float) -> bool:
        return True

    def find(self, _jti: str) -> Issued | None:
        return None

    def is_ended(self, _jti: str) -> bool:
        return False

    def end(self, _root: str, _until: float) -> list[Ended]:
        return []

    def end_all_of(self, _client_id: str) -> list[Ended]:
        return []
