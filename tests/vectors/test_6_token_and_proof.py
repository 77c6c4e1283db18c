"""Section 6 of the catalogue: token, key, number of fields, scheme and downgrade, at a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from labsim.http_message import Request
from labsim.rejection import Reason
from tests.exchange import (
    AS,
    DPOP,
    RS,
    STATUS,
    assert_challenged,
    assert_refused,
    assert_served,
    good_request,
    token_request,
    with_proof,
)
from tests.jws import GONE, Change
from tests.vectors.proof_rows import ProofRow, cases, run
from tests.wiring import BINDINGS, RECORD, Lab

ONE, JWT = "there_is_one_proof", "proof_is_a_jwt"


def ath(id: str, what: str, source: str, value: object, **more: object) -> ProofRow:
    row = ProofRow(
        id=id,
        what=what,
        source=source,
        check="ath_is_this_token",
        reason=Reason.PROOF_TOKEN_MISMATCH,
        change=Change(claims={"ath": value}),
        actors=(RS,),
    )
    return replace(row, **more)


PROOFS = (
    ath("DB-01", "ath missing", "9449 4.3-12", GONE),
    ath("DB-01b", "ath null", "9449 4.3-12", None),
    ath("DB-02", "ath of another token", "9449 7", lambda ath: "A" * len(ath)),
    ath("DB-02b", "ath the token's own, shortened", "9449 4.2", lambda ath: ath[:-1]),
    ath("DB-04", "ath padded", "9449 4.2", lambda ath: f"{ath}="),
    ath(
        "DB-04b", "ath a number", "9449 4.2", 1, check="ath_is_text", reason=Reason.PROOF_MALFORMED
    ),
    ProofRow(
        id="DB-09", what="two fields", source="9449 4.3-1", check=ONE, fields=lambda p: (p, p)
    ),
    ProofRow(
        id="DB-10", what="garbage first", source="9449 4.3-1", check=ONE, fields=lambda p: ("a", p)
    ),
    ProofRow(
        id="DB-10b", what="garbage last", source="9449 4.3-1", check=ONE, fields=lambda p: (p, "")
    ),
    ProofRow(
        id="DB-11", what="a comma", source="9449 4.3-2", check=JWT, fields=lambda p: (f"{p}, {p}",)
    ),
)


@pytest.mark.parametrize(("row", "actor"), cases(PROOFS))
def test_a_proof_for_another_token_or_more_than_one_is_refused(
    lab: Lab, row: ProofRow, actor: str
) -> None:
    run(lab, row, actor)


@dataclass(frozen=True, kw_only=True)
class RequestRow:
    """One way in which a request with a good token is bad: what is made of the good request."""

    id: str
    what: str
    source: str
    make: Callable[[Lab, Request], Request]
    status: int = 401
    error: str = "invalid_token"
    on: tuple[str, ...] = ("DPoP",)
    reason: Reason
    check: str


def credentials(request: Request, *values: str) -> Request:
    """Replace the Authorization field; `{}` in a value stands for the good token."""
    token = str(request.value("Authorization")).partition(" ")[2]
    request = request.without("Authorization")
    for value in values:
        request = request.adding("Authorization", value.replace("{}", token))
    return request


def under(*values: str) -> Callable[[Lab, Request], Request]:
    return lambda _lab, request: credentials(request, *values)


def proofless(*values: str) -> Callable[[Lab, Request], Request]:
    return lambda _lab, request: credentials(request.without("DPoP"), *values)


def with_another_key(lab: Lab, request: Request) -> Request:
    """Attach a good proof by the thief's key to the stolen token."""
    token = str(request.value("Authorization")).partition(" ")[2]
    return DPOP.attach(Request("GET", RECORD), lab.presentation(token, lab.thief))


def token_of_another_client(lab: Lab, _request: Request) -> Request:
    """Attach the holder's good proof to a token that is bound to the other client's key."""
    token = lab.token(client="free", holder=lab.thief).access_token
    return DPOP.attach(Request("GET", RECORD), lab.presentation(token))


