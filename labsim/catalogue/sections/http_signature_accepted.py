"""Section 10 of the catalogue: what a server may not refuse, and signatures that come again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import http_sf

from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.signature_changes import (
    ORDER,
    about,
    accepted,
    covering,
    input_text,
    octets,
    resigned,
    signature_text,
    signed,
    text,
)
from labsim.catalogue.signing import FIELDS, with_signature
from labsim.catalogue.vector import Elsewhere, Force, Make, Needs, Section, as_it_is
from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.structured_fields import signature_inputs

EVERY_CHARACTER = "".join(map(chr, range(0x20, 0x7F)))
OTHER = 'other=("@method");created=1;tag="another"'
ODD_NAME = "!#$%&'*+-.^`|~1a"


def beside(before: bool, input_: str = OTHER, signature: str = "other=:AA==:") -> Make:
    """Put another signature, for another use, before or behind ours in the same lines."""
    if before:
        return text(lambda i, s: (f"{input_}, {i}", f"{signature}, {s}"))
    return text(lambda i, s: (f"{i},{input_}", f"{s} ,\t{signature}"))


def in_other_lines(good: GoodRequest) -> Request:
    """Put another signature into lines of its own, before ours."""
    lines = (("signature-input", OTHER), ("SIGNATURE", "other=:AA==:"))
    return replace(good.request, fields=lines + good.request.fields)


def split_at_the_comma(good: GoodRequest) -> Request:
    """Send both fields in two lines each, as one recipient may have joined them."""
    request = beside(True)(good)
    for name in FIELDS:
        first, second = str(request.value(name)).split(", ", 1)
        request = request.without(name).adding(name, first).adding(name, second)
    return request


def turned_round(good: GoodRequest) -> Request:
    """Cover the same components in the opposite order."""
    (member,) = signature_inputs(str(good.request.value("Signature-Input")))
    covered = member.components
    return resigned(good, without=covered, adding=covered[::-1])


def lines_of(name: str, *values: str) -> Make:
    """Cover a field of several lines."""

    def make(good: GoodRequest) -> Request:
        request = good.request
        for value in values:
            request = request.adding(name, value)
        return resigned(good, request, adding=[name.lower()])

    return make


def then(change: Callable[[str], str], **parameters: object) -> Make:
    """Sign with these parameters, and spell them in another way."""

    def make(good: GoodRequest) -> Request:
        made = resigned(good, parameters=parameters)
        return with_signature(made, lambda i, s: (change(i), s))

    return make


def created_with_zeros(good: GoodRequest) -> Request:
    """Write zeros before the time."""
    old = f"={good.now}"
    return with_signature(good.request, lambda i, s: (i.replace(old, f"=0000{good.now}"), s))


def created(by: int) -> Make:
    """Sign at another time."""
    return signed(created=lambda created: created + by)


def ahead(good: GoodRequest) -> Request:
    """Sign with an end a minute ahead."""
    return resigned(good, parameters={"expires": good.now + 60})


def renamed(label: str) -> Make:
    """Call the signature by another label in both fields."""
    return text(lambda i, s: (i.replace("sig=", label, 1), s.replace("sig=", label, 1)))


def unpadded(text: str) -> str:
    """Take the padding of a byte sequence away (RFC 9651 section 4.2.7)."""
    return text.rstrip(":").rstrip("=") + ":"


SPACED = frozenset({"HS-A8", "HS-A12", "HS-A25", "HS-A32"})
"""White space around a value is no part of it, and no sender here puts it there."""
ALL = ("@authority", "@scheme", "@path", "@query", "@request-target")
ACCEPTED: dict[str, tuple[str, str, Make]] = {
    "the label renamed": ("HS-31", "9421 7.2.5", renamed("*x.y-1_=")),
    "a label of 300": ("HS-31b", "9421 7.2.5", renamed("a" * 300 + "=")),
    "another's before it": ("HS-29d", "9421 7.2.6", beside(True)),
    "another's behind it": ("HS-29e", "9421 7.2.6", beside(False)),
    "another's with no tag": ("HS-29f", "9421 7.2.6", beside(True, "other=()")),
    "another's with our tag as a token": ("HS-29g", "9421 7.2.6", beside(True, "other=();tag=httpsig-oauth")),
    "another's by a component of its own": ("HS-29h", "9421 7.2.6", beside(True, 'other=("@query-param";name="a")')),
    "another's in other lines": ("HS-29i", "9421 7.2.6", in_other_lines),
    "another's without an input": ("HS-29j", "9421 7.2.6", signature_text(lambda s: f"{s}, other=:AA==:")),
    "another's without a signature": ("HS-29k", "9421 7.2.6", input_text(lambda i: f"{i}, {OTHER}")),
    "two lines each": ("HS-A1", "9651 4.2", split_at_the_comma),
    "in another order": ("HS-22b", "9421 2.5", turned_round),
    "@authority as well": ("HS-36", "9421 2.2.3", covering("@authority")),
    "@scheme as well": ("HS-A2", "9421 2.2.4", covering("@scheme")),
    "@path as well": ("HS-A3", "9421 2.2.6", covering("@path")),
    "@query as well": ("HS-A4", "9421 2.2.7", covering("@query")),
    "@request-target as well": ("HS-A5", "9421 2.2.5", covering("@request-target")),
    "all of them": ("HS-A6", "9421 2.2", covering(*ALL)),
    "a plain field": ("HS-A7", "9421 2.1", covering("x-a", x_a="1")),
    "a field with white space around": ("HS-A8", "9421 2.1", covering("x-a", x_a=" \t1 2\t ")),
    "a field with a tab inside": ("HS-A9", "9421 2.1", covering("x-a", x_a="1\t2")),
    "an empty field": ("HS-A10", "9421 2.1", covering("x-a", x_a="")),
    "a field with commas inside": ("HS-A11", "9421 2.1", covering("x-a", x_a='a, "b, c" ,d,,e')),
    "a field of three lines": ("HS-A12", "9421 2.1", lines_of("X-A", "1", " 2,3 ", "4")),
    "a field of an empty line and another": ("HS-A13", "9421 2.1", lines_of("X-A", "", "1")),
    "a field of a name with every character": ("HS-A14", "9421 2.1", lines_of(ODD_NAME, "1")),
    "another field as well": ("HS-A15", "9421 2.1", lines_of("Content-Language", "de")),
    "an end ahead": ("HS-A16", "9421 2.3", ahead),
    "the last end": ("HS-A17", "9651 3.3.1", signed(expires=999_999_999_999_999)),
    "half a minute ago": ("HS-A18", "9421 3.2.1", created(-30)),
    "in 50 seconds": ("HS-A19", "9421 3.2.1", created(50)),
    "parameters nobody knows": ("HS-A20", "9421 2.3", signed(x=1, y="z", z=True, a=http_sf.Token("t"), b=b"o", d=1.5)),
    "a nonce of 256": ("HS-A21", "9421 2.3", signed(nonce=lambda nonce: nonce.rjust(256, "n"))),
    "a nonce of every character": ("HS-A22", "9421 2.3", signed(nonce=lambda nonce: nonce + EVERY_CHARACTER)),
    "spaces in the list": ("HS-A23", "9421 2.3", input_text(lambda i: i.replace("(", "(  ").replace(")", "   )").replace('" "', '"   "'))),
    "spaces before parameters": ("HS-A24", "9421 2.3", input_text(lambda i: i.replace(";", ";  "))),
    "spaces around": ("HS-A25", "9651 4.2", input_text(lambda i: f"   {i}  ")),
    "zeros before created": ("HS-A26", "9651 4.2.4", created_with_zeros),
    "true spelled out": ("HS-A27", "9651 4.2.8", then(lambda i: i.replace(";x", ";x=?1"), x=True)),
    "a decimal's zeros": ("HS-A28", "9651 4.2.4", then(lambda i: i.replace("=1.5", "=01.500"), x=1.5)),
    "a signature without padding": ("HS-A29", "9651 4.2.7", signature_text(unpadded)),
    "parameters behind a signature": ("HS-A30", "9421 4.2", signature_text(lambda s: f"{s};a;b=1")),
    "parameters behind another": ("HS-A31", "9421 4.2", beside(False, f"{OTHER};x", "other=:AA==:;x")),
    "white space around a signature": ("HS-A32", "9651 4.2", signature_text(lambda s: f"  {s}  ")),
}  # fmt: skip


def malleated(value: bytes) -> bytes:
    """Write (r, s) as (r, n - s)."""
    return value[:32] + (ORDER - int.from_bytes(value[32:])).to_bytes(32)


def in_its_other_form(good: GoodRequest) -> Request:
    """Write the signature in its other form, which is as good."""
    if good.holder.algorithm != "ES256":
        raise CannotBeMade("signatures of this algorithm have one form")
    return octets(malleated)(good)


def same_nonce(good: GoodRequest) -> Request:
    """Sign again at another time, with the nonce that was spent."""
    (old,) = signature_inputs(str(good.request.value("Signature-Input")))
    nonce = old.parameters["nonce"]
    return resigned(good, parameters={"nonce": nonce, "created": lambda at: at - 1})


def dated_ahead(good: GoodRequest) -> Request:
    """Sign for 50 seconds from now, each time with the same nonce."""
    (old,) = signature_inputs(str(good.request.value("Signature-Input")))
    nonce = old.parameters["nonce"]
    return resigned(good, parameters={"nonce": nonce, "created": lambda at: at + 50})


def forged(good: GoodRequest) -> Request:
    """Sign with the thief's key, under the holder's coming nonce."""
    (old,) = signature_inputs(str(good.request.value("Signature-Input")))
    nonce = {"nonce": old.parameters["nonce"]}
    return resigned(good, key=good.stranger, parameters=nonce)


AGAIN = "a captured request is good again"
replayed = about("nonce_is_new", Reason.PROOF_REPLAYED, gain=AGAIN, force=Force.MUST_PROFILE)
SPENT = {
    "the same signature twice": ("HS-15", as_it_is),
    "a new signature with a spent nonce": ("HS-15b", same_nonce),
    "the spent one in its other form": ("HS-15c", in_its_other_form),
    "the spent one without padding": ("HS-15d", signature_text(unpadded)),
    "the spent one under another label": ("HS-15e", renamed("a=")),
    "the spent one with white space": ("HS-15f", input_text(lambda i: i.replace("(", "( "))),
    "the spent one with a field more": ("HS-15g", lambda good: good.request.adding("X-A", "1")),
}
REPLAYED = tuple(
    replayed(id, what, "9421 7.2.2", make, before=(as_it_is,)) for what, (id, make) in SPENT.items()
)

SECTION = Section(
    name="http_signature_accepted",
    number=10,
    title="HTTP message signatures: what must be served, and what comes again",
    vectors=tuple(
        vector
        for row in (
            *(accepted(id, what, source, make, needs=Needs.IN_PROCESS if id in SPACED else Needs.NOTHING) for what, (id, source, make) in ACCEPTED.items()),
            *REPLAYED,
            replayed("HS-15i", "the same signature eight times at once", "9421 7.2.2", as_it_is, at_once=8),
            replayed("HS-15j", "one dated ahead, when it is young no more", "9421 7.2.2", dated_ahead, before=(dated_ahead,), pause=90.0, needs=Needs.CLOCK),
            accepted("HS-15h", "a fresh signature in its other form", "9421 7.2.2", in_its_other_form, force=Force.POLICY),
            accepted("HS-16", "a nonce that a forged signature has named", "9421 7.2.2", as_it_is, before=(forged,)),
        )
        for vector in row
    ),
    elsewhere=(
        Elsewhere(
            id="HS-15",
            what="two hundred at once, and at the edge of the window",
            source="RFC 9421 section 7.2.2",
            why="it takes each kind of memory, and a clock that stands",
            proven="tests/vectors/test_10_http_signatures_replay.py",
        ),
    ),
)  # fmt: skip
