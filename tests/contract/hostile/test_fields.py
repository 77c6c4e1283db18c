"""Field values and targets of any characters: a value, or Malformed, or Rejected."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import http_sf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labsim.http_message import Request
from labsim.jose import Malformed
from labsim.nonces import RollingNonces
from labsim.rejection import Reason, Rejected
from labsim.roles.forwarded_certificate import as_the_client_sent_it
from labsim.roles.resource_server import extract_credential
from labsim.signature_base import signature_base
from labsim.structured_fields import digests, item_byte_sequence, signature_inputs, signatures
from labsim.target_uri import comparable_target_uri
from tests.hostile import FIELD_TEXT, damaged, urls
from tests.wiring import BINDINGS, HOLDER, ORDERS, RECORD, Lab

GOOD_INPUT = 'sig=("@method" "@target-uri" "a";sf);created=1800000000;nonce="n";tag="t"'
STRUCTURED = st.text('abs=;:,"\\()?@%*/+-.019 \t\x7f\x80\xff', max_size=40)
BARE = st.sampled_from(
    [
        *("1", "-1", "0", "-0", "1.5", "1.0000", "999999999999999", "9999999999999999", "1e3"),
        *('"a"', '"\\""', '"\\a"', '""', '"\x7f"', '"\xff"', "token", "*/:", "?1", "?0", "?2"),
        *(":YQ==:", ":YQ:", ":Y Q=:", "::", ":=:", "@1800000000", "@-1", "@1.5"),
        *("@999999999999999", "@-999999999999999", '%"caf%c3%a9"', '%"%ff"', '%"%"', '%"', "(1)"),
    ]
)
KEY = st.sampled_from(["a", "sig", "*", "A", "a.b-c_1", "", "sha-256", "created", "tag", "\xe9"])


@st.composite
def parameters(draw: st.DrawFn) -> str:
    pairs = draw(st.lists(st.tuples(KEY, st.one_of(BARE, st.just(""))), max_size=4))
    return "".join(f";{key}={value}" if value else f";{key}" for key, value in pairs)


@st.composite
def members(draw: st.DrawFn) -> str:
    """Return dictionaries whose members have values of every type (RFC 9651 section 3)."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        items = draw(st.lists(st.tuples(BARE, parameters()).map("".join), max_size=3))
        value = draw(st.one_of(BARE, st.just(f"({' '.join(items)})"), st.just("")))
        key = draw(KEY)
        found.append((f"{key}={value}" if value else key) + draw(parameters()))
    return draw(st.sampled_from([", ", ",", " ,\t", ",,"])).join(found)


FIELDS = st.one_of(FIELD_TEXT, STRUCTURED, members(), damaged(GOOD_INPUT), st.text(max_size=20))
each_reader = pytest.mark.parametrize("read", [signature_inputs, signatures, digests])


def outcome(read: Any, value: Any) -> Any:
    try:
        return read(value)
    except Malformed:
        return Malformed


@each_reader
@given(field=FIELDS)
@example(field="a=@999999999999999")
@example(field="a=(@-999999999999999)")
@example(field='a=("b";c=@253402300800)')
@example(field="a=();b=@999999999999999")
@example(field='a=();b=%"%f0%9f%92%a9"')
@example(field="a=();b=999999999999.999")
@example(field="a=(" + "(" * 5000)
@example(field="a=" + "1" * 5000)
@example(field='a="' + "\\" * 5001)
@example(field=", ".join(f"k{n}=()" for n in range(1000)))
@example(field="a=()" + "".join(f";p{n}" for n in range(1000)))
def test_a_dictionary_is_read_or_malformed(read: Any, field: str) -> None:
    found = outcome(read, field)
    assert found is Malformed or type(found) in (list, dict)


@given(field=st.one_of(members(), damaged(GOOD_INPUT)))
def test_what_was_read_is_what_is_signed(field: str) -> None:
    """The text that is signed is read again as the same: RFC 9421 section 2.3."""
    found = outcome(signature_inputs, field)
    for member in found if found is not Malformed else []:
        assert "\n" not in member.text
        (again,) = signature_inputs(f"{member.label}={member.text}")
        assert (again.components, again.text) == (member.components, member.text)
        assert again.parameters == member.parameters


@given(
    octets=st.binary(max_size=40), change=st.sampled_from(["", "=", " ", "\n", ";a", ", :AA==:"])
)
def test_a_byte_sequence_has_one_spelling(octets: bytes, change: str) -> None:
    text = f":{b64encode(octets).decode()}:"
    assert item_byte_sequence(text) == octets
    if change.strip(" \t"):
        assert outcome(item_byte_sequence, text + change) is Malformed


