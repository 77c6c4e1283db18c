"""Section 11 of the catalogue: the token request's form, and what it asks for."""

from __future__ import annotations

from typing import Any

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.jws import GONE
from labsim.catalogue.presenting import refused
from labsim.catalogue.token_request_changes import (
    BINDINGS,
    TWO_READERS,
    Edit,
    Rows,
    accepted,
    adding,
    asking,
    by,
    edited,
    form_error,
    of_type,
)
from labsim.catalogue.vector import Actor, Elsewhere, Force, Section
from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.roles.form import FORM

LEAKED = "credentials stand in a log, a history or a Referer field"
TOO_MUCH = "a token for what the client was not granted"
UNBOUND = "a token that is bound to nothing, by a grant that forgets the proof"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def row(
    id: str,
    what: str,
    source: str,
    edit: Edit,
    refusal: tuple[Reason, str, str],
    gain: str = TWO_READERS,
    status: int = 400,
    force: Force = Force.MUST,
) -> Rows:
    """Make a row about the token request, one vector without a proof and one with it."""
    reason, error, check = refusal
    how: dict[str, Any] = {"reason": reason, "error": error, "check": check, "status": status}
    how |= {"actor": Actor.AS, "gain": gain, "force": force}
    return tuple(refused(id, what, source, edited(edit), binding=b, **how) for b in BINDINGS)


METHOD = (Reason.METHOD_NOT_ALLOWED, "invalid_request", "method_is_post")
IS_FORM, ONCE = form_error("content_is_a_form"), form_error("parameters_stand_once")
WELL_FORMED = form_error("form_is_well_formed")
IN_BODY, THERE = (
    form_error("parameters_are_in_the_body"),
    form_error("required_parameters_are_there"),
)
UNSUPPORTED = (Reason.GRANT_UNSUPPORTED, "unsupported_grant_type", "grant_type_is_supported")
UNREGISTERED = (Reason.CLIENT_NOT_ALLOWED, "unauthorized_client", "grant_type_is_registered")
UNKNOWN = (Reason.TARGET_INVALID, "invalid_target", "resource_is_known")
ONE = (Reason.TARGET_INVALID, "invalid_target", "one_resource_is_asked_for")
SCOPES = (Reason.SCOPE_INVALID, "invalid_scope", "scopes_are_granted")
FORMS = (
    *(row("TR-01", f"the method {method}", "6749 3.2", by(method), METHOD, LEAKED, 405) for method in ("GET", "HEAD", "PUT", "post")),
    row("TR-02", "JSON", "6749 B", of_type("application/json"), IS_FORM),
    row("TR-02b", "no content type", "6749 B", of_type(None), IS_FORM),
    row("TR-02c", "a longer content type", "6749 B", of_type(f"{FORM}x"), IS_FORM),
    row("TR-02d", "two content types", "9110 8.3", lambda r: r.adding("Content-Type", "application/json"), IS_FORM),
    row("TR-03", "a parameter in the query", "6749 2.3.1", lambda r: r.at(f"{r.url}?scope=orders.read"), IN_BODY, LEAKED),
    row("TR-04", "a parameter twice", "6749 3.2", adding("&grant_type=client_credentials"), ONCE),
    row("TR-04b", "twice, once empty", "6749 3.2", adding("&x=&x="), ONCE),
    row("TR-05", "not UTF-8", "6749 B", adding("&x=%ff"), WELL_FORMED),
    row("TR-05b", "not ASCII", "6749 B", adding("&x=\u00e9"), WELL_FORMED),
    row("TR-05c", "no equals sign", "6749 B", adding("&x"), WELL_FORMED, force=Force.POLICY),
    row("TR-05d", "seventy parameters", "6749 B", adding("&a=1" * 70), WELL_FORMED, force=Force.POLICY),
    row("TR-06", "no grant type", "6749 4.4.2", asking(grant_type=GONE), THERE),
    row("TR-07c", "a grant that the client has not registered", "7591 2", asking(grant_type="refresh_token", refresh_token="x"), UNREGISTERED, TOO_MUCH),
    row("TR-07", "an unknown grant type", "6749 5.2", asking(grant_type="password"), UNSUPPORTED, TOO_MUCH),
    row("TR-07b", "the grant type in capitals", "6749 4.4.2", asking(grant_type=str.upper), UNSUPPORTED),
    row("CR-20", "a JWT bearer grant", "9449 5", asking(grant_type=JWT_BEARER), UNSUPPORTED, UNBOUND),
    row("CR-20b", "a device grant", "9449 5", asking(grant_type=DEVICE), UNSUPPORTED, UNBOUND),
    row("TR-08", "an unknown resource", "8707 2", asking(resource="https://thief.test"), UNKNOWN, TOO_MUCH),
    row("TR-08b", "a resource with a slash", "8707 2", asking(resource=lambda url: f"{url}/"), UNKNOWN, TOO_MUCH),
    row("TR-09", "two resources", "8707 2", adding("&resource=https://another.test"), ONE, TOO_MUCH, force=Force.POLICY),
    row("TR-11", "a scope too many", "6749 3.3", asking(scope="orders.read orders.admin"), SCOPES, TOO_MUCH),
    row("TR-11b", "a scope of another server", "6749 3.3", asking(scope="crm.read"), SCOPES, TOO_MUCH),
    row("TR-11c", "a scope that is none", "6749 3.3", asking(scope='"'), SCOPES, TOO_MUCH),
)  # fmt: skip


