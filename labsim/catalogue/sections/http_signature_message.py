"""Section 10 of the catalogue: requests that are not the signed one any more, and their bodies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.jws import Change, Jws
from labsim.catalogue.signature_changes import (
    FORGED,
    about,
    accepted,
    covering,
    resigned,
    with_body,
)
from labsim.catalogue.vector import Actor, Elsewhere, Force, Make, Needs, Section
from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.structured_fields import byte_sequence

RS = (Actor.RS,)
OTHER_REQUEST = "a captured request is changed on its way, or sent to another place"
OTHER_BODY = "a captured request is sent with the attacker's body"
invalid = about(gain=OTHER_REQUEST)
at_the_resource = about(actors=RS, gain=OTHER_REQUEST)
uncovered = about("body_is_covered", Reason.PROOF_CONTENT_MISMATCH, gain=OTHER_BODY)
undigested = about("digest_is_the_bodys", Reason.PROOF_CONTENT_MISMATCH, gain=OTHER_BODY)
EMPTY = hashlib.sha256(b"").digest()


def sent_as(method: str) -> Make:
    """Send with another method."""
    return lambda good: replace(good.request, method=method)


def at_path(change: Callable[[str], str]) -> Make:
    """Send to another URL of the same server."""
    return lambda good: good.request.at(change(good.request.url))


def path(change: Callable[[str], str]) -> Make:
    """Send to another path."""

    def changed(url: str) -> str:
        parts = urlsplit(url)
        return urlunsplit(parts._replace(path=change(parts.path)))

    return at_path(changed)


def signed_at(change: Callable[[str], str]) -> Make:
    """Sign for another URL, and send to the server's own."""

    def make(good: GoodRequest) -> Request:
        url = good.request.url
        return resigned(good, good.request.at(change(url))).at(url)

    return make


