"""The resource server: a stolen token's way from request to refusal, top to bottom.

`decide` is the whole way. Each step either goes on or raises Rejected, which is caught once, at
its end. The token chooses its binding (by `cnf`); nothing in the request can.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from labsim.binding import Binding, Evidence, Nonces, ReplayMemory
from labsim.credentials import (
    ACCESS_TOKEN,
    CredentialKind,
    IssuerKeys,
    TokenEvidence,
    VerifiedTokens,
    scopes_in,
)
from labsim.http_message import Request, Response
from labsim.rejection import Reason, Rejected
from labsim.roles.challenge import challenge
from labsim.roles.decision import Event, decision_event
from labsim.roles.forwarded_certificate import as_the_client_sent_it
from labsim.roles.introspected_tokens import IntrospectedTokens
from labsim.roles.records_api import Records, answer, needed_scope
from labsim.roles.revocation_notice import NOTICE_PATH, RevocationList, receive_notice
from labsim.roles.source_address import must_be_allowed

METADATA_PATH = "/.well-known/oauth-protected-resource"
# RFC 9110 section 11.4: a scheme, one space or more, then (RFC 6750 section 2.1) a token68.
_CREDENTIALS = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) +([A-Za-z0-9._~+/-]+=*)")


@dataclass(frozen=True, slots=True)
class Credential:
    """Hold what came with the request: the scheme as it was spelled, and the token."""

    scheme: str
    token: str


type Select = Callable[[Mapping[str, Any], Credential, Sequence[Binding]], Binding]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceServer:
    """Serve records to whoever holds a good token, bound as the token says.

    `resource` is the server's own URI (its audience), `bindings` are those it accepts, `clock`
    returns lab seconds, `memory` is None in the minimal profile, `nonces` where none are asked
    for, `trusted_proxy` is the thumbprint of a proxy's certificate (RFC 9440). `revocations` is
    what the authorization server's notices fill, None where none are taken; with `introspected`,
    tokens are asked about instead of read. `enforces` is False for the lesson on a partial rollout
    and nothing else: then no `cnf` is looked at, and any good token is a bearer token.
    `allowed_addresses` are those that requests may come from, None for any. `credential` is the
    kind of token that is taken. `select` and `weakened` are for lessons alone: another way to
    choose the token's binding, and the name of the mistake that this server makes. Raises
    ValueError if two bindings could claim the same token.
    """

    name: str
    resource: str
    issuer: str
    issuer_keys: IssuerKeys
    bindings: Sequence[Binding]
    records: Records
    clock: Callable[[], float]
    new_id: Callable[[], str]
    memory: ReplayMemory | None = None
    nonces: Nonces | None = None
    revocations: RevocationList | None = None
    is_key_revoked: Callable[[str], bool] = lambda _thumbprint: False
    verified: VerifiedTokens | None = None
    introspected: IntrospectedTokens | None = None
    trusted_proxy: str = ""
    enforces: bool = True
    allowed_addresses: frozenset[str] | None = None
    credential: CredentialKind = ACCESS_TOKEN
    select: Select | None = None
    weakened: str = ""

    def __post_init__(self) -> None:
        members = [(b.credential.name, b.confirmation) for b in self.bindings]
        if len(set(members)) != len(members):
            raise ValueError(f"{self.name} has two bindings for the same token: {members}")

    def handle(self, request: Request) -> tuple[Response, Event | None]:
        """Answer a request; the event is None for the metadata, which needs no decision."""
        if request.path == METADATA_PATH and request.method in (
            "GET",
            "HEAD",
        ):
            return Response.of_json(200, self.metadata()), None
        if request.path == NOTICE_PATH and self.revocations is not None:
            return receive_notice(self, self.revocations, request)
        return self.decide(request)

    def decide(self, request: Request) -> tuple[Response, Event]:
        """Decide one request: the steps of a stolen token's way (RFC 6750, RFC 9068, RFC 9449)."""
        now = self.clock()
        credential: Credential | None = None
        binding: Binding | None = None
        claims: Mapping[str, Any] = {}
        try:
            must_be_allowed(request, self.allowed_addresses)
            request = as_the_client_sent_it(request, self.trusted_proxy)
            credential = extract_credential(request, self.bindings)
            claims = self.token_claims(credential.token, now)
            if self.enforces:
                select = self.select or select_binding
                binding = select(claims, credential, self.bindings)
            else:
                binding = no_binding(self.bindings)
            proof = binding.parse(request)
            binding.verify(proof, self.evidence(request, now, credential, claims))
            authorize(claims, needed_scope(self.name, request))
        except Rejected as rejection:
            response = challenge(self, rejection, credential, binding, now, request)
            return self.recorded(request, response, now, credential, binding, claims, rejection)
        response, record_ids = answer(self.records, request)
        if self.nonces and binding.nonce_field:
            response = response.adding(binding.nonce_field, self.nonces.issue(now))
        return self.recorded(request, response, now, credential, binding, claims, None, record_ids)

    def token_claims(self, token: str, now: float) -> Mapping[str, Any]:
        """Return the claims of a token that is good, by reading it or by asking; or Rejected."""
        verify = self.introspected.verify if self.introspected else self.credential.verify
        return verify(token, self.token_evidence(now))

    def token_evidence(self, now: float) -> TokenEvidence:
        """Gather what the token is judged by."""
        return TokenEvidence(
            now,
            self.issuer,
            self.resource,
            self.issuer_keys,
            self.revocations.holds if self.revocations is not None else lambda _jti: False,
            self.verified,
        )

    def evidence(
        self,
        request: Request,
        now: float,
        credential: Credential,
        claims: Mapping[str, Any],
    ) -> Evidence:
        """Gather what the proof is judged by."""
        return Evidence(
            request,
            now,
            self.memory,
            self.nonces,
            credential.token,
            claims,
            self.is_key_revoked,
        )

    def recorded(
        self,
        request: Request,
        response: Response,
        now: float,
        credential: Credential | None,
        binding: Binding | None,
        claims: Mapping[str, Any],
        rejection: Rejected | None,
        records: Sequence[str] = (),
    ) -> tuple[Response, Event]:
        """Put the decision's number on the response and return both with the server's own event."""
        request_id = self.new_id()
        event = decision_event(
            "resource_server",
            self.name,
            now,
            request,
            rejection,
            request_id=request_id,
            status=response.status,
            scheme=credential.scheme if credential else "",
            binding=binding.name if binding else "",
            client_id=claims.get("client_id", ""),
            token=claims.get("jti", ""),
            records=list(records),
            **({} if self.enforces else {"enforces": False}),
            **({"weakened": self.weakened} if self.weakened else {}),
        )
        return response.adding("Request-Id", request_id), event

    def metadata(self) -> dict[str, Any]:
        """Return the protected resource metadata (RFC 9728 section 2): what is enforced here."""
        found: dict[str, Any] = {
            "resource": self.resource,
            "resource_name": self.name,
            "authorization_servers": [self.issuer],
            "scopes_supported": [f"{self.name}.read", f"{self.name}.write"],
            "bearer_methods_supported": ["header"],
        }
        for binding in self.bindings if self.enforces else ():
            found |= binding.metadata
        return found


