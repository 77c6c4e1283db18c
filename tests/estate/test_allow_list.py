"""An allow-list of addresses as the network's baseline, on real connections from real addresses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import labsim
from labsim.errors import LabError
from labsim.estate import addresses

CLIENT = "fulfilment"
BINDINGS = ("bearer", "dpop", "mtls", "http_signature")
REFUSED = ("rejected", "address_is_allowed")


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


@pytest.fixture
def listed(lab: labsim.Lab) -> Iterator[labsim.Lab]:
    lab.vary("ip_allow_list")
    yield lab
    lab.vary("base")


def served(lab: labsim.Lab) -> bool:
    return {row["outcome"] for row in lab.work_rows(CLIENT)} == {"served"}


def endings(lab: labsim.Lab, theft: str, replay: str) -> set[tuple[str, str]]:
    rows = lab.attacker.replay(lab.attacker.steal(CLIENT, by=theft), by=replay)
    rows = rows[rows.relation == "same_resource"]
    return set(zip(rows.outcome, rows.check, strict=True))


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_stolen_key_is_no_use_from_elsewhere_and_a_foothold_is(
    listed: labsim.Lab, binding: str
) -> None:
    listed.bind(CLIENT, binding)
    assert served(listed)
    loses = "token_as_is" if binding == "bearer" else "stolen_key"
    assert endings(listed, "container_code", loses) == {REFUSED}
    assert endings(listed, "container_code", "signed_in_place") == {("served", "")}
    listed.vary("base")
    assert endings(listed, "container_code", loses) == {("served", "")}, "it was the address"
    assert served(listed)


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_new_token_does_not_help_either(listed: labsim.Lab, binding: str) -> None:
    listed.bind(CLIENT, binding)
    assert endings(listed, "container_files", "new_token_for_own_key") == {REFUSED}
    listed.vary("base")
    assert endings(listed, "container_files", "new_token_for_own_key") == {("served", "")}


def test_a_signer_sends_from_its_clients_address(lab: labsim.Lab) -> None:
    """Whether it was there before the list, or came after."""
    lab.bind(CLIENT, "mtls", custody="signer")
    assert served(lab)
    lab.vary("ip_allow_list")
    assert served(lab)
    lab.bind(CLIENT, "mtls", custody="signer")
    assert served(lab)
    lab.vary("base")
    assert served(lab)


def test_an_interceptor_sits_in_the_clients_network(lab: labsim.Lab) -> None:
    for variant in ("base", "ip_allow_list", "base", "ip_allow_list"):
        lab.vary(variant)
        lab.bind(CLIENT, "bearer")
        haul = lab.attacker.steal(CLIENT, by="wiretap")
        assert all(piece["read_in_passing"] for piece in haul), "the victim was served through it"
    lab.vary("base")


def test_in_the_base_nobody_looks_at_addresses(lab: labsim.Lab) -> None:
    lab.bind(CLIENT, "bearer")
    assert served(lab)
    assert endings(lab, "log_line", "token_as_is") == {("served", "")}


def test_without_the_addresses_nothing_changes(
    lab: labsim.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "CLIENTS_ADDRESS", "192.0.2.1")
    with pytest.raises(LabError, match="The variant was not changed"):
        lab.vary("ip_allow_list")
    assert lab.variant == "base"
    assert served(lab)
