"""The access token's checks, and for each the one change of a good token that it alone stops."""

from __future__ import annotations

from collections.abc import Mapping

from labsim.keys import SigningKey
from tests.jws import GONE, Change
from tests.wiring import CRM

ATTACKS: Mapping[str, Change] = {
    "typ_is_access_token": Change(header={"typ": "JWT"}),
    "no_critical_extension": Change(header={"crit": ["b64"], "b64": True}),
    "signature_is_by_the_issuer": Change(key=SigningKey.generate()),
    "required_claims_are_there": Change(claims={"client_id": GONE}),
    "issuer_is_ours": Change(claims={"iss": "https://elsewhere.test"}),
    "audience_is_this_resource": Change(claims={"aud": CRM}),
    "token_is_not_expired": Change(claims={"exp": 1}),
    "token_is_already_valid": Change(claims={"nbf": lambda _: 4_000_000_000}),
    "token_is_not_revoked": Change(claims={"jti": "revoked"}),
}