@given(field=FIELDS)
def test_a_byte_sequence_is_read_or_malformed(field: str) -> None:
    found = outcome(item_byte_sequence, field)
    assert found is Malformed or item_byte_sequence(f":{b64encode(found).decode()}:") == found


NAMES = st.one_of(
    st.sampled_from(
        ["@method", "@target-uri", "@path", "@query", "@authority", "@status", "a", "A"]
    ),
    st.text(max_size=6),
)


@given(
    names=st.lists(NAMES, max_size=4),
    url=urls(ORDERS),
    lines=st.lists(st.tuples(st.sampled_from(["a", "A", "b"]), st.text(max_size=8)), max_size=3),
)
def test_a_signature_base_has_a_line_for_each_component(
    names: list[str], url: str, lines: list[tuple[str, str]]
) -> None:
    request = Request("GET", url, tuple(lines))
    found = outcome(lambda ns: signature_base(request, ns, "()"), names)
    assert found is Malformed or found.count(b"\n") == len(names)


@given(
    url=st.one_of(st.text(max_size=40), urls(ORDERS), damaged("https://a.test:8443/b/../%7Ec?d#e"))
)
@example(url="https://a/" + "a/../" * 2000)
@example(url="https://a/%")
@example(url="https://a/%2")
@example(url="https://[::1]/")
@example(url="https://\u212a.test/")
@example(url="http\u017f://a/")
@example(url="https://a:99999999999999999999/")
@example(url="https://a:/")
@example(url="\ud800")
def test_a_target_is_compared_in_its_normal_form_or_not_at_all(url: str) -> None:
    found = comparable_target_uri(url)
    if found is not None:
        assert comparable_target_uri(found) == found
        assert not {"?", "#", "\n"} & set(found)
        assert "/../" not in found


@given(url=st.one_of(st.text(max_size=40), urls(ORDERS)))
def test_any_text_has_the_parts_of_a_url(url: str) -> None:
    request = Request("GET", url)
    assert request.target.startswith(("/", "?")) or request.path
    assert request.authority in url
    assert request.query in url


@given(values=st.lists(st.one_of(FIELD_TEXT, damaged("DPoP a.b.c")), max_size=3))
@example(values=["DPoP " + " " * 10_000])
@example(values=["a" * 10_000])
@example(values=["Bearer " + "=" * 10_000])
@example(values=["Bearer a\u00a0"])
@example(values=["Bearer \u00ba"])
def test_authorization_is_one_credential_or_rejected(values: list[str]) -> None:
    request = Request("GET", RECORD, tuple(("Authorization", value) for value in values))
    try:
        found = extract_credential(request, tuple(BINDINGS.values()))
    except Rejected as rejection:
        expected = (Reason.NO_CREDENTIALS, Reason.CREDENTIALS_MALFORMED)
        assert rejection.reason in expected  # noqa: PT017
    else:
        assert found.token.isascii()
        assert " " not in found.token


@given(values=st.lists(FIELDS, min_size=1, max_size=2))
def test_client_cert_is_octets_or_rejected(values: list[str]) -> None:
    from labsim.certificates import certificate_thumbprint

    proxy = HOLDER.certificate
    assert proxy is not None
    lines = tuple(("Client-Cert", value) for value in values)
    request = Request("GET", RECORD, lines, peer_certificate=proxy)
    try:
        found = as_the_client_sent_it(request, certificate_thumbprint(proxy))
    except Rejected as rejection:
        assert rejection.check == "client_cert_is_one_byte_sequence"  # noqa: PT017
    else:
        assert len(values) == 1
        assert type(found.peer_certificate) is bytes


@given(text=st.one_of(st.text(max_size=40), damaged("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")))
def test_a_nonce_is_the_servers_or_not(text: str) -> None:
    nonces = RollingNonces(bytes(32))
    assert nonces.accepts(text, 1_800_000_000.0) == (text == nonces.issue(1_800_000_000.0))


def test_the_quick_way_knows_no_more_than_the_library() -> None:
    """`http_sf` reads whatever the quick way has read, to the same value (see structured_fields)."""

    @given(field=members())
    def one(field: str) -> None:
        found = outcome(signature_inputs, field)
        if found is not Malformed:
            whole = http_sf.parse(field.encode("ascii"), tltype="dictionary")
            assert [member.label for member in found] == list(whole)

    one()


@pytest.mark.parametrize("count", [1, 50])
def test_many_lines_of_a_field_are_one_field(lab: Lab, count: int) -> None:
    lines = tuple(("Signature-Input", f"k{n}=()") for n in range(count))
    request = Request("GET", RECORD, lines)
    assert len(signature_inputs(", ".join(request.values("Signature-Input")))) == count
