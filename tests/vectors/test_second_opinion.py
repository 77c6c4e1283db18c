"""A second opinion on signatures, by http-message-signatures: what each signs the other accepts.

That library always names a key (`keyid`), and the profile never does. Signing is the library as it
comes: it lets others sign what it has prepared, and puts on a message what they have signed, with or
without that name. Its verifier insists on the name; `Verifier` is a subclass that gives it one which
is not signed, and is otherwise the library as well.
"""

from __future__ import annotations

import datetime
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar

import http_sf
import pytest
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519
from http_message_signatures.structures import CaseInsensitiveDict
from hypothesis import given
from hypothesis import strategies as st

from labsim.http_message import Request
from labsim.keys import SigningKey, public_octets
from labsim.rejection import Reason
from labsim.signature_base import signature_base
from tests.contract.attacks.http_signature import HTTP_SIGNATURE
from tests.exchange import AS, RS, assert_refused, assert_served, token_request
from tests.vectors.signature_rows import HOLDERS, assert_not_served
from tests.wiring import RECORD, Lab

TAG, TOKEN_REQUEST_TAG = "httpsig-oauth", "httpsig-oauth-token-request"
ALGORITHMS = {"ES256": ECDSA_P256_SHA256, "Ed25519": ED25519}
COVERED = ("@method", "@target-uri", "authorization")


def sign_nameless(
    algorithm: Any, private: Any, message: Any, pub: bytes | None = None, **what: Any
) -> None:
    """Sign a message in place, as one whose key the library does not hold; `pub` brings the key."""
    signer = HTTPMessageSigner(signature_algorithm=algorithm)
    prepared = signer.prepare(message, key_id="own", **what)
    named = prepared.signature_params
    parameters = named.replace(';keyid="own"', "")
    if pub is not None:
        parameters += f";pub={http_sf.ser(pub)}"
    base = prepared.signature_base.removesuffix(named.encode()) + parameters.encode()
    prepared = replace(prepared, signature_base=base, signature_params=parameters)
    signer.apply(message, prepared, algorithm(private_key=private).sign(base))


class Verifier(HTTPMessageVerifier):
    """Name the key for the library's sake, and leave that name out of what was signed."""

    signature_metadata_parameters: ClassVar[set[str]] = {
        *HTTPMessageVerifier.signature_metadata_parameters,
        "pub",
    }

    def _build_signature_base(self, message: Any, **more: Any) -> Any:
        found = dict(more["signature_params"])
        del found["keyid"]
        return super()._build_signature_base(message, **{**more, "signature_params": found})

    def _get_sig_inputs_and_signatures(self, message: Any, **more: Any) -> Any:
        for label, found, signature in super()._get_sig_inputs_and_signatures(message, **more):
            found.params.setdefault("keyid", "bound")
            yield label, found, signature


def message_of(request: Request) -> Any:
    """Return the request as the library takes one."""
    names = {name for name, _ in request.fields}
    headers = CaseInsensitiveDict({name: ", ".join(request.values(name)) for name in names})
    return SimpleNamespace(method=request.method, url=request.url, headers=headers)


def keys_of(holder: SigningKey) -> MappingKeyResolver:
    private = {"bound": holder.private}
    return MappingKeyResolver(
        public_keys={"bound": holder.private.public_key()}, private_keys=private
    )


def signed_by_the_library(
    lab: Lab, request: Request, tag: str, pub: bytes | None = None
) -> Request:
    """Sign a request by the profile with the library."""
    message = message_of(request)
    sign_nameless(
        ALGORITHMS[lab.holder.algorithm],
        lab.holder.private,
        message,
        pub,
        created=datetime.datetime.fromtimestamp(lab.clock(), datetime.UTC),
        nonce=lab.new_id(),
        tag=tag,
        include_alg=tag == TOKEN_REQUEST_TAG,
        covered_component_ids=COVERED,
        body=request.body or None,
    )
    return replace(request, fields=tuple(message.headers.items()))


@pytest.mark.parametrize("algorithm", HOLDERS)
@pytest.mark.parametrize("body", [b"", b'{"a": 1}'], ids=["without body", "with body"])
def test_what_the_library_signs_is_served(lab: Lab, algorithm: str, body: bytes) -> None:
    """From the token request to the resource, with no line of the lab's own client face."""
    lab.holder = HOLDERS[algorithm]
    pub = public_octets(lab.holder.public_jwk)
    asked = token_request(lab, "signing")
    introduced = signed_by_the_library(lab, asked, TOKEN_REQUEST_TAG, pub=pub)
    token = assert_served(lab, introduced).json()["access_token"]
    request = Request("GET", f"{RECORD}?a=b%20c", (("Authorization", f"HTTPSig {token}"),), body)
    signed = signed_by_the_library(lab, request, TAG)
    assert_served(lab, signed)
    assert ";alg=" not in str(signed.value("Signature-Input"))


