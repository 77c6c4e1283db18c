"""A workload's certificate is renewed and revoked, on real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import labsim
from labsim.certificates import as_der, certificate_thumbprint
from labsim.errors import LabError


@pytest.fixture
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def thumbprint(lab: labsim.Lab, client: str) -> str:
    return certificate_thumbprint(
        as_der((lab.run_folder / client / "certificate.pem").read_bytes())
    )


def worked(lab: labsim.Lab, client: str) -> set[tuple[str, str]]:
    """Let a client work; return outcome and the server's own reason of each request."""
    rows = lab.work_rows(client)
    return {(row["outcome"], lab.event(row["request_id"])["reason"]) for row in rows}


@pytest.mark.parametrize("custody", ["file", "memory"])
def test_a_renewed_certificate_is_another_sender(lab: labsim.Lab, custody: str) -> None:
    """RFC 8705 section 6.3: one refusal for the outstanding token, then a new one works."""
    lab.bind("storefront", "mtls", custody)
    assert worked(lab, "storefront") == {("served", "")}
    key, before = lab.run_folder / "storefront" / "key.json", thumbprint(lab, "storefront")
    was = key.read_bytes() if custody == "file" else None
    lab.renew_certificate("storefront")
    assert thumbprint(lab, "storefront") != before
    assert (key.read_bytes() if custody == "file" else None) == was, "the key is the old one"
    assert worked(lab, "storefront") == {("rejected", "BINDING_MISMATCH")}
    assert worked(lab, "storefront") == {("served", "")}


def test_a_revoked_certificate_is_refused_everywhere_until_it_is_renewed(lab: labsim.Lab) -> None:
    for client in ("storefront", "fulfilment"):
        lab.bind(client, "mtls")
        assert worked(lab, client) == {("served", "")}
    assert lab.revoke_certificate("storefront") == list(lab.estate.urls)
    assert worked(lab, "storefront") == {("rejected", "PROOF_KEY_REVOKED")}
    # Its token is dropped, and it asks for a new one with the revoked certificate.
    (row, *_) = lab.work_rows("storefront")
    assert (row["status"], lab.event(row["request_id"])["role"]) == (400, "authorization_server")
    assert worked(lab, "fulfilment") == {("served", "")}, "nobody else's certificate"
    lab.renew_certificate("storefront")
    assert worked(lab, "storefront") == {("served", "")}


def test_the_events_say_which_certificate_was_revoked_and_who_heard(lab: labsim.Lab) -> None:
    lab.bind("storefront", "mtls")
    revoked = thumbprint(lab, "storefront")
    lab.revoke_certificate("storefront")
    (event,) = (e for e in lab.events() if e["decision"] == "certificate_revoked")
    assert event["revoked"] == [revoked]
    heard = [e for e in lab.events() if e.get("path") == "/revocations"]
    assert sorted(e["name"] for e in heard) == sorted(lab.estate.urls)
    assert {tuple(e["revoked"]) for e in heard} == {(revoked,)}


def test_a_resource_server_that_is_away_is_not_among_the_told(lab: labsim.Lab) -> None:
    lab.bind("storefront", "mtls")
    lab.estate.process("payments").kill()
    told = lab.revoke_certificate("storefront")
    assert told == [name for name in lab.estate.urls if name != "payments"]


def test_a_stolen_key_is_worth_nothing_once_its_certificate_is_revoked(lab: labsim.Lab) -> None:
    lab.bind("storefront", "mtls")
    haul = lab.attacker.steal("storefront", by="container_files")

    def replayed() -> set[tuple[str, str]]:
        rows = lab.attacker.replay(haul, by="stolen_key")
        rows = rows[rows.relation == "same_resource"]
        return set(zip(rows.outcome, rows.reason, strict=True))

    assert replayed() == {("served", "")}
    lab.revoke_certificate("storefront")
    assert replayed() == {("rejected", "PROOF_KEY_REVOKED")}


@pytest.mark.parametrize("act", [labsim.Lab.renew_certificate, labsim.Lab.revoke_certificate])
def test_whoever_has_no_certificate_is_told_so(
    lab: labsim.Lab, act: Callable[[labsim.Lab, str], Any]
) -> None:
    with pytest.raises(LabError, match="storefront"):
        act(lab, "nobody")
    for binding in ("bearer", "dpop"):
        lab.bind("storefront", binding)
        with pytest.raises(LabError, match="has no certificate"):
            act(lab, "storefront")
    lab.stop()
    with pytest.raises(LabError, match="stopped"):
        act(lab, "storefront")
