"""Section 11 of the catalogue: revocation (RFC 7009), rows IR-05, IR-06 and AT-21."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from labsim.checks import StorageUnavailable
from labsim.estate import storage
from labsim.estate.issued_tokens import SqliteIssuedTokens
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from labsim.roles.form import form_request
from labsim.roles.grants import token_hash
from labsim.roles.issued_tokens import IssuedTokens
from labsim.roles.revocation import revoke_all_of
from labsim.roles.revocation_notice import notice_request
from tests.exchange import DPOP, answer, assert_refused, assert_served, token_request
from tests.jws import Change, Jws
from tests.vectors.test_11_token_exchange import exchange
from tests.wiring import BINDINGS, CRM, ISSUER, ORDERS, RECORD, Lab, MemoryIssuedTokens

REVOKE = f"{ISSUER}/revoke"


@pytest.fixture(params=["in memory", "sqlite"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Lab:
    issued: IssuedTokens = MemoryIssuedTokens()
    if request.param == "sqlite":
        issued = SqliteIssuedTokens(tmp_path / "issued.sqlite")
    return Lab(issued=issued)


def revoking(lab: Lab, token: str, client: str = "free", **more: str) -> Request:
    return lab.authentication(client)(form_request(REVOKE, {"token": token, **more}))


def assert_revoked(lab: Lab, token: str, client: str = "free", **more: str) -> None:
    assert assert_served(lab, revoking(lab, token, client, **more)).json() == {}


def use(lab: Lab, token: str, binding: str = "bearer", url: str = RECORD) -> Request:
    return BINDINGS[binding].attach(Request("GET", url), lab.presentation(token))


def assert_token_revoked(lab: Lab, request: Request) -> None:
    refusal = {"reason": Reason.TOKEN_REVOKED, "check": "token_is_not_revoked"}
    assert_refused(lab, request, status=401, error="invalid_token", **refusal)


def refresh(lab: Lab, token: str) -> Request:
    return token_request(lab, "free", grant_type="refresh_token", refresh_token=token)


@pytest.mark.parametrize("binding", ["bearer", "dpop"])
def test_a_revoked_token_is_refused_once_the_server_was_told(lab: Lab, binding: str) -> None:
    """AT-21, with a good proof; and IR-05: the client revoked it without any."""
    token, other = (lab.token(binding).access_token for _ in range(2))
    assert_served(lab, use(lab, token, binding))
    assert_revoked(lab, token)
    assert_served(lab, use(lab, token, binding))  # nobody has told it yet
    lab.pass_on()
    assert_token_revoked(lab, use(lab, token, binding))
    assert_served(lab, use(lab, other, binding))


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "moon", ""])
def test_a_wrong_hint_is_no_hint(lab: Lab, hint: str) -> None:
    """RFC 7009 section 2.1: the server finds the token all the same."""
    lab.grant("first")
    token = lab.token().access_token
    assert_revoked(lab, token, token_type_hint=hint)
    assert [ended.audience for ended in lab.told] == [ORDERS]
    assert_revoked(lab, "first", token_type_hint=hint)
    refusal = {"reason": Reason.GRANT_INVALID, "check": "refresh_token_is_known"}
    assert_refused(lab, refresh(lab, "first"), status=400, error="invalid_grant", **refusal)


def test_another_clients_token_is_refused_and_stays_good(lab: Lab) -> None:
    """IR-06: the resource server that a token is for may not end it either."""
    lab.grant("first")
    token = lab.token("bearer").access_token
    for stranger in ("app", "orders", "keyed"):
        for each in (token, "first"):
            refusal = {"reason": Reason.GRANT_INVALID, "check": "token_is_this_clients"}
            bad = revoking(lab, each, stranger)
            assert_refused(lab, bad, status=400, error="invalid_grant", **refusal)
    assert lab.told == []
    assert_served(lab, use(lab, token))
    assert_served(lab, refresh(lab, "first"))


UNKNOWN: dict[str, Change] = {
    "of another issuer": Change(claims={"iss": "https://else.test"}),
    "by another key": Change(key=SigningKey.generate()),
    "of another kind, by another key": Change(header={"typ": "JWT"}, key=SigningKey.generate()),
    "no JWT": Change(text=lambda _: "unheard of"),
    "cut off": Change(text=lambda t: t[:-9]),
}


@pytest.mark.parametrize("change", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_no_token_here_needs_no_revoking(lab: Lab, change: Change) -> None:
    """RFC 7009 section 2.2: the purpose is reached already."""
    good = Jws.of(lab.token("bearer").access_token, lab.issuer_key)
    assert_revoked(lab, good.text(change))
    assert lab.told == []


def test_an_expired_token_needs_no_revoking_either(lab: Lab) -> None:
    token = lab.token("bearer").access_token
    lab.clock.advance(601)
    lab.token("bearer")  # which sweeps the store
    assert_revoked(lab, token)


def test_something_else_that_the_server_signed_is_no_token_to_revoke(lab: Lab) -> None:
    """RFC 7009 section 2.2.1."""
    notice = notice_request(ISSUER, lab.issuer_key, ORDERS, [], lab.clock(), "n").body.decode()
    refusal = {"reason": Reason.TOKEN_TYPE_WRONG, "check": "typ_is_access_token"}
    bad = revoking(lab, notice)
    assert_refused(lab, bad, status=400, error="unsupported_token_type", **refusal)


def test_revoking_twice_tells_twice(lab: Lab) -> None:
    """Whoever had no answer the first time may ask again."""
    token = lab.token().access_token
    for times in (1, 2):
        assert_revoked(lab, token)
        assert len(lab.told) == times


@pytest.mark.parametrize("used", [False, True])
def test_a_refresh_token_takes_its_family_and_its_tokens_along(lab: Lab, used: bool) -> None:
    lab.grant("first")
    lab.grant("other")
    first = assert_served(lab, refresh(lab, "first")).json()
    second = assert_served(lab, refresh(lab, first["refresh_token"])).json()
    other = assert_served(lab, refresh(lab, "other")).json()
    assert_revoked(lab, "first" if used else second["refresh_token"])
    lab.pass_on()
    for body in (first, second):
        assert_token_revoked(lab, use(lab, body["access_token"]))
        refusal = {"reason": Reason.GRANT_INVALID, "check": "refresh_token_is_known"}
        bad = refresh(lab, body["refresh_token"])
        assert_refused(lab, bad, status=400, error="invalid_grant", **refusal)
    assert_served(lab, use(lab, other["access_token"]))
    assert_served(lab, refresh(lab, other["refresh_token"]))


def test_an_access_token_leaves_its_refresh_token_alone(lab: Lab) -> None:
    lab.grant("first")
    body = assert_served(lab, refresh(lab, "first")).json()
    assert_revoked(lab, body["access_token"])
    assert_served(lab, refresh(lab, body["refresh_token"]))


def test_what_it_was_exchanged_for_ends_with_a_token(lab: Lab) -> None:
    """Policy: RFC 8693 section 2.1 leaves it open; a thief must not launder a token."""
    token, kept = (lab.token("bearer", scope="orders.read").access_token for _ in range(2))
    laundered = assert_served(lab, exchange(lab, token)).json()["access_token"]
    again = assert_served(lab, exchange(lab, laundered, "crm")).json()["access_token"]
    untouched = assert_served(lab, exchange(lab, kept)).json()["access_token"]

    def at_crm(token: str) -> Request:
        request = Request("GET", f"{CRM}/records")
        return DPOP.attach(request, lab.presentation(token, lab.thief))

    for each in (laundered, again, untouched):
        assert_served(lab, at_crm(each))
    assert_revoked(lab, token)
    lab.pass_on()
    for each in (laundered, again):
        assert_token_revoked(lab, at_crm(each))
    assert_served(lab, at_crm(untouched))


def test_an_exchanged_token_is_its_callers_to_revoke(lab: Lab) -> None:
    token = lab.token("bearer", scope="orders.read").access_token
    laundered = assert_served(lab, exchange(lab, token)).json()["access_token"]
    refusal = {"reason": Reason.GRANT_INVALID, "check": "token_is_this_clients"}
    bad = revoking(lab, laundered, "free")
    assert_refused(lab, bad, status=400, error="invalid_grant", **refusal)
    assert_revoked(lab, laundered, "orders")
    assert_served(lab, use(lab, token))


def test_a_public_client_revokes_by_its_name(lab: Lab) -> None:
    """RFC 7009 section 2.1: it has nothing else, and may end what it was given."""
    lab.grant("first", client="phone")
    asked = token_request(lab, "phone", grant_type="refresh_token", refresh_token="first")
    body = assert_served(lab, DPOP.attach(asked, lab.presentation())).json()
    assert_revoked(lab, body["refresh_token"], "phone")
    lab.pass_on()
    assert_token_revoked(lab, use(lab, body["access_token"], "dpop"))


def test_an_operator_ends_all_that_a_client_has_and_no_more(lab: Lab) -> None:
    lab.grant("first")
    lab.grant("theirs", client="app")
    mine = assert_served(lab, refresh(lab, "first")).json()
    bare, theirs = lab.token("bearer").access_token, lab.token("dpop", "app").access_token
    laundered = assert_served(lab, exchange(lab, bare, scope="crm.read")).json()["access_token"]
    ended = revoke_all_of(lab.authorization_server, "free")
    assert len({each.jti for each in ended}) == 3
    lab.pass_on()
    for token in (mine["access_token"], bare):
        assert_token_revoked(lab, use(lab, token))
    at_crm = Request("GET", f"{CRM}/records")
    assert_token_revoked(lab, DPOP.attach(at_crm, lab.presentation(laundered, lab.thief)))
    refusal = {"reason": Reason.GRANT_INVALID, "check": "refresh_token_is_known"}
    bad = refresh(lab, mine["refresh_token"])
    assert_refused(lab, bad, status=400, error="invalid_grant", **refusal)
    assert_served(lab, use(lab, theirs, "dpop"))
    assert_served(lab, use(lab, lab.token("bearer").access_token))
    assert lab.grants.find(token_hash("theirs")) is not None


def test_the_event_says_which_tokens_ended(lab: Lab) -> None:
    token = lab.token().access_token
    assert_revoked(lab, token)
    event = lab.event or {}
    assert event["revoked"] == [Jws.of(token, lab.issuer_key).claims["jti"]]
    assert (event["path"], event["client_id"]) == ("/revoke", "free")


def assert_unavailable(lab: Lab, request: Request) -> None:
    response = answer(lab, request)
    assert (response.status, (lab.event or {})["reason"]) == (503, "UNAVAILABLE")


def test_a_lost_store_of_tokens_stops_everything_that_needs_it(tmp_path: Path) -> None:
    """Nothing is issued, introspected or exchanged unchecked; and the server recovers."""
    file = tmp_path / "issued.sqlite"
    lab = Lab(issued=SqliteIssuedTokens(file))
    lab.grant("first")
    token = lab.token("bearer", scope="orders.read").access_token
    asked = form_request(f"{ISSUER}/introspect", {"token": token})
    requests = [
        lambda: revoking(lab, token),
        lambda: revoking(lab, "first"),
        lambda: lab.authentication("orders")(asked),
        lambda: exchange(lab, token),
        lambda: token_request(lab, "free"),
        lambda: refresh(lab, "first"),
    ]
    hidden = file.rename(tmp_path / "hidden")
    for make in requests:
        assert_unavailable(lab, make())
    with pytest.raises(StorageUnavailable):
        revoke_all_of(lab.authorization_server, "nobody")
    hidden.rename(file)
    assert_served(lab, refresh(lab, "first"))  # the refused refresh spent nothing
    assert_served(lab, exchange(lab, token))
    assert_revoked(lab, token)


def test_a_locked_store_of_tokens_refuses_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_BUSY_SECONDS", 0)
    file = tmp_path / "issued.sqlite"
    lab = Lab(issued=SqliteIssuedTokens(file))
    token = lab.token("bearer").access_token
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody_else:
        somebody_else.execute("BEGIN IMMEDIATE")
        assert_unavailable(lab, revoking(lab, token))
        assert_unavailable(lab, token_request(lab, "free"))
        somebody_else.execute("ROLLBACK")
    assert lab.told == []
    assert_revoked(lab, token)
    assert_served(lab, token_request(lab, "free"))
