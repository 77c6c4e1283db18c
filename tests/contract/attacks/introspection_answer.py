"""What is checked in the issuer's answer about a token, and the one change that each stops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.jws import GONE
from tests.wiring import CRM

ATTACKS: Mapping[str, Mapping[str, Any]] = {
    "token_is_active": {"active": False},
    "required_claims_are_there": {"client_id": GONE},
    "issuer_is_ours": {"iss": "https://elsewhere.test"},
    "audience_is_this_resource": {"aud": CRM},
    "token_is_not_expired": {"exp": 1},
    "token_is_already_valid": {"nbf": 4_000_000_000},
}
