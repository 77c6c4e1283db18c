"""Refresh tokens as grants: what the store is asked for, and what is never in it."""

from __future__ import annotations

import pytest

from labsim.rejection import Reason, Rejected
from labsim.roles.client_authentication import RegisteredClient
from labsim.roles.form import Form
from labsim.roles.grants import Grant, find_grant, grant_for, rotate_grant, token_hash
from tests.wiring import MemoryGrants

NOW = 1000.0
GRANT = Grant("c", "owner", frozenset({"a.read"}), "family", NOW + 60)
CLIENT = RegisteredClient(
    client_id="c",
    grant_types=frozenset({"client_credentials", "refresh_token"}),
    scopes=frozenset({"a.read", "b.read"}),
)


@pytest.fixture
def grants() -> MemoryGrants:
    held = MemoryGrants()
    held.put(token_hash("r"), GRANT)
    return held


def test_the_store_holds_hashes_and_no_token(grants: MemoryGrants) -> None:
    assert grants.find("r") is None
    assert grants.find(token_hash("r")) == (GRANT, False)
    assert len(token_hash("r")) == 64


def test_a_client_may_use_its_own_grant_until_it_expires(grants: MemoryGrants) -> None:
    assert find_grant(grants, "r", "c", NOW + 59) == GRANT
    with pytest.raises(Rejected, match="refresh_token_is_not_expired"):
        find_grant(grants, "r", "c", NOW + 60)


def test_a_client_without_an_owner_stands_for_itself(grants: MemoryGrants) -> None:
    form = Form({"grant_type": "client_credentials"})
    grant = grant_for(grants, form, CLIENT, "bearer", NOW)
    assert (grant.client_id, grant.subject, grant.scopes) == ("c", "c", CLIENT.scopes)


def test_a_refresh_stands_for_the_owner_with_the_owners_scopes(grants: MemoryGrants) -> None:
    form = Form({"grant_type": "refresh_token", "refresh_token": "r"})
    assert grant_for(grants, form, CLIENT, "dpop", NOW) == GRANT


def test_a_rotated_grant_is_found_by_its_new_token_only(grants: MemoryGrants) -> None:
    rotate_grant(grants, "r", "s", GRANT)
    assert find_grant(grants, "s", "c", NOW) == GRANT
    with pytest.raises(Rejected) as reused:
        find_grant(grants, "r", "c", NOW)
    assert reused.value.reason is Reason.GRANT_INVALID
    with pytest.raises(Rejected, match="refresh_token_is_known"):
        find_grant(grants, "s", "c", NOW)


def test_a_grant_that_is_gone_cannot_be_rotated(grants: MemoryGrants) -> None:
    with pytest.raises(Rejected, match="refresh_token_is_unused"):
        rotate_grant(grants, "unknown", "s", GRANT)
    assert grants.find(token_hash("s")) is None
