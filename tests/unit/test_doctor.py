"""doctor says what is here and what is missing, before set-up and after."""

import json
import sys
import tomllib

import pytest

from labsim.commands import doctor
from labsim.commands._checkout import ROOT, Checkout
from labsim.errors import LabError
from labsim.estate import run_folder

FACTS = {"version": (3, 13, 0), "executable": "python", "openssl": "OpenSSL 3", "tls13": True}


@pytest.fixture
def checkout(tmp_path):
    """Make a checkout that has a lock, data and one dependency."""
    (tmp_path / "requirements.lock").write_text("h11==0.16.0\n")
    (tmp_path / "pyproject.toml").write_text('dependencies = [\n    "h11>=0.16",\n]\n')
    (tmp_path / "data" / "records").mkdir(parents=True)
    (tmp_path / "data" / "records" / "crm.csv").write_text("")
    (tmp_path / "data" / "estate.toml").write_text("")
    (tmp_path / "data" / "expected_outcomes.csv").write_text("")
    return Checkout(tmp_path)


def marks(checkout):
    return {finding.name: finding.mark for finding in doctor.examine(checkout)}


def test_doctor_reads_the_list_of_dependencies_as_tomllib_does():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert [name + need for name, need in doctor.dependencies(Checkout()).items()] == wanted


def test_doctor_says_that_the_lab_can_run_where_this_python_has_everything(
    checkout, monkeypatch, capsys
):
    monkeypatch.setattr(doctor, "Checkout", lambda: checkout)
    assert doctor.main([]) == 0
    out = capsys.readouterr().out
    assert out.endswith("The lab can run.\n")
    assert "missing" not in out


def test_doctor_before_set_up_says_that_set_up_is_missing(checkout, monkeypatch):
    monkeypatch.setattr(doctor, "_ask", lambda *_: {**FACTS, "version": (3, 8, 18), "packages": {}})
    found = marks(checkout)
    assert (found["python"], found["set-up"], found["h11"]) == ("missing",) * 3


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("data/estate.toml", "data/estate.toml"),
        ("data/expected_outcomes.csv", "data/expected_outcomes.csv"),
        ("data/records", "data/records/crm.csv"),
        ("set-up", "requirements.lock"),
    ],
)
def test_doctor_names_a_file_that_is_not_there(checkout, monkeypatch, capsys, name, path):
    (checkout.root / path).unlink()
    monkeypatch.setattr(doctor, "Checkout", lambda: checkout)
    assert doctor.main([]) == 1
    assert capsys.readouterr().out.endswith(f"The lab cannot run yet: {name}.\n")


def test_doctor_tells_an_environment_that_was_interrupted_from_none(checkout):
    checkout.venv.mkdir()
    found = {finding.name: finding for finding in doctor.examine(checkout)}["set-up"]
    assert (found.mark, found.found) == ("missing", ".venv/ is not complete")


def test_doctor_does_not_mind_a_lock_that_is_newer_than_a_good_environment(checkout):
    checkout.python.parent.mkdir(parents=True)
    checkout.python.symlink_to(sys.executable)
    checkout.stamp.write_text(checkout.wanted_stamp)
    assert doctor._set_up(checkout, complete=True).found == str(checkout.venv)
    checkout.lock.write_text("h11==0.17.0\n")
    assert doctor._set_up(checkout, complete=True).mark == "ok"
    assert doctor._set_up(checkout, complete=False).mark == "missing"


def test_doctor_survives_an_environment_whose_python_does_not_run(checkout):
    checkout.python.parent.mkdir(parents=True)
    checkout.python.write_text("#!/bin/sh\nexit 1\n")
    checkout.python.chmod(0o755)
    assert marks(checkout)["python"] == "missing"


@pytest.mark.parametrize(
    ("system", "release", "mark", "words"),
    [
        ("Linux", "6.1", "ok", "Linux"),
        ("Linux", "5.15-microsoft-standard-WSL2", "ok", "WSL"),
        ("Darwin", "24.1", "ok", "macOS"),
        ("Windows", "11", "missing", "Windows is not supported"),
    ],
)
def test_doctor_knows_the_platforms(monkeypatch, system, release, mark, words):
    monkeypatch.setattr(doctor.platform, "system", lambda: system)
    monkeypatch.setattr(doctor.platform, "release", lambda: release)
    found = doctor._platform()
    assert found.mark == mark
    assert words in found.found


def test_temporary_files_go_where_a_run_has_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert doctor._temporary_folder().mark == "ok"
    assert doctor._temporary_folder().found == str(run_folder.choose().parent)
    # Python itself would take another folder, and the lab takes none.
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    assert doctor._temporary_folder().mark == "missing"
    with pytest.raises(LabError, match="nowhere"):
        run_folder.make(run_folder.choose())


def test_doctor_names_what_the_machine_lacks(checkout, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.socket, "create_server", refuse)
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)
    found = marks(checkout)
    assert [found[name] for name in ("loopback", "temporary files", "disk")] == ["missing"] * 3
    assert [found[name] for name in ("chromium", "redis-server", "curl")] == ["optional"] * 3


@pytest.mark.parametrize(
    ("library", "program", "mark", "words"),
    [
        (True, True, "ok", 'signer="pkcs11"'),
        (False, True, "optional", "no python-pkcs11"),
        (True, False, "optional", "no SoftHSM"),
    ],
)
def test_doctor_says_whether_keys_may_lie_in_a_token(monkeypatch, library, program, mark, words):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/bin/{name}" if program else None)
    found = doctor._token_signer({"packages": {"python-pkcs11": "0.10"} if library else {}})
    assert (found.name, found.mark) == ("PKCS #11 signer", mark)
    assert words in found.found
    assert bool(found.todo) == (mark == "optional")


@pytest.mark.parametrize(
    ("version", "need", "good"),
    [
        ("46.0.3", ">=46", True),
        ("45.9", ">=46", False),
        ("12.2.0", ">=12.2,<13", True),
        ("13.0.0", ">=12.2,<13", False),
        ("1.8.0", "==1.8.0", True),
        ("1.8.1", "==1.8.0", False),
    ],
)
def test_doctor_compares_versions_as_numbers(version, need, good):
    assert doctor.satisfies(version, need) is good


def test_doctor_prints_json(checkout, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "Checkout", lambda: checkout)
    assert doctor.main(["--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert {"name", "mark", "found", "todo"} == set(findings[0])
    assert {finding["mark"] for finding in findings} <= {"ok", "missing", "optional"}
