"""The servers and their clients wired in one process: no socket, and a clock to set by hand."""

from __future__ import annotations

import datetime
import itertools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives import serialization

from labsim.attacker import Attacker
from labsim.binding import Binding, Presentation
from labsim.certificates import certificate_authority, client_certificate
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.http_message import Ending, Outcome, Request
from labsim.keys import PublicKey, SigningKey, public_key, thumbprint
from labsim.nonces import RollingNonces
from labsim.roles.authorization_server import AuthorizationServer
from labsim.roles.client import TokenSet, obtain_token
from labsim.roles.client_authentication import (
    BASIC,
    NONE,
    PRIVATE_KEY_JWT,
    Authentication,
    RegisteredClient,
    basic,
    private_key_jwt,
    public,
    secret_hash,
)
from labsim.roles.decision import Event
from labsim.roles.grants import TOKEN_EXCHANGE, Grant, Grants, token_hash
from labsim.roles.issued_tokens import Ended, Issued, IssuedTokens
from labsim.roles.resource_server import ResourceServer
from labsim.roles.revocation_notice import notice_request
from labsim.roles.tls_client_authentication import CertificateTrust
from labsim.rooms import rooms

BINDINGS: Mapping[str, Binding] = rooms("labsim.bindings", "BINDING")
ISSUER = "https://as.test"
TOKEN_ENDPOINT = f"{ISSUER}/token"
ORDERS = "https://orders.test"
CRM = "https://crm.test"
RECORDS = f"{ORDERS}/records"
RECORD = f"{ORDERS}/records/o-1"
SECRET = "a secret: with /+=&% and \N{LATIN SMALL LETTER E WITH ACUTE}"
NONCES = RollingNonces(bytes(32))
ISSUER_KEY = SigningKey.generate()
BEGINNING = 1_800_000_000.0
CLIENT_AUTHORITY = certificate_authority(
    "client CA", datetime.datetime.fromtimestamp(BEGINNING, datetime.UTC)
)
_BOTH = frozenset({"client_credentials", "refresh_token"})
_SCOPES = frozenset({"orders.read", "orders.write", "crm.read"})


def certified(
    key: SigningKey, name: str, now: float = BEGINNING, seconds: float = 86400
) -> SigningKey:
    """Give a P-256 key a certificate that lives for so many lab seconds from now on."""
    public = key.private.public_key()
    certificate = client_certificate(
        CLIENT_AUTHORITY,
        public,  # type: ignore[arg-type]
        f"spiffe://lab.test/{name}",
        name,
        datetime.datetime.fromtimestamp(now, datetime.UTC),
        datetime.timedelta(seconds=seconds),
    )
    return key.certified(certificate.public_bytes(serialization.Encoding.DER))


class SettableClock:
    """Lab seconds that pass when a test says so."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Clients(dict[str, RegisteredClient]):
    """The registered clients, by id."""

    def client(self, client_id: str) -> RegisteredClient | None:
        return self.get(client_id)


class IssuerKeys(dict[str, PublicKey]):
    """The authorization server's public keys, by `kid`."""

    def key(self, kid: str) -> PublicKey | None:
        return self.get(kid)


