"""Section 10 of the catalogue: requests that are not the signed one any more, and their bodies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.structured_fields import byte_sequence
from tests.contract.attacks.http_signature import HTTP_SIGNATURE
from tests.exchange import AS, BOTH, RS, answer, assert_served, token_request
from tests.signatures import resigned, with_signature
from tests.vectors.signature_rows import (
    HOLDERS,
    Make,
    about,
    assert_not_served,
    cases,
    covering,
    good,
    run,
)
from tests.wiring import CRM, RECORD, TOKEN_ENDPOINT, Lab

invalid = about()
at_the_resource = about(actors=(RS,))
uncovered = about("body_is_covered", Reason.PROOF_CONTENT_MISMATCH)
undigested = about("digest_is_the_bodys", Reason.PROOF_CONTENT_MISMATCH)
empty = hashlib.sha256(b"").digest()


def sent_as(method: str) -> Make:
    return lambda _lab, request: replace(request, method=method)


def at_path(change: Callable[[str], str]) -> Make:
    return lambda _lab, request: request.at(change(request.url))


def signed_with_query(signed: str, sent: str) -> Make:
    """Sign for one query, send with another."""

    def make(lab: Lab, request: Request) -> Request:
        url = request.url
        return resigned(lab, request.at(f"{url}{signed}")).at(f"{url}{sent}")

    return make


def with_another_token(lab: Lab, request: Request) -> Request:
    """Put in another token that is bound to the same key."""
    token = lab.token("http_signature", "signing").access_token
    return request.without("Authorization").adding("Authorization", f"HTTPSig {token}")


def token_added(lab: Lab, request: Request) -> Request:
    """Sign without a token, and put one in afterwards."""
    token = str(request.value("Authorization"))
    bare = resigned(lab, request.without("Authorization"), without=["authorization"])
    return bare.adding("Authorization", token)


def field_changed(name: str, *values: str) -> Make:
    """Cover a field, and then send it with these values."""

    def make(lab: Lab, request: Request) -> Request:
        request = covering(name.lower())(lab, request.adding(name, "one, two")).without(name)
        for value in values:
            request = request.adding(name, value)
        return request

    return make


REQUESTS = (
    at_the_resource("HS-02", "another method", "9421 2.2.1", sent_as("DELETE")),
    at_the_resource("HS-02b", "HEAD for GET", "9421 2.2.1", sent_as("HEAD")),
    at_the_resource("HS-02c", "the method in lower case", "9421 2.2.1", sent_as("get")),
    at_the_resource("HS-03", "another path", "9421 2.2.2", at_path(lambda url: f"{url[:-1]}2")),
    at_the_resource("HS-03b", "a slash behind", "9421 2.2.2", at_path(lambda url: f"{url}/")),
    at_the_resource("HS-03c", "the path in capitals", "9421 2.2.2", at_path(lambda url: url.replace("records", "Records"))),
    at_the_resource("HS-03d", "an escaped letter", "9421 2.2.2", at_path(lambda url: url.replace("o-1", "%6F-1"))),
    at_the_resource("HS-03e", "dot segments", "9421 2.2.2", at_path(lambda url: url.replace("/o-1", "/./o-1"))),
    at_the_resource("HS-04", "another port", "9421 2.2.3", at_path(lambda url: url.replace(".test", ".test:8443"))),
    at_the_resource("HS-03f", "a query added", "9421 2.2.7", at_path(lambda url: f"{url}?a=1")),
    invalid("HS-03g", "an empty query added", "9421 2.2.7", at_path(lambda url: f"{url}?")),
    invalid("HS-03h", "an empty query taken away", "9421 2.2.7", signed_with_query("?", "")),
    at_the_resource("HS-03i", "the query changed", "9421 2.2.7", signed_with_query("?a=1", "?a=2")),
    at_the_resource("HS-03j", "a parameter twice", "9421 7.5.8", signed_with_query("?a=1", "?a=1&a=2")),
    at_the_resource("HS-03k", "two parameters turned round", "9421 2.2.7", signed_with_query("?a=1&b=2", "?b=2&a=1")),
    at_the_resource("HS-33", "+ for %20", "9421 2.2.8", signed_with_query("?a=%20", "?a=+")),
    at_the_resource("HS-33b", "an escape in lower case", "9421 2.2.2", signed_with_query("?a=%2F", "?a=%2f")),
    at_the_resource("HS-05", "another token of the same key", "9421 7.2.1", with_another_token),
    about("authorization_is_covered", Reason.PROOF_TOKEN_MISMATCH)("HS-06", "the token put in later", "9421 7.2.1", token_added),
    invalid("HS-30", "a covered field changed", "9421 2.1", field_changed("X-A", "one, three")),
    invalid("HS-30b", "in another case", "9421 2.1", field_changed("X-A", "one, Two")),
    invalid("HS-30c", "other white space inside", "9421 2.1", field_changed("X-A", "one,two")),
    invalid("HS-30d", "one more line", "9421 2.1", field_changed("X-A", "one, two", "three")),
    invalid("HS-30e", "its lines turned round", "9421 2.1", field_changed("X-A", "two", "one")),
    invalid("HS-30f", "empty", "9421 2.1", field_changed("X-A", "")),
    about("covered_components_are_there")("HS-25", "taken away", "9421 2.5", field_changed("X-A")),
)  # fmt: skip


def digest(*values: str) -> Make:
    """Send the body with these digests and sign again; {} stands for the body's, by algorithm."""

    def make(lab: Lab, request: Request) -> Request:
        found = {
            name.replace("-", "_"): byte_sequence(hashlib.new(name.replace("-", ""), request.body).digest())
            for name in ("sha-256", "sha-512", "md5", "sha-1")
        }  # fmt: skip
        request = request.without("Content-Digest")
        for value in values:
            request = request.adding("Content-Digest", value.format(**found))
        return resigned(lab, request)

    return make


