"""Section 10 of the catalogue: the two fields, what a signature covers, and its parameters.

The catalogue's other rows: test_10_http_signatures_message.py (request and body),
test_10_http_signatures_keys.py, test_10_http_signatures_replay.py and, for what must be accepted,
test_10_http_signatures_accepted.py. HS-20 (RSA) and HS-33 (@query-param): the profile has neither.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal

import http_sf
import pytest

from labsim.http_message import Request
from labsim.rejection import Reason
from tests.contract.attacks.http_signature import uncovered
from tests.signatures import GONE, resigned, with_signature
from tests.vectors.signature_rows import (
    Make,
    about,
    cases,
    input_text,
    naming,
    run,
    signature_text,
    signed,
    text,
)
from tests.wiring import BEGINNING, Lab

NOW = int(BEGINNING)
DATE = datetime.datetime.fromtimestamp(BEGINNING, datetime.UTC)
SOME = '("@method" "@target-uri")'

missing = about("signature_is_there", Reason.PROOF_MISSING)
garbled = about("fields_are_structured")
tagged = about("one_signature_has_the_tag")
alone = about("label_has_its_signature")
named = about("covered_components_are_there")
timed = about("created_and_nonce_are_there")
untimely = about("created_is_recent", Reason.PROOF_OUTSIDE_WINDOW)
expired = about("signature_is_not_expired", Reason.PROOF_OUTSIDE_WINDOW)
invalid = about()


def replaced(old: str, new: str) -> Make:
    """Replace in Signature-Input what stands there once."""
    return input_text(lambda input_: input_.replace(old, new, 1))


def two_lines(field: str, make: Callable[[str], str]) -> Make:
    """Send a second line of a field, made from the first."""
    return lambda _lab, request: request.adding(field, make(str(request.value(field))))


def with_the_thiefs(lab: Lab, request: Request) -> Request:
    """Put the thief's signature, with the same tag, beside the holder's."""
    theirs = resigned(lab, request, key=lab.thief)
    added = [(name, str(theirs.value(name)).replace("sig=", "theirs=")) for name in FIELDS]
    for name, value in added:
        request = request.adding(name, value)
    return request


FIELDS = ("Signature-Input", "Signature")
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
STRUCTURE = (
    *(garbled(f"HS-35-{n}", repr(bad)[:30], "9421 7.5.3", input_text(lambda _, bad=bad: bad)) for n, bad in enumerate(GARBAGE)),
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
    about("method_is_covered", Reason.PROOF_METHOD_MISMATCH)("HS-02", "@method not covered", "9421 7.4.2", uncovered("@method")),
    about("target_is_covered", Reason.PROOF_TARGET_MISMATCH)("HS-03", "@target-uri not covered", "9421 7.2.2", uncovered("@target-uri")),
    about("target_is_covered", Reason.PROOF_TARGET_MISMATCH)("HS-03b", "its parts instead", "9421 7.2.2", lambda lab, request: resigned(lab, request, without=("@target-uri",), adding=("@scheme", "@authority", "@path", "@query"))),
    about("authorization_is_covered", Reason.PROOF_TOKEN_MISMATCH)("HS-06", "authorization not covered", "9421 7.2.1", uncovered("authorization")),
    about("body_is_covered", Reason.PROOF_CONTENT_MISMATCH)("HS-X2", "digest not covered", "9421 7.2.8", uncovered("content-digest")),
    about("method_is_covered", Reason.PROOF_METHOD_MISMATCH)("HS-07", "nothing covered", "9421 7.2.1", uncovered("@method", "@target-uri", "authorization", "content-digest")),
    about("method_is_covered", Reason.PROOF_METHOD_MISMATCH)("HS-23", "@method taken out of the list", "9421 2.5", replaced('"@method" ', "")),
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
    named("HS-33", "@query-param", "9421 2.2.8", naming('"@query-param";name="a"')),
    named("HS-27", "sf", "9421 2.1.1", naming('"content-digest";sf')),
    named("HS-27b", "key", "9421 2.1.2", naming('"content-digest";key="sha-256"')),
    named("HS-27c", "bs", "9421 2.1.3", naming('"x-a";bs', x_a="1")),
    named("HS-27d", "tr", "9421 2.1.4", naming('"x-a";tr', x_a="1")),
    named("HS-27e", "req", "9421 2.4", naming('"@method";req')),
    named("HS-27f", "an unknown parameter", "9421 2.1", naming('"x-a";a=1', x_a="1")),
    named("HS-27g", "the name with a semicolon inside", "9421 2.1", naming('"x-a;sf"', x_a="1")),
    named("HS-X3", "a covered value beyond ASCII", "9421 2.1", naming('"x-a"', x_a="caf\xe9")),
    named("HS-X3b", "a covered value of two lines", "9421 2.1", naming('"x-a"', x_a='1\n"@method": GET')),
    named("HS-35", "4000 components that are not there", "9421 7.5.3", naming(*(f'"x-{n}"' for n in range(4000)))),
    named("HS-35b", "4000 times the same", "9421 7.5.3", naming(*['"x-a"'] * 4000, x_a="1")),
)  # fmt: skip
TIMES = (
    *(timed("HS-14", f"created {what}", "9421 2.3", signed(created=value)) for what, value in {
        "missing": GONE, "text": str(NOW), "decimal": Decimal(NOW), "true": True, "a date": DATE,
        "octets": b"1", "a token": http_sf.Token("now"), "a display string": http_sf.DisplayString("1"),
    }.items()),
    *(timed("HS-X4", f"nonce {what}", "9421 2.3", signed(nonce=value)) for what, value in {
        "missing": GONE, "a number": 1, "true": True, "octets": b"n", "a token": http_sf.Token("n"),
        "a display string": http_sf.DisplayString("n"), "decimal": Decimal("1.5"), "a date": DATE,
    }.items()),
    about("nonce_is_usable")("HS-X4b", "nonce empty", "9421 7.2.2", signed(nonce="")),
    about("nonce_is_usable")("HS-X4c", "nonce of 257", "9421 7.2.2", signed(nonce="n" * 257)),
    *(untimely("HS-11", f"created {by} s off", "9421 3.2.1", signed(created=NOW + by)) for by in (-61, -3600, -NOW)),
    *(untimely("HS-12", f"created {by} s off", "9421 7.2.2", signed(created=NOW + by)) for by in (61, 3600)),
    untimely("HS-11b", "created before 1970", "9421 3.2.1", signed(created=-NOW)),
    untimely("HS-12b", "the greatest there is", "9651 3.3.1", signed(created=999_999_999_999_999)),
    untimely("HS-12c", "the least there is", "9651 3.3.1", signed(created=-999_999_999_999_999)),
    *(expired("HS-13", f"expires {what}", "9421 2.3", signed(expires=value)) for what, value in {
        "an hour ago": NOW - 3600, "now": NOW, "negative": -1, "text": str(NOW + 60), "a date": DATE,
        "true": True, "decimal": Decimal(NOW + 60), "octets": b"1", "a token": http_sf.Token("never"),
    }.items()),
    expired("HS-13b", "expires before created", "9421 2.3", signed(created=NOW + 30, expires=NOW + 20)),
    expired("HS-13c", "expires at created", "9421 2.3", signed(created=NOW + 30, expires=NOW + 30)),
    invalid("HS-38", "parameters in another order", "9421 2.3", input_text(lambda i: i.replace(f";created={NOW}", "") + f";created={NOW}")),
    invalid("HS-38b", "one more parameter", "9421 2.3", input_text(lambda i: f"{i};x")),
    invalid("HS-38c", "another nonce", "9421 2.3", replaced(';nonce="', ';nonce="x')),
    invalid("HS-38d", "another time", "9421 2.3", replaced(f"={NOW}", f"={NOW + 1}")),
    invalid("HS-38e", "a later end", "9421 2.3", lambda lab, request: with_signature(resigned(lab, request, parameters={"expires": NOW + 9}), lambda i, s: (i.replace(f"={NOW + 9}", f"={NOW + 99}"), s))),
    invalid("HS-38f", "an end taken away", "9421 2.3", lambda lab, request: with_signature(resigned(lab, request, parameters={"expires": NOW + 9}), lambda i, s: (i.replace(f";expires={NOW + 9}", ""), s))),
)  # fmt: skip


@pytest.mark.parametrize(
    ("row", "actor", "algorithm"), cases((*LABELS, *STRUCTURE, *COVERAGE, *COMPONENTS, *TIMES))
)
def test_a_signature_that_does_not_say_enough_is_refused(
    lab: Lab, row: object, actor: str, algorithm: str
) -> None:
    run(lab, row, actor, algorithm)  # type: ignore[arg-type]