class Records(list[dict[str, str]]):
    """Records, with room for four."""

    def all(self) -> Sequence[Mapping[str, Any]]:
        return list(self)

    def one(self, record_id: str) -> Mapping[str, Any] | None:
        return next((record for record in self if record["id"] == record_id), None)

    def add(self, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if len(self) >= 4:
            return None
        self.append({"id": f"new-{len(self)}", **record})
        return self[-1]


class MemoryGrants:
    """Refresh tokens' grants in a dict: what `roles.grants.Grants` says, and no more."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Grant, bool]] = {}
        self._lock = threading.Lock()

    def put(self, token_hash: str, grant: Grant) -> None:
        self._held[token_hash] = (grant, False)

    def find(self, token_hash: str) -> tuple[Grant, bool] | None:
        return self._held.get(token_hash)

    def rotate(self, spent_hash: str, new_hash: str, grant: Grant) -> bool:
        with self._lock:
            spent, used = self._held.get(spent_hash, (grant, True))
            if not used:
                self._held |= {spent_hash: (spent, True), new_hash: (grant, False)}
            return not used

    def end_family(self, family: str) -> None:
        self._held = {key: held for key, held in self._held.items() if held[0].family != family}

    def end_all_of(self, client_id: str) -> None:
        kept = {key: held for key, held in self._held.items() if held[0].client_id != client_id}
        self._held = kept


class MemoryIssuedTokens:
    """Issued tokens in a dict: what `roles.issued_tokens.IssuedTokens` says, and no more."""

    def __init__(self) -> None:
        self._issued: dict[str, Issued] = {}
        self._ended: set[str] = set()

    def record(self, issued: Issued, _now: float) -> bool:
        if issued.origin not in self._ended:
            self._issued[issued.jti] = issued
        return issued.origin not in self._ended

    def find(self, jti: str) -> Issued | None:
        return self._issued.get(jti)

    def is_ended(self, jti: str) -> bool:
        return jti in self._ended

    def end(self, root: str, until: float) -> list[Ended]:
        if not root:
            return []
        self._ended.add(root)
        found = [e for e in self._issued.values() if root in (e.jti, e.origin)]
        following = [e for e in found if e.jti != root]
        ended = [Ended(e.jti, e.audience, e.expires) for e in found if e.jti == root]
        return ended + [each for e in following for each in self.end(e.jti, until)]

    def end_all_of(self, client_id: str) -> list[Ended]:
        mine = [e for e in self._issued.values() if e.client_id == client_id]
        return [each for e in mine for each in self.end(e.jti, e.expires)]


class MemoryRevocations(dict[str, float]):
    """What a resource server was told of, in a dict."""

    def add(self, jtis: dict[str, float], _now: float) -> None:
        self.update(jtis)

    def holds(self, jti: str) -> bool:
        return jti in self


HOLDER = certified(SigningKey.generate(), "holder")
UNKNOWN = certified(SigningKey.generate(), "unknown")
THIEF = certified(SigningKey.generate(), "thief")
OWN_CLIENT = {"bearer": "free", "dpop": "app", "mtls": "mutual", "http_signature": "signing"}
"""The client that must use a binding; a new binding's may be any."""


class Lab:
    """One authorization server, two resource servers, their clients, a holder and a thief.

    The clients: `app` must use DPoP, `mutual` mTLS and `signing` signatures, `free` may choose,
    `keyed` authenticates by assertion, `phone` is public; `orders` and `crm` are the resource
    servers as clients, and `thief` is one that nobody sends a token.
    A test changes a role with `dataclasses.replace` and puts it back in its place.
    """

    def __init__(self, grants: Grants | None = None, issued: IssuedTokens | None = None) -> None:
        numbers = itertools.count(1)
        self.clock = SettableClock(BEGINNING)
        self.new_id = lambda: f"id-{next(numbers):08d}"
        self.issuer_key, self.client_key = ISSUER_KEY, SigningKey.generate()
        self.holder, self.thief = HOLDER, THIEF
        self.clients = self._registered()
        self.grants = grants or MemoryGrants()
        self.issued_tokens = issued or MemoryIssuedTokens()
        self.told: list[Ended] = []
        self.revoked_keys: set[str] = set()
        self.event: Event | None = None
        self.asked = 0
        self.authorization_server = AuthorizationServer(
            issuer=ISSUER,
            key=self.issuer_key,
            bindings=tuple(BINDINGS.values()),
            clients=self.clients,
            grants=self.grants,
            issued_tokens=self.issued_tokens,
            memory=InProcessReplayMemory(),
            resources={ORDERS: "orders", CRM: "crm"},
            clock=self.clock,
            new_id=self.new_id,
            trust=CertificateTrust(CLIENT_AUTHORITY.der, self.revoked_keys.__contains__),
            tell=self.told.extend,
        )
        self.orders = self._resource_server("orders", ORDERS)
        self.crm = self._resource_server("crm", CRM)

    def _registered(self) -> Clients:
        secret = {"secret_hash": secret_hash(SECRET), "scopes": _SCOPES, "grant_types": _BOTH}
        bound = [
            RegisteredClient(client_id=client, requires=binding, **secret)
            for binding, client in OWN_CLIENT.items()
            if binding != "bearer"
        ]
        keyed = RegisteredClient(
            client_id="keyed",
            method=PRIVATE_KEY_JWT,
            keys=(public_key(self.client_key.public_jwk),),
            scopes=_SCOPES,
        )
        free = RegisteredClient(client_id="free", **secret)
        phone = RegisteredClient(
            client_id="phone",
            method=NONE,
            scopes=_SCOPES,
            grant_types=frozenset({"refresh_token"}),
        )
        exchanging = {**secret, "grant_types": frozenset({TOKEN_EXCHANGE})}
        orders = RegisteredClient(client_id="orders", audience=ORDERS, **exchanging)
        crm = RegisteredClient(client_id="crm", audience=CRM, **exchanging)
        scopes = frozenset({"orders.read", "crm.read"})
        thief = RegisteredClient(client_id="thief", **exchanging | {"scopes": scopes})
        every = (*bound, free, keyed, phone, orders, crm, thief)
        return Clients({client.client_id: client for client in every})

    def _resource_server(self, name: str, resource: str) -> ResourceServer:
        jwk = self.issuer_key.public_jwk
        return ResourceServer(
            name=name,
            resource=resource,
            issuer=ISSUER,
            issuer_keys=IssuerKeys({thumbprint(jwk): public_key(jwk)}),
            bindings=tuple(BINDINGS.values()),
            records=Records([{"id": "o-1", "sensitivity": "internal"}, {"id": "o-2"}]),
            clock=self.clock,
            new_id=self.new_id,
            memory=InProcessReplayMemory(),
            revocations=MemoryRevocations(),
            is_key_revoked=self.revoked_keys.__contains__,
        )

    def ask_for_nonces(self) -> None:
        self.authorization_server = replace(self.authorization_server, nonces=NONCES)
        self.orders = replace(self.orders, nonces=NONCES)

    def send(self, request: Request) -> Outcome:
        """Send to the server whose URL begins like the request's, and keep its event."""
        servers = {ISSUER: self.authorization_server, ORDERS: self.orders, CRM: self.crm}
        role = next(role for url, role in servers.items() if request.url.startswith(url))
        if request.peer_certificate == UNKNOWN.certificate:
            return Outcome(Ending.REFUSED_BY_TLS, request, None, "an unknown certificate")
        response, self.event = role.handle(request)
        return Outcome.answered(request, response)

    def reach(self, foothold: str, request: Request) -> Outcome:
        """There is no process here that could be held."""
        return Outcome(Ending.UNREACHABLE, request, None, f"nobody is at {foothold}")

    def attacker(self) -> Attacker:
        """Make an attacker whose own key is the thief's."""
        keys = (self.thief, UNKNOWN)
        return Attacker(
            self.send,
            self.clock,
            self.new_id,
            BINDINGS,
            *keys,
            lambda _key: None,
            self.reach,
            {"client_id": "thief", "method": BASIC, "secret": SECRET},
        )

    def authentication(self, client: str) -> Authentication:
        if client == "keyed":
            return private_key_jwt(client, self.client_key, ISSUER, self.clock, self.new_id)
        if client == "phone":
            return public(client)
        return basic(client, SECRET)

    def presentation(
        self, token: str | None = None, holder: SigningKey | None = None, nonce: str | None = None
    ) -> Presentation:
        return Presentation(token, holder or self.holder, self.clock(), self.new_id, nonce)

    def token(
        self,
        binding: str = "dpop",
        client: str = "free",
        holder: SigningKey | None = None,
        **more: str,
    ) -> TokenSet:
        """Get a token as an honest client does; `more` are parameters of the token request."""
        return obtain_token(
            TOKEN_ENDPOINT,
            {"grant_type": "client_credentials", "resource": ORDERS, **more},
            self.authentication(client),
            BINDINGS[binding],
            self.presentation(holder=holder),
            self.send,
        )

    def revoke_at(self, server: ResourceServer, jti: str) -> None:
        """Let a resource server know of a revocation."""
        assert server.revocations is not None
        server.revocations.add({jti: self.clock() + 600}, self.clock())

    def pass_on(self) -> None:
        """Tell the resource servers what the authorization server has to tell."""
        for audience in {ended.audience for ended in self.told}:
            ended = [each for each in self.told if each.audience == audience]
            now, jti = self.clock(), self.new_id()
            self.send(notice_request(ISSUER, self.issuer_key, audience, ended, now, jti))
        self.told.clear()

    def grant(self, token: str, client: str = "free", binding: str | None = None) -> None:
        """Provision a refresh token, as if its owner had consented."""
        expires = self.clock() + 86400
        grant = Grant(client, "owner", _SCOPES, f"family of {token}", expires, binding)
        self.grants.put(token_hash(token), grant)
