"""What a proxy that ends TLS makes of a request before it passes it on."""

from __future__ import annotations

import pytest

from labsim.estate.terminator import forwarded
from labsim.http_message import Request
from labsim.roles.forwarded_certificate import FORGEABLE
from labsim.structured_fields import byte_sequence

ORIGIN = "https://127.0.0.1:9"
PLAIN = Request("POST", "https://proxy.test:8/a/b?c=d%20e", (("X", "1"), ("X", "2")), b"body")


@pytest.mark.parametrize("strips", [True, False])
def test_all_else_of_a_request_is_passed_on(strips: bool) -> None:
    sent = forwarded(PLAIN, ORIGIN, strips=strips)
    assert sent == PLAIN.at(f"{ORIGIN}/a/b?c=d%20e")


@pytest.mark.parametrize(
    ("url", "path"),
    [("https://p.test/", "/"), ("https://p.test", "/"), ("https://p.test/?a=//b", "/?a=//b"), ("https://p.test//a", "//a")],
)  # fmt: skip
def test_the_target_stays_what_it_was(url: str, path: str) -> None:
    assert forwarded(PLAIN.at(url), ORIGIN, strips=True).url == f"{ORIGIN}{path}"


@pytest.mark.parametrize("strips", [True, False])
def test_the_clients_certificate_is_said_in_the_header(strips: bool) -> None:
    shown = Request(PLAIN.method, PLAIN.url, PLAIN.fields, PLAIN.body, b"certificate")
    sent = forwarded(shown, ORIGIN, strips=strips)
    assert sent.values("Client-Cert") == [byte_sequence(b"certificate")]
    assert sent.peer_certificate is None


@pytest.mark.parametrize("field", [*FORGEABLE, *map(str.lower, FORGEABLE)])
def test_what_only_a_proxy_may_say_is_stripped(field: str) -> None:
    forged = PLAIN.adding(field, "forged").adding(field, "twice")
    assert forwarded(forged, ORIGIN, strips=True) == forwarded(PLAIN, ORIGIN, strips=True)
    assert forwarded(forged, ORIGIN, strips=False).values(field) == ["forged", "twice"]


def test_a_connections_own_field_goes_no_further() -> None:
    """RFC 9110 section 7.6.1."""
    kept = forwarded(PLAIN.adding("Connection", "close"), ORIGIN, strips=True)
    assert kept == forwarded(PLAIN, ORIGIN, strips=True)
