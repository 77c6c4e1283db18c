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
