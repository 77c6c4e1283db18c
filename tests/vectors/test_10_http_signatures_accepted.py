"""Section 10 of the catalogue, MUST-accept: what a server may not refuse, and may not be slow at."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import Any

import http_sf
import pytest

from labsim.http_message import Request
from labsim.rejection import Rejected
from labsim.structured_fields import byte_sequence, signature_inputs
from tests.contract.attacks.http_signature import HTTP_SIGNATURE
from tests.exchange import AS, BOTH, RS, answer, assert_served, token_request
from tests.signatures import resigned, with_signature
from tests.vectors.signature_rows import (
    HOLDERS,
    Make,
    covering,
    good,
    input_text,
    octets,
    signature_text,
    signed,
    text,
)
from tests.wiring import BEGINNING, BINDINGS, RECORD, Lab

NOW = int(BEGINNING)
EVERY_CHARACTER = "".join(map(chr, range(0x20, 0x7F)))
FIELDS = ("Signature-Input", "Signature")
OTHER = 'other=("@method");created=1;tag="another"'


def beside(before: bool, input_: str = OTHER, signature: str = "other=:AA==:") -> Make:
    """Put another signature, for another use, before or behind ours in the same lines."""
    if before:
        return text(lambda i, s: (f"{input_}, {i}", f"{signature}, {s}"))
    return text(lambda i, s: (f"{i},{input_}", f"{s} ,\t{signature}"))


def in_other_lines(_lab: Lab, request: Request) -> Request:
    """Put another signature into lines of its own, before ours."""
    lines = (("signature-input", OTHER), ("SIGNATURE", "other=:AA==:"))
    return replace(request, fields=lines + request.fields)


def split_at_the_comma(lab: Lab, request: Request) -> Request:
    """Send both fields in two lines each, as one recipient may have joined them."""
    request = beside(True)(lab, request)
    for name in FIELDS:
        first, second = str(request.value(name)).split(", ", 1)
        request = request.without(name).adding(name, first).adding(name, second)
    return request


def turned_round(lab: Lab, request: Request) -> Request:
    """Cover the same components in the opposite order."""
    (member,) = signature_inputs(str(request.value("Signature-Input")))
    covered = member.components
    return resigned(lab, request, without=covered, adding=covered[::-1])


def spelled(change: Callable[[str], str]) -> Make:
    """Spell Signature-Input in another way; what it says, and so what was signed, is the same."""
    return input_text(change)


def lines_of(name: str, *values: str) -> Make:
    def make(lab: Lab, request: Request) -> Request:
        for value in values:
            request = request.adding(name, value)
        return covering(name.lower())(lab, request)

    return make


ACCEPTED: dict[str, Make] = {
    "HS-31 the label renamed": text(lambda i, s: (i.replace("sig=", "*x.y-1_=", 1), s.replace("sig=", "*x.y-1_=", 1))),
    "HS-31 a label of 300": text(lambda i, s: ("a" * 300 + i, "a" * 300 + s)),
    "HS-29 another's before it": beside(True),
    "HS-29 another's behind it": beside(False),
    "HS-29 another's with no tag": beside(True, "other=()"),
    "HS-29 another's with our tag as a token": beside(True, "other=();tag=httpsig-oauth"),
    "HS-29 another's by a component of its own": beside(True, 'other=("@query-param";name="a")'),
    "HS-29 another's in other lines": in_other_lines,
    "HS-29 another's without an input": signature_text(lambda s: f"{s}, other=:AA==:"),
    "HS-29 another's without a signature": input_text(lambda i: f"{i}, {OTHER}"),
    "two lines each": split_at_the_comma,
    "HS-22 in another order": turned_round,
    "HS-36 @authority as well": covering("@authority"),
    "@scheme as well": covering("@scheme"),
    "@path as well": covering("@path"),
    "@query as well": covering("@query"),
    "@request-target as well": covering("@request-target"),
    "all of them": covering("@authority", "@scheme", "@path", "@query", "@request-target"),
    "a plain field": covering("x-a", x_a="1"),
    "a field with white space around": covering("x-a", x_a=" \t1 2\t "),
    "a field with a tab inside": covering("x-a", x_a="1\t2"),
    "an empty field": covering("x-a", x_a=""),
    "a field with commas inside": covering("x-a", x_a='a, "b, c" ,d,,e'),
    "a field of three lines": lines_of("X-A", "1", " 2,3 ", "4"),
    "a field of an empty line and another": lines_of("X-A", "", "1"),
    "a field of a name with every character": covering("!#$%&'*+-.^`|~1a", **{"!#$%&'*+-.^`|~1a": "1"}),
    "content-type as well": lines_of("Content-Language", "de"),
    "an end ahead": signed(expires=NOW + 1),
    "the last end": signed(expires=999_999_999_999_999),
    "a minute ago": signed(created=NOW - 60),
    "in a minute": signed(created=NOW + 60),
    "parameters nobody knows": signed(x=1, y="z", z=True, a=http_sf.Token("t"), b=b"o", d=1.5),
    "a nonce of one character": lambda lab, request: signed(nonce=f"{len(request.body)}")(lab, request),
    "a nonce of 256": signed(nonce=lambda nonce: nonce.rjust(256, "n")),
    "a nonce of every character": signed(nonce=lambda nonce: nonce + EVERY_CHARACTER),
    "spaces in the list": spelled(lambda i: i.replace("(", "(  ").replace(")", "   )").replace('" "', '"   "')),
    "spaces before parameters": spelled(lambda i: i.replace(";", ";  ")),
    "spaces around": spelled(lambda i: f"   {i}  "),
    "zeros before created": spelled(lambda i: i.replace(f"={NOW}", f"=0000{NOW}")),
    "true spelled out": lambda lab, request: input_text(lambda i: i.replace(";x", ";x=?1"))(lab, signed(x=True)(lab, request)),
    "a decimal's zeros": lambda lab, request: input_text(lambda i: i.replace("=1.5", "=01.500"))(lab, signed(x=1.5)(lab, request)),
    "a signature without padding": signature_text(lambda s: s.replace("==:", ":")),
    "parameters behind a signature": signature_text(lambda s: f"{s};a;b=1"),
    "parameters behind another": beside(False, f"{OTHER};x", "other=:AA==:;x"),
    "white space around a signature": signature_text(lambda s: f"  {s}  "),
    "the octets written again": octets(bytes),
}  # fmt: skip


@pytest.mark.parametrize("algorithm", HOLDERS)
@pytest.mark.parametrize("actor", BOTH)
@pytest.mark.parametrize("what", ACCEPTED)
def test_what_says_the_same_is_served(lab: Lab, what: str, actor: str, algorithm: str) -> None:
    lab.holder = HOLDERS[algorithm]
    request = good(lab, actor)
    changed = ACCEPTED[what](lab, request)
    assert changed != request or what == "the octets written again"
    assert_served(lab, changed)


def test_a_pub_without_padding_is_the_same_key(lab: Lab) -> None:
    """RFC 9651 section 4.2.7: what is signed is the canonical form, whatever came."""
    assert_served(lab, input_text(lambda i: i.removesuffix("=:") + ":")(lab, good(lab, AS)))


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
