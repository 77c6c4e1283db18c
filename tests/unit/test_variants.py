"""The variants of an estate, as data."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from labsim.errors import LabError
from labsim.estate.variants import VARIANTS, variant

ASKER = "caller_may_use_the_subject_token"
BASE = asdict(VARIANTS["base"])


def differences(name: str) -> dict[str, object]:
    found = asdict(variant(name)).items()
    return {
        key: value for key, value in found if BASE[key] != value and key not in ("name", "title")
    }


def test_the_base_is_the_strict_profile() -> None:
    assert next(iter(VARIANTS)) == "base"
    assert differences("base") == {}
    assert BASE["remembers"] is True


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("nonce", {"nonces": True}),
        ("introspection", {"introspects": True}),
        ("minimal", {"remembers": False}),
        ("replicas_shared", {"replicas": "shared"}),
        ("replicas_apart", {"replicas": "apart"}),
        ("proxy_strips", {"proxy": "strips"}),
        ("proxy_passes", {"proxy": "passes"}),
        ("stamping_signer", {"stamps": True}),
        ("unspent", {"holds": True}),
        ("ip_allow_list", {"allow_list": True}),
        ("cnf_says_more", {"confirms_more": True}),
        ("exchange_for_anyone", {"careless_exchange": (ASKER,)}),
        ("exchange_unbinds", {"careless_exchange": (ASKER, "new_token_is_bound")}),
        (
            "exchange_widens",
            {"careless_exchange": (ASKER, "audience_is_within_reach", "scope_is_no_wider")},
        ),
    ],
)
def test_each_variant_differs_from_the_base_in_one_thing(
    name: str, changed: dict[str, object]
) -> None:
    assert differences(name) == changed
    assert variant(name).title


def test_no_two_variants_are_the_same() -> None:
    assert len({str(differences(name)) for name in VARIANTS}) == len(VARIANTS)


def test_a_variant_that_there_is_not_is_answered_with_those_there_are() -> None:
    with pytest.raises(LabError, match="base, nonce"):
        variant("magic")