def other_body(lab: Lab, request: Request) -> Request:
    """Change the body and what follows from it, but for the signature."""
    body = request.body + b"&x=1"
    value = f"sha-256={byte_sequence(hashlib.sha256(body).digest())}"
    request = replace(request, body=body).without("Content-Digest")
    return request.adding("Content-Digest", value)


def body_only(change: Callable[[bytes], bytes]) -> Make:
    return lambda _lab, request: replace(request, body=change(request.body))


def body_added(lab: Lab, request: Request) -> Request:
    """Sign a request that has no body, and add one."""
    bare = replace(request, body=b"").without("Content-Digest")
    return replace(resigned(lab, bare, without=["content-digest"]), body=request.body)


def digest_taken_along(lab: Lab, request: Request) -> Request:
    """Keep the digest as a field, and do not sign it."""
    return resigned(lab, request, without=["content-digest"])


def digest_of_another_kind(lab: Lab, request: Request) -> Request:
    """Cover the digest of the representation, which is another thing (RFC 9530 section 3)."""
    value = str(request.value("Content-Digest"))
    request = request.without("Content-Digest").adding("Repr-Digest", value)
    return resigned(lab, request, without=["content-digest"], adding=["repr-digest"])


RIGHT, WRONG = "sha-256={sha_256}", f"sha-256={byte_sequence(bytes(32))}"
BODIES = (
    undigested("HS-08", "another body", "9530 2", body_only(lambda body: body + b"&x=1")),
    undigested("HS-08b", "one bit of it", "9530 2", body_only(lambda body: body[:-1] + bytes([body[-1] ^ 1]))),
    undigested("HS-08c", "white space behind", "9530 2", body_only(lambda body: body + b"\n")),
    invalid("HS-09", "another body with its digest", "9421 7.2.8", other_body),
    uncovered("HS-09b", "a body where there was none", "9421 7.2.8", body_added),
    uncovered("HS-09c", "a digest that is not signed", "9421 7.2.8", digest_taken_along),
    uncovered("HS-09d", "Repr-Digest instead", "9530 3", digest_of_another_kind),
    *(undigested("HS-10", what, source, digest(*values)) for what, source, values in (
        ("md5 only", "9530 5", ["md5={md5}"]),
        ("SHA-1 only", "9530 5", ["sha={sha_1}"]),
        ("an unknown algorithm only", "9530 5", ["sha-257={sha_256}"]),
        ("no algorithm at all", "9530 2", [""]),
        ("sha-256 wrong", "9530 2", [WRONG]),
        ("sha-512 wrong", "9530 2", ["sha-512={sha_256}"]),
        ("sha-256 right, sha-512 wrong", "9530 2", ["sha-256={sha_256}, sha-512={sha_256}"]),
        ("sha-256 wrong, sha-512 right", "9530 2", [f"{WRONG}, sha-512={{sha_512}}"]),
        ("sha-256 wrong, md5 right", "9530 5", [f"{WRONG}, md5={{md5}}"]),
        ("sha-256 right and wrong", "9530 2", [f"{RIGHT}, {WRONG}"]),
        ("wrong and right", "9530 2", [f"{WRONG}, {RIGHT}"]),
        ("right and wrong in two lines", "9530 2", [RIGHT, WRONG]),
        ("right twice", "9530 2", [RIGHT, RIGHT]),
        ("cut to 16 octets", "9530 2", [f"sha-256={byte_sequence(bytes(16))}"]),
        ("empty octets", "9530 2", ["sha-256=::"]),
        ("of no body", "9530 2", [f"sha-256={byte_sequence(empty)}"]),
        ("a string", "9530 2", ['sha-256="{sha_256}"']),
        ("a token", "9530 2", ["sha-256=abc"]),
        ("true", "9530 2", ["sha-256"]),
        ("the old Digest's syntax", "9530 2", ["SHA-256={sha_256}"]),
        ("garbage behind", "9530 2", [f"{RIGHT} x"]),
        ("another member that is no digest", "9530 2", [f"{RIGHT}, x=1"]),
    )),
)  # fmt: skip


@pytest.mark.parametrize(("row", "actor", "algorithm"), cases((*REQUESTS, *BODIES)))
def test_a_request_that_is_not_the_signed_one_is_refused(
    lab: Lab, row: object, actor: str, algorithm: str
) -> None:
    run(lab, row, actor, algorithm)  # type: ignore[arg-type]


GOOD_DIGESTS = (
    ["sha-512={sha_512}"],
    ["sha-256={sha_256}, sha-512={sha_512}"],
    ["sha-512={sha_512}", "sha-256={sha_256}"],
    ["sha-256={sha_256}, md5=:AAAA:"],
    ["unixsum=:AA==:, sha-256={sha_256}"],
    ["sha-256={sha_256};q=1"],
    ["  sha-256={sha_256}\t,  sha-512={sha_512}  "],
)


@pytest.mark.parametrize("actor", BOTH)
@pytest.mark.parametrize("values", GOOD_DIGESTS, ids=str)
def test_one_digest_of_a_known_algorithm_is_enough(lab: Lab, values: list[str], actor: str) -> None:
    """HS-10, must accept: RFC 9530 section 2 lets a recipient ignore what it does not know."""
    assert_served(lab, digest(*values)(lab, good(lab, actor)))


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
