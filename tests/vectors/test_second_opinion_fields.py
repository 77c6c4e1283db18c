"""A second opinion on structured fields: the quick way reads what http_sf reads, and no more."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import http_sf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labsim import structured_fields
from labsim.jose import Malformed
from labsim.structured_fields import digests, signature_inputs, signatures
from tests.exchange import AS, RS
from tests.hostile import FIELD_TEXT, damaged
from tests.vectors.signature_rows import good
from tests.wiring import Lab

NAMES = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,6}", fullmatch=True)
STRINGS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
VALUES = st.one_of(
    STRINGS,
    st.binary(max_size=70),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.sampled_from([True, False, http_sf.Token("a"), http_sf.DisplayString("é")]),
)
INPUT = '("@method" "a");created=1800000000;nonce="n\\"";tag="httpsig-oauth";pub=:AAECAw==:'


@st.composite
def canonical_inputs(draw: st.DrawFn) -> str:
    """Return what a serialiser writes: one member, of any names and parameters."""
    items = [(name, {}) for name in draw(st.lists(STRINGS, max_size=4))]
    parameters = draw(st.dictionaries(NAMES, VALUES, max_size=5))
    return http_sf.ser({draw(NAMES): (items, parameters)})


def canonical_signatures() -> st.SearchStrategy[str]:
    return st.tuples(NAMES, st.binary(max_size=70)).map(lambda found: http_sf.ser(dict([found])))


def as_parsed(read: Callable[[str], Any], field: str) -> Any:
    """Return what was read with the types of it all, or that it was refused."""
    try:
        found = read(field)
    except Malformed:
        return "refused"
    if isinstance(found, dict):
        return found
    return [
        (m, list(m.parameters.items()), [type(value) for value in m.parameters.values()])
        for m in found
    ]


def slowly(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Read without the quick way: by http_sf alone."""

    def through_http_sf(field: str) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("_ONE_INPUT", "_ONE_SIGNATURE"):
                patch.setattr(structured_fields, name, SimpleNamespace(fullmatch=lambda _: None))
            return read(field)

    return through_http_sf


@given(field=canonical_inputs())
def test_both_ways_read_the_same_signature_input(field: str) -> None:
    read = as_parsed(signature_inputs, field)
    assert read != "refused"
    assert read == as_parsed(slowly(signature_inputs), field)
    ((member, _, _),) = read
    assert f"{member.label}={member.text}" == field


@given(field=canonical_signatures())
def test_both_ways_read_the_same_signature(field: str) -> None:
    assert structured_fields._ONE_SIGNATURE.fullmatch(field)
    assert signatures(field) == slowly(signatures)(field) == digests(field)


DAMAGED = st.one_of(
    canonical_inputs().flatmap(damaged),
    canonical_signatures().flatmap(damaged),
    damaged(f"sig={INPUT}"),
    st.from_regex(structured_fields._ONE_INPUT, fullmatch=True),
    st.from_regex(structured_fields._ONE_SIGNATURE, fullmatch=True),
    FIELD_TEXT,
    st.text(max_size=20),
)


@given(field=DAMAGED)
@example("sig=:AAB=:")  # spare bits
@example("sig=:AA:")  # no padding
@example("sig=:=:")
@example('sig=();a=:AAB=:;b="x"')
@example("sig=();a=1;a=2")
@example("sig=();a=-0")
@example("sig=();a=00")
@example('sig=("a")')
@example('sig=("" "")')
@example(' sig=("a" "a")  ')
@example("\tsig=()")
@example("sig=()\n")
@example("sig=:AA==:\n")
@example("sig=();a=\u0661")
@example("sig=();created=@99999999999999")
@example("sig=();a=@-62135596801")
@example('sig=();a=%"%c3"')
@example("\ud800")
def test_both_ways_refuse_the_same_and_raise_nothing_else(field: str) -> None:
    for read in (signature_inputs, signatures, digests):
        assert as_parsed(read, field) == as_parsed(slowly(read), field)


@given(field=st.one_of(canonical_inputs(), DAMAGED))
def test_what_was_read_can_be_written_and_read_again(field: str) -> None:
    """What is signed is the text made from what was read: it must say the same."""
    try:
        members = signature_inputs(field)
    except Malformed:
        return
    for member in members:
        (again,) = signature_inputs(f"{member.label}={member.text}")
        assert (again, list(again.parameters)) == (member, list(member.parameters))


def test_what_the_lab_signs_takes_the_quick_way(lab: Lab) -> None:
    for actor in (AS, RS):
        request = good(lab, actor)
        assert structured_fields._ONE_INPUT.fullmatch(str(request.value("Signature-Input")))
        assert structured_fields._ONE_SIGNATURE.fullmatch(str(request.value("Signature")))