def without_a_proof(good: GoodRequest) -> Request:
    """Ask as the good request does, and bring no key."""
    return good.plain


SERVED = (
    accepted("TR-12", "a charset with the content type", "9110 8.3", edited(of_type(f"{FORM.upper()}; charset=UTF-8"))),
    accepted("TR-13", "a parameter that nobody knows", "6749 3.2", edited(adding("&foo=bar"))),
)  # fmt: skip
NO_PROOF = refused(
    "CR-01",
    "a client of bound tokens without a proof",
    "9449 5.2",
    without_a_proof,
    actor=Actor.AS,
    status=400,
    error="invalid_dpop_proof",
    reason=Reason.PROOF_MISSING,
    check="proof_is_there",
    gain="a token that is bound to nothing",
)


def _in(file: str, id: str, what: str, source: str) -> Elsewhere:
    why = "it takes a token, a grant or a client besides the good request's own"
    return Elsewhere(
        id=id, what=what, source=source, why=why, proven=f"tests/vectors/test_11_{file}.py"
    )


def _none(id: str, what: str, source: str, why: str) -> Elsewhere:
    return Elsewhere(id=id, what=what, source=source, why=why)


CODES = "there is no authorization endpoint here, and so no code, no PAR and no PKCE"
ELSEWHERE = (
    _none("CR-02 to CR-06", "PAR and codes with dpop_jkt", "RFC 9449 section 10", CODES),
    _none("CR-07 to CR-10", "stolen and reused codes, PKCE", "RFC 9700 section 2.1.1", CODES),
    _in("introspection", "IR-01 to IR-04", "introspection at both ends", "RFC 7662 section 2"),
    _in("revocation", "IR-05, IR-06", "revocation", "RFC 7009 section 2"),
    _in("revocation_notice", "RN-01 to RN-10", "notices of revocation", "RFC 8417 section 2.2"),
    _in("client_and_limits", "CL-04, CL-05", "what a client must do", "RFC 9449 section 5"),
    _in("client_and_limits", "CL-06 to CL-08", "what DPoP does not stop", "RFC 9449 section 11"),
    _in("token_request", "TR-10", "no resource, and scopes of two", "RFC 8707 section 2"),
)  # fmt: skip
SECTION = Section(
    name="token_request",
    number=11,
    title="The token request",
    vectors=(*(vector for rows in (*FORMS, *SERVED) for vector in rows), NO_PROOF),
    elsewhere=ELSEWHERE,
)
