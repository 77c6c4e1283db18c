"""A client assertion's checks, and for each the one change of a good one that it alone stops."""

from __future__ import annotations

from collections.abc import Mapping

from labsim.keys import SigningKey
from tests.jws import Change
from tests.wiring import TOKEN_ENDPOINT

ATTACKS: Mapping[str, Change] = {
    "assertion_is_no_other_jwt": Change(header={"typ": "at+jwt"}),
    "no_critical_extension": Change(header={"crit": ["b64"]}),
    "signature_is_by_a_registered_key": Change(key=SigningKey.generate()),
    "issuer_and_subject_are_the_client": Change(claims={"iss": "somebody else"}),
    "audience_is_the_issuer_only": Change(claims={"aud": TOKEN_ENDPOINT}),
    "expiry_is_near": Change(claims={"exp": lambda exp: exp + 86400}),
    "assertion_is_already_valid": Change(claims={"nbf": 4_000_000_000}),
    "jti_is_usable": Change(claims={"jti": "j" * 257}),
}
