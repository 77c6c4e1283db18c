"""`labsim probe` finds a stranger's bug, and the lab has none of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import labsim
from labsim.catalogue.listed import catalogue
from labsim.catalogue.vector import Actor
from labsim.certificates import as_der, certified, key_pair
from labsim.commands import probe
from labsim.estate.names import AUTHORIZATION_SERVER, CLIENT_CA_KEY_FILE
from labsim.keys import SigningKey
from labsim.probing import findings
from labsim.probing.own_lab import started
from labsim.probing.probe import blocks, run
from tests.estate.plain_server import PlainServer, serving, token_for

MISSED = {
    "htu": {"DM-05", "DM-06", "DM-07", "DM-10", "DM-13", "DM-18"},
    "key": {"DB-06"},
    "ath": {"DB-01", "DB-02", "DB-04"},
    "replay": {"DR-01", "DR-02", "DR-02b", "DR-03", "DR-05"},
    "signature": {"DS-01", "DS-02", "DS-03", "DS-05", "DR-08"},
}
"""What each missing check lets through, among others of the same kind."""
KIND = {"htu": "DM", "key": "DB", "ath": "DB", "replay": "DR"}


def config(folder: Path, url: str, token: str = "", **more: Any) -> Path:
    """Write what is probed, with a fresh key, and the token that the plain server gives it."""
    key = SigningKey.generate()
    (folder / "key.json").write_text(json.dumps(key.private_jwk))
    token = token or token_for(key.public_jwk)
    settings = {"url": url, "binding": "dpop", "ca_file": "ca.pem", "pace": 1000, **more}
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    lines += ["[key]", 'file = "key.json"', "[token]", f'given = "{token}"']
    file = folder / "probe.toml"
    file.write_text("\n".join(lines))
    return file


def probed(folder: Path, file: Path) -> tuple[int, dict[str, Any]]:
    """Run the command; return its exit status and what it wrote as JSON."""
    out = folder / "found.json"
    status = probe.main([str(file), "--brief", "--json", str(out)])
    return status, json.loads(out.read_text())


def found_in(report: dict[str, Any]) -> set[str]:
    return {row["id"] for row in report["rows"] if row["is_a_finding"]}


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[PlainServer]:
    with serving(tmp_path) as server:
        yield server


def test_a_careful_server_of_somebody_else_is_found_clean(
    plain: PlainServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = config(tmp_path, plain.url)
    status, report = probed(tmp_path, file)
    assert (status, found_in(report)) == (0, set())
    refused = [row for row in report["rows"] if row["verdict"] == "refused"]
    assert len(refused) > 150
    assert {row["verdict"] for row in report["rows"]} == {"refused", "accepted", "not applicable"}
    assert len(plain.asked) == report["requests"]
    said = capsys.readouterr()
    assert "Nothing was accepted that must be refused." in said.out
    token = file.read_text().partition('given = "')[2].partition('"')[0]
    written = (said.out, said.err, (tmp_path / "found.json").read_text())
    assert not any(part in text for text in written for part in token.split("."))


@pytest.mark.parametrize("lacking", MISSED)
def test_the_rows_of_a_missing_check_are_named(
    tmp_path: Path, lacking: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path, lacking) as server:
        status, report = probed(tmp_path, config(tmp_path, server.url))
    assert status == 1
    assert MISSED[lacking] <= found_in(report)
    if lacking in KIND:
        assert {id.partition("-")[0] for id in found_in(report)} == {KIND[lacking]}
    said = capsys.readouterr().out
    assert all(f"! {id} " in said for id in MISSED[lacking])
    assert "What an attacker gains: " in said


def test_a_server_that_keeps_no_memory_on_purpose_says_so(tmp_path: Path) -> None:
    with serving(tmp_path, "replay") as server:
        status, report = probed(tmp_path, config(tmp_path, server.url, replay_memory=False))
    assert (status, found_in(report)) == (0, set())
    assert [r["verdict"] for r in report["rows"] if r["id"] == "DR-01"] == ["accepted"]


@pytest.mark.parametrize("status", [302, 500, 404])
def test_where_good_requests_are_not_served_nothing_is_told(tmp_path: Path, status: int) -> None:
    """A redirect is not followed: the server it names does not exist."""
    with serving(tmp_path, status=status) as server:
        exit_status, report = probed(tmp_path, config(tmp_path, server.url))
        assert len(server.asked) == report["requests"]
    assert exit_status == 2
    assert report["failed_controls"]
    assert found_in(report) == set()
    assert {row["verdict"] for row in report["rows"]} == {"inconclusive"}
    assert report["requests"] == len(report["failed_controls"]), "a server in trouble is let alone"


def test_another_keys_token_makes_no_control(plain: PlainServer, tmp_path: Path) -> None:
    token = token_for(SigningKey.generate().public_jwk)
    status, report = probed(tmp_path, config(tmp_path, plain.url, token))
    assert status == 2
    assert "status 401" in report["failed_controls"].popitem()[1]


def test_nobody_there_is_inconclusive(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        file = config(tmp_path, server.url)
    status, report = probed(tmp_path, file)
    assert status == 2
    assert {row["verdict"] for row in report["rows"]} == {"inconclusive"}
    assert all("Nobody listens" in why for why in report["failed_controls"].values())


def test_junit_names_each_finding(tmp_path: Path) -> None:
    with serving(tmp_path, "key") as server:
        file = config(tmp_path, server.url)
        assert probe.main([str(file), "--brief", "--junit", str(tmp_path / "found.xml")]) == 1
    root = ElementTree.parse(tmp_path / "found.xml").getroot()
    failed = [
        case.get("name") for case in root.iter("testcase") if case.find("failure") is not None
    ]
    assert failed == ["DB-06 a stolen token with the thief's proof"]
    for suite in root.iter("testsuite"):
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        skipped = [case for case in cases if case.find("skipped") is not None]
        assert suite.get("skipped") == str(len(skipped))


def test_the_labs_own_servers_are_found_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main(["--self", "--brief"]) == 0
    assert "Nothing was accepted that must be refused." in capsys.readouterr().out


def test_a_lab_without_a_memory_is_not() -> None:
    """The minimal profile, as a weakened server: what the strict one's memory is good for."""
    with started() as own:
        own.lab.vary("minimal")
        chosen = blocks(v for v in catalogue("dpop", Actor.RS) if v.id.startswith("DR-"))
        found = run(chosen, own.good_for, own.send, means=own.means)
    holes = {r.vector.id for block in found for r in block.results if r.is_a_hole}
    spellings = {"DR-02b", "DR-02c", "DR-02d"}
    others = {"DR-01", "DR-02", "DR-03", "DR-04", "DR-05"}
    assert (findings.exit_status(found), holes) == (1, others | spellings)