def extract_credential(request: Request, bindings: Sequence[Binding]) -> Credential:
    """Take the one access token from the one Authorization field; raises Rejected.

    A token in the query or in a form body is refused (RFC 9700 section 4.3.2, RFC 9449 section
    7.1), and so are two ways or two fields at once (RFC 6750 section 3.1).
    """
    fields = request.values("Authorization")
    if len(fields) > 1 or _token_elsewhere(request):
        raise Rejected(
            Reason.CREDENTIALS_MALFORMED,
            "token_comes_one_way",
            "RFC 6750 section 2, RFC 9449 section 7.2",
        )
    if not fields:
        raise Rejected(Reason.NO_CREDENTIALS, "credentials_are_there", "RFC 6750 section 3.1")
    match = _CREDENTIALS.fullmatch(fields[0].strip(" \t"))
    if match is None:
        raise Rejected(
            Reason.CREDENTIALS_MALFORMED,
            "credentials_are_a_token",
            "RFC 9110 section 11.4",
        )
    if match[1].lower() not in {binding.scheme.lower() for binding in bindings}:
        raise Rejected(Reason.NO_CREDENTIALS, "scheme_is_accepted", "RFC 9110 section 11.6.1")
    return Credential(match[1], match[2])


def _token_elsewhere(request: Request) -> bool:
    if "access_token" in parse_qs(request.query, keep_blank_values=True):
        return True
    is_a_form = "application/x-www-form-urlencoded" in request.media_types
    return is_a_form and "access_token" in parse_qs(
        request.body.decode("latin-1"), keep_blank_values=True
    )


def select_binding(
    claims: Mapping[str, Any], credential: Credential, bindings: Sequence[Binding]
) -> Binding:
    """Return the binding that the token names, if it came under that binding's scheme.

    RFC 7800 section 3.1: members of `cnf` beside a known one are ignored. Policy: only unknown
    ones, or two known ones, are refused. Raises Rejected.
    """
    cnf = claims.get("cnf")
    if "cnf" in claims and (not isinstance(cnf, dict) or not cnf):
        raise Rejected(Reason.TOKEN_MALFORMED, "cnf_is_an_object", "RFC 7800 section 3.1")
    if isinstance(cnf, dict):
        named = [b for b in bindings if b.confirmation is not None and b.confirmation in cnf]
    else:
        named = [b for b in bindings if b.confirmation is None]
    if len(named) != 1:
        raise Rejected(
            Reason.BINDING_UNSUPPORTED,
            "one_accepted_binding_is_named",
            "RFC 7800 section 3.1",
        )
    if credential.scheme.lower() != named[0].scheme.lower():
        raise Rejected(Reason.SCHEME_MISMATCH, "scheme_is_the_bindings", "RFC 9449 section 7.2")
    return named[0]


def no_binding(bindings: Sequence[Binding]) -> Binding:
    """Return the binding to nothing, whatever the token names: a server that enforces nothing yet.

    This is the migration hazard of RFC 9449 section 7.2: a bound token is a bearer token here,
    under its own scheme or another. Raises ValueError if the server does not know bearer tokens.
    """
    for binding in bindings:
        if binding.confirmation is None:
            return binding
    raise ValueError("a server that enforces no binding must take bearer tokens")


def authorize(claims: Mapping[str, Any], scope: str) -> None:
    """Ask for the scope that the request needs; raises Rejected."""
    if scope not in scopes_in(claims.get("scope")):
        raise Rejected(
            Reason.SCOPE_INSUFFICIENT,
            "scope_covers_the_request",
            "RFC 6750 section 3.1",
            scope,
        )
