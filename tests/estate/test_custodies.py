"""Each custody with each binding, on real processes: who is served, and where the key lies."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import labsim
from labsim.errors import LabError
from labsim.estate import tls
from labsim.estate.custody import CUSTODIES
from labsim.estate.foothold import RemoteFoothold
from labsim.jose import b64url, b64url_decode, parse_compact
from labsim.lab import BINDINGS
from tests.private_keys import files_with, gives_away

CLIENT = "ops-console"
BOUND = [binding for binding in BINDINGS if binding != "bearer"]
SIGNER = f"{CLIENT}.signer"


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def bound_key(lab: labsim.Lab, client: str) -> dict[str, Any]:
    """Return the public key that a client's token is bound to, as a JWK."""
    (row, *_) = lab.work_rows(client)
    assert row["outcome"] == "served"
    if lab.binding(client) == "mtls":
        pem = (lab.run_folder / client / "certificate.pem").read_bytes()
        numbers = x509.load_pem_x509_certificate(pem).public_key().public_numbers()  # type: ignore[union-attr]
        return _jwk(numbers.x.to_bytes(32), numbers.y.to_bytes(32))  # type: ignore[union-attr]
    if lab.binding(client) == "dpop":
        proof = re.search(r"^DPoP: (\S+)", row["sent"], re.MULTILINE)
        assert proof is not None
        return dict(parse_compact(proof[1]).header["jwk"])
    token = re.search(r"^Authorization: HTTPSig (\S+)", row["sent"], re.MULTILINE)
    assert token is not None
    point = b64url_decode(parse_compact(token[1]).payload["cnf"]["htsk"]["pub"])
    return _jwk(point[1:33], point[33:])


def _jwk(x: bytes, y: bytes) -> dict[str, str]:
    return {"kty": "EC", "crv": "P-256", "x": b64url(x), "y": b64url(y)}


def foothold_in(lab: labsim.Lab, client: str) -> RemoteFoothold:
    lab.attacker.steal(client, by="container_code")
    return RemoteFoothold(json.loads((lab.run_folder / client / "foothold.json").read_text()))


# ops-console authenticates by a key, lead-sync lives from a grant, storefront calls two servers.
@pytest.mark.parametrize("client", [CLIENT, "lead-sync", "storefront"])
@pytest.mark.parametrize("custody", CUSTODIES)
@pytest.mark.parametrize("binding", BINDINGS)
def test_the_holder_is_served(lab: labsim.Lab, client: str, binding: str, custody: str) -> None:
    lab.bind(client, binding, custody=custody)
    for _ in range(2):
        assert {row["outcome"] for row in lab.work_rows(client)} == {"served"}
    lab.advance(hours=2)  # the token ends, and the key serves for the next
    assert {row["outcome"] for row in lab.work_rows(client)} == {"served"}
    assert lab.custody(client) == ("none" if binding == "bearer" else custody)


@pytest.mark.parametrize("binding", BOUND)
def test_a_key_in_a_file_lies_beside_the_token(lab: labsim.Lab, binding: str) -> None:
    lab.bind(CLIENT, binding, custody="file")
    assert files_with(lab.run_folder, bound_key(lab, CLIENT)) == [f"{CLIENT}/key.json"]


@pytest.mark.parametrize("binding", BOUND)
def test_a_key_in_memory_lies_in_no_file_and_is_found_in_memory(
    lab: labsim.Lab, binding: str
) -> None:
    lab.bind(CLIENT, binding, custody="memory")
    public = bound_key(lab, CLIENT)
    keys = foothold_in(lab, CLIENT).read_memory()
    assert gives_away(json.dumps(keys).encode(), public)
    (loot,) = lab.attacker.steal(CLIENT, by="container_files").pieces
    assert loot["key"] is None
    lab.evict(CLIENT)
    (file,) = files_with(lab.run_folder, public)
    assert file.startswith("attacker/loot-")  # the thief's, whose code has read the memory


@pytest.mark.parametrize("binding", BOUND)
def test_a_key_at_a_signer_is_in_no_file_and_not_in_the_holders_memory(
    lab: labsim.Lab, binding: str
) -> None:
    lab.bind(CLIENT, binding, custody="signer")
    public = bound_key(lab, CLIENT)
    keys = foothold_in(lab, CLIENT).read_memory()
    assert not gives_away(json.dumps(keys).encode(), public)
    assert files_with(lab.run_folder, public) == []


@pytest.mark.parametrize("binding", BOUND)
@pytest.mark.parametrize(
    ("custody", "outcome"), [("file", "served"), ("memory", "served"), ("signer", "not_possible")]
)
def test_code_in_the_container_takes_the_key_where_it_can(
    lab: labsim.Lab, binding: str, custody: str, outcome: str
) -> None:
    lab.bind(CLIENT, binding, custody=custody)
    haul = lab.attacker.steal(CLIENT, by="container_code")
    (row,) = lab.attacker.replay(haul, by="stolen_key").to_dict("records")
    assert (row["outcome"], row["custody"]) == (outcome, custody)
    (row,) = lab.attacker.replay(haul, by="signed_in_place").to_dict("records")
    assert row["outcome"] == "served"