CLIENTS: dict[str, dict[str, Any]] = {
    "bearer": {},
    "dpop": {"dpop_bound_access_tokens": True},
    "mtls": {"tls_client_certificate_bound_access_tokens": True},
    "http_signature": {"httpsig_key_binding_method": "runtime"},
}


@pytest.mark.parametrize("method", ["client_secret_basic", "private_key_jwt"])
@pytest.mark.parametrize("binding", CLIENTS)
def test_a_configuration_that_gets_its_own_token_is_enough(
    tmp_path: Path, binding: str, method: str
) -> None:
    """Against the lab, as any stranger sees it: with nonces, and no key of the issuer's."""
    own, key = SigningKey.generate(), SigningKey.generate()
    client = {"client_id": "prober", "token_endpoint_auth_method": method, **CLIENTS[binding]}
    if method == "private_key_jwt":
        client["jwks"] = {"keys": [own.public_jwk]}
    else:
        client["client_secret"] = "s" * 40
    (tmp_path / "client.json").write_text(json.dumps(own.private_jwk))
    (tmp_path / "key.pem").write_bytes(key.pem)
    with labsim.start(clients=[client], require_nonce=True, quiet=True) as lab:
        estate = lab.estate
        authority = key_pair(
            (lab.run_folder / AUTHORIZATION_SERVER / CLIENT_CA_KEY_FILE).read_bytes()
        )
        pem = certified(authority, "prober", key.public_jwk)
        assert as_der(pem.encode())
        (tmp_path / "certificate.pem").write_text(pem)
        origin = estate.mtls_alias if binding == "mtls" else estate.issuer
        proves = (
            f'key_file = "client.json"\naudience = "{estate.issuer}"'
            if method == "private_key_jwt"
            else f'secret = "{client["client_secret"]}"'
        )
        certificate = 'certificate_file = "certificate.pem"' if binding == "mtls" else ""
        (tmp_path / "probe.toml").write_text(
            f'url = "{estate.urls["orders"]}/records"\nbinding = "{binding}"\npace = 1000\n'
            f'ca_file = "{estate.ca_file}"\n[key]\nfile = "key.pem"\n{certificate}\n'
            f'[token]\nendpoint = "{origin}/token"\nclient_id = "prober"\n{proves}\n'
            f'resource = "{estate.urls["orders"]}"\nscope = "orders.read"\n'
        )
        status, report = probed(tmp_path, tmp_path / "probe.toml")
    assert (status, found_in(report), report["failed_controls"]) == (0, set(), {})
    nonces = [r["verdict"] for r in report["rows"] if r["id"] == "DN-03"]
    assert nonces == (["refused"] if binding == "dpop" else [])
