"""Token exchange (RFC 8693): a resource server that was called calls on, for whoever called it.

It trades the token that it was sent for one of its own, which is for another resource server and
bound to its own key. Each rule of the trade is a check over what would be issued.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labsim.checks import Check, Checks
from labsim.credentials import scopes_in
from labsim.rejection import Reason, Rejected
from labsim.roles.client_authentication import RegisteredClient
from labsim.roles.form import Form
from labsim.roles.grants import Grant
from labsim.roles.token_verification import audiences, own_claims

if TYPE_CHECKING:
    from labsim.roles.authorization_server import AuthorizationServer

ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What an exchange is judged by: who asks, the subject token's claims, and its reach.

    `reach` are the scopes of the grant behind the subject token; the token has those of one
    resource only. `names` are the resources by URI.
    """

    caller: RegisteredClient
    subject: Mapping[str, Any]
    reach: frozenset[str]
    names: Mapping[str, str]

    @property
    def verbs(self) -> frozenset[str]:
        """Return what the subject token allows, without the resource: read, write."""
        return frozenset(s.partition(".")[2] for s in scopes_in(self.subject.get("scope")))

    @property
    def scopes(self) -> frozenset[str]:
        """Return what the caller may have by this exchange, at whatever resource."""
        both = self.caller.scopes & self.reach
        return frozenset(scope for scope in both if scope.partition(".")[2] in self.verbs)

    def grant(self, form: Form) -> Grant:
        """Return what the caller may ask for; what it may be given, the checks say."""
        scopes = self.caller.scopes if form.value("scope") else self.scopes
        subject, origin = str(self.subject["sub"]), str(self.subject["jti"])
        return Grant(self.caller.client_id, subject, scopes, origin, float(self.subject["exp"]))

    def extended(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """Add who acts for whom, and end the token with the one it came from (section 4.1)."""
        before = self.subject.get("act")
        actor = {"sub": self.caller.client_id}
        act = {**actor, "act": before} if isinstance(before, dict) else actor
        return {**claims, "act": act, "exp": min(claims["exp"], int(self.subject["exp"]))}


def caller_may_use_the_subject_token(_claims: Mapping[str, Any], exchange: Exchange) -> bool:
    """Ask that the token was sent to the caller, or names it in `may_act`: no finder's keeping."""
    caller, may_act = exchange.caller, exchange.subject.get("may_act")
    if caller.audience and caller.audience in audiences(exchange.subject):
        return True
    if not isinstance(may_act, dict):
        return False
    issuer = exchange.subject.get("iss")
    return may_act.get("sub") == caller.client_id and may_act.get("iss", issuer) == issuer


def new_token_is_bound(claims: Mapping[str, Any], _exchange: Exchange) -> bool:
    """Ask for a key, the caller's own and proven: an exchange must not make a bearer token."""
    return bool(claims.get("cnf"))


def audience_is_within_reach(claims: Mapping[str, Any], exchange: Exchange) -> bool:
    """Whoever is acted for could have gone there: the grant behind its token has a scope there."""
    name = exchange.names.get(claims["aud"])
    return name in {scope.partition(".")[0] for scope in exchange.reach}


def scope_is_no_wider(claims: Mapping[str, Any], exchange: Exchange) -> bool:
    """Read stays read; and where the grant reaches, it is no more than the grant has there."""
    reached = {scope.partition(".")[0] for scope in exchange.reach}
    asked = scopes_in(claims["scope"])
    here = {scope for scope in asked if scope.partition(".")[0] in reached}
    return {scope.partition(".")[2] for scope in asked} <= exchange.verbs and here <= exchange.reach


EXCHANGE_CHECKS: Checks = (
    Check(
        caller_may_use_the_subject_token,
        Reason.REQUEST_MALFORMED,
        "RFC 8693 sections 2.2.2 and 4.4",
    ),
    Check(new_token_is_bound, Reason.REQUEST_MALFORMED, "RFC 9449 section 5, RFC 9700 section 2.2"),
    Check(audience_is_within_reach, Reason.TARGET_INVALID, "RFC 8693 section 2.2.2"),
    Check(scope_is_no_wider, Reason.SCOPE_INVALID, "RFC 8693 section 5"),
)


def exchange_for(
    server: AuthorizationServer, form: Form, caller: RegisteredClient, now: float
) -> Exchange:
    """Read and verify what is offered for exchange; raises Rejected (`invalid_request`)."""
    token = form.required("subject_token")
    if form.required("subject_token_type") != ACCESS_TOKEN_TYPE:
        raise _refused("subject_token_is_an_access_token", "2.1")
    if (form.value("requested_token_type") or ACCESS_TOKEN_TYPE) != ACCESS_TOKEN_TYPE:
        raise _refused("requested_token_is_an_access_token", "2.1")
    if form.value("actor_token") or form.value("actor_token_type"):
        # The caller is the actor, by its own authentication.
        raise _refused("actor_is_the_caller", "2.1")
    if form.value("audience"):
        source = "RFC 8693 section 2.2.2"
        raise Rejected(Reason.TARGET_INVALID, "target_is_named_by_resource", source)
    subject = own_claims(server, token, now)
    issued = server.issued_tokens.find(str(subject["jti"]))
    reach = issued.reach if issued else frozenset()
    return Exchange(caller, subject, reach, server.resources)


def _refused(check: str, section: str) -> Rejected:
    return Rejected(Reason.REQUEST_MALFORMED, check, f"RFC 8693 section {section}")
