"""The lab as a notebook holds it, on real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import labsim
from labsim.errors import LabError
from labsim.estate.processes import OperationFailed


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    """Run one lab for the tests that leave it as it was."""
    with labsim.start(quiet=True) as started:
        yield started


@pytest.mark.parametrize(
    ("act", "names"),
    [
        (lambda lab: lab.work("nobody"), "storefront"),
        (lambda lab: lab.bind("nobody", "dpop"), "storefront"),
        (lambda lab: lab.bind("storefront", "magic"), "bearer, dpop"),
        (lambda lab: lab.bind("storefront", "dpop", custody="pocket"), "file, memory"),
        (lambda lab: lab.attacker.steal("nobody", by="log_line"), "storefront"),
        (
            lambda lab: lab.attacker.steal("storefront", by="magic"),
            "container_files, former_employee, log_line",
        ),
        (lambda lab: lab.attacker.show(99999), "There is no attempt 99999"),
    ],
)
def test_an_unknown_name_is_answered_with_those_that_exist(
    lab: labsim.Lab, act: Callable[[labsim.Lab], Any], names: str
) -> None:
    with pytest.raises(LabError, match=names):
        act(lab)
    assert lab.work_rows("storefront")[0]["outcome"] == "served"


def test_an_unknown_replay_or_resource_is_answered_with_those_that_exist(lab: labsim.Lab) -> None:
    haul = lab.attacker.steal("ops-console", by="log_line")
    with pytest.raises(LabError, match="token_as_is"):
        lab.attacker.replay(haul, by="magic")
    with pytest.raises(LabError, match="orders"):
        lab.attacker.replay(haul, against="nowhere")
    assert set(lab.attacker.replay(haul, by="token_as_is").outcome) == {"served"}


def test_a_second_start_is_refused_and_the_first_lives_on(lab: labsim.Lab) -> None:
    with pytest.raises(LabError, match="already runs"):
        labsim.start(quiet=True)
    assert lab.work_rows("storefront")[0]["outcome"] == "served"


def test_the_attacker_sees_only_what_it_was_given(lab: labsim.Lab) -> None:
    attacker = lab.estate.process("attacker")
    lab.work_rows("ci-runner")
    secret = lab.run_folder / "ci-runner" / "client.json"
    assert secret.exists()
    haul = lab.attacker.steal("ops-console", by="container_files")
    assert len(haul) == 1
    for path in (secret, secret.parent, Path("/etc/passwd"), lab.run_folder):
        # The same operation that was just given ops-console's folder; here nothing is given, and
        # a symbolic link in the attacker's own folder is no way around.
        link = lab.run_folder / "attacker" / "link"
        link.unlink(missing_ok=True)
        link.symlink_to(path)
        with pytest.raises((OperationFailed, LabError), match="was not given this"):
            attacker.call("look", path=str(link))


def test_the_map_is_a_picture_with_words(lab: labsim.Lab) -> None:
    shown = lab.map(everything=True)._repr_mimebundle_()
    assert {"text/vnd.mermaid", "image/svg+xml", "text/plain"} == set(shown)
    assert all(client.title in shown["text/vnd.mermaid"] for client in lab.plan.clients.values())


def test_the_map_grows_with_what_is_used(lab: labsim.Lab) -> None:
    lab.reset()
    assert len(lab.map().clients) == len(lab.plan.clients)
    loot = lab.attacker.steal("ci-runner", by="ticket", at="deploy")
    lab.attacker.replay(loot, by="request_as_is", against="deploy")
    shown = lab.map()
    assert [each.name for each in (*shown.clients, *shown.resources)] == ["ci-runner", "deploy"]
    assert not shown.issuer
    files = lab.attacker.steal("ci-runner", by="container_files")
    lab.attacker.replay(files[0], by="new_token_for_own_key", against="deploy")
    assert lab.map().issuer
    assert [each.name for each in lab.map().resources] == ["deploy", "vault"]


def test_the_run_folder_is_for_its_owner_only(lab: labsim.Lab) -> None:
    for path in [lab.run_folder, *lab.run_folder.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
