"""How a resource server takes the news of a revocation (RFC 8417, RFC 8935): bad notices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labsim.estate.issued_tokens import SqliteRevocationList
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from labsim.roles.issued_tokens import Ended
from labsim.roles.revocation_notice import NOTICE_TYPE, TOKENS_REVOKED, notice_request
from tests.exchange import answer
from tests.jws import GONE, Change, Jws
from tests.wiring import BINDINGS, CRM, ISSUER, ORDERS, RECORD, Lab

type Edit = Callable[[Request], Request]


def notice(lab: Lab, jti: str = "stolen") -> Request:
    ended = [Ended(jti, ORDERS, lab.clock() + 600)]
    return notice_request(ISSUER, lab.issuer_key, ORDERS, ended, lab.clock(), lab.new_id())


def held(lab: Lab) -> list[str]:
    assert isinstance(lab.orders.revocations, dict)
    return list(lab.orders.revocations)


def events(value: Any) -> Change:
    return Change(claims={"events": value})


def tokens(*entries: Any) -> Change:
    return events({TOKENS_REVOKED: {"tokens": list(entries)}})


MALFORMED, WHICH = (Reason.TOKEN_MALFORMED, "token_is_a_jwt"), "notice_says_which_tokens"
MISSING = (Reason.TOKEN_CLAIM_MISSING, "invalid_request", WHICH)
TYPE = (Reason.TOKEN_TYPE_WRONG, "invalid_request", "typ_is_security_event")
RECENT = (Reason.TOKEN_EXPIRED, "invalid_request", "notice_is_recent")
ROWS: dict[str, tuple[Change, Reason, str, str]] = {
    "RN-01 an access token's typ": (Change(header={"typ": "at+jwt"}), *TYPE),
    "RN-01b no typ": (Change(header={"typ": GONE}), *TYPE),
    "RN-02 by another key": (
        Change(key=SigningKey.generate()),
        Reason.TOKEN_SIGNATURE_INVALID,
        "invalid_key",
        "signature_is_by_the_issuer",
    ),
    "RN-03 of another issuer": (
        Change(claims={"iss": "https://else.test"}),
        Reason.TOKEN_ISSUER_UNKNOWN,
        "invalid_issuer",
        "issuer_is_ours",
    ),
    "RN-04 for another server": (
        Change(claims={"aud": CRM}),
        Reason.TOKEN_AUDIENCE_MISMATCH,
        "invalid_audience",
        "audience_is_this_resource",
    ),
    "RN-05 old": (Change(claims={"iat": lambda iat: iat - 61}), *RECENT),
    "RN-05b made ahead": (Change(claims={"iat": lambda iat: iat + 61}), *RECENT),
    "RN-05c a time in words": (Change(claims={"iat": "now"}), *RECENT),
    "RN-06 no time": (Change(claims={"iat": GONE}), *MISSING),
    "RN-06b no jti": (Change(claims={"jti": GONE}), *MISSING),
    "RN-06c no issuer": (Change(claims={"iss": GONE}), *MISSING),
    "RN-06d no audience": (Change(claims={"aud": GONE}), *MISSING),
    "RN-07 no event": (Change(claims={"events": GONE}), *MISSING),
    "RN-07b another event": (events({"urn:another": {}}), *MISSING),
    "RN-07c events a list": (events([TOKENS_REVOKED]), *MISSING),
    "RN-07d an empty list": (tokens(), *MISSING),
    "RN-07e a token without its end": (tokens({"jti": "a", "exp": 4e9}, {"jti": "b"}), *MISSING),
    "RN-07f a text for a token": (tokens("a"), *MISSING),
    "RN-07g an end that is none": (tokens({"jti": "a", "exp": True}), *MISSING),
    "RN-08 crit": (
        Change(header={"crit": ["b64"]}),
        Reason.TOKEN_MALFORMED,
        "invalid_request",
        "no_critical_extension",
    ),
    "RN-09 no JWT": (
        Change(text=lambda _: "{}"),
        Reason.TOKEN_MALFORMED,
        "invalid_request",
        "token_is_a_jwt",
    ),
}


def assert_not_accepted(lab: Lab, bad: Request, reason: Reason, error: str, check: str) -> None:
    response = answer(lab, bad)
    event = lab.event or {}
    assert (event["reason"], event["check"]) == (reason.name, check)
    assert (response.status, response.json()["err"]) == (400, error)
    assert event["revoked"] == held(lab) == []


@pytest.mark.parametrize(("change", "reason", "error", "check"), ROWS.values(), ids=ROWS)
def test_a_bad_notice_changes_nothing(
    lab: Lab, change: Change, reason: Reason, error: str, check: str
) -> None:
    good = notice(lab)
    text = Jws.of(good.body.decode(), lab.issuer_key).text(change)
    assert_not_accepted(lab, replace(good, body=text.encode()), reason, error, check)
    assert answer(lab, good).status == 202
    assert held(lab) == ["stolen"]


PUSHED: dict[str, Edit] = {
    "RN-10b a form": lambda r: r.without("Content-Type"),
    "RN-10c another type": lambda r: r.without("Content-Type").adding(
        "Content-Type", "application/jwt"
    ),
    "RN-10d two types": lambda r: r.adding("Content-Type", "application/jwt"),
}


@pytest.mark.parametrize("edit", PUSHED.values(), ids=PUSHED)
def test_a_notice_comes_as_such(lab: Lab, edit: Edit) -> None:
    bad = edit(notice(lab))
    reason = Reason.CREDENTIALS_MALFORMED
    assert_not_accepted(lab, bad, reason, "invalid_request", "notice_is_pushed")


def test_a_notice_is_posted(lab: Lab) -> None:
    """RN-10 (RFC 8935 section 2.1, RFC 9110 section 15.5.6)."""
    good = notice(lab)
    refused = answer(lab, replace(good, method="GET"))
    event = lab.event or {}
    assert (event["reason"], event["check"]) == ("METHOD_NOT_ALLOWED", "notice_is_posted")
    assert (refused.status, refused.value("Allow"), held(lab)) == (405, "POST", [])
    assert answer(lab, good).status == 202


def test_a_good_notice_is_learned_with_its_delay(lab: Lab) -> None:
    good = notice(lab)
    lab.clock.advance(7)
    response = answer(lab, good)
    event = lab.event or {}
    assert (response.status, response.body) == (202, b"")
    assert (event["revoked"], event["delay"], event["decision"]) == (["stolen"], 7, "served")
    assert response.values("Request-Id") == [event["request_id"]]


def test_the_same_notice_twice_changes_nothing_more(lab: Lab) -> None:
    good = notice(lab)
    for _ in range(2):
        assert answer(lab, good).status == 202
        assert held(lab) == ["stolen"]


def test_an_access_token_is_no_notice(lab: Lab) -> None:
    """Whoever steals a token cannot make it say that others are revoked."""
    token = lab.token("bearer").access_token
    bad = replace(notice(lab), body=token.encode())
    assert_not_accepted(lab, bad, *TYPE)


def test_a_server_that_takes_no_notices_has_no_such_place(lab: Lab) -> None:
    lab.orders = replace(lab.orders, revocations=None)
    assert answer(lab, notice(lab)).status == 401
    token = lab.token("bearer").access_token
    request = Request("GET", RECORD, (("Authorization", f"Bearer {token}"),))
    assert answer(lab, request).status == 200


def test_a_list_that_is_full_or_gone_serves_nothing_and_recovers(lab: Lab, tmp_path: Path) -> None:
    """A notice that cannot be kept is answered 503, and the server trusts no token until it can."""
    file = tmp_path / "revocations.sqlite"
    lab.orders = replace(lab.orders, revocations=SqliteRevocationList(file, pages=8))
    token = lab.token("bearer").access_token
    use = BINDINGS["bearer"].attach(Request("GET", RECORD), lab.presentation(token))
    assert answer(lab, use).status == 200
    hidden = file.rename(tmp_path / "hidden")
    for refused in (use, notice(lab)):
        assert answer(lab, refused).status == 503
        assert (lab.event or {})["reason"] == "UNAVAILABLE"
    hidden.rename(file)
    assert answer(lab, notice(lab)).status == 202
    assert answer(lab, use).status == 200
    for number in range(1000):
        if answer(lab, notice(lab, f"{number} {'x' * 400}")).status == 503:
            break
    assert (lab.event or {})["reason"] == "UNAVAILABLE", "the list is full"
    assert answer(lab, use).status == 503
    lab.clock.advance(601)  # what was held has expired, and makes room
    assert answer(lab, notice(lab)).status == 202
    fresh = lab.token("bearer").access_token
    use = BINDINGS["bearer"].attach(Request("GET", RECORD), lab.presentation(fresh))
    assert answer(lab, use).status == 200


def test_the_type_is_the_documents() -> None:
    assert NOTICE_TYPE == "application/secevent+jwt"
