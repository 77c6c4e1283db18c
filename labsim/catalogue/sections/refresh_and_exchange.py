"""Section 11 of the catalogue: refresh tokens, and tokens that are exchanged for others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.jws import GONE, Change, Jws
from labsim.catalogue.presenting import refused, served
from labsim.catalogue.token_request_changes import asking, edited
from labsim.catalogue.vector import Actor, Elsewhere, Force, Make, Needs, Section, Vector, as_it_is
from labsim.http_message import Request
from labsim.rejection import Reason

UNBOUND = "a token that is bound to nothing: it works for whoever finds it"
STOLEN = "a refresh token that was stolen is good beside the client's own"
LAUNDERED = "a stolen token is exchanged for one that is bound to the thief's own key"
WIDER = "a token for more than its owner's grant"
REFRESH: dict[str, Any] = {"actor": Actor.AS, "status": 400, "needs": Needs.REFRESH}
EXCHANGE: dict[str, Any] = {"actor": Actor.AS, "status": 400, "needs": Needs.EXCHANGE}
GRANT: dict[str, Any] = {"error": "invalid_grant", "reason": Reason.GRANT_INVALID, **REFRESH}
BAD: dict[str, Any] = {"error": "invalid_request", **EXCHANGE}
FORM: dict[str, Any] = {**BAD, "reason": Reason.REQUEST_MALFORMED, "gain": LAUNDERED}
NOT_ITS_OWN: dict[str, Any] = {**FORM, "check": "caller_may_use_the_subject_token"}
THERE = "required_parameters_are_there"
TYPE = "urn:ietf:params:oauth:token-type"


def plainly(good: GoodRequest) -> Request:
    """Ask without a proof."""
    return good.plain


def proven_anew(good: GoodRequest) -> Request:
    """Ask the same with another proof by the same key."""
    return good.binding.attach(good.plain, good.presentation)


def by_a_new_key(good: GoodRequest) -> Request:
    """Ask the same and prove another key."""
    return good.binding.attach(good.plain, replace(good.presentation, holder=good.stranger))


def by_a_bystander(good: GoodRequest) -> Request:
    """Let another client ask, with a key of its own."""
    if good.bystander is None:
        raise CannotBeMade("it takes another client")
    plain = good.bystander(good.plain.without("Authorization"))
    return good.binding.attach(plain, replace(good.presentation, holder=good.stranger))


def with_subject(change: Change) -> Make:
    """Exchange a subject token with one change; signed by the issuer unless `change` says."""

    def make(good: GoodRequest) -> Request:
        form = dict(parse_qsl(good.plain.body.decode()))
        form["subject_token"] = Jws.of(form["subject_token"], good.issuers_key).text(change)
        return good.binding.attach(
            replace(good.plain, body=urlencode(form).encode()), good.presentation
        )

    return make


def by_another_key(good: GoodRequest) -> Request:
    """Exchange a subject token that the thief has signed."""
    return with_subject(Change(key=good.stranger))(good)


def bystanding(change: Change) -> Make:
    """Let another client ask, for a subject token with one change."""

    def make(good: GoodRequest) -> Request:
        changed = with_subject(change)(good)
        return by_a_bystander(replace(good, plain=changed.without("DPoP")))

    return make


def subject(
    id: str, what: str, source: str, make: Make | None, reason: Reason, check: str, **claims: Any
) -> Vector:
    """Make the row about a subject token that is none."""
    how: dict[str, Any] = {**BAD, "gain": LAUNDERED, "reason": reason, "check": check}
    change = make or with_subject(Change(claims=claims))
    return refused(id, what, source, change, **how)


REFRESHED = (
    refused("CR-14", "a refresh without a proof", "9449 5.2", plainly, error="invalid_dpop_proof", reason=Reason.PROOF_MISSING, check="proof_is_there", gain=UNBOUND, **REFRESH),
    refused("CR-16", "a refresh token that was used", "9700 4.14.2", proven_anew, before=(as_it_is,), check="refresh_token_is_unused", gain=STOLEN, force=Force.SHOULD, **GRANT),
    refused("CR-15", "another client's refresh token", "6749 6", by_a_bystander, error="unauthorized_client", reason=Reason.CLIENT_NOT_ALLOWED, check="grant_type_is_registered", gain=STOLEN, **REFRESH),
    refused("CR-21", "an unknown refresh token", "6749 6", edited(asking(refresh_token="unknown")), check="refresh_token_is_known", gain=STOLEN, **GRANT),
    refused("CR-21b", "a refresh token that was cut", "6749 6", edited(asking(refresh_token=lambda token: token[:-1])), check="refresh_token_is_known", gain=STOLEN, **GRANT),
    refused("CR-22", "a refresh for more scope", "6749 6", edited(asking(scope="orders.read orders.admin")), error="invalid_scope", reason=Reason.SCOPE_INVALID, check="scopes_are_granted", gain=WIDER, **REFRESH),
    served("CR-13", "a confidential client's new key", "9449 5", by_a_new_key, actor=Actor.AS, needs=Needs.REFRESH),
    served("CR-13b", "a refresh for less scope", "6749 6", edited(asking(scope="orders.read")), actor=Actor.AS, needs=Needs.REFRESH),
)  # fmt: skip
EXCHANGED = (
    refused("CR-19", "by a client that is no audience of it", "8693 4.4", by_a_bystander, **NOT_ITS_OWN),
    refused("CR-19b", "another may act", "8693 4.4", bystanding(Change(claims={"may_act": {"sub": "free"}})), **NOT_ITS_OWN),
    refused("CR-19d", "may_act a text", "8693 4.4", bystanding(Change(claims={"may_act": "bystander"})), **NOT_ITS_OWN),
    refused("CR-19e", "without a key", "9449 5", plainly, check="new_token_is_bound", **{**FORM, "gain": UNBOUND}),
    refused("CR-19i", "a token that was not remembered", "8693 2.2.2", with_subject(Change(claims={"jti": "unheard of"})), error="invalid_target", reason=Reason.TARGET_INVALID, check="audience_is_within_reach", gain=WIDER, force=Force.POLICY, **EXCHANGE),
    refused("CR-19j", "for a resource that is unknown", "8707 2", edited(asking(resource="https://thief.test")), error="invalid_target", reason=Reason.TARGET_INVALID, check="resource_is_known", gain=WIDER, **EXCHANGE),
    refused("CR-19k", "for more than the first token had: reading becomes writing", "8693 5", edited(asking(scope="crm.write")), error="invalid_scope", reason=Reason.SCOPE_INVALID, check="scope_is_no_wider", gain=WIDER, **EXCHANGE),
    refused("TX-01", "no subject token", "8693 2.1", edited(asking(subject_token="")), check=THERE, **FORM),
    refused("TX-02", "no type", "8693 2.1", edited(asking(subject_token_type="")), check=THERE, **FORM),
    refused("TX-03", "an ID token", "8693 2.1", edited(asking(subject_token_type=f"{TYPE}:id_token")), check="subject_token_is_an_access_token", **FORM),
    refused("TX-04", "for a refresh token", "8693 2.1", edited(asking(requested_token_type=f"{TYPE}:refresh_token")), check="requested_token_is_an_access_token", force=Force.POLICY, **FORM),
    refused("TX-05", "another actor", "8693 2.1", edited(asking(actor_token="t")), check="actor_is_the_caller", force=Force.POLICY, **FORM),
    refused("TX-06", "a logical audience", "8693 2.1", edited(asking(audience="crm")), error="invalid_target", reason=Reason.TARGET_INVALID, check="target_is_named_by_resource", gain=WIDER, force=Force.POLICY, **EXCHANGE),
    subject("TX-07", "a subject token by another key", "9068 4", by_another_key, Reason.TOKEN_SIGNATURE_INVALID, "signature_is_by_the_issuer"),
    subject("TX-08", "a subject token that expired", "9068 4", None, Reason.TOKEN_EXPIRED, "token_is_not_expired", exp=1),
    subject("TX-09", "another kind of JWT", "8725 3.11", with_subject(Change(header={"typ": "JWT"})), Reason.TOKEN_TYPE_WRONG, "typ_is_access_token"),
    subject("TX-10", "a subject token without a subject", "9068 2.2", None, Reason.TOKEN_CLAIM_MISSING, "required_claims_are_there", sub=GONE),
    subject("TX-11", "a subject token that is no JWT", "9068 4", edited(asking(subject_token="opaque")), Reason.TOKEN_MALFORMED, "token_is_a_jwt"),
    subject("TX-12", "a subject token of another issuer", "9068 4", None, Reason.TOKEN_ISSUER_UNKNOWN, "issuer_is_ours", iss="https://else.test"),
)  # fmt: skip

_OTHERS = "it takes other grants, or a grant in another state"
SECTION = Section(
    name="refresh_and_exchange",
    number=11,
    title="Refresh tokens and token exchange",
    vectors=(*REFRESHED, *EXCHANGED),
    elsewhere=(
        Elsewhere(
            id="CR-11, CR-12",
            what="a public client's refresh with no key, or another",
            source="RFC 9449 section 5",
            why="it takes a public client",
            proven="tests/vectors/test_11_public_client.py",
        ),
        Elsewhere(
            id="CR-17",
            what="families, races, lost stores, and who may choose a binding",
            source="RFC 9449 section 5",
            why=_OTHERS,
            proven="tests/vectors/test_11_refresh.py",
        ),
        Elsewhere(
            id="CR-19",
            what="what a second exchange reaches, and what becomes of scopes",
            source="RFC 8693 section 4.4",
            why=_OTHERS,
            proven="tests/vectors/test_11_token_exchange.py",
        ),
    ),
)
