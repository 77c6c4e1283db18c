"""The authorization server: who is the client, what key does it bring, what may it have.

`token` is the whole way of a token request, one straight line. The bindings' own faces say whether
a request brings a key (`introduced`) and what becomes of it in the token (`bind`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from labsim.binding import Binding, Evidence, Nonces, ReplayMemory
from labsim.checks import Checks, run_checks
from labsim.http_message import Request, Response
from labsim.jose import sign_token
from labsim.keys import SigningKey, thumbprint
from labsim.rejection import Reason, Rejected
from labsim.roles.asked_binding import asked_binding
from labsim.roles.challenge import error_code
from labsim.roles.client_authentication import (
    Authenticated,
    Clients,
    RegisteredClient,
    authenticate_client,
)
from labsim.roles.decision import Event, decision_event
from labsim.roles.form import Form, read_form
from labsim.roles.grants import (
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    Grant,
    Grants,
    bound_to_its_key,
    grant_for,
    granted_kind,
    rotate_grant,
)
from labsim.roles.introspection import INTROSPECTION_PATH, introspect
from labsim.roles.issued_tokens import Ended, Issued, IssuedTokens
from labsim.roles.narrowing import chosen_audience, chosen_scopes
from labsim.roles.revocation import REVOCATION_PATH, revoke
from labsim.roles.server_metadata import (
    JWKS_PATH,
    METADATA_PATHS,
    TOKEN_PATH,
    key_set,
    server_metadata,
)
from labsim.roles.tls_client_authentication import NO_CERTIFICATES, CertificateTrust
from labsim.roles.token_exchange import (
    ACCESS_TOKEN_TYPE,
    EXCHANGE_CHECKS,
    exchange_for,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationServer:
    """Issue access tokens (RFC 9068) bound to the key that the client proves.

    `mtls_alias` is the origin at which a client's certificate is asked for (RFC 8705 section 5),
    `trust` is what is believed of one.
    `resources` are the audiences it issues for, absolute URI to name; `clock` returns lab seconds;
    `token_seconds` is every access token's lifetime, whatever its binding; `tell` is called with
    the tokens that were ended and never raises; `exchange_checks` are what a token exchange obeys,
    `assertion_checks` what a client's assertion at the token endpoint does, None for all there are;
    `weakened` names the mistake that it makes in a lesson.
    """

    issuer: str
    key: SigningKey
    bindings: Sequence[Binding]
    clients: Clients
    grants: Grants
    issued_tokens: IssuedTokens
    memory: ReplayMemory
    resources: Mapping[str, str]
    clock: Callable[[], float]
    new_id: Callable[[], str]
    token_seconds: int = 600
    nonces: Nonces | None = None
    mtls_alias: str = ""
    trust: CertificateTrust = NO_CERTIFICATES
    tell: Callable[[Sequence[Ended]], None] = lambda _ended: None
    exchange_checks: Checks = EXCHANGE_CHECKS
    assertion_checks: Checks | None = None
    weakened: str = ""

    def handle(self, request: Request) -> tuple[Response, Event | None]:
        """Answer a request; the event is None for documents, which need no decision."""
        if request.path == TOKEN_PATH:
            return self.token(request)
        if request.path == INTROSPECTION_PATH:
            return introspect(self, request)
        if request.path == REVOCATION_PATH:
            return revoke(self, request)
        documents: dict[str, Callable[[], dict[str, Any]]] = {
            **dict.fromkeys(METADATA_PATHS, lambda: server_metadata(self)),
            JWKS_PATH: lambda: key_set(self),
        }
        if request.path not in documents:
            return Response.of_json(404, {}), None
        if request.method not in ("GET", "HEAD"):
            return Response.of_json(405, {}, (("Allow", "GET, HEAD"),)), None
        return Response.of_json(200, documents[request.path]()), None

    def token(self, request: Request) -> tuple[Response, Event]:
        """Decide one token request (RFC 6749 sections 3.2 and 5, RFC 9449 section 5)."""
        now = self.clock()
        client: RegisteredClient | None = None
        binding: Binding | None = None
        claims: Mapping[str, Any] = {}
        try:
            form = read_form(request)
            known = self.clients, self.issuer, now, self.trust, self.assertion_checks
            who = authenticate_client(request, form, *known)
            client = who.client
            binding = asked_binding(self.bindings, request, client)
            proof = binding.parse(request)
            evidence = Evidence(
                request, now, self.memory, self.nonces, is_revoked=self.trust.is_revoked
            )
            binding.verify_introduction(proof, evidence)
            grant, claims = self.granted(form, client, binding, binding.bind(proof), now)
            # Everything is good: now, and only now, spend what may be used once.
            run_checks(binding.once_checks, proof, evidence)
            self.spend_assertion(who, now)
            self.remember(claims, grant, now)
            refresh_token = self.following(form, grant, binding)
        except Rejected as rejection:
            response = self.refusal(rejection, binding, now)
            return self.recorded(request, response, now, client, binding, claims, rejection)
        response = self.token_response(claims, binding, refresh_token, now)
        return self.recorded(request, response, now, client, binding, claims, None)

    def granted(
        self,
        form: Form,
        client: RegisteredClient,
        binding: Binding,
        confirmation: Mapping[str, Any],
        now: float,
    ) -> tuple[Grant, dict[str, Any]]:
        """Return what the client is granted, and the claims that come of it; raises Rejected.

        The grant's scopes are all that can ever be issued from it.
        """
        if granted_kind(form, client) == TOKEN_EXCHANGE:
            exchange = exchange_for(self, form, client, now)
            claims = exchange.extended(self.claims(form, exchange.grant(form), confirmation, now))
            run_checks(self.exchange_checks, claims, exchange)
            return replace(exchange.grant(form), scopes=exchange.scopes), claims
        grant = grant_for(self.grants, form, client, binding.name, now)
        grant = bound_to_its_key(grant, client, confirmation)
        return grant, self.claims(form, grant, confirmation, now)

    def claims(
        self, form: Form, grant: Grant, confirmation: Mapping[str, Any], now: float
    ) -> dict[str, Any]:
        """Return the access token's claims (RFC 9068 section 2.2); raises Rejected."""
        audience = chosen_audience(form, grant.scopes, self.resources)
        scopes = chosen_scopes(form, grant.scopes, self.resources[audience])
        claims = {
            "iss": self.issuer,
            "sub": grant.subject,
            "aud": audience,
            "client_id": grant.client_id,
            "scope": " ".join(sorted(scopes)),
            "iat": int(now),
            "exp": int(now) + self.token_seconds,
            "jti": self.new_id(),
        }
        return {**claims, "cnf": dict(confirmation)} if confirmation else claims

    def spend_assertion(self, who: Authenticated, now: float) -> None:
        """Spend a client assertion's `jti`: it opens the door once (RFC 7523 section 3 item 7)."""
        if who.spend is not None and not self.memory.is_first(*who.spend, now):
            raise Rejected(
                Reason.CLIENT_CREDENTIAL_INVALID,
                "assertion_is_unused",
                "RFC 7523 section 3 item 7",
            )

    def remember(self, claims: Mapping[str, Any], grant: Grant, now: float) -> None:
        """Remember the token, before anybody has it; raises Rejected if its origin just ended."""
        whose = claims["jti"], grant.client_id, grant.family
        issued = Issued(*whose, claims["aud"], claims["exp"], grant.scopes)
        if not self.issued_tokens.record(issued, now):
            raise Rejected(Reason.GRANT_INVALID, "origin_has_not_ended", "RFC 7009 section 2.1")

    def following(self, form: Form, grant: Grant, binding: Binding) -> str | None:
        """Spend the refresh token for the next one; None where the request had none."""
        spent = form.value("refresh_token")
        if form.value("grant_type") != REFRESH_TOKEN or spent is None:
            return None
        following = f"{self.new_id()}{self.new_id()}"
        rotate_grant(self.grants, spent, following, replace(grant, binding=binding.name))
        return following

    def token_response(
        self,
        claims: Mapping[str, Any],
        binding: Binding,
        refresh_token: str | None,
        now: float,
    ) -> Response:
        """Make the token response (RFC 6749 section 5.1, RFC 8693 section 2.2)."""
        header = {"typ": "at+jwt", "kid": thumbprint(self.key.public_jwk)}
        body = {
            "access_token": sign_token(header, claims, self.key.private, self.key.algorithm),
            "token_type": binding.scheme,
            "expires_in": claims["exp"] - int(now),
            "scope": claims["scope"],
        }
        if "act" in claims:
            body["issued_token_type"] = ACCESS_TOKEN_TYPE
        if refresh_token is not None:
            body["refresh_token"] = refresh_token
        return Response.of_json(200, body, self.fields(binding, now))

    def refusal(
        self,
        rejection: Rejected,
        binding: Binding | None,
        now: float,
        error: str | None = None,
    ) -> Response:
        """Make the error response (RFC 6749 section 5.2): the error code and nothing more.

        A token that was offered and is not good is a fault of the request (RFC 8693 section 2.2.2).
        """
        about_a_token = rejection.reason.error == "invalid_token"
        code = error_code(rejection, binding, token_request=True)
        error = error or ("invalid_request" if about_a_token else code)
        fields = self.fields(binding, now)
        if rejection.reason is Reason.UNAVAILABLE:
            return Response.of_json(503, {"error": error}, (*fields, ("Retry-After", "1")))
        if rejection.reason is Reason.METHOD_NOT_ALLOWED:
            return Response.of_json(405, {"error": error}, (*fields, ("Allow", "POST")))
        if error == "invalid_client":
            fields = (*fields, ("WWW-Authenticate", 'Basic realm="labsim"'))
            return Response.of_json(401, {"error": error}, fields)
        return Response.of_json(400, {"error": error}, fields)

    def fields(self, binding: Binding | None, now: float) -> tuple[tuple[str, str], ...]:
        """Return the response fields that every answer about tokens has."""
        nonce = (
            ((binding.nonce_field, self.nonces.issue(now)),)
            if self.nonces and binding and binding.nonce_field
            else ()
        )
        return (("Cache-Control", "no-store"), *nonce)

    def recorded(
        self,
        request: Request,
        response: Response,
        now: float,
        client: RegisteredClient | None,
        binding: Binding | None,
        claims: Mapping[str, Any],
        rejection: Rejected | None,
        ended: Sequence[Ended] = (),
    ) -> tuple[Response, Event]:
        """Put the decision's number on the response and return both with the server's own event."""
        request_id = self.new_id()
        event = decision_event(
            "authorization_server",
            "as",
            now,
            request,
            rejection,
            request_id=request_id,
            status=response.status,
            binding=binding.name if binding else "",
            client_id=client.client_id if client else "",
            audience=claims.get("aud", ""),
            scope=claims.get("scope", ""),
            token=claims.get("jti", ""),
            revoked=[each.jti for each in ended],
            **({"weakened": self.weakened} if self.weakened else {}),
        )
        return response.adding("Request-Id", request_id), event