def test_a_signers_socket_is_for_its_owner_only(lab: labsim.Lab) -> None:
    lab.bind(CLIENT, "dpop", custody="signer")
    folder = lab.run_folder / SIGNER
    sock = folder / "signer.sock"
    assert stat.S_ISSOCK(sock.stat().st_mode)
    for path in (lab.run_folder, folder, sock):
        assert path.stat().st_mode & 0o077 == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_signer_ends_when_its_client_has_the_key_elsewhere(lab: labsim.Lab) -> None:
    for binding, custody in (("dpop", "memory"), ("bearer", "signer"), ("bearer", "file")):
        lab.bind(CLIENT, "dpop", custody="signer")
        signer = lab.estate.process(SIGNER)
        lab.bind(CLIENT, binding, custody=custody)
        assert not signer.alive
        with pytest.raises(LabError, match="no process called"):
            lab.estate.process(SIGNER)


@pytest.mark.parametrize("binding", BOUND)
def test_a_client_whose_signer_is_gone_says_so_until_it_is_bound_again(
    lab: labsim.Lab, binding: str
) -> None:
    lab.bind(CLIENT, binding, custody="signer")
    lab.work_rows(CLIENT)
    lab.estate.end(SIGNER)
    for _ in range(2):
        with pytest.raises(LabError, match=f"signer {SIGNER} does not answer.*Bind the client"):
            lab.work_rows(CLIENT)
    lab.bind(CLIENT, binding, custody="signer")
    assert lab.work_rows(CLIENT)[0]["outcome"] == "served"


@pytest.mark.parametrize("custody", CUSTODIES)
def test_a_renewed_certificate_goes_with_the_old_key(lab: labsim.Lab, custody: str) -> None:
    lab.bind(CLIENT, "mtls", custody=custody)
    public = bound_key(lab, CLIENT)
    before = (lab.run_folder / CLIENT / "certificate.pem").read_text()
    lab.renew_certificate(CLIENT)
    assert (lab.run_folder / CLIENT / "certificate.pem").read_text() != before
    # The token stays bound to the old certificate; the next one is bound to the new.
    assert lab.work_rows(CLIENT)[0]["outcome"] == "rejected"
    assert bound_key(lab, CLIENT) == public


def test_a_wiretap_on_mutual_tls_ends_alike_wherever_the_key_lies(lab: labsim.Lab) -> None:
    """The signer, too, dials through the interceptor, which has no such certificate to show."""
    seen = []
    for custody in CUSTODIES:
        lab.bind(CLIENT, "mtls", custody=custody)
        lab.work_rows(CLIENT)
        haul = lab.attacker.steal(CLIENT, by="wiretap")
        kinds = [piece["kinds"] for piece in haul.pieces]
        passed = [piece["read_in_passing"] for piece in haul.pieces]
        attempts = lab.attacker.replay(haul)[["replay", "outcome", "reason"]].to_dict("records")
        seen.append((kinds, passed, attempts))
        assert lab.work_rows(CLIENT)[0]["outcome"] == "served"  # and as before once it is over
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][:2] == ([["captured_request", "token"]], [[]])


def test_the_holders_own_calls_through_a_wiretap_end_alike(lab: labsim.Lab) -> None:
    seen = []
    for custody in CUSTODIES:
        lab.bind(CLIENT, "mtls", custody=custody)
        lab.work_rows(CLIENT)
        victim = lab.estate.process(CLIENT)
        victim.call("leak", theft="wiretap", proxy=lab.estate.interceptor())
        (row,) = lab.work_rows(CLIENT)
        victim.call("mend")
        event = lab.event(row["request_id"])
        seen.append((row["outcome"], row["status"], row["records"], event.get("reason")))
    assert seen == [("rejected", 401, [], "PROOF_MISSING")] * len(CUSTODIES)


@pytest.mark.parametrize("platform", sorted({sys.platform, "darwin"}))
def test_openssl_reads_a_key_from_memory_or_from_a_private_file_that_is_gone_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(tls.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(tls.sys, "platform", platform)
    with tls.file_of_memory(b"a key") as file:
        assert Path(file).read_bytes() == b"a key"
        if platform == "linux":
            assert os.readlink(file).startswith("/memfd:labsim-key")
            assert list(tmp_path.iterdir()) == []
        else:
            assert [str(found) for found in tmp_path.iterdir()] == [file]
            assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert not os.path.lexists(file)
    assert list(tmp_path.iterdir()) == []
