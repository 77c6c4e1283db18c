"""A notice's checks, and for each the one change of a good notice that it alone stops."""

from __future__ import annotations

from collections.abc import Mapping

from labsim.keys import SigningKey
from tests.jws import GONE, Change
from tests.wiring import CRM

ATTACKS: Mapping[str, Change] = {
    "typ_is_security_event": Change(header={"typ": "at+jwt"}),
    "no_critical_extension": Change(header={"crit": ["b64"], "b64": True}),
    "signature_is_by_the_issuer": Change(key=SigningKey.generate()),
    "issuer_is_ours": Change(claims={"iss": "https://elsewhere.test"}),
    "audience_is_this_resource": Change(claims={"aud": CRM}),
    "notice_is_recent": Change(claims={"iat": lambda iat: iat - 61}),
    "notice_says_which_tokens": Change(claims={"jti": GONE}),
}
