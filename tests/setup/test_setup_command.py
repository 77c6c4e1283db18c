"""`labsim setup`: whatever prevents it is one clear line, and an interrupted one is recovered.

The interpreters, uv and the registry are stand-ins here; that the real ones make a real
environment is what every other test shows, because it runs in one.
"""

import errno
import socket
import subprocess
import sys

import pytest

from labsim import __main__ as dispatch
from labsim.commands import _interpreter, setup
from labsim.commands._checkout import ROOT, Checkout
from tests.unit.fake_machine import bare, program, python_that_says

# A stand-in for uv: it writes down what it was asked, and does `body` where uv would install.
UV = """#!/bin/sh
case "$1" in
    --version) echo "uv 1.0" ;;
    python) exit 1 ;;
    pip) echo "$@" >> "{calls}"; {body} ;;
esac
"""
SET_UP = """
from pathlib import Path
from labsim.commands import _checkout, setup
print("made:", setup.set_up(_checkout.Checkout(Path("{root}"))))
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Give a machine with nothing on its PATH, no pyenv and no Python but the test's own."""
    return bare(tmp_path, monkeypatch)


@pytest.fixture
def checkout(machine, monkeypatch):
    """Give a checkout with a lock of one package, and make it the one that setup works on."""
    root = machine / "a checkout"
    (root / "labsim").mkdir(parents=True)
    (root / "requirements.lock").write_text("h11==0.16.0 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    made = Checkout(root)
    monkeypatch.setattr(setup, "Checkout", lambda: made)
    return made


@pytest.fixture
def with_uv(machine, checkout):
    """Put a uv on the PATH that does `body`; returns a function that says what it was asked."""
    calls = machine / "calls"
    calls.write_text("")

    def put(body: str = "exit 0"):
        program(machine / "bin" / "uv", UV.format(calls=calls, body=body))
        return lambda: calls.read_text().splitlines()

    return put


def line_of(capsys) -> str:
    """Run setup, and return the one line that it must fail with."""
    assert dispatch.main(["setup"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def test_no_python_that_is_new_enough_is_one_line(machine, checkout, monkeypatch, capsys):
    monkeypatch.setattr(_interpreter.sys, "executable", str(machine / "gone"))
    program(machine / "bin" / "python3.13", "#!/bin/sh\necho 'pyenv: not found' >&2\nexit 127\n")
    python_that_says(machine / "bin" / "python3", "3.11.7")
    line = line_of(capsys)
    assert line.startswith("No Python 3.12 or newer runs here (the newest is 3.11.7")
    assert "install Python 3.13" in line
    assert "PYTHON=/path/to/python3.13 make setup" in line


def test_no_room_on_the_disk_is_one_line(checkout, monkeypatch, capsys):
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2e8})())
    line = line_of(capsys)
    assert line.startswith("No room on the disk: 0.2 GB are free where ")
    assert "1.5 GB are needed. Free some and run 'make setup' again." in line


def test_no_registry_is_one_line_with_pip(checkout, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    line = line_of(capsys)
    assert line.startswith("pip did not get the packages: the registry does not answer")
    assert line.endswith(f"run 'make setup' again. Details: {checkout.log}\n")
    assert "No matching distribution" in checkout.log.read_text()
    assert not checkout.is_ready


def test_where_uv_gets_no_packages_pip_is_tried(checkout, with_uv, monkeypatch, capsys):
    with_uv("echo 'error: Failed to fetch: `x`' >&2; exit 2")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert "pip did not get the packages" in line_of(capsys)
    assert "$ " in checkout.log.read_text()


@pytest.mark.parametrize(
    ("says", "line"),
    [
        ("error: No space left on device (os error 28)", "No room on the disk: "),
        ("error: Hash mismatch for h11==0.16.0", "A package that was offered is not the one"),
        ("error: something else", "Set-up failed at uv. Details: "),
    ],
)
def test_a_failure_of_uv_is_one_line(with_uv, capsys, says, line):
    with_uv(f"echo '{says}' >&2; exit 2")
    assert line_of(capsys).startswith(line)


def test_a_python_without_pip_is_one_line(machine, checkout, capsys):
    # As Debian splits it: venv makes an environment, and ensurepip is not there.
    script = f"""#!/bin/sh
case "$*" in
    *-m\\ venv*) mkdir -p "{checkout.venv}/bin"; cp "$0" "{checkout.python}" ;;
    *ensurepip*) echo "No module named ensurepip" >&2; exit 1 ;;
    *) echo 3.13.0; echo "$0" ;;
esac
"""
    program(machine / "bin" / "python3.13", script)
    for name in ("mkdir", "cp"):
        (machine / "bin" / name).symlink_to(f"/bin/{name}")
    assert line_of(capsys).startswith("This Python comes without pip. Install uv, or")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "Set-up cannot use /x: Perm"),
        (OSError(errno.ENOSPC, "No space left on device"), "No room on the disk"),
    ],
)
def test_what_the_system_refuses_is_one_line(checkout, monkeypatch, capsys, error, line):
    def refuse(_folder):
        raise error

    monkeypatch.setattr(setup, "_remove", refuse)
    assert line_of(capsys).startswith(line)


