"""Section 10 of the catalogue: the two fields, what a signature covers, and its parameters."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import http_sf

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.jws import GONE
from labsim.catalogue.signature_changes import (
    about,
    input_text,
    naming,
    own,
    replaced,
    resigned,
    signature_text,
    signed,
    text,
    uncovered,
    with_body,
)
from labsim.catalogue.signing import FIELDS, with_signature
from labsim.catalogue.vector import Elsewhere, Force, Make, Needs, Section
from labsim.http_message import Request
from labsim.rejection import Reason

TWO_READERS = "two readers of one field see two signatures, and the easier one counts"
OTHER_USE = "a signature that was made for another use is good for a token"
PARTS = "what the signature does not say can be changed, or comes from another request"
FOR_EVER = "a captured request is good for as long as its token"
PROFILE = Force.MUST_PROFILE
DATE = datetime.datetime.fromtimestamp(1_800_000_000, datetime.UTC)
SOME = '("@method" "@target-uri")'
NOT_SENT = frozenset("\r\n\0")
"""What no sender can put into a field: such a row is for the role alone."""

missing = about("signature_is_there", Reason.PROOF_MISSING)
garbled = about("fields_are_structured", gain=TWO_READERS)
tagged = about("one_signature_has_the_tag", gain=OTHER_USE, force=PROFILE)
alone = about("label_has_its_signature", gain=TWO_READERS)
named = about("covered_components_are_there", gain=PARTS)
timed = about("created_and_nonce_are_there", gain=FOR_EVER, force=PROFILE)
usable = about("nonce_is_usable", gain=FOR_EVER, force=PROFILE)
untimely = about("created_is_recent", Reason.PROOF_OUTSIDE_WINDOW, gain=FOR_EVER, force=PROFILE)
expired = about(
    "signature_is_not_expired", Reason.PROOF_OUTSIDE_WINDOW, gain=FOR_EVER, force=PROFILE
)
method = about("method_is_covered", Reason.PROOF_METHOD_MISMATCH, gain=PARTS, force=PROFILE)
target = about("target_is_covered", Reason.PROOF_TARGET_MISMATCH, gain=PARTS, force=PROFILE)
token = about("authorization_is_covered", Reason.PROOF_TOKEN_MISMATCH, gain=PARTS, force=PROFILE)
digest = about("body_is_covered", Reason.PROOF_CONTENT_MISMATCH, gain=PARTS, force=PROFILE)
invalid = about()


def two_lines(field: str, make: Callable[[str], str]) -> Make:
    """Send a second line of a field, made from the first."""
    return lambda good: good.request.adding(field, make(str(good.request.value(field))))


def with_the_thiefs(good: GoodRequest) -> Request:
    """Put the thief's signature, with the same tag, beside the holder's."""
    theirs = resigned(good, key=good.stranger)
    request = good.request
    for name in FIELDS:
        request = request.adding(name, str(theirs.value(name)).replace("sig=", "theirs="))
    return request


def created(by: int) -> Make:
    """Sign at another time."""
    return signed(created=lambda created: created + by)


def times(created: int, expires: int) -> Make:
    """Sign with a time and an end so many seconds from now."""
    return own(created=lambda good: good.now + created, expires=lambda good: good.now + expires)


def ended(change: Callable[[str, int], str]) -> Make:
    """Sign with an end nine seconds ahead, and change the text of it afterwards."""

    def make(good: GoodRequest) -> Request:
        end = good.now + 9
        request = resigned(good, parameters={"expires": end})
        return with_signature(request, lambda i, s: (change(i, end), s))

    return make


def restated(change: Callable[[str, int], str]) -> Make:
    """Change the text of the parameters; `change` gets them and the time they were made."""
    return lambda good: with_signature(good.request, lambda i, s: (change(i, good.now), s))


LABELS = (
    missing("HS-01", "no signature", "9421 4", text(lambda _i, _s: (None, None))),
    missing("HS-01b", "no Signature-Input", "9421 4", input_text(lambda _: None)),
    missing("HS-01c", "no Signature", "9421 4", signature_text(lambda _: None)),
    tagged("HS-01d", "both fields empty", "9421 4", text(lambda _i, _s: ("", ""))),
    alone("HS-01e", "an empty Signature", "9421 4", signature_text(lambda _: "")),
    alone("HS-X1", "another label", "9421 4.2", signature_text(lambda s: f"a{s}")),
    alone("HS-X1b", "another label of the same length", "9421 4.2", replaced("sig=", "gis=")),
    garbled("HS-28", "one label twice", "9421 4", input_text(lambda i: f"{i}, {i}")),
    garbled("HS-28b", "in two lines", "9421 4", two_lines("Signature-Input", lambda i: i)),
    garbled("HS-28c", "a worse one first", "9421 4", input_text(lambda i: f"sig=(), {i}")),
    garbled("HS-28d", "a worse one last", "9421 4", input_text(lambda i: f"{i}, sig=()")),
    garbled("HS-28e", "in Signature", "9421 4", signature_text(lambda s: f"sig=:AA==:, {s}")),
    garbled("HS-28f", "in two lines of Signature", "9421 4", two_lines("Signature", lambda s: s)),
    garbled("HS-28g", "a parameter twice", "9421 2.3", replaced(";nonce", ";created=1;nonce")),
    garbled("HS-28h", "a tag twice", "9421 2.3", input_text(lambda i: f'{i};tag="httpsig-oauth"')),
    garbled("HS-28i", "a component's parameter twice", "9421 2", naming('"x";a;a', x="1")),
    tagged("HS-29", "the thief's beside it", "9421 7.2.6", with_the_thiefs),
    tagged("HS-29b", "once more", "9421 7.2.6", text(lambda i, s: (f"{i}, a{i}", f"{s}, a{s}"))),
    tagged("HS-29c", "with no signature", "9421 7.2.6", input_text(lambda i: f"{i}, a{i}")),
    tagged("HS-32", "no tag", "9421 7.2.7", signed(tag=GONE)),
    tagged("HS-32b", "another application's tag", "9421 7.2.7", signed(tag="web-bot-auth")),
    tagged("HS-32c", "the tag in another case", "9421 7.2.7", signed(tag=str.upper)),
    tagged("HS-32d", "the tag with more behind", "9421 7.2.7", signed(tag=lambda tag: f"{tag} ")),
    tagged("HS-32e", "the tag a token", "9421 2.3", signed(tag=http_sf.Token)),
    tagged("HS-32f", "the tag a display string", "9421 2.3", signed(tag=http_sf.DisplayString)),
    tagged("HS-32g", "the tag octets", "9421 2.3", signed(tag=str.encode)),
    tagged("HS-32h", "the tag true", "9421 2.3", signed(tag=True)),
)
GARBAGE = (
    *("(", ")", "sig", "sig=", "sig=(", 'sig=("@method"', "=()", "sig=()=", "sig==()", "sig=();"),
    *("Sig=()", "1=()", "sig =()", "sig= ()", "sig=(),", ",sig=()", "sig=() b=()", "sig=(),,b=()"),
    *('sig="@method"', "sig=1", "sig=?1", "sig=:AA==:", "sig;a", "sig=@1", "sig=(())"),
    *("sig=(1)", "sig=(@method)", "sig=(a)", "sig=(:AA==:)", "sig=(?1)", 'sig=("a" 1)'),
    *('sig=("a""b")', 'sig=("a",)', "sig=('a')", 'sig=("a\\b")', 'sig=("\t")', 'sig=("é")'),
    *("sig=();created=1234567890123456", "sig=();created=1.", "sig=();created=--1"),
    *('sig=();nonce="', "sig=();nonce=:A:", "sig=();nonce=:A=A=:", "sig=();nonce=:é:"),
    *("sig=();A=1", 'sig=();created=%"%ff"', "sig=();created=@9999999999999.5", "\0", "sig=()\0"),
    *("[]", "{}", "null", "a=b=c", "sig=(" + "(" * 2000, 'sig=("\\', "sig=()\n", "\u00a0sig=()"),
)


def unreadable(number: int, bad: str) -> Any:
    """Make the row about one text that is no structured field."""
    needs = Needs.IN_PROCESS if NOT_SENT & set(bad) else Needs.NOTHING
    change = input_text(lambda _: bad)
    return garbled(f"HS-35-{number}", repr(bad)[:30], "9421 7.5.3", change, needs=needs)


STRUCTURE = (
    *(unreadable(number, bad) for number, bad in enumerate(GARBAGE)),
    garbled("HS-34", "a string", "9421 4.2", signature_text(lambda s: s.replace(":", '"'))),
    garbled("HS-34b", "a token", "9421 4.2", signature_text(lambda _: "sig=text")),
    garbled("HS-34c", "an integer", "9421 4.2", signature_text(lambda _: "sig=1")),
    garbled("HS-34d", "true", "9421 4.2", signature_text(lambda _: "sig")),
    garbled("HS-34e", "an inner list", "9421 4.2", signature_text(lambda s: f"{s.replace('=', '=(', 1)})")),
    garbled("HS-34f", "base64url", "9651 3.3.5", signature_text(lambda s: s.replace("sig=:", "sig=:-_"))),
    garbled("HS-34g", "a third padding", "9651 3.3.5", signature_text(lambda s: f"{s[:-1]}=:")),
    garbled("HS-34h", "no colon behind", "9651 3.3.5", signature_text(lambda s: s[:-1])),
    garbled("HS-34i", "no base64", "9651 3.3.5", signature_text(lambda s: s.replace("sig=:", "sig=: "))),
    garbled("HS-34j", "another member that is no signature", "9421 4.2", signature_text(lambda s: f"{s}, b=1")),
)  # fmt: skip
COVERAGE = (
    method("HS-02-0", "@method not covered", "9421 7.4.2", uncovered("@method")),
    target("HS-03-0", "@target-uri not covered", "9421 7.2.2", uncovered("@target-uri")),
    target("HS-03-1", "its parts instead", "9421 7.2.2", lambda good: resigned(good, without=("@target-uri",), adding=("@scheme", "@authority", "@path", "@query"))),
    token("HS-06", "authorization not covered", "9421 7.2.1", uncovered("authorization")),
    digest("HS-X2", "digest not covered", "9421 7.2.8", lambda good: resigned(good, with_body(good), without=["content-digest"])),
    method("HS-07", "nothing covered", "9421 7.2.1", uncovered("@method", "@target-uri", "authorization", "content-digest")),
    method("HS-23", "@method taken out of the list", "9421 2.5", replaced('"@method" ', "")),
)  # fmt: skip
COMPONENTS = (
    invalid("HS-22", "two components in another order", "9421 2.5", replaced(SOME[1:-1], '"@target-uri" "@method"')),
    invalid("HS-23b", "one more in the list", "9421 2.5", naming('"@path"')),
    named("HS-24", "@method twice", "9421 2", naming('"@method"')),
    named("HS-24b", "a field twice", "9421 2", naming('"authorization"')),
    named("HS-25", "a field that is not there", "9421 2.5", naming('"x-absent"')),
    named("HS-25b", "a field's name in upper case", "9421 2.1", naming('"X-A"', x_a="1")),
    named("HS-25c", "no name", "9421 2.1", naming('""')),
    named("HS-25d", "a name with white space", "9421 2.1", naming('" x-a"', x_a="1")),
    named("HS-25e", "a name with a quotation mark", "9421 2.1", naming('"x-a\\": 1"', x_a="1")),
    named("HS-26", "@status in a request", "9421 2.2.9", naming('"@status"')),
    named("HS-26b", "@signature-params", "9421 2.3", naming('"@signature-params"')),
    named("HS-26c", "an unknown derived component", "9421 2.2", naming('"@unknown"')),
    named("HS-26d", "@method in upper case", "9421 2.2", naming('"@METHOD"')),
    named("HS-33c", "@query-param, which the profile has not", "9421 2.2.8", naming('"@query-param";name="a"')),
    named("HS-27", "sf", "9421 2.1.1", naming('"authorization";sf')),
    named("HS-27b", "key", "9421 2.1.2", naming('"authorization";key="a"')),
    named("HS-27c", "bs", "9421 2.1.3", naming('"x-a";bs', x_a="1")),
    named("HS-27d", "tr", "9421 2.1.4", naming('"x-a";tr', x_a="1")),
    named("HS-27e", "req", "9421 2.4", naming('"@method";req')),
    named("HS-27f", "an unknown parameter", "9421 2.1", naming('"x-a";a=1', x_a="1")),
    named("HS-27g", "the name with a semicolon inside", "9421 2.1", naming('"x-a;sf"', x_a="1")),
    named("HS-X3", "a covered value beyond ASCII", "9421 2.1", naming('"x-a"', x_a="caf\xe9")),
    named("HS-X3b", "a covered value of two lines", "9421 2.1", naming('"x-a"', x_a='1\n"@method": GET'), needs=Needs.IN_PROCESS),
    named("HS-35", "1000 components that are not there", "9421 7.5.3", naming(*(f'"x-{n}"' for n in range(1000)))),
    named("HS-35b", "1000 times the same", "9421 7.5.3", naming(*['"x-a"'] * 1000, x_a="1")),
)  # fmt: skip
TIMES = (
    *(timed("HS-14", f"created {what}", "9421 2.3", signed(created=value)) for what, value in {
        "missing": GONE, "text": str, "decimal": Decimal, "true": True, "a date": DATE,
        "octets": b"1", "a token": http_sf.Token("now"), "a display string": http_sf.DisplayString("1"),
    }.items()),
    *(timed("HS-X4", f"nonce {what}", "9421 2.3", signed(nonce=value)) for what, value in {
        "missing": GONE, "a number": 1, "true": True, "octets": b"n", "a token": http_sf.Token("n"),
        "a display string": http_sf.DisplayString("n"), "decimal": Decimal("1.5"), "a date": DATE,
    }.items()),
    usable("HS-X4b", "nonce empty", "9421 7.2.2", signed(nonce="")),
    usable("HS-X4c", "nonce of 257", "9421 7.2.2", signed(nonce="n" * 257), force=Force.POLICY),
    *(untimely("HS-11", f"created {by} s off", "9421 3.2.1", created(by)) for by in (-61, -3600, -1_700_000_000)),
    *(untimely("HS-12", f"created {by} s off", "9421 7.2.2", created(by)) for by in (90, 3600)),
    untimely("HS-11b", "created before 1970", "9421 3.2.1", signed(created=-1_800_000_000)),
    untimely("HS-12b", "the greatest there is", "9651 3.3.1", signed(created=999_999_999_999_999)),
    untimely("HS-12c", "the least there is", "9651 3.3.1", signed(created=-999_999_999_999_999)),
    *(expired("HS-13", f"expires {what}", "9421 2.3", own(expires=value)) for what, value in {
        "an hour ago": lambda good: good.now - 3600, "now": lambda good: good.now, "negative": lambda _: -1,
        "text": lambda good: str(good.now + 60), "a date": lambda _: DATE, "true": lambda _: True,
        "decimal": lambda good: Decimal(good.now + 60), "octets": lambda _: b"1", "a token": lambda _: http_sf.Token("never"),
    }.items()),
    expired("HS-13b", "expires before created", "9421 2.3", times(30, 20)),
    expired("HS-13c", "expires at created", "9421 2.3", times(30, 30)),
    invalid("HS-38", "parameters in another order", "9421 2.3", restated(lambda i, now: i.replace(f";created={now}", "") + f";created={now}")),
    invalid("HS-38b", "one more parameter", "9421 2.3", input_text(lambda i: f"{i};x")),
    invalid("HS-38c", "another nonce", "9421 2.3", replaced(';nonce="', ';nonce="x')),
    invalid("HS-38d", "another time", "9421 2.3", restated(lambda i, now: i.replace(f"={now}", f"={now + 1}", 1))),
    invalid("HS-38e", "a later end", "9421 2.3", ended(lambda i, end: i.replace(f"={end}", f"={end + 90}"))),
    invalid("HS-38f", "an end taken away", "9421 2.3", ended(lambda i, end: i.replace(f";expires={end}", ""))),
)  # fmt: skip

SECTION = Section(
    name="http_signature_fields",
    number=10,
    title="HTTP message signatures: fields, coverage, parameters",
    vectors=tuple(
        vector for row in (*LABELS, *STRUCTURE, *COVERAGE, *COMPONENTS, *TIMES) for vector in row
    ),
    elsewhere=(
        Elsewhere(
            id="HS-20",
            what="RSA v1.5 where PSS is expected",
            source="RFC 9421 section 7.3.6",
            why="the profile has no RSA; that its names are refused is HS-19",
        ),
        Elsewhere(
            id="HS-35",
            what="a huge inner list",
            source="RFC 9421 section 7.5.3",
            why="counted in steps, where a status says nothing of the time",
            proven="tests/vectors/test_10_http_signatures_accepted.py",
        ),
    ),
)
