"""Section 1 of the catalogue: what must be served. Refusing one of these is the bug."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.http_message import Request
from labsim.keys import SigningKey
from tests.exchange import AS, BOTH, DPOP, RS, assert_served, good_request, with_proof
from tests.jws import Change, Jws
from tests.wiring import RECORD, Lab

NOW = 1_800_000_000


def claims(**changes: Any) -> Change:
    return Change(claims=changes)


def first_letter_encoded(htu: str) -> str:
    """Write the first letter of the path as an escape that it does not need."""
    before, host, path = htu.partition(".test/")
    return f"{before}{host}%{ord(path[0]):02x}{path[1:]}"


ROWS = {
    "PC-01 a fresh proof": Change(),
    "PC-02 htu with query and fragment": claims(htu=lambda htu: f"{htu}?a=1#b"),
    "PC-03 scheme and host in capitals": claims(
        htu=lambda htu: htu.replace("https", "HTTPS").replace("test", "TEST")
    ),
    "PC-04 an explicit default port": claims(htu=lambda htu: htu.replace(".test", ".test:443")),
    "PC-05 an escape that is not needed": claims(htu=first_letter_encoded),
    "PC-06 dot segments": claims(htu=lambda htu: htu.replace(".test/", ".test/a/.././")),
    "PC-07 iat 8 s ahead": claims(iat=NOW + 8),
    "PC-07b iat 8 s behind": claims(iat=NOW - 8),
    "PC-08 an unknown header parameter": Change(header={"foo": "bar"}),
    "PC-08b an unknown claim": claims(foo={"bar": [1]}),
    "PC-09 nbf now, exp in 300 s": claims(nbf=NOW, exp=NOW + 300),
    "PC-11 a fractional iat": claims(iat=NOW + 0.5),
    "PC-12 a jwk that says more": Change(
        header={"jwk": lambda jwk: {**jwk, "kid": "1", "use": "sig", "alg": "ES256"}}
    ),
}


@pytest.mark.parametrize("actor", BOTH)
@pytest.mark.parametrize("change", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_a_good_proof_is_served(lab: Lab, change: Change, actor: str, algorithm: str) -> None:
    holder = SigningKey.generate(algorithm)
    good = good_request(lab, actor, holder=holder)
    response = assert_served(lab, with_proof(lab, good, change, key=holder))
    if actor == AS:
        body = response.json()
        assert body["token_type"].lower() == "dpop"
        assert Jws.of(body["access_token"], lab.issuer_key).claims["cnf"] == DPOP.bind(
            DPOP.parse(good)
        )


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP", "dPoP", "DPoP ", "DPoP   "])
@pytest.mark.parametrize("field", ["DPoP", "DPOP", "dpop"])
def test_neither_case_nor_a_second_space_counts(lab: Lab, scheme: str, field: str) -> None:
    """PC-10: a scheme is case-insensitive and so is a field's name (RFC 9110 sections 5.1, 11.1)."""
    good = good_request(lab, RS)
    token = str(good.value("Authorization")).removeprefix("DPoP ")
    spelled = (("Authorization", f"{scheme} {token}"), (field, str(good.value("DPoP"))))
    assert_served(lab, Request("GET", RECORD, spelled))


def test_ed25519_may_go_by_its_older_name(lab: Lab) -> None:
    """RFC 9864 names it Ed25519; clients still say EdDSA (RFC 8037 section 3.1)."""
    holder = SigningKey.generate("Ed25519")
    for actor in BOTH:
        good = good_request(lab, actor, holder=holder)
        assert_served(lab, with_proof(lab, good, Change(header={"alg": "EdDSA"}), key=holder))