def another_port(url: str) -> str:
    """Name another port of the same host."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.hostname}:444"))


def another_host(url: str) -> str:
    """Name another host."""
    return urlunsplit(urlsplit(url)._replace(netloc="thief.test"))


def letter_escaped(path: str) -> str:
    """Escape the first letter of the last segment."""
    before, _, last = path.rpartition("/")
    if not last[:1].isalnum():
        raise CannotBeMade("the last segment does not begin with a letter")
    return f"{before}/%{ord(last[0]):02X}{last[1:]}"


def dotted(path: str) -> str:
    """Put a dot segment before the last one."""
    before, _, last = path.rpartition("/")
    return f"{before}/./{last}"


def signed_with_query(signed: str, sent: str) -> Make:
    """Sign for one query, send with another."""

    def make(good: GoodRequest) -> Request:
        url = good.request.url
        return resigned(good, good.request.at(f"{url}{signed}")).at(f"{url}{sent}")

    return make


def with_another_token(good: GoodRequest) -> Request:
    """Put in another token that is bound to the same key."""
    change = Change(claims={"jti": good.presentation.new_id()})
    token = Jws.of(good.token, good.issuers_key).text(change)
    return good.request.without("Authorization").adding("Authorization", f"HTTPSig {token}")


def token_added(good: GoodRequest) -> Request:
    """Sign without a token, and put one in afterwards."""
    token = str(good.request.value("Authorization"))
    bare = resigned(good, good.request.without("Authorization"), without=["authorization"])
    return bare.adding("Authorization", token)


def field_changed(name: str, *values: str) -> Make:
    """Cover a field, and then send it with these values."""

    def make(good: GoodRequest) -> Request:
        more = {name.replace("-", "_"): "one, two"}
        request = covering(name.lower(), **more)(good).without(name)
        for value in values:
            request = request.adding(name, value)
        return request

    return make


LATER = about("authorization_is_covered", Reason.PROOF_TOKEN_MISMATCH, gain=FORGED, force=Force.MUST_PROFILE)  # fmt: skip
REQUESTS = (
    at_the_resource("HS-02", "another method", "9421 2.2.1", sent_as("DELETE")),
    at_the_resource("HS-02b", "HEAD for GET", "9421 2.2.1", sent_as("HEAD")),
    at_the_resource("HS-02c", "the method in lower case", "9421 2.2.1", sent_as("get")),
    at_the_resource("HS-03", "another path", "9421 2.2.2", path(lambda path: f"{path[:-1]}2")),
    at_the_resource("HS-03b", "a slash behind", "9421 2.2.2", path(lambda path: f"{path}/")),
    at_the_resource("HS-03c", "the path in capitals", "9421 2.2.2", path(str.upper)),
    at_the_resource("HS-03d", "an escaped letter", "9421 2.2.2", path(letter_escaped)),
    at_the_resource("HS-03e", "dot segments", "9421 2.2.2", path(dotted)),
    invalid("HS-04", "signed for another port", "9421 2.2.3", signed_at(another_port)),
    invalid("HS-39", "signed for another server", "9421 7.2.2", signed_at(another_host)),
    at_the_resource("HS-03f", "a query added", "9421 2.2.7", at_path(lambda url: f"{url}?a=1")),
    invalid("HS-03g", "an empty query added", "9421 2.2.7", at_path(lambda url: f"{url}?")),
    invalid("HS-03h", "an empty query taken away", "9421 2.2.7", signed_with_query("?", "")),
    at_the_resource("HS-03i", "the query changed", "9421 2.2.7", signed_with_query("?a=1", "?a=2")),
    at_the_resource("HS-03j", "a parameter twice", "9421 7.5.8", signed_with_query("?a=1", "?a=1&a=2")),
    at_the_resource("HS-03k", "two parameters turned round", "9421 2.2.7", signed_with_query("?a=1&b=2", "?b=2&a=1")),
    at_the_resource("HS-33", "+ for %20", "9421 2.2.8", signed_with_query("?a=%20", "?a=+")),
    at_the_resource("HS-33b", "an escape in lower case", "9421 2.2.2", signed_with_query("?a=%2F", "?a=%2f")),
    at_the_resource("HS-05", "another token of the same key", "9421 7.2.1", with_another_token, needs=Needs.ISSUER),
    LATER("HS-06b", "the token put in later", "9421 7.2.1", token_added),
    invalid("HS-30", "a covered field changed", "9421 2.1", field_changed("X-A", "one, three")),
    invalid("HS-30b", "in another case", "9421 2.1", field_changed("X-A", "one, Two")),
    invalid("HS-30c", "other white space inside", "9421 2.1", field_changed("X-A", "one,two")),
    invalid("HS-30d", "one more line", "9421 2.1", field_changed("X-A", "one, two", "three")),
    invalid("HS-30e", "its lines turned round", "9421 2.1", field_changed("X-A", "two", "one")),
    invalid("HS-30f", "a covered field emptied", "9421 2.1", field_changed("X-A", "")),
    about("covered_components_are_there", gain=OTHER_REQUEST)("HS-25f", "a covered field taken away", "9421 2.5", field_changed("X-A")),
)  # fmt: skip


def digest(*values: str) -> Make:
    """Send the body with these digests and sign again; {} stands for the body's, by algorithm."""

    def make(good: GoodRequest) -> Request:
        request = with_body(good)
        found = {
            name.replace("-", "_"): byte_sequence(_hashed(name, request.body))
            for name in ("sha-256", "sha-512", "md5", "sha-1")
        }
        request = request.without("Content-Digest")
        for value in values:
            request = request.adding("Content-Digest", value.format(**found))
        return resigned(good, request)

    return make


def _hashed(name: str, body: bytes) -> bytes:
    return hashlib.new(name.replace("-", ""), body).digest()


def other_body(good: GoodRequest) -> Request:
    """Change the body and what follows from it, but for the signature."""
    body = with_body(good).body + b"&x=1"
    value = f"sha-256={byte_sequence(hashlib.sha256(body).digest())}"
    request = replace(good.request, body=body).without("Content-Digest")
    return request.adding("Content-Digest", value)


