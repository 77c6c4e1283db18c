"""The servers in one process, and good requests of every kind to mutate."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from benchmarks._fuzzing.places import Place
from labsim.binding import Presentation
from labsim.certificates import certificate_thumbprint
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.roles.client_authentication import ASSERTION_TYPE
from labsim.roles.form import form_request
from labsim.roles.forwarded_certificate import FIELD
from labsim.roles.grants import TOKEN_EXCHANGE
from labsim.roles.introspected_tokens import IntrospectedTokens
from labsim.roles.issued_tokens import Ended
from labsim.roles.revocation_notice import notice_request
from labsim.roles.token_exchange import ACCESS_TOKEN_TYPE
from labsim.structured_fields import byte_sequence
from tests.wiring import (
    BINDINGS,
    CRM,
    ISSUER,
    NONCES,
    ORDERS,
    OWN_CLIENT,
    SECRET,
    Lab,
    Records,
    certified,
)

PROXY = certified(SigningKey.generate(), "proxy")
HOLDERS = {
    "ES256": certified(SigningKey.generate(), "holder"),
    "Ed25519": SigningKey.generate("Ed25519"),
}
URLS = ("/records", "/records/o-1", "/records/o-1?a=1&b=%20", "/records/%6f-2", "/records/none")


class NotHere(Exception):
    """Say that a mutation has nothing to change in this request."""


@dataclass(frozen=True, slots=True)
class Good:
    """Hold a good request: its kind, the places in it that hold a JWS, and who must be served."""

    kind: str
    request: Request
    places: tuple[Place, ...] = ()


class _EndlessRecords(Records):
    """Records that never fill up, and do not grow."""

    def add(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"id": "new", **record}


class World:
    """Hold the servers of one block of requests; nothing in it is shared with another block.

    Checks `without` which the binding is to work are left out of it, to see that this is found.
    """

    def __init__(
        self, binding: str, rng: Random, number: int, without: Collection[str] = ()
    ) -> None:
        self.rng, self.binding = rng, binding
        algorithm = ("ES256", "Ed25519")[number % 2]
        self.lab = Lab()
        # A certificate here is for a P-256 key.
        self.holder = HOLDERS["ES256" if binding == "mtls" else algorithm]
        self.spent: set[tuple[str, str]] = set()
        records = _EndlessRecords([{"id": "o-1"}, {"id": "o-2"}])
        self.lab.orders = replace(
            self.lab.orders,
            records=records,
            trusted_proxy=certificate_thumbprint(PROXY.certificate or b""),
        )
        if without:
            weak = BINDINGS[binding].without(*without)
            bindings = tuple(weak if b.name == binding else b for b in BINDINGS.values())
            self.lab.orders = replace(self.lab.orders, bindings=bindings)
            server = self.lab.authorization_server
            self.lab.authorization_server = replace(server, bindings=bindings)
        # Every third block asks for nonces, every fifth has its tokens introspected.
        if number % 3 == 2:
            self.lab.ask_for_nonces()
        if number % 5 == 4:
            asking = IntrospectedTokens(self._asked)
            self.lab.orders = replace(self.lab.orders, introspected=asking)
        self.tokens = [self._token("free"), self._token(OWN_CLIENT[binding])]
        holder, self.holder = self.holder, self.lab.thief
        self.theirs = self._token("free")
        self.holder = holder
        self.kinds: dict[str, tuple[int, Callable[[], Good]]] = {
            "read": (12, self.read),
            "add": (4, self.add),
            "token": (4, self.token_request),
            "assertion": (1, self.assertion),
            "refresh": (1, self.refresh),
            "introspect": (1, lambda: self.about_a_token("introspect")),
            "revoke": (1, lambda: self.about_a_token("revoke")),
        }
        if binding != "bearer":
            self.kinds["exchange"] = (2, self.exchange)
        else:
            self.kinds["notice"] = (3, self.notice)
        if binding == "mtls":
            self.kinds["behind a proxy"] = (4, self.behind_a_proxy)
        self._weights = [weight for weight, _ in self.kinds.values()]
        self._makers = [make for _, make in self.kinds.values()]

    def good(self) -> Good:
        """Make a good request of some kind: fresh, so that it would be served."""
        return self.rng.choices(self._makers, self._weights)[0]()

    def _token(self, client: str) -> str:
        asked = {"grant_type": "client_credentials", "resource": ORDERS}
        request = self._introducing("token", self._asking(client, "/token", asked)).request
        return str(self.lab.authorization_server.token(request)[0].json()["access_token"])

    def _asked(self, token: str) -> Mapping[str, Any]:
        request = self._asking("orders", "/introspect", {"token": token})
        answer: Mapping[str, Any] = self.lab.authorization_server.handle(request)[0].json()
        return answer

    def presentation(self, token: str | None = None) -> Presentation:
        """Return what the holder has in hand."""
        return self.lab.presentation(token, self.holder, self.nonce)

    @property
    def nonce(self) -> str | None:
        """Return the nonce that both servers ask for, if they do."""
        asks = self.lab.orders.nonces is not None
        return NONCES.issue(self.lab.clock()) if asks else None

    def _presented(self, request: Request, token: str) -> Request:
        return BINDINGS[self.binding].attach(request, self.presentation(token))

    def _proofs(self) -> tuple[Place, ...]:
        return (Place("field", "DPoP", self.holder),) if self.binding == "dpop" else ()

    def _token_place(self) -> Place:
        return Place("field", "Authorization", self.lab.issuer_key)

    def read(self) -> Good:
        """Read records."""
        url = ORDERS + self.rng.choice(URLS)
        request = Request(self.rng.choice(("GET", "GET", "HEAD")), url)
        request = self._presented(request, self.rng.choice(self.tokens))
        return Good("read", request, (self._token_place(), *self._proofs()))

    def add(self) -> Good:
        """Add a record, by a request with a body."""
        body = json.dumps({"title": "t", "text": "é" * self.rng.randrange(30)}).encode()
        fields = (("Content-Type", "application/json"),)
        request = Request("POST", f"{ORDERS}/records", fields, body)
        request = self._presented(request, self.rng.choice(self.tokens))
        return Good("add", request, (self._token_place(), *self._proofs()))

    def behind_a_proxy(self) -> Good:
        """Read records through a proxy that says which certificate it saw."""
        good = self.read()
        shown = byte_sequence(good.request.peer_certificate or b"")
        request = good.request.adding(FIELD, shown).showing(PROXY.certificate)
        return replace(good, kind="behind a proxy", request=request)

    def _asking(self, client: str, path: str, form: dict[str, str]) -> Request:
        return self.lab.authentication(client)(form_request(ISSUER + path, form))

    def _introducing(self, kind: str, request: Request, *places: Place) -> Good:
        request = BINDINGS[self.binding].attach(request, self.presentation())
        return Good(kind, request, (*places, *self._proofs()))

    def token_request(self) -> Good:
        """Ask for a token by the client's secret."""
        client = self.rng.choice(("free", OWN_CLIENT[self.binding]))
        form = {"grant_type": "client_credentials", "resource": self.rng.choice((ORDERS, CRM))}
        if self.rng.random() < 0.5:
            form["scope"] = "orders.read" if form["resource"] == ORDERS else "crm.read"
        return self._introducing("token", self._asking(client, "/token", form))

    def assertion(self) -> Good:
        """Ask for a token by an assertion."""
        form = {"grant_type": "client_credentials", "resource": ORDERS}
        request = self._asking("keyed", "/token", form)
        place = Place("form", "client_assertion", self.lab.client_key)
        return self._introducing("assertion", request, place)

    def refresh(self) -> Good:
        """Use a refresh token that was provisioned just now."""
        token = f"refresh-{self.lab.new_id()}"
        self.lab.grant(token)
        form = {"grant_type": "refresh_token", "refresh_token": token, "resource": ORDERS}
        return self._introducing("refresh", self._asking("free", "/token", form))

    def exchange(self) -> Good:
        """Trade the holder's token for one of the resource server's own."""
        form = {"grant_type": TOKEN_EXCHANGE, "resource": CRM}
        form |= {"subject_token": self.tokens[0], "subject_token_type": ACCESS_TOKEN_TYPE}
        request = self._asking("orders", "/token", form)
        place = Place("form", "subject_token", self.lab.issuer_key)
        return self._introducing("exchange", request, place)

    def about_a_token(self, what: str) -> Good:
        """Ask about a token, or end one, as its own client."""
        # One of its own: a mutant may end it, and the others live on.
        holder, self.holder = self.holder, self.lab.thief
        token = self._token("free")
        self.holder = holder
        request = self._asking("free", f"/{what}", {"token": token})
        return Good(what, request, (Place("form", "token", self.lab.issuer_key),))

    def notice(self) -> Good:
        """Tell the resource server of a revocation."""
        ended = [Ended(secrets.token_hex(4), ORDERS, self.lab.clock() + 60)]
        now, jti = self.lab.clock(), self.lab.new_id()
        request = notice_request(ISSUER, self.lab.issuer_key, ORDERS, ended, now, jti)
        return Good("notice", request, (Place("body", "", self.lab.issuer_key),))

    def others(self) -> Request:
        """Make a request by a thief whose own token and key are good."""
        request = Request("GET", f"{ORDERS}/records")
        shown = self.lab.presentation(self.theirs, self.lab.thief, self.nonce)
        return BINDINGS[self.binding].attach(request, shown)


__all__ = ["ASSERTION_TYPE", "PROXY", "SECRET", "Good", "World"]
