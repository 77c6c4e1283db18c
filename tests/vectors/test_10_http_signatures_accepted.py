"""Section 10 of the catalogue, what may not be refused beside other bindings, and may not be slow."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import Any

import pytest

from labsim.http_message import Request
from labsim.rejection import Rejected
from labsim.structured_fields import byte_sequence
from tests.contract.attacks.http_signature import HTTP_SIGNATURE
from tests.exchange import AS, RS, answer, assert_served, token_request
from tests.signatures import resigned, with_signature
from tests.vectors.signature_rows import good
from tests.wiring import BINDINGS, RECORD, Lab

OTHER = 'other=("@method");created=1;tag="another"'


def test_a_pub_without_padding_is_the_same_key(lab: Lab) -> None:
    """RFC 9651 section 4.2.7: what is signed is the canonical form, whatever came."""
    request = good(lab, AS)
    assert_served(lab, with_signature(request, lambda i, s: (i.removesuffix("=:") + ":", s)))


def test_queries_are_signed_as_they_stand(lab: Lab) -> None:
    """HS-03, HS-33: each is served as it was signed."""
    token = lab.token("http_signature", "signing").access_token
    for query in ("?", "?a", "?a=1&a=2", "?a=%20", "?a=+", "?a=b?c/d", "?%41=%2f", "?;", "??"):
        request = Request("GET", f"{RECORD}{query}")
        request = HTTP_SIGNATURE.attach(request, lab.presentation(token))
        assert_served(lab, request)
        assert_served(lab, resigned(lab, request, adding=["@query", "@request-target"]))


@pytest.mark.parametrize("binding", ["bearer", "dpop", "mtls"])
def test_a_signature_beside_another_bindings_token_does_no_harm(lab: Lab, binding: str) -> None:
    """A gateway may sign what it passes on: a signature is looked at where the token asks for it."""
    token = lab.token(binding).access_token
    request = BINDINGS[binding].attach(Request("GET", RECORD), lab.presentation(token))
    assert_served(lab, request.adding("Signature-Input", OTHER).adding("Signature", "other=:AA==:"))
    request = BINDINGS[binding].attach(Request("GET", RECORD), lab.presentation(token))
    assert_served(lab, request.adding("Signature-Input", "garbage("))


def test_any_signature_of_a_token_request_counts_as_this_ones(lab: Lab) -> None:
    """Policy: with a tag of its own it could be let alone, and a slip in the tag would be bearer."""
    request = token_request(lab, "free")
    assert_served(lab, request)
    for name, value in (("Signature-Input", OTHER), ("Signature", "other=:AA==:")):
        request = request.adding(name, value)
        assert answer(lab, request).status == 400


def calls_in(work: Callable[[], Any]) -> int:
    """Count the calls of functions, Python's own included, that a piece of work takes."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def with_many_fields(lab: Lab, number: int) -> Request:
    """Cover so many fields, each of which is there."""
    names = [f"x-{n}" for n in range(number)]
    request = good(lab, RS)
    request = replace(request, fields=request.fields + tuple((name, "1") for name in names))
    return resigned(lab, request, adding=names)


def with_many_labels(lab: Lab, number: int) -> Request:
    inputs = "".join(f"s{n}=(), " for n in range(number))
    signatures = "".join(f"s{n}=:AA==:, " for n in range(number))
    return with_signature(good(lab, RS), lambda i, s: (inputs + i, signatures + s))


def with_many_parameters(lab: Lab, number: int) -> Request:
    return resigned(lab, good(lab, RS), parameters={f"p{n}": n for n in range(number)})


def with_many_digests(lab: Lab, number: int) -> Request:
    value = ", ".join(f"d{n}={byte_sequence(b'x')}" for n in range(number))
    return resigned(lab, good(lab, RS).adding("Content-Digest", value))


@pytest.mark.parametrize(
    "make", [with_many_fields, with_many_labels, with_many_parameters, with_many_digests]
)
def test_twice_as_much_takes_twice_the_steps(lab: Lab, make: Callable[[Lab, int], Request]) -> None:
    """HS-35: counted in calls, since a clock would say something of the machine as well."""
    steps = []
    for number in (500, 1000, 2000):
        request = make(lab, number)
        steps.append(calls_in(lambda request=request: lab.orders.decide(request)))
        assert_served(lab, make(lab, number))
    assert steps[1] < 2.2 * steps[0]
    assert steps[2] < 2.2 * steps[1]


def test_ten_thousand_components_are_refused_in_as_many_steps(lab: Lab) -> None:
    """HS-35: a list that nobody could serve, whatever stands in it."""
    steps = []
    for number in (5000, 10_000):
        names = " ".join(f'"x-{n}"' for n in range(number))
        bad = with_signature(good(lab, RS), lambda i, s, n=names: (i.replace(")", f" {n})", 1), s))  # type: ignore[misc]

        def refused(bad: Request = bad) -> None:
            with pytest.raises(Rejected):
                HTTP_SIGNATURE.parse(bad)

        steps.append(calls_in(refused))
    assert steps[1] < 2.2 * steps[0] + 1000
