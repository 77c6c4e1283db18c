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
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from labsim.attacker import Attacker
from labsim.attempt import Replay, Target
from labsim.binding import Presentation
from labsim.campaign import Campaign
from labsim.campaign_journal import Journal
from labsim.estate.plan import Client, Plan
from labsim.estate.records import filled
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.http_message import Ending, Outcome, Request
from labsim.keys import PublicKey, SigningKey, public_key, thumbprint
from labsim.loot import Kind, Loot
from labsim.roles.authorization_server import AuthorizationServer
from labsim.roles.client import TokenSet, obtain_token, present
from labsim.roles.client_authentication import (
    PRIVATE_KEY_JWT,
    Authentication,
    RegisteredClient,
    basic,
    private_key_jwt,
    secret_hash,
)
from labsim.roles.grants import Grant, token_hash
from labsim.roles.resource_server import ResourceServer
from labsim.roles.tls_client_authentication import CertificateTrust
from labsim.rooms import rooms
from tests.random_plans import secret
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
YIELDS = {
    "log_line": {Kind.TOKEN},
    "wiretap": {Kind.TOKEN, Kind.CAPTURED_REQUEST},
    "commit": {Kind.TOKEN, Kind.CLIENT_CREDENTIAL},
    "container_files": {
        Kind.TOKEN,
        Kind.CLIENT_CREDENTIAL,
        Kind.CERTIFICATE,
        Kind.REFRESH_TOKEN,
        Kind.KEY,
    },
    "vendor_tokens": {Kind.TOKEN, Kind.REFRESH_TOKEN},
}
"""What each theft yields where the client has it; a key only if it lies in a file."""


class MemoryJournal(list[Mapping[str, Any]]):
    """A journal that ends with its test."""

    def entries(self) -> Sequence[Mapping[str, Any]]:
        return list(self)


@dataclass
class Holding:
    """What one client of the plan has in hand."""

    client: Client
    credential: Mapping[str, Any]
    key: SigningKey | None
    public: PublicKey | None = None
    refresh_token: str | None = None
    tokens: dict[str, TokenSet] = field(default_factory=dict)


def _nobody_there(foothold: str, request: Request) -> Outcome:
    return Outcome(Ending.UNREACHABLE, request, None, f"nobody is at {foothold}")


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
        if client.authentication != PRIVATE_KEY_JWT:
            return Holding(client, {**common, "secret": secret(self._order)}, key)
        own = SigningKey.generate()
        have = {**common, "private_jwk": own.private_jwk}
        return Holding(client, have, key, public_key(own.public_jwk))

    def _registered(self, client: Client) -> RegisteredClient:
        holding = self.holdings[client.name]
        own = {"secret_hash": secret_hash(holding.credential.get("secret", ""))}
        if holding.public is not None:
            own = {"keys": (holding.public,)}
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

    def work(self, client: str) -> dict[str, Outcome]:
        """Let a client fetch the records of each server it calls; return how each request ended."""
        return {name: self._fetch(self.holdings[client], name) for name in self.calls(client)}

    def calls(self, client: str) -> tuple[str, ...]:
        return self.plan.client(client).calls

    def _fetch(self, holding: Holding, name: str) -> Outcome:
        binding = BINDINGS[holding.client.binding]
        token = holding.tokens[name] = self._token(holding, name)
        presentation = Presentation(token.access_token, holding.key, self.clock(), self.new_id)
        request = Request("GET", f"{self.urls[name]}/records")
        return present(lambda: request, binding, presentation, self.send)

    def _token(self, holding: Holding, name: str) -> TokenSet:
        client = holding.client
        parameters = {"grant_type": client.grant, "resource": self.urls[name]}
        if client.grant == "refresh_token":
            spent = holding.refresh_token or self._grant(client)
            parameters["refresh_token"] = spent
        token = obtain_token(
            TOKEN_ENDPOINT,
            parameters,
            self._authentication(holding),
            BINDINGS[client.binding],
            Presentation(None, holding.key, self.clock(), self.new_id),
            self.send,
        )
        holding.refresh_token = token.refresh_token
        return token

    def _grant(self, client: Client) -> str:
        token, scopes = f"refresh token of {client.name}", frozenset(client.scopes)
        grant = Grant(client.name, "owner", scopes, client.name, self.clock() + 86400)
        self.grants.put(token_hash(token), grant)
        return token

    def _authentication(self, holding: Holding) -> Authentication:
        have = holding.credential
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
        """Let a client work and lose what a theft yields (`YIELDS`): one piece for each server."""
        holding = self.holdings[client]
        key, everything = holding.key, dict[str, Any]()
        outcomes = self.work(client)
        if key is not None and holding.client.custody == "file":
            everything["key"] = key.private_jwk
        if key is not None and key.certificate is not None:
            certificate = x509.load_der_x509_certificate(key.certificate)
            pem = certificate.public_bytes(serialization.Encoding.PEM)
            everything["certificate"] = pem.decode()
        everything["refresh_token"] = holding.refresh_token
        everything["client_credential"] = holding.credential
        pieces = []
        for name, outcome in outcomes.items():
            sent = outcome.request
            assert sent is not None
            everything["token"] = holding.tokens[name].access_token
            everything["captured_request"] = replace(sent, peer_certificate=None)
            have = {kind: everything.get(kind) for kind in YIELDS[theft]}
            captured = have.pop(Kind.CAPTURED_REQUEST, None)
            common = Loot(theft, theft, client, self.clock(), self.urls[name], sent.url)
            pieces.append(replace(common, captured=captured, **have))
        return pieces

    def attacker(self, send: Callable[[Request], Outcome] | None = None) -> Attacker:
        """Make an attacker process's worth of an attacker: it remembers nothing from before."""
        keys = (THIEF, UNKNOWN)
        dial = send or self.send
        return Attacker(
            dial, self.clock, self.new_id, BINDINGS, *keys, lambda _key: None, _nobody_there
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
