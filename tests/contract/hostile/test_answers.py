"""What a client and a resource server are answered may be anything: they decide, and go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labsim.attacker import record_ids, token_claims, wire_error
from labsim.binding import Presentation
from labsim.checks import StorageUnavailable
from labsim.credentials import TokenEvidence
from labsim.estate import issuer_keys
from labsim.estate.asked_issuer import AskedIssuer
from labsim.estate.issuer_keys import FetchedKeys
from labsim.http_message import Outcome, Request, Response
from labsim.keys import PublicKey
from labsim.rejection import Rejected
from labsim.roles.client import TokenRefused, TokenSet, obtain_token
from labsim.roles.introspected_tokens import IntrospectedTokens
from tests.hostile import FIELD_TEXT, JSON
from tests.wiring import BINDINGS, ISSUER, ISSUER_KEY, ORDERS, TOKEN_ENDPOINT, Lab

DEEP = b'{"a":' * 100_000
BODIES = st.one_of(
    st.binary(max_size=40),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(
        st.sampled_from(["access_token", "token_type", "expires_in", "scope", "error", "records"]),
        st.one_of(JSON, st.sampled_from(["DPoP", "Bearer", "HTTPSig", "use_dpop_nonce", "600"])),
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from([DEEP, b"9" * 5000, b"", b"null", b'{"error":"use_dpop_nonce"}']),
)
LINES = st.lists(
    st.tuples(
        st.sampled_from(["WWW-Authenticate", "DPoP-Nonce", "dpop-nonce", "Retry-After", "X"]),
        st.one_of(
            FIELD_TEXT,
            st.sampled_from(
                ['DPoP error="use_dpop_nonce"', 'error="use_dpop_nonce"', "n", "", '"']
            ),
        ),
    ),
    max_size=3,
).map(tuple)
ANSWERS = st.builds(Response, st.sampled_from([200, 201, 204, 400, 401, 500, 599]), LINES, BODIES)
each = pytest.mark.parametrize("binding", BINDINGS.values(), ids=lambda binding: binding.name)


@each
@given(response=ANSWERS)
def test_a_client_answers_a_challenge_at_most_once(binding: Any, response: Response) -> None:
    lab = Lab()
    shown = lab.presentation("token")
    again = binding.retry(response, shown)
    while again is not None:
        assert again.nonce != shown.nonce
        assert binding.retry(response, again) is None
        shown, again = again, None
    request = binding.attach(Request("GET", ORDERS), lab.presentation("token", None, shown.nonce))
    assert request.values("Authorization")


@each
@given(answers=st.lists(ANSWERS, min_size=2, max_size=2))
@example(answers=[Response(200, (), DEEP)] * 2)
@example(answers=[Response(400, (), DEEP)] * 2)
@example(
    answers=[Response(200, (), b'{"token_type":"DPoP","access_token":1,"expires_in":"nan"}')] * 2
)
@example(
    answers=[Response(200, (), b'{"token_type":"Bearer","access_token":"","expires_in":1}')] * 2
)
@example(
    answers=[Response(200, (), b'{"token_type":"Bearer","access_token":"a b","expires_in":1}')] * 2
)
@example(answers=[Response(200, (), b'{"token_type":[],"access_token":"a","expires_in":1}')] * 2)
@example(
    answers=[
        Response(200, (), b'{"token_type":"dpop","access_token":"a","expires_in":9,"scope":1}')
    ]
    * 2
)
def test_a_client_gets_a_token_or_says_why_not(binding: Any, answers: list[Response]) -> None:
    lab, sent = Lab(), list[Request]()

    def send(request: Request) -> Outcome:
        sent.append(request)
        return Outcome.answered(request, answers[len(sent) - 1])

    shown: Presentation = lab.presentation()
    parameters = {"grant_type": "client_credentials"}
    authenticate = lab.authentication("free")
    try:
        got = obtain_token(TOKEN_ENDPOINT, parameters, authenticate, binding, shown, send)
    except TokenRefused as refused:
        assert str(refused).isprintable()  # noqa: PT017
        return
    assert type(got) is TokenSet
    assert type(got.access_token) is str
    assert got.access_token
    assert type(got.scope) is str
    assert got.refresh_token is None or type(got.refresh_token) is str
    assert got.expires < float("inf")
    binding.attach(Request("GET", ORDERS), replace(shown, token=got.access_token)).wire()


@given(response=ANSWERS)
def test_an_attacker_reads_what_it_can(response: Response) -> None:
    assert type(wire_error(response)) is str
    assert all(type(each) is str for each in record_ids(response))


@given(token=st.one_of(st.none(), st.text(max_size=20)))
def test_a_token_says_something_or_nothing(token: str | None) -> None:
    assert isinstance(token_claims(token), Mapping)


DOCUMENT = st.one_of(
    JSON,
    st.dictionaries(
        st.sampled_from(["issuer", "jwks_uri", "introspection_endpoint", "keys"]),
        st.one_of(JSON, st.sampled_from([ISSUER, f"{ISSUER}/jwks", "https://[", ""])),
    ),
    st.lists(st.one_of(JSON, st.just(ISSUER_KEY.public_jwk)), max_size=3).map(
        lambda keys: {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks", "keys": keys}
    ),
)


class Far:
    """A dialler whose far side answers with these documents, one after the other."""

    def __init__(self, documents: list[Any]) -> None:
        self._left = list(documents)

    def __call__(self, request: Request) -> Outcome:
        body = json.dumps(self._left.pop(0)).encode()
        return Outcome.answered(request, Response(200, (), body))

    def close(self) -> None:
        """Let nothing go: there is no connection."""


def issuer(monkeypatch: pytest.MonkeyPatch, documents: list[Any]) -> FetchedKeys:
    """Let an issuer answer with these documents."""
    monkeypatch.setattr(issuer_keys, "Dialler", lambda _ca_file: Far(documents))
    return FetchedKeys(ISSUER, Path("ca.pem"), lambda: 1_800_000_000.0)


METADATA = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"}


def test_an_issuers_keys_are_read_or_there_are_none() -> None:
    good = {**ISSUER_KEY.public_jwk, "kid": "k"}

    @given(first=st.one_of(st.just(METADATA), DOCUMENT), second=DOCUMENT)
    @example(first={"issuer": ISSUER}, second={})
    @example(first={"issuer": ISSUER, "jwks_uri": 7}, second={"keys": []})
    @example(first=METADATA, second={"keys": None})
    @example(first=METADATA, second={"keys": {"a": 1}})
    @example(first=METADATA, second={"keys": "abc"})
    @example(first=METADATA, second={"keys": [None, 7, [], "a"]})
    @example(first=METADATA, second={"keys": [{"kid": ["k"]}]})
    @example(first=METADATA, second={"keys": [{"kid": {}}, {"kid": {}}]})
    @example(first=METADATA, second={"keys": [good, {"kty": "oct", "kid": "k"}]})
    def one(first: Any, second: Any) -> None:
        with pytest.MonkeyPatch.context() as patch:
            keys = issuer(patch, [first, second])
            try:
                found = keys.key("k")
            except StorageUnavailable as error:
                assert error.detail  # noqa: PT017
            else:
                assert found is None or type(found) is PublicKey

    one()


def test_a_good_key_beside_one_that_nobody_can_use_is_still_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = {**ISSUER_KEY.public_jwk, "kid": "k"}
    for other in ({"kty": "oct", "kid": "o"}, {}, {"kid": 7}):
        assert issuer(monkeypatch, [METADATA, {"keys": [other, good]}]).key("k") is not None


@given(
    metadata=st.one_of(st.just(METADATA), DOCUMENT), said=BODIES, status=st.sampled_from([200, 500])
)
@example(metadata={"issuer": ISSUER, "introspection_endpoint": ["a"]}, said=b"{}", status=200)
def test_an_issuer_is_asked_and_answers_or_there_is_no_answer(
    metadata: Any, said: bytes, status: int
) -> None:
    answers = [Response(200, (), json.dumps(metadata).encode()), Response(status, (), said)]

    def send(request: Request) -> Outcome:
        return Outcome.answered(request, answers.pop(0))

    asking = IntrospectedTokens(AskedIssuer(ISSUER, send, lambda request: request))
    evidence = TokenEvidence(1_800_000_000.0, ISSUER, ORDERS, {})  # type: ignore[arg-type]
    with pytest.raises(Rejected):
        asking.verify("token", evidence)