@pytest.mark.parametrize("algorithm", HOLDERS)
def test_what_the_library_signs_with_the_keys_name_is_refused(lab: Lab, algorithm: str) -> None:
    lab.holder = HOLDERS[algorithm]
    token = lab.token("http_signature", "signing").access_token
    request = Request("GET", RECORD, (("Authorization", f"HTTPSig {token}"),))
    message = message_of(request)
    HTTPMessageSigner(
        signature_algorithm=ALGORITHMS[algorithm], key_resolver=keys_of(lab.holder)
    ).sign(
        message,
        key_id="bound",
        created=datetime.datetime.fromtimestamp(lab.clock(), datetime.UTC),
        nonce=lab.new_id(),
        tag=TAG,
        include_alg=False,
        covered_component_ids=COVERED,
    )
    assert_refused(
        lab,
        replace(request, fields=tuple(message.headers.items())),
        status=401,
        error="invalid_token",
        reason=Reason.PROOF_MALFORMED,
        check="request_names_no_key",
    )
    assert_served(lab, signed_by_the_library(lab, request, TAG))


@pytest.mark.parametrize("algorithm", HOLDERS)
def test_what_the_library_signs_with_another_key_is_refused(lab: Lab, algorithm: str) -> None:
    lab.holder = HOLDERS[algorithm]
    token = lab.token("http_signature", "signing").access_token
    request = Request("GET", RECORD, (("Authorization", f"HTTPSig {token}"),))
    assert_served(lab, signed_by_the_library(lab, request, TAG))
    lab.holder = SigningKey.generate(algorithm)
    assert_not_served(lab, signed_by_the_library(lab, request, TAG), RS)
    pub = public_octets(HOLDERS[algorithm].public_jwk)
    asked = signed_by_the_library(lab, token_request(lab, "signing"), TOKEN_REQUEST_TAG, pub=pub)
    assert_not_served(lab, asked, AS)


def attached(lab: Lab, actor: str, body: bytes) -> Request:
    """Sign with the lab's own face, at the real time: the library has no other clock."""
    lab.clock.now = time.time()
    if actor == AS:
        return HTTP_SIGNATURE.attach(token_request(lab, "signing"), lab.presentation())
    request = Request("POST", f"{RECORD}?a=1&b=%2F", (("Accept", "*/*"),), body)
    return HTTP_SIGNATURE.attach(request, lab.presentation("a.token"))


@pytest.mark.parametrize("algorithm", HOLDERS)
@pytest.mark.parametrize(("actor", "body"), [(AS, b""), (RS, b""), (RS, b"\0\xff")])
def test_the_library_accepts_what_the_lab_signs(
    lab: Lab, algorithm: str, actor: str, body: bytes
) -> None:
    lab.holder = HOLDERS[algorithm]
    request = attached(lab, actor, body)
    tag = TAG if actor == RS else TOKEN_REQUEST_TAG

    def verify(request: Request, holder: SigningKey) -> Any:
        verifier = Verifier(signature_algorithm=ALGORITHMS[algorithm], key_resolver=keys_of(holder))
        return verifier.verify(
            message_of(request),
            expect_tag=tag,
            require_components=COVERED,
            max_age=datetime.timedelta(seconds=60),
            body=request.body,
        )

    (result,) = verify(request, lab.holder)
    assert result.parameters["tag"] == tag
    assert result.body == (request.body or None)
    for bad in (request.at(f"{request.url}x"), replace(request, body=b"another")):
        with pytest.raises(InvalidSignature):
            verify(bad, lab.holder)
    with pytest.raises(InvalidSignature):
        verify(request, SigningKey.generate(algorithm))


DERIVED = ("@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query")


@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PATCH"]),
    origin=st.sampled_from(
        ["https://a.test", "HTTPS://A.Test:443", "http://a.test:80", "https://a.test:8443", "https://[::1]:1"]
    ),
    path=st.sampled_from(["", "/", "/a", "/a/../b", "/%7Ea", "//", "/a;b=c"]),
    query=st.sampled_from(["", "?", "?a=1&a=2", "?a=%20+", "??", "?/"]),
    fragment=st.sampled_from(["", "#", "#f"]),
    values=st.lists(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)), min_size=1, max_size=3),
    components=st.permutations([*DERIVED, "x-a"]),
)  # fmt: skip
def test_the_library_puts_the_same_base_together(
    method: str, origin: str, path: str, query: str, fragment: str, values: list[str], components: list[str]
) -> None:  # fmt: skip
    request = Request(method, f"{origin}{path}{query}{fragment}", tuple(("X-A", v) for v in values))
    # As a client keeps its field lines: apart, and in order.
    headers = SimpleNamespace(items=lambda: request.fields)
    message = SimpleNamespace(method=method, url=request.url, headers=headers)
    signer = HTTPMessageSigner(signature_algorithm=ED25519)
    prepared = signer.prepare(message, key_id="k", covered_component_ids=components)
    assert signature_base(request, components, prepared.signature_params) == prepared.signature_base
