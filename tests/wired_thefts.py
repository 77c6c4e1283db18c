"""The lab's own thefts in a wired estate: the victim leaks, the thief takes, and no process is there.

Each theft's own `leak` and `take` run; what stands in for the machine (folders, an interceptor, a
repository, a foothold) is here. It follows what `labsim.robbery` and `labsim.estate` do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from labsim.binding import Presentation
from labsim.estate.possible_thefts import ticket_service
from labsim.http_message import Ending, Outcome, Request
from labsim.keys import SigningKey
from labsim.loot import Loot
from labsim.robbery import TENANTS
from labsim.roles.client import present
from tests import robbed
from tests.robbed import THEFTS, Given

if TYPE_CHECKING:
    from tests.wired_estate import Holding, WiredEstate

THIEFS_ADDRESS = "https://127.0.0.1:1/inbox"


def pem(key: SigningKey) -> str:
    """Return the certificate of a key that has one."""
    certificate = x509.load_der_x509_certificate(key.certificate or b"")
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def files_of(estate: WiredEstate, holding: Holding) -> dict[str, bytes]:
    """Return what lies in a client's folder and is a credential, or holds one."""
    tokens = {
        name: {**asdict(token), "url": f"{estate.urls[name]}/records"}
        for name, token in holding.tokens.items()
    }
    files: dict[str, object] = {"client.json": holding.credential, "tokens.json": tokens}
    if holding.refresh_token is not None:
        files["refresh_token.json"] = holding.refresh_token
    if holding.key is not None and holding.client.custody == "file":
        files["key.json"] = holding.key.private_jwk
    found = {name: json.dumps(value).encode() for name, value in files.items()}
    if holding.key is not None and holding.key.certificate is not None:
        found["certificate.pem"] = pem(holding.key).encode()
    return found


class WiredVictim(robbed.Victim):
    """Be a client of the estate on a bad day (`labsim.loot.Victim`)."""

    def __init__(self, estate: WiredEstate, client: str) -> None:
        super().__init__()
        self.estate, self.client = estate, client
        self.holding = estate.holdings[client]

    def credentials(self) -> dict[str, bytes]:
        return files_of(self.estate, self.holding)

    def tenants(self) -> list[dict[str, str]]:
        """Refresh a grant of each tenant, for the first server that the client calls."""
        first, found = self.estate.calls(self.client)[0], []
        for tenant in TENANTS:
            token = self.estate.token(self.holding, first, self.estate.grant(self.client, tenant))
            have = {"access_token": token.access_token, "refresh_token": str(token.refresh_token)}
            where = {"url": f"{self.estate.urls[first]}/records", "resource": token.resource}
            found.append({"tenant": tenant, **where, **have})
        return found

    def _calls(self) -> list[dict[str, str]]:
        urls = {name: self.estate.urls[name] for name in self.estate.calls(self.client)}
        return [{"url": f"{url}/records", "resource": url} for url in urls.values()]

    def readable_tokens(self) -> list[dict[str, str]]:
        if self.holding.at_signer:
            return []
        tokens = {token.resource: token.access_token for token in self.holding.tokens.values()}
        return [
            {**each, "token": tokens[each["resource"]]}
            for each in self._calls()
            if each["resource"] in tokens
        ]

    def deputise(self) -> dict[str, object]:
        address = self.estate.let_in(self.client)
        binding = self.holding.client.binding
        return {"deputy": address, "binding": binding, "calls": self._calls()}


