"""A client's credential is rotated: the stolen one is refused, the client goes on with the new one."""

from __future__ import annotations

import pytest

import labsim
from labsim.errors import LabError


@pytest.mark.parametrize("client", ["support-agent", "fulfilment"])  # a secret, an assertion key
def test_a_rotated_credential_is_worth_nothing_to_the_thief(client: str) -> None:
    with labsim.start(quiet=True) as lab:
        loot = lab.attacker.steal(client, by="container_files")
        before = lab.attacker.replay(loot[0], by="new_token_for_own_key")
        assert set(before["outcome"]) == {"served"}
        lab.rotate(client)
        after = lab.attacker.replay(loot[0], by="new_token_for_own_key")
        assert set(after["outcome"]) == {"rejected"}
        assert set(after["error"]) == {"invalid_client"}
        lab.advance(hours=2)  # its tokens have ended: the client needs its new credential
        assert [row["outcome"] for row in lab.work_rows(client)] == ["served"] * len(after)


def test_a_clients_binding_stays_when_its_credential_is_rotated() -> None:
    with labsim.start(quiet=True) as lab:
        lab.bind("support-agent", "dpop")
        lab.rotate("support-agent")
        lab.advance(hours=2)
        rows = lab.work_rows("support-agent")
        assert all("Authorization: DPoP " in row["sent"] for row in rows)
        assert all(row["outcome"] == "served" for row in rows)


def test_only_a_client_that_exists_can_be_rotated() -> None:
    with labsim.start(quiet=True) as lab, pytest.raises(LabError, match="storefront"):
        lab.rotate("nobody")


def test_another_kind_of_credential_takes_the_old_ones_place() -> None:
    with labsim.start(quiet=True) as lab:
        old = lab.attacker.steal("support-agent", by="container_files")
        lab.rotate("support-agent", to="tls_client_auth")
        after = lab.attacker.replay(old[0], by="new_token_for_own_key")
        assert set(after["outcome"]) == {"rejected"}
        lab.bind("support-agent", "mtls", custody="memory")
        assert {row["outcome"] for row in lab.work_rows("support-agent")} == {"served"}
        with pytest.raises(LabError, match="revoke_certificate"):
            lab.rotate("support-agent")
        lab.rotate("support-agent", to="client_secret_basic")
        lab.bind("support-agent", "dpop")
        assert {row["outcome"] for row in lab.work_rows("support-agent")} == {"served"}


def test_a_key_out_of_memory_gets_new_tokens_where_it_is_the_credential_too() -> None:
    with labsim.start(quiet=True) as lab:
        lab.rotate("support-agent", to="tls_client_auth")
        lab.bind("support-agent", "mtls", custody="memory")
        for theft, outcome in (("container_files", "not_possible"), ("container_code", "served")):
            loot = lab.attacker.steal("support-agent", by=theft)
            rows = lab.attacker.replay(loot[0], by="new_token_for_own_key")
            assert set(rows["outcome"]) == {outcome}, theft


def test_a_kind_of_credential_that_does_not_exist_is_named() -> None:
    with labsim.start(quiet=True) as lab, pytest.raises(LabError, match="private_key_jwt"):
        lab.rotate("support-agent", to="password")
