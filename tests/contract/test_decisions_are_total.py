"""Whatever comes in, a server decides: no exception, no 500, never half a decision."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.http_message import Request, Response
from labsim.rejection import Reason
from labsim.roles.client_authentication import ASSERTION_TYPE
from labsim.roles.form import FORM, form_request
from labsim.roles.introspected_tokens import IntrospectedTokens
from labsim.roles.issued_tokens import Ended
from labsim.roles.revocation_notice import NOTICE_TYPE, TOKENS_REVOKED, notice_request
from tests.exchange import AS, BOTH, RS, answer, good_request, with_proof
from tests.hostile import FIELD_TEXT, JSON, NAMES, compact_jws, damaged, fields, requests
from tests.jws import Change, Jws
from tests.vectors.test_11_token_exchange import exchange
from tests.wiring import BINDINGS, ISSUER, ORDERS, RECORD, SECRET, TOKEN_ENDPOINT, Lab

ODD = [
    None,
    True,
    0,
    -1.5,
    float("nan"),
    float("inf"),
    10**400,
    "",
    "\0",
    [],
    [[]],
    {},
    {"a": None},
]
PARAMETERS = (
    *("grant_type", "scope", "resource", "client_id", "client_secret", "refresh_token"),
    *("client_assertion", "client_assertion_type", "access_token", "token", "token_type_hint"),
    *("subject_token", "subject_token_type", "requested_token_type", "actor_token", "audience"),
)


def assert_decided(lab: Lab, response: Response) -> None:
    """A refusal has a reason, a check and a source; nothing else went wrong."""
    event = lab.event
    assert event is not None
    assert response.status in (200, 201, 400, 401, 403, 404, 405)
    assert event["status"] == response.status
    assert json.loads(response.body) is not None
    assert event["decision"] in ("served", "rejected")
    if event["decision"] == "rejected":
        assert event["reason"] in Reason.__members__
        assert event["check"]
        assert event["source"]
    json.dumps(event)
    for name, value in response.fields:
        assert f"{name}{value}".isprintable()


def texts(*more: str) -> st.SearchStrategy[str]:
    return st.one_of(compact_jws(), FIELD_TEXT, *(damaged(text) for text in more))


@st.composite
def forms(draw: st.DrawFn) -> bytes:
    """Return bodies that are forms, nearly forms, or neither."""
    value = st.one_of(
        st.sampled_from(
            ["client_credentials", "refresh_token", ASSERTION_TYPE, ORDERS, "orders.read", "phone"]
        ),
        texts(),
    )
    pairs = draw(st.lists(st.tuples(st.sampled_from(PARAMETERS), value), max_size=5))
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in pairs)
    return draw(st.one_of(st.just(body.encode()), damaged(body).map(lambda t: t.encode("latin-1"))))


@given(data=st.data())
def test_the_resource_server_decides_whatever_comes(data: st.DataObject) -> None:
    lab = Lab()
    good = good_request(lab, RS)
    names = ("Authorization", "DPoP", "Content-Type")
    values = texts(*(value for _, value in good.fields), FORM)
    lines = fields(*names, values=values)
    lines = st.one_of(lines, lines.map(lambda more: good.fields + more))
    request = data.draw(requests(lines, st.one_of(forms(), st.binary(max_size=40)), ORDERS))
    response, lab.event = lab.orders.decide(request)
    assert_decided(lab, response)
    lab.orders.handle(request)


@given(data=st.data())
def test_the_token_endpoint_decides_whatever_comes(data: st.DataObject) -> None:
    lab = Lab()
    good = good_request(lab, AS)
    values = texts(*(value for _, value in good.fields))
    lines = fields("Authorization", "DPoP", "Content-Type", values=values)
    lines = st.one_of(lines, lines.map(lambda more: good.fields + more))
    request = data.draw(requests(lines, st.one_of(forms(), st.binary(max_size=40)), ISSUER))
    response, lab.event = lab.authorization_server.token(request)
    assert_decided(lab, response)
    lab.authorization_server.handle(request)


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
@given(data=st.data())
def test_the_other_endpoints_decide_whatever_comes(path: str, data: st.DataObject) -> None:
    lab = Lab()
    good = lab.authentication("free")(
        form_request(ISSUER + path, {"token": lab.token().access_token})
    )
    values = texts(*(value for _, value in good.fields))
    lines = fields("Authorization", "Content-Type", values=values)
    lines = st.one_of(st.just(good.fields), lines, lines.map(lambda more: good.fields + more))
    bodies = st.one_of(forms(), damaged(good.body.decode()).map(lambda t: t.encode("latin-1")))
    request = data.draw(requests(lines, bodies, ISSUER)).at(ISSUER + path)
    response, lab.event = lab.authorization_server.handle(request)
    assert_decided(lab, response)


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
@pytest.mark.parametrize("part", ["header", "claims"])
@given(name=st.sampled_from(NAMES), value=st.one_of(st.sampled_from(ODD), JSON))
def test_a_token_asked_about_may_hold_anything(path: str, part: str, name: str, value: Any) -> None:
    lab = Lab()
    token = Jws.of(lab.token().access_token, lab.issuer_key)
    text = token.text(Change(**{part: {name: value}}))
    for caller in ("orders", "free"):
        request = form_request(ISSUER + path, {"token": text})
        assert_decided(lab, answer(lab, lab.authentication(caller)(request)))


@pytest.mark.parametrize("part", ["header", "claims"])
@given(
    name=st.sampled_from((*NAMES, "act", "may_act")),
    value=st.one_of(st.sampled_from(ODD), JSON),
    scoped=st.booleans(),
)
def test_a_subject_token_may_hold_anything(part: str, name: str, value: Any, scoped: bool) -> None:
    lab = Lab()
    text = Jws.of(lab.token("bearer", scope="orders.read").access_token, lab.issuer_key).text(
        Change(**{part: {name: value}})
    )
    asked = {"scope": "crm.read"} if scoped else {}
    assert_decided(lab, answer(lab, exchange(lab, text, **asked)))


@pytest.mark.parametrize("part", ["header", "claims"])
@given(
    name=st.sampled_from((*NAMES, "events")),
    value=st.one_of(
        st.sampled_from(ODD), JSON, JSON.map(lambda v: {TOKENS_REVOKED: {"tokens": v}})
    ),
)
def test_a_signed_notice_may_hold_anything(part: str, name: str, value: Any) -> None:
    lab = Lab()
    ended = [Ended("a", ORDERS, lab.clock() + 60)]
    good = notice_request(ISSUER, lab.issuer_key, ORDERS, ended, lab.clock(), "n")
    text = Jws.of(good.body.decode(), lab.issuer_key).text(Change(**{part: {name: value}}))
    response = answer(lab, replace(good, body=text.encode()))
    assert response.status in (202, 400)
    json.dumps(lab.event)


@given(data=st.data())
def test_a_notice_may_be_anything(data: st.DataObject) -> None:
    lab = Lab()
    lines = st.just((("Content-Type", NOTICE_TYPE),))
    request = data.draw(requests(lines, st.binary(max_size=40), ORDERS)).at(f"{ORDERS}/revocations")
    assert answer(lab, request).status == (400 if request.method == "POST" else 405)


@given(
    said=st.dictionaries(st.sampled_from(("active", *NAMES)), JSON, max_size=6), real=st.booleans()
)
def test_an_issuer_may_answer_anything(said: dict[str, Any], real: bool) -> None:
    lab = Lab()
    token = lab.token("bearer").access_token
    good = {**Jws.of(token, lab.issuer_key).claims, "active": True} if real else {}
    asked = IntrospectedTokens(lambda _token: {**good, **said})
    lab.orders = replace(lab.orders, introspected=asked)
    request = BINDINGS["bearer"].attach(Request("GET", RECORD), lab.presentation(token))
    assert_decided(lab, answer(lab, request))


@given(body=forms(), basic=st.booleans(), proof=st.one_of(st.none(), compact_jws()))
def test_the_token_endpoint_decides_on_any_form(
    body: bytes, basic: bool, proof: str | None
) -> None:
    lab = Lab()
    request = Request("POST", TOKEN_ENDPOINT, (("Content-Type", FORM),), body)
    if basic:
        request = lab.authentication("free")(request)
    if proof is not None:
        request = request.adding("DPoP", proof)
    assert_decided(lab, answer(lab, request))


@pytest.mark.parametrize("actor", BOTH)
@pytest.mark.parametrize("part", ["header", "claims"])
@given(name=st.sampled_from(NAMES), value=st.one_of(st.sampled_from(ODD), JSON))
def test_a_signed_proof_may_hold_anything(actor: str, part: str, name: str, value: Any) -> None:
    lab = Lab()
    change = Change(**{part: {name: value}})
    assert_decided(lab, answer(lab, with_proof(lab, good_request(lab, actor), change)))


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("part", ["header", "claims"])
@given(name=st.sampled_from(NAMES), value=st.one_of(st.sampled_from(ODD), JSON))
def test_an_issued_token_may_hold_anything(binding: str, part: str, name: str, value: Any) -> None:
    lab = Lab()
    token = Jws.of(lab.token(binding).access_token, lab.issuer_key)
    text = token.text(Change(**{part: {name: value}}))
    request = BINDINGS[binding].attach(Request("GET", RECORD), lab.presentation(text))
    assert_decided(lab, answer(lab, request))


@pytest.mark.parametrize("part", ["header", "claims"])
@given(name=st.sampled_from(NAMES), value=st.one_of(st.sampled_from(ODD), JSON))
def test_a_signed_assertion_may_hold_anything(part: str, name: str, value: Any) -> None:
    lab = Lab()
    claims = {"iss": "keyed", "sub": "keyed", "aud": ISSUER, "jti": "1", "exp": lab.clock() + 60}
    jws = Jws({"typ": "JWT", "alg": "ES256"}, claims, lab.client_key)
    form = {"grant_type": "client_credentials", "resource": ORDERS}
    form |= {"client_assertion_type": ASSERTION_TYPE}
    form |= {"client_assertion": jws.text(Change(**{part: {name: value}}))}
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in form.items()).encode()
    request = Request("POST", TOKEN_ENDPOINT, (("Content-Type", FORM),), body)
    assert_decided(lab, answer(lab, request))


@pytest.mark.parametrize("url", ["https://[", "http://[::1", "", "?", "#", "//", ":", "\ud800"])
def test_what_is_no_url_is_no_reason_to_fall_over(lab: Lab, url: str) -> None:
    """The listener makes URLs of its own authority only; a role does not rely on it."""
    for role in (lab.orders, lab.authorization_server):
        response, _event = role.handle(
            Request("GET", url, (("Authorization", f"Bearer {SECRET}"),))
        )
        assert response.status in (400, 401, 404)