class WiredFoothold(robbed.CodeInside):
    """Be code in a client's process: it reads what lies there, and has the holder sign."""

    def __init__(self, estate: WiredEstate, client: str) -> None:
        holding = estate.holdings[client]
        own = holding.credential.get("private_jwk")
        mine = [holding.key.private_jwk] if holding.key and not holding.at_signer else []
        super().__init__([*([own] if own else []), *mine], estate.let_in(client))
        self.estate, self.holding = estate, holding

    def sign_ahead(self, url: str, times: Iterable[float]) -> list[tuple[float, Request]]:
        return [
            (at, self.holding.room.attach(Request("GET", url), self._presentation(url, at)))
            for at in times
            if self.holding.key is not None and not self.holding.room.asks_client_certificate
        ]

    def _presentation(self, url: str, at: float) -> Presentation:
        token = self.estate.token_for(self.holding, url)
        assert token is not None
        return Presentation(token.access_token, self.holding.key, at, self.estate.new_id)


def sent_in_place(estate: WiredEstate, holding: Holding, request: Request) -> Outcome:
    """Send a request as the holder's own process does for a foothold in it."""
    token = estate.token_for(holding, request.url)
    if token is None:
        return Outcome(Ending.NOT_POSSIBLE, detail="the holder has no token for that server")
    shown = Presentation(token.access_token, holding.key, estate.clock(), estate.new_id)
    return present(lambda: request, holding.room, shown, estate.send)


def rob(estate: WiredEstate, client: str, name: str) -> list[Loot]:
    """Let a client work while it leaks in the way of a theft; return what the thief then takes."""
    theft, victim = THEFTS[name], WiredVictim(estate, client)
    lured = _lure(estate, client, theft.lure)
    theft.leak(victim)
    outcomes = estate.work(client, tapped=victim.trusting)
    for outcome in outcomes.values():
        if outcome.request is not None and outcome.response is not None:
            victim.work(outcome.request, outcome.response)
    victim.end()
    lured()
    return estate.attacker().steal(theft, client, _given(estate, victim, theft.gives, outcomes))


def _lure(
    estate: WiredEstate, client: str, lure: Callable[[str], tuple[str, str]] | None
) -> Callable[[], None]:
    """File the thief's case where the client reads first; return what takes it away again."""
    if lure is None:
        return lambda: None
    title, text = lure(THIEFS_ADDRESS)
    records = estate.servers[estate.calls(client)[0]].records
    records.append({"id": "filed-1", "title": title, "text": text})  # type: ignore[attr-defined]
    return records.pop  # type: ignore[attr-defined, no-any-return]


def _given(
    estate: WiredEstate, victim: WiredVictim, gives: str, outcomes: Mapping[str, Outcome]
) -> Given:
    """Return what the thief may look into, by the theft's own word."""
    given = Given(now=estate.clock())
    # Whoever keeps a request keeps no connection: its certificate is not among the bytes.
    kept = [
        (Request.from_json(each.request.to_json()), each.response)
        for each in outcomes.values()
        if each.request is not None and each.response is not None
    ]
    match gives:
        case "log":
            given.contents = {"client.log": "\n".join(victim.log).encode()}
        case "folder" | "process":
            given.contents = {**victim.credentials(), "client.log": b"INFO no JSON"}
            if victim.inhabited:
                given.inside = WiredFoothold(estate, victim.client)
        case "interceptor":
            given.exchanges = kept if victim.trusting else []
        case "resource_server":
            given.exchanges = kept[:1]
        case "repository":
            given.commits = victim.commits
        case "copies":
            given.contents = dict(victim.copies)
        case "store":
            given.contents = {"store.json": json.dumps(victim.store).encode()}
        case "inbox":
            given.sent = [json.dumps(document).encode() for _address, document in victim.sent]
        case "tickets":
            given.texts = _tickets(estate, victim)
    return given


def _tickets(estate: WiredEstate, victim: WiredVictim) -> dict[str, str]:
    """Return what a contractor reads where tickets lie: the estate's own and those just pasted."""
    service = ticket_service(estate.plan.resources)
    assert service is not None, "no resource server of this plan holds tickets"
    there = {str(each["id"]): str(each["text"]) for each in estate.servers[service].records.all()}
    pasted = enumerate(victim.pasted, 1)
    return there | {f"filed-{number}": text for number, (_title, text) in pasted}
