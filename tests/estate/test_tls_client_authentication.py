"""A client of the plan that authenticates by certificate: served, robbed, and what the key is for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import labsim
from labsim.jose import parse_compact
from tests.own_estate import written

CLIENT = "invoice-job"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labsim.Lab]:
    with labsim.start(written(tmp_path_factory.mktemp("estate")), quiet=True) as started:
        yield started


def credential(lab: labsim.Lab) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((lab.run_folder / CLIENT / "client.json").read_bytes())
    return found


def replayed(lab: labsim.Lab, replay: str) -> set[tuple[str, str]]:
    """Copy the client's folder and replay in one way; return relation and outcome of each."""
    haul = lab.attacker.steal(CLIENT, by="container_files")
    rows = lab.attacker.replay(haul, by=replay)
    return set(zip(rows.relation, rows.outcome, strict=True))


EVERYWHERE = {("same_resource", "served"), ("other_resource", "served")}


@pytest.mark.parametrize(
    ("binding", "member"),
    [("bearer", None), ("dpop", "jkt"), ("mtls", "x5t#S256"), ("http_signature", "htsk")],
)
@pytest.mark.parametrize("custody", ["file", "memory"])
def test_it_is_served_with_every_binding(
    lab: labsim.Lab, binding: str, member: str | None, custody: str
) -> None:
    lab.bind(CLIENT, binding, custody)
    rows = lab.work_rows(CLIENT)
    assert [row["outcome"] for row in rows] == ["served", "served"], rows
    tokens = json.loads((lab.run_folder / CLIENT / "tokens.json").read_bytes())
    for token in tokens.values():
        cnf = parse_compact(token["access_token"]).payload.get("cnf", {})
        assert set(cnf) == ({member} if member else set())


@pytest.mark.parametrize("binding", ["bearer", "dpop", "mtls", "http_signature"])
def test_whoever_copies_its_files_gets_new_tokens_with_the_key(
    lab: labsim.Lab, binding: str
) -> None:
    lab.bind(CLIENT, binding)
    assert replayed(lab, "new_token_for_own_key") == EVERYWHERE


def test_bound_by_mutual_tls_its_two_keys_are_one_and_no_file_has_it_if_memory_does(
    lab: labsim.Lab,
) -> None:
    folder = lab.run_folder / CLIENT
    lab.bind(CLIENT, "dpop")
    given = credential(lab)
    lab.bind(CLIENT, "mtls", "file")
    assert credential(lab)["private_jwk"] == json.loads((folder / "key.json").read_bytes())
    assert credential(lab)["certificate"] == (folder / "certificate.pem").read_text()
    assert replayed(lab, "stolen_key") >= {("same_resource", "served")}
    lab.bind(CLIENT, "mtls", "memory")
    assert "private_jwk" not in credential(lab)
    for replay in ("stolen_key", "new_token_for_own_key"):
        assert {outcome for _, outcome in replayed(lab, replay)} == {"not_possible"}
    lab.bind(CLIENT, "dpop", "memory")
    assert credential(lab) == given, "its own credential lies on the disk, wherever its DPoP key is"
    assert replayed(lab, "new_token_for_own_key") == EVERYWHERE


@pytest.mark.parametrize(
    ("binding", "later"), [("dpop", ("rejected", "TOKEN_EXPIRED")), ("mtls", ("served", ""))]
)
def test_after_the_tokens_end_a_dpop_key_is_worth_nothing_and_this_key_goes_on(
    lab: labsim.Lab, binding: str, later: tuple[str, str]
) -> None:
    """The same way of using each key: the DPoP key signs, the TLS key is shown."""
    lab.bind(CLIENT, binding)
    haul = lab.attacker.steal(CLIENT, by="container_files")
    used = {"dpop": "stolen_key", "mtls": "new_token_for_own_key"}[binding]

    def now() -> set[tuple[str, str]]:
        rows = lab.attacker.replay(haul, by=used)
        rows = rows[rows.relation == "same_resource"]
        return set(zip(rows.outcome, rows.reason, strict=True))

    assert now() == {("served", "")}
    lab.advance(seconds=lab.plan.token_seconds + 1)
    assert now() == {later}


def test_it_ends_when_the_certificate_is_revoked(lab: labsim.Lab) -> None:
    lab.bind(CLIENT, "mtls")
    haul = lab.attacker.steal(CLIENT, by="container_files")
    assert set(lab.attacker.replay(haul, by="new_token_for_own_key").outcome) == {"served"}
    lab.revoke_certificate(CLIENT)
    rows = lab.attacker.replay(haul, by="new_token_for_own_key")
    assert set(zip(rows.status, rows.error, strict=True)) == {(401, "invalid_client")}
    lab.renew_certificate(CLIENT)
    assert {row["outcome"] for row in lab.work_rows(CLIENT)} == {"rejected"}, "its tokens are old"
    assert {row["outcome"] for row in lab.work_rows(CLIENT)} == {"served"}
