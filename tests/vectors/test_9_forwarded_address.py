"""Section 9 of the catalogue: where a client meant to be, behind a proxy that ends TLS (RFC 7239).

As for the certificate: the proxy's own way with a request and the server's, without sockets. A proof
is for the URL that the client knows, which is the proxy's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from labsim.certificates import certificate_thumbprint
from labsim.estate.terminator import forwarded
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from tests.exchange import assert_refused, assert_served
from tests.wiring import BINDINGS, ORDERS, OWN_CLIENT, RECORD, Lab, certified

PROXY = certified(SigningKey.generate(), "terminator")
AT_THE_PROXY = RECORD.replace(ORDERS, "https://proxy.test")
ELSEWHERE = RECORD.replace(ORDERS, "https://elsewhere.test")
SAYS_PROXY = "host=proxy.test;proto=https"
SAYS_ELSEWHERE = "host=elsewhere.test;proto=https"
NOT_FOR_THIS = {
    "dpop": ("invalid_dpop_proof", Reason.PROOF_TARGET_MISMATCH, "htu_is_the_target_uri"),
    "http_signature": ("invalid_token", Reason.BINDING_MISMATCH, "signature_is_by_the_bound_key"),
}
SIGNING = pytest.mark.parametrize("binding", NOT_FOR_THIS)
EITHER = pytest.mark.parametrize("strips", [True, False], ids=["strips", "passes"])


@pytest.fixture(autouse=True)
def trusted(lab: Lab) -> None:
    """Let `orders` believe the proxy, by the proxy's own certificate."""
    thumbprint = certificate_thumbprint(PROXY.certificate or b"")
    lab.orders = replace(lab.orders, trusted_proxy=thumbprint)


def proven(lab: Lab, binding: str, url: str = AT_THE_PROXY) -> Request:
    """Make a request that is proven for one URL."""
    token = lab.token(binding, OWN_CLIENT[binding]).access_token
    return BINDINGS[binding].attach(Request("GET", url), lab.presentation(token))


def passed_on(request: Request, *, strips: bool = True) -> Request:
    """Let the proxy pass a request on, over its own connection."""
    sent = forwarded(request.at(AT_THE_PROXY), ORDERS, strips=strips)
    return replace(sent, peer_certificate=PROXY.certificate)


def assert_not_for_this(lab: Lab, binding: str, request: Request) -> None:
    error, reason, check = NOT_FOR_THIS[binding]
    assert_refused(lab, request, status=401, error=error, reason=reason, check=check)


@SIGNING
@EITHER
def test_a_proof_for_the_proxys_url_is_served_through_the_proxy(
    lab: Lab, binding: str, strips: bool
) -> None:
    """And one for another URL is not, be it the server's own."""
    assert_served(lab, passed_on(proven(lab, binding), strips=strips))
    for url in (RECORD, ELSEWHERE, f"{AT_THE_PROXY}x"):
        assert_not_for_this(lab, binding, passed_on(proven(lab, binding, url), strips=strips))


@SIGNING
@EITHER
@pytest.mark.parametrize("write", [SAYS_ELSEWHERE, f"{SAYS_PROXY}, {SAYS_ELSEWHERE}", 'host="'])
def test_what_the_client_writes_itself_counts_behind_no_proxy(
    lab: Lab, binding: str, strips: bool, write: str
) -> None:
    """RFC 7239 section 8.1: who would send a proof for elsewhere here only has to say so."""
    redirected = proven(lab, binding, ELSEWHERE).adding("Forwarded", write)
    assert_not_for_this(lab, binding, passed_on(redirected, strips=strips))
    honest = proven(lab, binding).adding("Forwarded", write)
    assert_served(lab, passed_on(honest, strips=strips))


@SIGNING
def test_it_is_believed_of_the_proxy_alone(lab: Lab, binding: str) -> None:
    """Whoever reaches the server past the proxy has written a header like any other."""
    past: dict[str, Callable[[Request], Request]] = {
        "no certificate": lambda request: replace(request, peer_certificate=None),
        "another one": lambda request: replace(request, peer_certificate=lab.thief.certificate),
    }
    for change in past.values():
        forged = proven(lab, binding).at(RECORD).adding("Forwarded", SAYS_PROXY)
        assert_not_for_this(lab, binding, change(forged))
        own = proven(lab, binding, RECORD).adding("Forwarded", SAYS_ELSEWHERE)
        assert_served(lab, change(own))
    assert_served(lab, passed_on(proven(lab, binding)))
    lab.orders = replace(lab.orders, trusted_proxy="")
    assert_not_for_this(lab, binding, passed_on(proven(lab, binding)))


@SIGNING
@pytest.mark.parametrize("bad", ["", "host=proxy.test", f"{SAYS_PROXY};host=elsewhere.test"])
def test_a_line_that_says_nothing_is_refused_even_of_the_proxy(
    lab: Lab, binding: str, bad: str
) -> None:
    request = passed_on(proven(lab, binding))
    changed = request.without("Forwarded").adding("Forwarded", bad)
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "forwarded_says_host_and_proto"}
    assert_refused(lab, changed, status=400, error="invalid_request", **refusal)
    assert_served(lab, request)
    without = passed_on(proven(lab, binding)).without("Forwarded")
    assert_not_for_this(lab, binding, without)
