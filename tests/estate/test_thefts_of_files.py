"""Credentials that lie outside the client's folder, with real processes."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

import labsim
from labsim.attacker import token_claims
from labsim.errors import LabError
from labsim.estate.processes import OperationFailed
from labsim.haul import Haul
from labsim.robbery import TENANTS
from tests.robbed import THEFTS


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def served(lab: labsim.Lab, piece: dict[str, object], replay: str) -> dict[str, str]:
    frame = lab.attacker.replay(piece, by=replay)
    return dict(zip(frame.resource, frame.outcome, strict=True))


@pytest.mark.parametrize("binding", ["bearer", "dpop", "mtls", "http_signature"])
def test_a_commit_holds_the_token_and_the_clients_credential(lab: labsim.Lab, binding: str) -> None:
    lab.bind("ci-runner", binding)
    haul = lab.attacker.steal("ci-runner", by="commit")
    assert [piece["kinds"] for piece in haul] == [["client_credential", "token"]] * 2
    assert {piece["url"] for piece in haul} == {
        f"{lab.estate.urls[name]}/records" for name in ("deploy", "vault")
    }
    assert all(piece["found_at"].startswith("commit ") for piece in haul)
    at_its_own = [served(lab, piece, "token_as_is") for piece in haul]
    outcome = "served" if binding == "bearer" else "rejected"
    assert [at_its_own[0]["deploy"], at_its_own[1]["vault"]] == [outcome, outcome]
    assert set(served(lab, haul[0], "new_token_for_own_key").values()) == {"served"}


def test_the_thief_reads_the_repository_of_its_victim_only(lab: labsim.Lab) -> None:
    lab.attacker.steal("ci-runner", by="commit")
    lab.attacker.steal("support-agent", by="commit")
    repositories = lab.run_folder / "repositories"
    attacker = lab.estate.process("attacker")
    # What was given could be read during its theft, and no longer.
    for path in (repositories, repositories / "ci-runner", lab.run_folder / "storefront"):
        with pytest.raises((OperationFailed, LabError), match="was not given this"):
            attacker.call("look", path=str(path))
    for folder, _, files in os.walk(repositories):
        for file in files:
            assert os.stat(os.path.join(folder, file)).st_mode & 0o077 == 0


@pytest.mark.parametrize("binding", ["bearer", "dpop", "mtls"])
@pytest.mark.parametrize("custody", ["file", "memory"])
def test_copies_kept_at_home_hold_no_token_that_lives_and_a_credential_that_does(
    lab: labsim.Lab, binding: str, custody: str
) -> None:
    lab.bind("nightly-export", binding, custody)
    haul = lab.attacker.steal("nightly-export", by="former_employee")
    kinds = {"token", "client_credential"}
    kinds |= {"certificate"} if binding == "mtls" else set()
    kinds |= {"key"} if binding != "bearer" and custody == "file" else set()
    assert [set(piece["kinds"]) for piece in haul] == [kinds, kinds]
    replay = "token_as_is" if binding == "bearer" else "stolen_key"
    if "key" in kinds or binding == "bearer":
        assert served(lab, haul[0], replay)["crm"] == "served", "while the token lives, it works"
    lab.advance(seconds=THEFTS["former_employee"].used_after(lab.plan.token_seconds))
    frame = lab.attacker.replay(haul, by="token_as_is")
    expired = frame[frame.relation == "same_resource"]
    assert set(expired.outcome) == {"rejected"}
    assert set(expired.reason) == {"TOKEN_EXPIRED"}
    assert set(lab.attacker.replay(haul, by="new_token_for_own_key").outcome) == {"served"}
    assert {row["outcome"] for row in lab.work_rows("nightly-export")} == {"served"}


def test_older_copies_are_gone_when_newer_ones_are_made(lab: labsim.Lab) -> None:
    for custody, has_key in (("file", True), ("memory", False)):
        lab.bind("nightly-export", "dpop", custody)
        haul = lab.attacker.steal("nightly-export", by="former_employee")
        assert ["key" in piece["kinds"] for piece in haul] == [has_key] * 2


def subjects(haul: Haul) -> list[str]:
    return [token_claims(piece["token"])["sub"] for piece in haul]


@pytest.mark.parametrize("binding", ["bearer", "dpop", "mtls", "http_signature"])
def test_a_vendors_store_opens_every_tenants_records(lab: labsim.Lab, binding: str) -> None:
    lab.bind("lead-sync", binding)
    haul = lab.attacker.steal("lead-sync", by="vendor_store")
    assert [piece["kinds"] for piece in haul] == [
        ["client_credential", "refresh_token", "token"]
    ] * len(TENANTS)
    assert subjects(haul) == list(TENANTS)
    assert len({piece["refresh_token"] for piece in haul}) == len(TENANTS)
    for piece in haul:
        for _ in range(2):  # each refresh gives a new one, and the thief follows
            assert served(lab, piece, "new_token_for_own_key") == {"crm": "served"}
        expected = "served" if binding == "bearer" else "rejected"
        assert served(lab, piece, "token_as_is") == {"crm": expected}
    lab.advance(seconds=lab.plan.token_seconds + 1)
    assert served(lab, haul[0], "new_token_for_own_key") == {"crm": "served"}
    assert [row["outcome"] for row in lab.work_rows("lead-sync")] == ["served"]


def test_a_vendors_tokens_without_its_credential_end_with_the_access_token(
    lab: labsim.Lab,
) -> None:
    lab.bind("lead-sync", "bearer")
    haul = lab.attacker.steal("lead-sync", by="vendor_tokens")
    assert [piece["kinds"] for piece in haul] == [["refresh_token", "token"]] * len(TENANTS)
    assert subjects(haul) == list(TENANTS)
    assert served(lab, haul[0], "token_as_is") == {"crm": "served"}
    assert served(lab, haul[0], "new_token_for_own_key") == {"crm": "not_possible"}
    lab.advance(seconds=lab.plan.token_seconds + 1)
    assert served(lab, haul[0], "token_as_is") == {"crm": "rejected"}


@pytest.mark.parametrize("theft", ["vendor_store", "vendor_tokens"])
def test_a_client_without_a_grant_has_no_tenants(lab: labsim.Lab, theft: str) -> None:
    with pytest.raises(LabError, match=r"lives from refresh tokens, and ci-runner.*lead-sync"):
        lab.attacker.steal("ci-runner", by=theft)
    assert lab.attacker.steal("lead-sync", by=theft)
