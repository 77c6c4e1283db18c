"""The certificate behind a proxy: whom the header is believed of, and what it says then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.certificates import certificate_thumbprint
from labsim.http_message import Request
from labsim.rejection import Reason, Rejected
from labsim.roles.forwarded_certificate import FIELD, as_the_client_sent_it
from labsim.structured_fields import byte_sequence

PROXY, CLIENT = b"the proxy's certificate", b"the client's certificate"
TRUSTED = certificate_thumbprint(PROXY)


def from_proxy(*fields: tuple[str, str]) -> Request:
    return Request("GET", "https://a.test/", fields, peer_certificate=PROXY)


def test_of_the_proxy_it_says_what_the_client_showed() -> None:
    request = from_proxy((FIELD, byte_sequence(CLIENT)))
    assert as_the_client_sent_it(request, TRUSTED).peer_certificate == CLIENT


def test_without_the_header_the_client_showed_none() -> None:
    assert as_the_client_sent_it(from_proxy(), TRUSTED).peer_certificate is None


@pytest.mark.parametrize("shown", [None, b"", CLIENT])
@pytest.mark.parametrize("trusted", ["", TRUSTED])
def test_of_anybody_else_it_is_a_header_like_any_other(shown: bytes | None, trusted: str) -> None:
    for value in (byte_sequence(PROXY), "anything"):
        request = Request("GET", "https://a.test/", ((FIELD, value),), peer_certificate=shown)
        assert as_the_client_sent_it(request, trusted) is request


def test_where_no_proxy_is_trusted_the_proxys_certificate_is_its_own() -> None:
    request = from_proxy((FIELD, byte_sequence(CLIENT)))
    assert as_the_client_sent_it(request, "") is request


@given(st.text(max_size=20))
def test_any_other_value_is_refused(value: str) -> None:
    with pytest.raises(Rejected) as refused:
        as_the_client_sent_it(from_proxy((FIELD, f"{value}!")), TRUSTED)
    assert refused.value.reason is Reason.REQUEST_MALFORMED


@given(st.binary(max_size=50))
def test_any_octets_get_through_as_they_are(octets: bytes) -> None:
    request = from_proxy((FIELD, byte_sequence(octets)))
    assert as_the_client_sent_it(request, TRUSTED).peer_certificate == octets
