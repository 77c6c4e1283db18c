"""A signer whose keys lie in a PKCS #11 token: SoftHSM, as Debian has it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import labsim
from labsim.errors import LabError
from labsim.estate.softhsm import found
from labsim.jose import parse_compact
from labsim.keys import public_key
from tests.private_keys import files_with

pytestmark = pytest.mark.needs_softhsm2_util

CLIENT = "ops-console"
SIGNER = f"{CLIENT}.signer"
SCRIPT = Path(__file__).with_name("token_facts.py")


def facts(module: str, folder: Path) -> dict[str, Any]:
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), module, str(folder)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_token_makes_the_key_and_gives_it_to_nobody(tmp_path: Path) -> None:
    told = facts(found(), tmp_path)
    assert told["flags"] == {
        "EXTRACTABLE": False,
        "SENSITIVE": True,
        "NEVER_EXTRACTABLE": True,
        "ALWAYS_SENSITIVE": True,
    }
    assert told["value"] == "sensitive"
    assert files_with(tmp_path, told["jwk"]) == []


def test_its_signatures_are_in_the_form_that_jws_has(tmp_path: Path) -> None:
    told = facts(found(), tmp_path)
    key = public_key(told["jwk"])
    assert "ES256" in key.algorithms
    for text in told["signatures"]:
        assert key.verifies(base64.b64decode(text), b"octets")
        assert not key.verifies(base64.b64decode(text), b"others")


def test_a_second_token_is_another_and_the_first_is_gone(tmp_path: Path) -> None:
    first, second = (facts(found(), tmp_path)["jwk"] for _ in range(2))
    assert first != second
    assert len(list((tmp_path / "tokens").iterdir())) == 1
    for path in [tmp_path / "tokens", *(tmp_path / "tokens").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["no_library", "no_module"])
def test_what_is_no_module_is_a_clear_error(tmp_path: Path, name: str) -> None:
    module = tmp_path / "text.so"
    module.write_text("no library")
    import _ssl  # a library, and no PKCS #11 module

    told = facts(str(module) if name == "no_library" else _ssl.__file__, tmp_path)
    assert "gives no key" in told["error"]
    assert "Use the software signer" in told["error"]


@pytest.fixture(scope="module")
def running() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True, signer="pkcs11") as started:
        yield started


@pytest.fixture
def lab(running: labsim.Lab) -> Iterator[labsim.Lab]:
    """Give the lab, and bring it back to its base variant."""
    yield running
    running.vary("base")


@pytest.mark.parametrize("variant", ["base", "stamping_signer"])
@pytest.mark.parametrize("binding", ["dpop", "http_signature"])
def test_the_holder_is_served_and_the_thief_finds_no_key(
    lab: labsim.Lab, binding: str, variant: str
) -> None:
    lab.vary(variant)
    lab.bind(CLIENT, binding, custody="signer")
    assert (lab.run_folder / SIGNER / "tokens").is_dir()
    assert lab.work_rows(CLIENT)[0]["outcome"] == "served"
    haul = lab.attacker.steal(CLIENT, by="container_code")
    assert haul.pieces[0]["key"] is None
    served = lab.attacker.replay(haul).query("outcome == 'served'")["replay"].to_list()
    # The power to sign in place is what is left, as with any signer; and the client's credential.
    assert {"new_token_for_own_key", "signed_in_place"} <= set(served)
    assert "stolen_key" not in served
    lab.advance(seconds=1500)
    (later,) = lab.attacker.replay(haul, by="proofs_made_ahead").outcome
    assert later == ("served" if variant == "base" else "rejected")


def proof_key(row: dict[str, Any]) -> dict[str, Any]:
    """Return the public key of the DPoP proof that went out."""
    proof = row["sent"].partition("DPoP: ")[2].partition("\r\n")[0]
    return dict(parse_compact(proof).header["jwk"])


def test_no_file_of_the_run_is_or_holds_the_key(lab: labsim.Lab) -> None:
    for custody, files in (("signer", []), ("file", [f"{CLIENT}/key.json"])):
        lab.bind(CLIENT, "dpop", custody=custody)
        (row,) = lab.work_rows(CLIENT)
        assert files_with(lab.run_folder, proof_key(row)) == files


def test_mutual_tls_is_refused_before_anything_is_changed(lab: labsim.Lab) -> None:
    lab.bind(CLIENT, "dpop", custody="signer")
    with pytest.raises(LabError, match=r"takes no signing callback.*Nothing was changed"):
        lab.bind(CLIENT, "mtls", custody="signer")
    assert (lab.binding(CLIENT), lab.custody(CLIENT)) == ("dpop", "signer")
    assert lab.work_rows(CLIENT)[0]["outcome"] == "served"
    lab.bind(CLIENT, "mtls", custody="memory")
    assert lab.work_rows(CLIENT)[0]["outcome"] == "served"


def test_a_signer_that_has_no_token_says_so_and_the_client_is_as_before(lab: labsim.Lab) -> None:
    lab.bind(CLIENT, "dpop", custody="memory")
    before, lab.estate.module = lab.estate.module, __file__
    try:
        with pytest.raises(LabError, match="gives no key"):
            lab.bind(CLIENT, "http_signature", custody="signer")
    finally:
        lab.estate.module = before
    assert lab.work_rows(CLIENT)[0]["outcome"] == "served"
    assert (lab.binding(CLIENT), lab.custody(CLIENT)) == ("dpop", "memory")
    assert lab.estate.signers() == []
