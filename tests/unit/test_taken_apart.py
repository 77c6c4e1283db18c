"""What a request holds besides JWTs, and what its connection showed: read again from its bytes."""

from __future__ import annotations

import pytest

from labsim.binding import Presentation
from labsim.bindings.http_signature import BINDING
from labsim.certificates import certificate_thumbprint
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.stories.taken_apart import parts
from labsim.stories.three_views import captured, shown
from labsim.structured_fields import byte_sequence
from tests.wiring import HOLDER

URL = "https://deploy.test/records?stage=test"
LONG = "t" * 300


def signed(token: str = LONG, body: bytes = b"") -> Request:
    presentation = Presentation(token, SigningKey.generate(), 1_800_000_000, lambda: "n-1")
    return BINDING.attach(Request("POST", URL, body=body), presentation)


def wire(request: Request) -> str:
    return request.wire().decode("latin-1")


def test_a_signature_is_taken_apart_and_its_base_has_a_line_for_each_component() -> None:
    (apart, listed), (title, base) = parts(wire(signed(body=b"{}")), {})
    assert apart == "The signature, taken apart"
    assert listed.split("\n") == [
        "  covers: @method, @target-uri, authorization, content-digest",
        "  created: 1800000000",
        "  nonce: n-1",
        "  tag: httpsig-oauth",
    ]
    assert title == "The signature base of this request"
    lines = base.split("\n")
    assert lines[:2] == ['"@method": POST', f'"@target-uri": {URL}']
    assert lines[2].startswith('"authorization": HTTPSig ttt')
    assert lines[2].endswith("more characters]")
    assert lines[3].startswith('"content-digest": sha-256=:')
    assert lines[4].startswith('"@signature-params": ("@method" ')


def test_uncut_the_shown_base_is_what_was_signed() -> None:
    request = signed("a token")
    assert parts(wire(request), {})[1][1].encode() == BINDING.parse(request).base


def test_a_redirected_request_has_another_base() -> None:
    there = signed().at("https://deploy.test/records/1")
    assert '"@target-uri": https://deploy.test/records/1\n' in parts(wire(there), {})[1][1]


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "GET",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\r\nHost: a\r\nSignature-Input: (((",
        'GET / HTTP/1.1\r\nHost: a\r\nSignature-Input: sig=("not-there")',
        'GET / HTTP/1.1\r\nHost: a\r\nSignature-Input: sig=("@status")',
        "GET / HTTP/1.1\r\nHost: a\r\nClient-Cert: :AAAA:",
        "GET / HTTP/1.1\r\nHost: a\r\nClient-Cert: none",
    ],
)
def test_what_cannot_be_read_is_left_out(bad: str) -> None:
    assert parts(bad, {}) == []


def test_a_certificate_in_a_header_is_named_by_subject_and_thumbprint() -> None:
    der = HOLDER.certificate or b""
    request = Request("GET", URL, (("Client-Cert", byte_sequence(der)),))
    ((title, text),) = parts(wire(request), {})
    assert title == "The certificate in Client-Cert"
    assert "subject: CN=" in text
    assert f"x5t#S256: {certificate_thumbprint(der)}" in text


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("certificate_is_shown", "It showed no certificate."),
        ("certificate_is_the_bound_one", "but not the one the token names"),
        ("", "It showed the certificate that the token names."),
    ],
)
def test_what_a_connection_showed_is_told_by_the_servers_event(check: str, said: str) -> None:
    event = {"binding": "mtls", "check": check}
    ((title, text),) = parts(wire(Request("GET", URL)), event)
    assert title == "The connection, as the server saw it"
    assert said in text


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"binding": "bearer", "check": ""},
        {"binding": "mtls", "check": "certificate_is_not_revoked"},
        {"binding": "", "check": "audience_is_this_resource"},
    ],
)
def test_of_a_connection_nothing_is_said_that_the_event_does_not_tell(
    event: dict[str, str],
) -> None:
    assert parts(wire(Request("GET", URL)), event) == []


def test_a_page_shows_the_parts_beside_the_bytes() -> None:
    page = captured(wire(signed()), "As it was taken")
    for text in (repr(page), page._repr_html_()):
        assert "The signature base of this request" in text
    row = {"attempt": 1, "replay": "token_as_is", "resource": "deploy", "outcome": "rejected"}
    row |= {"status": 401, "error": "", "reason": ""}
    event = {"binding": "mtls", "check": "certificate_is_shown", "decision": "rejected"}
    page = shown(row, {"request": wire(Request("GET", URL)), "event": event})
    assert "It showed no certificate." in page._repr_html_()