def unbound_token(lab: Lab, _request: Request) -> Request:
    token = lab.token("bearer").access_token
    return DPOP.attach(Request("GET", RECORD), lab.presentation(token, lab.thief))


def token_in_the_query(_lab: Lab, request: Request) -> Request:
    token = str(request.value("Authorization")).partition(" ")[2]
    return request.without("Authorization").at(f"{RECORD}?access_token={token}")


def token_in_the_form(_lab: Lab, request: Request) -> Request:
    token = str(request.value("Authorization")).partition(" ")[2]
    form = request.without("Authorization").adding(
        "Content-Type", "application/x-www-form-urlencoded; charset=utf-8"
    )
    return replace(form, body=f"a=1&access%5Ftoken={token}".encode())


def token_in_the_second_of_two_types(lab: Lab, request: Request) -> Request:
    """Say first that the body is something else: who reads the last type finds a token in it."""
    form = token_in_the_form(lab, request)
    (kind,) = form.values("Content-Type")
    form = form.without("Content-Type").adding("Content-Type", "application/json")
    return form.adding("Content-Type", kind)


ALL_SCHEMES = ("DPoP", "Bearer", "HTTPSig")
SCHEME = {"reason": Reason.SCHEME_MISMATCH, "check": "scheme_is_the_bindings"}
KEY = {"reason": Reason.BINDING_MISMATCH, "check": "proof_key_is_the_bound_one"}
BAD = {"status": 400, "error": "invalid_request", "on": ALL_SCHEMES}
MALFORMED = {"reason": Reason.CREDENTIALS_MALFORMED, "check": "credentials_are_a_token", **BAD}
ONE_WAY = {"reason": Reason.CREDENTIALS_MALFORMED, "check": "token_comes_one_way", **BAD}
NOTHING = {"reason": Reason.NO_CREDENTIALS, "error": "", "on": ALL_SCHEMES}
MISSING = {"reason": Reason.PROOF_MISSING, "check": "proof_is_there", "error": "invalid_dpop_proof"}


def row(
    id: str, what: str, source: str, make: Callable[[Lab, Request], Request], **more: object
) -> RequestRow:
    return RequestRow(id=id, what=what, source=source, make=make, **more)


