"""Signature-Input, Signature and Content-Digest: from text to values."""

from __future__ import annotations

import pytest

from labsim.jose import Malformed
from labsim.structured_fields import byte_sequence, digests, signature_inputs, signatures


def test_a_signature_input_is_a_label_components_and_parameters() -> None:
    field = 'sig=("@method" "x-a");created=1;nonce="n";pub=:AAE=:'
    (member,) = signature_inputs(field)
    assert member.label == "sig"
    assert member.components == ("@method", "x-a")
    assert member.parameters == {"created": 1, "nonce": "n", "pub": b"\0\1"}
    assert member.text == field.removeprefix("sig=")


def test_parameters_keep_their_order() -> None:
    """RFC 9421 section 2.3: it is signed."""
    (member,) = signature_inputs("sig=();b=1;a=2;c=3")
    assert list(member.parameters) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("sig=()", "()"),
        ('  sig=(  "a"   "b"  );  a  ', '("a" "b");a'),
        ("sig=();a=?1", "();a"),
        ("sig=();a=?0", "();a=?0"),
        ("sig=();a=007", "();a=7"),
        ("sig=();a=-0", "();a=0"),
        ("sig=();a=1.50", "();a=1.5"),
        ("sig=();a=:AA:", "();a=:AA==:"),
        ("sig=();a=:AB==:", "();a=:AA==:"),
        ("sig=();a=@1", "();a=@1"),
        ('sig=();a="\\""', '();a="\\""'),
        ('sig=();a=%"%c3%a9"', '();a=%"%c3%a9"'),
        ("sig=();a=b/c", "();a=b/c"),
    ],
)
def test_what_is_signed_is_the_canonical_text(field: str, text: str) -> None:
    """RFC 9421 section 2.3, RFC 9651 section 4.1."""
    (member,) = signature_inputs(field)
    assert member.text == text
    assert signature_inputs(f"sig={text}") == [member]


def test_a_components_parameters_stand_behind_its_name() -> None:
    """So that what has one is never taken for what has none."""
    (member,) = signature_inputs('sig=("a";sf "b";key="k";req "c")')
    assert member.components == ("a;sf", 'b;key="k";req', "c")
    assert member.text == '("a";sf "b";key="k";req "c")'


def test_several_members_come_in_order() -> None:
    labels = [member.label for member in signature_inputs('b=("x"), a=();tag="t",*c=()')]
    assert labels == ["b", "a", "*c"]
    assert signatures("b=:AA==:, a=::;x=1") == {"b": b"\0", "a": b""}
    assert signature_inputs("") == []
    assert signatures("") == {}


@pytest.mark.parametrize(
    "field",
    [
        *("sig", "sig=", "sig=1", 'sig="a"', "sig=(", "sig=(a)", "sig=(1)", "sig=(:AA==:)"),
        *("sig=(),sig=()", "sig=();a;a", "sig=();a=1;a=1", 'sig=("x";a;a)', "sig=(),", ",sig=()"),
        *("\tsig=()", "sig=()\n", "sig=()\0", "s\xe9g=()", "\ud800", 'sig=("\x7f")', "Sig=()"),
        *("sig=();a=1234567890123456", "sig=();a=1.2345", "sig=();a=@1.5", 'sig=();a=%"%ff"'),
        "sig=();a=@999999999999999",
    ],
)
def test_what_is_no_signature_input_is_malformed(field: str) -> None:
    with pytest.raises(Malformed):
        signature_inputs(field)


@pytest.mark.parametrize(
    "field",
    [
        *("sig", "sig=", "sig=1", 'sig="a"', "sig=a", "sig=()", "sig=(:AA==:)", "sig=?1", "sig=@1"),
        *(
            "sig=:A:",
            "sig=:=:",
            "sig=:AA===:",
            "sig=:A=A=:",
            "sig=:AA",
            "sig=:-_-_:",
            "sig=: AA==:",
        ),
        *("sig=:AA==:, sig=:AA==:", "sig=:AA==:;a;a", "sig=:AA==:,", "a=:AA==:, b=1", "sig=:\xe9:"),
    ],
)
def test_what_is_no_signature_is_malformed(field: str) -> None:
    for read in (signatures, digests):
        with pytest.raises(Malformed):
            read(field)


@pytest.mark.parametrize("value", [b"", b"\0", bytes(64), bytes(range(256))])
def test_octets_come_back_as_they_went(value: bytes) -> None:
    assert signatures(f"sig={byte_sequence(value)}") == {"sig": value}
    assert digests(f"sha-256={byte_sequence(value)}") == {"sha-256": value}


def test_a_member_cannot_be_changed() -> None:
    (member,) = signature_inputs("sig=()")
    with pytest.raises(AttributeError):
        member.label = "other"  # type: ignore[misc]
