"""An estate of a plan, its roles wired in one process: what a campaign runs against, no socket.

estate = WiredEstate(random_plan(7))
campaign = estate.campaign(seed=1)
rows = list(campaign.run(estate.robbed("c0", "log_line")))
campaign.records  # what was served, by id
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from labsim.attacker import Attacker
from labsim.attempt import Replay, Target
from labsim.binding import Binding, Presentation
from labsim.campaign import Campaign
from labsim.campaign_journal import Journal
from labsim.estate.plan import Client, Plan
from labsim.estate.records import filled
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.http_message import Ending, Outcome, Request
from labsim.keys import PublicKey, SigningKey, public_key, thumbprint
from labsim.loot import Loot
from labsim.roles.authorization_server import AuthorizationServer
from labsim.roles.client import Send, TokenSet, obtain_token, present
from labsim.roles.client_authentication import (
    BASIC,
    PRIVATE_KEY_JWT,
    Authentication,
    RegisteredClient,
    basic,
    private_key_jwt,
    secret_hash,
)
from labsim.roles.grants import Grant, token_hash
from labsim.roles.resource_server import ResourceServer
from labsim.roles.tls_client_authentication import (
    CertificateTrust,
    RegisteredCertificate,
    by_certificate,
)
from labsim.rooms import rooms
from tests.random_plans import secret
from tests.wired_thefts import pem, rob, sent_in_place
from tests.wiring import (
    BEGINNING,
    BINDINGS,
    CLIENT_AUTHORITY,
    ISSUER,
    ISSUER_KEY,
    THIEF,
    TOKEN_ENDPOINT,
    UNKNOWN,
    Clients,
    IssuerKeys,
    MemoryGrants,
    MemoryIssuedTokens,
    MemoryRevocations,
    Records,
    SettableClock,
    certified,
)

REPLAYS: Mapping[str, Replay] = rooms("labsim.replays", "REPLAY")


class MemoryJournal(list[Mapping[str, Any]]):
    """A journal that ends with its test."""

    def entries(self) -> Sequence[Mapping[str, Any]]:
        return list(self)


@dataclass
class Holding:
    """What one client of the plan has in hand; `shown` is the key that it authenticates with by TLS."""

    client: Client
    credential: Mapping[str, Any]
    key: SigningKey | None
    public: PublicKey | None = None
    shown: SigningKey | None = None
    refresh_token: str | None = None
    tokens: dict[str, TokenSet] = field(default_factory=dict)

    @property
    def room(self) -> Binding:
        """Return the binding of its tokens."""
        return BINDINGS[self.client.binding]

    @property
    def at_signer(self) -> bool:
        """Tell whether another process has its key: it can be used, and read nowhere."""
        return self.key is not None and self.client.custody == "signer"


class WiredEstate:
    """The servers of a plan, the clients with what they hold, and an attacker beside them.

    `send` is how a request gets to its server; `asked` counts those that did.
    """

    def __init__(self, plan: Plan) -> None:
        numbers = itertools.count(1)
        self.plan = plan
        self.clock = SettableClock(BEGINNING)
        self.new_id = lambda: f"id-{next(numbers):08d}"
        self.asked = 0
        self.footholds: dict[str, str] = {}
        self._order = random.Random(f"secrets of {plan.name}")
        self.urls = {name: f"https://{name}.test" for name in plan.resources}
        self.holdings = {c.name: self._holding(c) for c in plan.clients.values()}
        self.grants = MemoryGrants()
        self.authorization_server = AuthorizationServer(
            issuer=ISSUER,
            key=ISSUER_KEY,
            bindings=tuple(BINDINGS.values()),
            clients=Clients({c.name: self._registered(c) for c in plan.clients.values()}),
            grants=self.grants,
            issued_tokens=MemoryIssuedTokens(),
            memory=InProcessReplayMemory(),
            resources={url: name for name, url in self.urls.items()},
            clock=self.clock,
            new_id=self.new_id,
            token_seconds=plan.token_seconds,
            trust=CertificateTrust(CLIENT_AUTHORITY.der, lambda _thumbprint: False),
        )
        values = self._values()
        self.servers = {name: self._server(name, values) for name in plan.resources}

    def _holding(self, client: Client) -> Holding:
        key = SigningKey.generate() if BINDINGS[client.binding].confirmation else None
        if key is not None and BINDINGS[client.binding].asks_client_certificate:
            key = certified(key, client.name)
        common = {"client_id": client.name, "method": client.authentication}
        if client.authentication == BASIC:
            return Holding(client, {**common, "secret": secret(self._order)}, key)
        own = SigningKey.generate()
        if client.authentication == PRIVATE_KEY_JWT:
            have = {**common, "private_jwk": own.private_jwk}
            return Holding(client, have, key, public_key(own.public_jwk))
        # One connection shows one certificate: bound by mutual TLS, the two keys are one, and its
        # credential holds that key only where it lies in a file anyway.
        shown = key if key is not None and key.certificate else certified(own, client.name)
        in_file = shown is not key or client.custody == "file"
        private = {"private_jwk": shown.private_jwk} if in_file else {}
        return Holding(client, {**common, "certificate": pem(shown), **private}, key, shown=shown)

    def _registered(self, client: Client) -> RegisteredClient:
        holding = self.holdings[client.name]
        own: dict[str, Any] = {"secret_hash": secret_hash(holding.credential.get("secret", ""))}
        if holding.public is not None:
            own = {"keys": (holding.public,)}
        if holding.shown is not None:
            named = f"spiffe://lab.test/{client.name}"
            own = {"certificate": RegisteredCertificate("tls_client_auth_san_uri", named)}
        return RegisteredClient(
            client_id=client.name,
            method=client.authentication,
            grant_types=frozenset({client.grant}),
            scopes=frozenset(client.scopes),
            requires=client.binding,
            **own,
        )

    def _values(self) -> dict[str, str]:
        values = {f"url:{name}": f"{url}/records" for name, url in self.urls.items()}
        for name, holding in self.holdings.items():
            values[f"client_id:{name}"] = name
            if "secret" in holding.credential:
                values[f"client_secret:{name}"] = holding.credential["secret"]
        return values

    def _server(self, name: str, values: Mapping[str, str]) -> ResourceServer:
        jwk = ISSUER_KEY.public_jwk
        done = filled(self.plan.resource(name), values)
        return ResourceServer(
            name=name,
            resource=self.urls[name],
            issuer=ISSUER,
            issuer_keys=IssuerKeys({thumbprint(jwk): public_key(jwk)}),
            bindings=tuple(BINDINGS.values()),
            records=Records([asdict(record) for record in done.records]),
            clock=self.clock,
            new_id=self.new_id,
            memory=InProcessReplayMemory(),
            revocations=MemoryRevocations(),
        )

    def send(self, request: Request) -> Outcome:
        """Send to the server whose URL begins like the request's."""
        if request.peer_certificate == UNKNOWN.certificate:
            return Outcome(Ending.REFUSED_BY_TLS, request, None, "an unknown certificate")
        self.asked += 1
        role: Any = self.authorization_server
        if not request.url.startswith(f"{ISSUER}/"):
            origin = next(n for n, url in self.urls.items() if request.url.startswith(f"{url}/"))
            role = self.servers[origin]
        response, _event = role.handle(request)
        return Outcome.answered(request, response)

    # The honest side.

    def work(self, client: str, tapped: bool = False) -> dict[str, Outcome]:
        """Let a client fetch the records of each server it calls; return how each request ended.

        Between an interceptor and the server there is another connection: no client's certificate.
        """
        send = (lambda request: self.send(request.showing(None))) if tapped else self.send
        return {name: self._fetch(self.holdings[client], name, send) for name in self.calls(client)}

    def calls(self, client: str) -> tuple[str, ...]:
        return self.plan.client(client).calls

    def _fetch(self, holding: Holding, name: str, send: Send) -> Outcome:
        spent = holding.refresh_token
        if holding.client.grant == "refresh_token" and spent is None:
            spent = self.grant(holding.client.name, "owner")
        token = holding.tokens[name] = self.token(holding, name, spent)
        holding.refresh_token = token.refresh_token
        presentation = Presentation(token.access_token, holding.key, self.clock(), self.new_id)
        request = Request("GET", f"{self.urls[name]}/records")
        return present(lambda: request, holding.room, presentation, send)

    def token(self, holding: Holding, name: str, spent: str | None = None) -> TokenSet:
        """Get a token of a client's for a server, for a refresh token if there is one."""
        parameters = {"grant_type": "client_credentials", "resource": self.urls[name]}
        if spent is not None:
            parameters |= {"grant_type": "refresh_token", "refresh_token": spent}
        return obtain_token(
            TOKEN_ENDPOINT,
            parameters,
            self._authentication(holding),
            holding.room,
            Presentation(None, holding.key, self.clock(), self.new_id),
            self.send,
        )

    def grant(self, client: str, owner: str) -> str:
        """Provision a refresh token, as if its owner had consented."""
        token, scopes = f"refresh token {self.new_id()}", frozenset(self.plan.client(client).scopes)
        self.grants.put(
            token_hash(token), Grant(client, owner, scopes, token, self.clock() + 86400)
        )
        return token

    def token_for(self, holding: Holding, url: str) -> TokenSet | None:
        """Return the token that a client has for the server of this URL, if it has one."""
        return next((t for t in holding.tokens.values() if url.startswith(f"{t.resource}/")), None)

    def _authentication(self, holding: Holding) -> Authentication:
        have = holding.credential
        if holding.shown is not None:
            return by_certificate(have["client_id"], holding.shown.certificate or b"")
        if "private_jwk" not in have:
            return basic(have["client_id"], have["secret"])
        key = SigningKey.from_jwk(have["private_jwk"])
        return private_key_jwt(have["client_id"], key, ISSUER, self.clock, self.new_id)

    # The attacker's side.

    @property
    def targets(self) -> list[Target]:
        """Return every resource server, as an attacker can reach it."""
        return [
            Target(
                name,
                f"{url}/records",
                f"{url}/records/{self.plan.resource(name).records[0].id}",
                url,
                ISSUER,
                TOKEN_ENDPOINT,
                TOKEN_ENDPOINT,
            )
            for name, url in self.urls.items()
        ]

    def robbed(self, client: str, theft: str) -> list[Loot]:
        """Let a client work and be robbed meanwhile; return what the thief has then."""
        return rob(self, client, theft)

    def let_in(self, client: str) -> str:
        """Let a stranger into a client's process; return the address of the foothold."""
        self.footholds[f"foothold at {client}"] = client
        return f"foothold at {client}"

    def reach(self, foothold: str, request: Request) -> Outcome:
        """Have a request sent from where a foothold is, if one is there."""
        if foothold not in self.footholds:
            return Outcome(Ending.UNREACHABLE, request, None, f"nobody is at {foothold}")
        return sent_in_place(self, self.holdings[self.footholds[foothold]], request)

    def attacker(self, send: Callable[[Request], Outcome] | None = None) -> Attacker:
        """Make an attacker process's worth of an attacker: it remembers nothing from before."""
        keys = (THIEF, UNKNOWN)
        dial = send or self.send
        return Attacker(
            dial, self.clock, self.new_id, BINDINGS, *keys, lambda _key: None, self.reach
        )

    def campaign(
        self,
        seed: int = 0,
        journal: Journal | None = None,
        send: Callable[[Request], Outcome] | None = None,
    ) -> Campaign:
        """Make a campaign against every server, by an attacker that was just started."""
        kept = MemoryJournal() if journal is None else journal
        return Campaign(self.attacker(send), self.targets, REPLAYS, seed, kept)
