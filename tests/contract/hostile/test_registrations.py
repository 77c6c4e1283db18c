"""Client metadata, forms and records of any shape: taken, or refused in words."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labsim.certificates import certificate_authority
from labsim.commands import up
from labsim.credentials import scopes_in
from labsim.errors import LabError
from labsim.estate import plan
from labsim.estate.outside_clients import admitted, given_certificate, own_certificates
from labsim.http_message import Request
from labsim.rejection import Reason, Rejected
from labsim.roles.client_authentication import METHODS, RegisteredClient
from labsim.roles.form import FORM, read_form
from labsim.roles.records_api import answer
from labsim.roles.registration import registered
from tests.hostile import FIELD_TEXT, JSON, urls
from tests.hostile import METHODS as HTTP_METHODS
from tests.own_certificates import FOR_ITSELF, key_set, self_signed
from tests.wiring import BINDINGS, ORDERS, TOKEN_ENDPOINT, Records

SCOPES = frozenset({"orders.read", "crm.read"})
NOW = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)
AUTHORITY = certificate_authority("client CA", NOW)
OWN = key_set(self_signed(FOR_ITSELF))
MEMBERS = (
    *("client_id", "client_secret", "token_endpoint_auth_method", "jwks", "scope", "grant_types"),
    *("dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens"),
    *("httpsig_key_binding_method", "tls_client_auth_subject_dn", "tls_client_auth_san_uri"),
    *("tls_client_auth_san_dns", "tls_client_auth_san_ip", "tls_client_auth_san_email", "jwks_uri"),
)
LIKELY = st.sampled_from(
    [
        *METHODS,
        OWN,
        "orders.read",
        ["refresh_token"],
        True,
        False,
        "runtime",
        "CN=a",
        "a.test",
        "::1",
    ]
)
METADATA = st.dictionaries(st.sampled_from(MEMBERS), st.one_of(JSON, LIKELY), max_size=8)


def is_named(message: str) -> bool:
    return any(
        member in message for member in (*MEMBERS, "a token has one binding", "a certificate")
    )


@given(metadata=METADATA)
@example(metadata={"client_id": "c", "client_secret": "\ud800"})
@example(metadata={"client_id": "c", "token_endpoint_auth_method": []})
@example(metadata={"client_id": "c", "token_endpoint_auth_method": {"none": 1}})
@example(metadata={"client_id": "c", "client_secret": "s", "grant_types": [[]]})
def test_a_client_is_registered_or_its_member_is_named(metadata: dict[str, Any]) -> None:
    try:
        client = registered(metadata, SCOPES, tuple(BINDINGS.values()))
    except ValueError as error:
        assert is_named(str(error))  # noqa: PT017
    else:
        assert type(client) is RegisteredClient
        assert client.scopes <= SCOPES


@pytest.fixture(scope="module")
def lab_plan() -> plan.Plan:
    return plan.load()


def test_a_client_from_outside_is_admitted_or_the_reason_is_said(lab_plan: plan.Plan) -> None:
    @given(clients=st.lists(METADATA, max_size=3))
    @example(clients=[{"client_id": "\ud800"}])
    @example(clients=[{"client_id": "c", "client_secret": "\ud800"}])
    @example(clients=[{"client_id": "orders"}])
    def one(clients: list[dict[str, Any]]) -> None:
        try:
            found = admitted(clients, lab_plan)
        except LabError as error:
            assert "cannot be registered" in str(error)  # noqa: PT017
            return
        assert len(found) == len(clients)
        assert len(own_certificates(found)) == sum(c.get("jwks") == OWN for c in own(found))
        for client in found:
            pair = given_certificate(AUTHORITY, client, NOW)
            assert pair is None or pair.der

    def own(clients: list[dict[str, Any]]) -> list[dict[str, Any]]:
        method = "token_endpoint_auth_method"
        return [c for c in clients if c.get(method) == "self_signed_tls_client_auth"]

    one()


def test_a_file_of_clients_is_read_or_the_reason_is_said(tmp_path: Path) -> None:
    file = tmp_path / "clients.json"

    @given(octets=st.one_of(st.binary(max_size=40), st.sampled_from([b"[" * 100_000, b"[{}]"])))
    @example(octets=b"[" + b"9" * 5000 + b"]")
    @example(octets=b'[{"a":' * 50_000)
    def one(octets: bytes) -> None:
        file.write_bytes(octets)
        try:
            found = up._clients(file)
        except LabError as error:
            assert str(file) in str(error)  # noqa: PT017
        else:
            assert all(type(entry) is dict for entry in found)

    one()


@given(value=st.one_of(JSON, st.text('a "\\\t\x7f\u00e9.', max_size=20)))
def test_scopes_are_tokens_or_none(value: Any) -> None:
    for scope in scopes_in(value):
        assert scope
        assert not {" ", '"', "\\", "\t", "\x7f"} & set(scope)


PAIRS = st.text("ab=&%+; \0\xff0fF", max_size=30)


@given(
    body=st.one_of(st.binary(max_size=40), PAIRS.map(lambda text: text.encode("latin-1"))),
    kinds=st.lists(
        st.one_of(st.just(FORM), st.just(f"{FORM.upper()};a=b"), FIELD_TEXT), max_size=2
    ),
)
@example(body=b"&".join(b"a%d=1" % n for n in range(65)), kinds=[FORM])
@example(body=b"a=1&" * 100_000, kinds=[FORM])
@example(body=b"%" * 100_000, kinds=[FORM])
@example(body=b"a=%ff", kinds=[FORM])
@example(body=b"a=1&%61=2", kinds=[FORM])
@example(body=b"a=1&a=", kinds=[FORM])
@example(body=b"a=1;b=2", kinds=[FORM, FORM])
def test_a_form_is_read_or_malformed(body: bytes, kinds: list[str]) -> None:
    lines = tuple(("Content-Type", kind) for kind in kinds)
    try:
        form = read_form(Request("POST", TOKEN_ENDPOINT, lines, body))
    except Rejected as rejection:
        assert rejection.reason is Reason.REQUEST_MALFORMED  # noqa: PT017
        return
    assert len(kinds) == 1
    assert len(form.single) <= 64
    for name, value in form.single.items():
        assert not {c for c in name + value if "\ud800" <= c <= "\udfff"}


@given(
    method=HTTP_METHODS,
    url=urls(ORDERS),
    body=st.one_of(
        st.binary(max_size=40),
        JSON.map(lambda value: __import__("json").dumps({"title": value}).encode()),
    ),
)
@example(method="POST", url=f"{ORDERS}/records", body=b'{"title":' + b"[" * 500 + b"]" * 500 + b"}")
@example(method="POST", url=f"{ORDERS}/records", body=b'{"title":' + b"9" * 4299 + b"}")
@example(method="POST", url=f"{ORDERS}/records", body=b'{"title":"\\ud800"}')
@example(method="GET", url=f"{ORDERS}/records/%ff%00%ed%a0%80", body=b"")
@example(method="GET", url=f"{ORDERS}/records/" + "%41" * 5000, body=b"")
def test_the_records_api_answers_whatever_comes(method: str, url: str, body: bytes) -> None:
    records = Records([{"id": "o-1"}])
    response, ids = answer(records, Request(method, url, (), body))
    assert response.status in (200, 201, 400, 404, 405)
    assert set(ids) <= {"o-1"}
    assert response.json() is not None


def test_no_depth_of_a_body_is_too_deep_for_the_records_api() -> None:
    """What can just be parsed can also be turned into text: each has its own limit."""
    statuses = set()
    for depth in (*range(100, 2000, 100), 5000, 9000, 9990, 10_000, 20_000, 100_000):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            body = b'{"title":' + opening * depth + b"1" + closing * depth + b"}"
            request = Request("POST", f"{ORDERS}/records", (), body)
            statuses.add(answer(Records([]), request)[0].status)
    assert statuses == {201, 400}