ROWS = (
    row("DB-06", "a stolen token with the thief's proof", "9449 7.1", with_another_key, **KEY),
    row("DB-07", "another client's token", "9449 7.1", token_of_another_client, **KEY),
    row("DB-12", "no proof", "9449 7.1", proofless("DPoP {}"), **MISSING),
    row("DB-13", "under Bearer", "9449 7.2", proofless("Bearer {}"), on=("Bearer",), **SCHEME),
    row("DB-14", "under BeArEr", "9110 11.1", proofless("BeArEr {}"), on=("Bearer",), **SCHEME),
    row(
        "DB-15",
        "under Bearer with a proof",
        "9449 7.2",
        under("Bearer {}"),
        on=("Bearer",),
        **SCHEME,
    ),
    row("DB-16", "an unbound token under DPoP", "9449 7.1", unbound_token, **SCHEME),
    row("DB-17", "two schemes at once", "9449 7.2", under("Bearer {}", "DPoP {}"), **ONE_WAY),
    row("DB-17b", "one field twice", "9110 5.3", under("DPoP {}", "DPoP {}"), **ONE_WAY),
    row("DB-18", "a proof alone", "9449 7.2", under(), check="credentials_are_there", **NOTHING),
    row("DB-19", "token in the query", "9700 4.3.2", token_in_the_query, **ONE_WAY),
    row("DB-20", "token in the form", "9449 7.1", token_in_the_form, **ONE_WAY),
    row("DB-20b", "in one of two types", "9110 8.3", token_in_the_second_of_two_types, **ONE_WAY),
    row("DB-21", "junk after the token", "9449 7.1", under("DPoP {} junk"), **MALFORMED),
    row("DB-21b", "a character of no token68", "9449 7.1", under('DPoP "{}"'), **MALFORMED),
    row("DB-21c", "two in one field", "9449 7.1", under("Bearer {}, DPoP {}"), **MALFORMED),
    row("DB-21d", "a scheme alone", "9110 11.4", under("DPoP"), **MALFORMED),
    row("DB-21e", "a tab for the space", "9110 11.4", under("DPoP\t{}"), **MALFORMED),
    row(
        "DB-21f",
        "another scheme",
        "9110 11.6.1",
        under("Basic {}"),
        check="scheme_is_accepted",
        **NOTHING,
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.id} {row.what}")
def test_a_token_presented_in_another_way_is_refused(lab: Lab, row: RequestRow) -> None:
    assert_served(lab, good_request(lab, RS))
    bad = row.make(lab, good_request(lab, RS))
    refusal = {"status": row.status, "error": row.error, "reason": row.reason, "check": row.check}
    response = assert_refused(lab, bad, **refusal)
    assert len(response.values("WWW-Authenticate")) == len(ALL_SCHEMES)
    for scheme in ALL_SCHEMES:
        assert_challenged(response, scheme, row.error if scheme in row.on else "")
    assert_served(lab, good_request(lab, RS))


def test_the_token_endpoint_ignores_an_ath(lab: Lab) -> None:
    """DB-08: policy, see docs/policy.md."""
    for ath in ("A" * 43, None):
        assert_served(lab, with_proof(lab, good_request(lab, AS), Change(claims={"ath": ath})))
    refusal = {
        "error": "invalid_dpop_proof",
        "reason": Reason.PROOF_MALFORMED,
        "check": "ath_is_text",
    }
    bad = with_proof(lab, good_request(lab, AS), Change(claims={"ath": 1}))
    assert_refused(lab, bad, status=STATUS[AS], **refusal)


def test_a_challenge_says_what_to_do_and_nothing_more(lab: Lab) -> None:
    """DB-22: scheme, error code, algorithms and metadata; no reason, no check, no line break."""
    response = assert_refused(
        lab,
        good_request(lab, RS).without("DPoP"),
        status=401,
        error="invalid_dpop_proof",
        reason=Reason.PROOF_MISSING,
        check="proof_is_there",
    )
    where = 'resource_metadata="https://orders.test/.well-known/oauth-protected-resource"'
    assert sorted(response.values("WWW-Authenticate")) == [
        f"Bearer {where}",
        f'DPoP error="invalid_dpop_proof", algs="ES256 Ed25519 EdDSA", {where}',
        f"HTTPSig {where}",
    ]
    assert response.json() == {"error": "invalid_dpop_proof"}


def test_a_server_that_knows_only_bearer_is_the_hazard_of_a_migration(lab: Lab) -> None:
    """DB-24: here a bound token is refused, since policy refuses a `cnf` that is not understood."""
    lab.orders = replace(lab.orders, bindings=(BINDINGS["bearer"],))
    bound, free = lab.token().access_token, lab.token("bearer").access_token
    plain = Request("GET", RECORD)
    assert_served(lab, plain.adding("Authorization", f"Bearer {free}"))
    assert_refused(
        lab,
        plain.adding("Authorization", f"Bearer {bound}"),
        status=401,
        error="invalid_token",
        reason=Reason.BINDING_UNSUPPORTED,
        check="one_accepted_binding_is_named",
    )


def test_a_token_request_needs_one_key_only(lab: Lab) -> None:
    """MT-23 for any two bindings: two keys at once are refused, never silently one picked."""
    other = replace(BINDINGS["dpop"], name="other", confirmation="other")
    lab.authorization_server = replace(
        lab.authorization_server, bindings=(*BINDINGS.values(), other)
    )
    assert_refused(
        lab,
        good_request(lab, AS),
        status=400,
        error="invalid_request",
        reason=Reason.REQUEST_MALFORMED,
        check="one_key_is_introduced",
    )
    assert_served(lab, token_request(lab, "free"))