def body_only(change: Callable[[bytes], bytes]) -> Make:
    """Change the body and nothing else."""
    return lambda good: replace(good.request, body=change(with_body(good).body))


def body_added(good: GoodRequest) -> Request:
    """Sign a request that has no body, and add one."""
    bare = replace(with_body(good), body=b"").without("Content-Digest")
    return replace(resigned(good, bare, without=["content-digest"]), body=good.request.body)


def digest_taken_along(good: GoodRequest) -> Request:
    """Keep the digest as a field, and do not sign it."""
    return resigned(good, with_body(good), without=["content-digest"])


def digest_of_another_kind(good: GoodRequest) -> Request:
    """Cover the digest of the representation, which is another thing (RFC 9530 section 3)."""
    value = str(with_body(good).value("Content-Digest"))
    request = good.request.without("Content-Digest").adding("Repr-Digest", value)
    return resigned(good, request, without=["content-digest"], adding=["repr-digest"])


RIGHT, WRONG = "sha-256={sha_256}", f"sha-256={byte_sequence(bytes(32))}"
BODIES: tuple[Any, ...] = (
    undigested("HS-08", "another body", "9530 2", body_only(lambda body: body + b"&x=1")),
    undigested("HS-08b", "one bit of it", "9530 2", body_only(lambda body: body[:-1] + bytes([body[-1] ^ 1]))),
    undigested("HS-08c", "white space behind", "9530 2", body_only(lambda body: body + b"\n")),
    invalid("HS-09", "another body with its digest", "9421 7.2.8", other_body),
    uncovered("HS-09b", "a body where there was none", "9421 7.2.8", body_added),
    uncovered("HS-09c", "a digest that is not signed", "9421 7.2.8", digest_taken_along),
    uncovered("HS-09d", "Repr-Digest instead", "9530 3", digest_of_another_kind),
    *(undigested("HS-10", what, source, digest(*values), force=Force.MUST_PROFILE) for what, source, values in (
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
        ("of no body", "9530 2", [f"sha-256={byte_sequence(EMPTY)}"]),
        ("a string", "9530 2", ['sha-256="{sha_256}"']),
        ("a token", "9530 2", ["sha-256=abc"]),
        ("true", "9530 2", ["sha-256"]),
        ("the old Digest's syntax", "9530 2", ["SHA-256={sha_256}"]),
        ("garbage behind", "9530 2", [f"{RIGHT} x"]),
        ("another member that is no digest", "9530 2", [f"{RIGHT}, x=1"]),
    )),
)  # fmt: skip
GOOD_DIGESTS = {
    "sha-512 alone": ["sha-512={sha_512}"],
    "both": ["sha-256={sha_256}, sha-512={sha_512}"],
    "both in two lines": ["sha-512={sha_512}", "sha-256={sha_256}"],
    "beside md5": ["sha-256={sha_256}, md5=:AAAA:"],
    "behind unixsum": ["unixsum=:AA==:, sha-256={sha_256}"],
    "with a parameter": ["sha-256={sha_256};q=1"],
    "with white space": ["sha-256={sha_256}\t,  sha-512={sha_512}"],
}
ACCEPTED = tuple(
    accepted("HS-10b", f"a digest: {what}", "9530 2", digest(*values))
    for what, values in GOOD_DIGESTS.items()
)

SECTION = Section(
    name="http_signature_message",
    number=10,
    title="HTTP message signatures: the request and its body",
    vectors=tuple(vector for row in (*REQUESTS, *BODIES, *ACCEPTED) for vector in row),
    elsewhere=(
        Elsewhere(
            id="HS-39",
            what="a token for another server, bound to the same key",
            source="RFC 9421 section 7.2.2",
            why="it takes two servers",
            proven="tests/vectors/test_10_http_signatures_message.py",
        ),
    ),
)