def test_a_checkout_without_its_lock_is_one_line(checkout, capsys):
    checkout.lock.unlink()
    assert "requirements.lock: No such file" in line_of(capsys)


def test_native_windows_is_one_line(checkout, monkeypatch, capsys):
    monkeypatch.setattr(setup.sys, "platform", "win32")
    assert line_of(capsys) == "Native Windows is not supported: use the lab inside WSL.\n"


# what goes right


def test_a_set_up_makes_an_environment_that_imports_the_checkout(checkout, with_uv, capsys):
    calls = with_uv()
    (checkout.root / "labsim" / "__init__.py").write_text("HERE = 1\n")
    assert dispatch.main(["setup"]) == 0
    options = f"--require-hashes --only-binary :all: -r {checkout.lock}"
    assert calls() == [f"pip install --python {checkout.python} {options}"]
    code = "import labsim; print(labsim.HERE)"
    assert subprocess.check_output([checkout.python, "-c", code], cwd="/") == b"1\n"
    assert list((checkout.root / "labsim" / "__pycache__").glob("__init__.*.pyc"))
    assert not checkout.log.exists()
    assert capsys.readouterr().out.endswith("Set-up: everything is in .venv/.\n")


def test_a_second_set_up_starts_nothing(checkout, with_uv, monkeypatch, capsys):
    with_uv()
    assert setup.set_up(checkout) is True
    capsys.readouterr()
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("started a process"))
    assert setup.set_up(checkout) is False
    assert dispatch.main(["setup", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("left", ["half of it", "a file", "a dead link"])
def test_a_set_up_that_was_interrupted_is_begun_anew(checkout, with_uv, left):
    calls = with_uv()
    if left == "half of it":
        (checkout.venv / "bin").mkdir(parents=True)
        (checkout.venv / "bin" / "junk").write_text("")
    elif left == "a file":
        checkout.venv.write_text("")
    else:
        checkout.venv.symlink_to("/nowhere")
    setup.set_up(checkout)
    assert checkout.is_ready
    assert not (checkout.venv / "bin" / "junk").exists()
    assert len(calls()) == 1


def test_ctrl_c_in_a_set_up_leaves_no_stamp(checkout, with_uv, monkeypatch):
    with_uv()
    monkeypatch.setattr(setup, "_compile", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert dispatch.main(["setup"]) == 130
    assert not checkout.is_ready


@pytest.mark.parametrize("change", ["moved", "interpreter gone"])
def test_an_environment_that_no_longer_works_is_made_anew(checkout, with_uv, change, machine):
    with_uv()
    setup.set_up(checkout)
    if change == "moved":
        checkout.root.rename(machine / "elsewhere")
        checkout = Checkout(machine / "elsewhere")
    else:
        checkout.python.unlink()
    (checkout.venv / "junk").write_text("")
    assert setup.set_up(checkout) is True
    assert not (checkout.venv / "junk").exists()


def test_another_lock_updates_the_environment_that_is_there(checkout, with_uv):
    calls = with_uv()
    setup.set_up(checkout)
    (checkout.venv / "kept").write_text("")
    checkout.lock.write_text(checkout.lock.read_text() + "# newer\n")
    assert setup.set_up(checkout) is True
    assert (checkout.venv / "kept").exists()
    assert len(calls()) == 2


def test_an_update_without_a_registry_keeps_the_old_environment(
    checkout, with_uv, monkeypatch, capsys
):
    with_uv()
    setup.set_up(checkout)
    old = checkout.found_stamp
    with_uv("echo 'error: Failed to fetch' >&2; exit 2")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    checkout.lock.write_text(checkout.lock.read_text() + "# newer\n")
    assert "did not get the packages" in line_of(capsys)
    assert checkout.found_stamp == old
    assert checkout.is_only_older


def test_a_set_up_waits_for_another_and_finds_its_work_done(checkout, with_uv):
    calls = with_uv()
    setup.set_up(checkout)
    checkout.lock.write_text(checkout.lock.read_text() + "# newer\n")
    with setup._alone(checkout.root):
        code = SET_UP.format(root=checkout.root)
        second = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert "another set-up is running here; waiting" in second.stdout.readline()
        checkout.stamp.write_text(checkout.wanted_stamp)
    assert second.communicate()[0] == "made: False\n"
    assert len(calls()) == 1
