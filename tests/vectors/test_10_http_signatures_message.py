"""Section 10 of the catalogue, what is no change of one request: no body, two servers, a client."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.structured_fields import byte_sequence
from tests.contract.attacks.http_signature import HTTP_SIGNATURE
from tests.exchange import AS, RS, answer, assert_served, token_request
from tests.signatures import resigned, with_signature
from tests.vectors.signature_rows import HOLDERS, assert_not_served
from tests.wiring import CRM, RECORD, TOKEN_ENDPOINT, Lab

empty = hashlib.sha256(b"").digest()


@pytest.mark.parametrize("algorithm", HOLDERS)
def test_a_request_without_a_body_needs_no_digest(lab: Lab, algorithm: str) -> None:
    """The digest of an empty body may be covered, and is then judged like any other."""
    lab.holder = HOLDERS[algorithm]
    token = lab.token("http_signature", "signing").access_token
    request = HTTP_SIGNATURE.attach(Request("GET", RECORD), lab.presentation(token))
    assert request.value("Content-Digest") is None
    assert_served(lab, request)
    for octets, is_served in ((empty, True), (bytes(32), False)):
        digested = request.adding("Content-Digest", f"sha-256={byte_sequence(octets)}")
        made = resigned(lab, digested, adding=["content-digest"])
        if is_served:
            assert_served(lab, made)
        else:
            reason = Reason.PROOF_CONTENT_MISMATCH
            assert_not_served(lab, made, RS, "digest_is_the_bodys", reason)
    assert_served(lab, resigned(lab, request.adding("Content-Digest", "not covered")))


def test_a_signature_for_one_server_is_none_for_another(lab: Lab) -> None:
    """HS-39: the token is for the other server, bound to the same key, and covered."""
    token = lab.token("http_signature", "signing", resource=CRM).access_token
    theirs = HTTP_SIGNATURE.attach(Request("GET", f"{CRM}/records/o-1"), lab.presentation(token))
    relayed = HTTP_SIGNATURE.attach(Request("GET", RECORD), lab.presentation(token))
    assert_served(lab, theirs)
    assert_not_served(lab, relayed.at(theirs.url), RS)
    assert answer(lab, resigned(lab, theirs).at(RECORD)).status == 401
    assert lab.event is not None
    assert lab.event["reason"] == Reason.TOKEN_AUDIENCE_MISMATCH.name


def test_a_client_whose_authentication_is_in_the_body_covers_it_by_the_digest(lab: Lab) -> None:
    """Without an Authorization field there is nothing of it to cover."""
    lab.clients["keyed"] = replace(lab.clients["keyed"], requires="http_signature")
    request = HTTP_SIGNATURE.attach(token_request(lab, "keyed"), lab.presentation())
    assert '"authorization"' not in str(request.value("Signature-Input"))
    assert request.url == TOKEN_ENDPOINT
    assert_served(lab, request)
    forged = HTTP_SIGNATURE.attach(token_request(lab, "keyed"), lab.presentation())
    forged = with_signature(
        forged, lambda i, s: (i.replace('"@method"', '"@method" "authorization"'), s)
    )
    assert_not_served(lab, forged, AS, "covered_components_are_there")
