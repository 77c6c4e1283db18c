"""What a proxy that ends TLS makes of a request before it passes it on."""

from __future__ import annotations

import pytest

from labsim.estate.terminator import forwarded
from labsim.http_message import Request
from labsim.roles import forwarded_address, forwarded_certificate
from labsim.structured_fields import byte_sequence

ORIGIN = "https://127.0.0.1:9"
PLAIN = Request("POST", "https://proxy.test:8/a/b?c=d%20e", (("X", "1"), ("X", "2")), b"body")


@pytest.mark.parametrize("strips", [True, False])
def test_all_else_of_a_request_is_passed_on(strips: bool) -> None:
    sent = forwarded(PLAIN, ORIGIN, strips=strips)
    assert sent.without("Forwarded") == PLAIN.at(f"{ORIGIN}/a/b?c=d%20e")


@pytest.mark.parametrize("strips", [True, False])
def test_it_says_last_where_it_was_reached(strips: bool) -> None:
    """RFC 7239 section 4; what a client has written there is gone, or stands before it."""
    own = 'host="proxy.test:8";proto=https'
    assert forwarded(PLAIN, ORIGIN, strips=strips).values("Forwarded") == [own]
    forged = PLAIN.adding("forwarded", "host=a.test;proto=https")
    earlier = [] if strips else ["host=a.test;proto=https"]
    assert forwarded(forged, ORIGIN, strips=strips).values("Forwarded") == [*earlier, own]


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


FORGEABLE = (*forwarded_certificate.FORGEABLE, *forwarded_address.FORGEABLE)


@pytest.mark.parametrize("field", [*FORGEABLE, *map(str.lower, FORGEABLE)])
def test_what_only_a_proxy_may_say_is_stripped(field: str) -> None:
    forged = PLAIN.adding(field, "forged").adding(field, "twice")
    assert forwarded(forged, ORIGIN, strips=True) == forwarded(PLAIN, ORIGIN, strips=True)
    assert forwarded(forged, ORIGIN, strips=False).values(field)[:2] == ["forged", "twice"]


def test_a_connections_own_field_goes_no_further() -> None:
    """RFC 9110 section 7.6.1."""
    kept = forwarded(PLAIN.adding("Connection", "close"), ORIGIN, strips=True)
    assert kept == forwarded(PLAIN, ORIGIN, strips=True)
