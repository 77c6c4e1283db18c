"""The control panel's runs on a real estate of its own, and its code in a notebook's lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import labsim
from labsim.panel.choices import FIELDS, Choice, call, changed, steps
from labsim.panel.running import Runner
from labsim.preset import presets

CASES: tuple[tuple[dict[str, str], str], ...] = (
    ({"theft": "wiretap"}, "served"),
    ({"theft": "wiretap", "binding": "dpop", "replay": "own_proof"}, "proof_key_is_the_bound_one"),
    ({"theft": "wiretap", "binding": "dpop", "replay": "hold_and_forward"}, "served"),
    ({"theft": "wiretap", "binding": "http_signature", "replay": "changed_body"}, "digest_is_the_bodys"),
    (
        {"theft": "container_code", "binding": "dpop", "custody": "signer", "replay": "proofs_made_ahead"},
        "served",
    ),
    (
        {"theft": "container_code", "binding": "mtls", "custody": "signer", "replay": "signed_in_place"},
        "served",
    ),
    ({"theft": "former_employee", "binding": "bearer", "replay": "token_as_is"}, "token_is_not_expired"),
)  # fmt: skip


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.stop()


@pytest.mark.parametrize(("fields", "word"), CASES, ids=str)
def test_a_run_and_its_code_end_alike(
    lab: labsim.Lab, runner: Runner, fields: dict[str, str], word: str
) -> None:
    choice = Choice()
    for field in FIELDS:
        if field in fields:
            choice = changed(lab.plan, choice, field, fields[field])
    ran = runner.run(choice, word)
    assert (ran.word, ran.as_predicted) == (word, "yes")
    names: dict[str, Any] = {"lab": lab}
    exec(call(lab.plan, choice, word), names)
    assert "1 happened as you said" in names["result"].headline
    # The panel's estate is another one, and the notebook's lab was left as it was.
    assert lab.variant == "base"


def test_it_starts_again_after_a_stop(lab: labsim.Lab) -> None:
    runner = Runner()
    assert not runner.runs
    assert runner.run(Choice()).word == "served"
    runner.stop()
    assert not runner.runs
    assert runner.run(Choice()).word == "served"
    runner.stop()
    assert lab.work_rows("ci-runner")[0]["outcome"] == "served"


SHOWN = [name for name, each in presets().items() if not (each.too_strict or each.own)]


@pytest.mark.parametrize("name", SHOWN)
def test_a_preset_lets_the_thief_in_whom_the_good_server_refuses(
    lab: labsim.Lab, runner: Runner, name: str
) -> None:
    scene, good = presets()[name].scene, presets()[name].stopped_by
    choice = Choice()
    for field in FIELDS[:-1]:
        choice = changed(lab.plan, choice, field, getattr(scene, field))
    weak = changed(lab.plan, choice, "preset", name)
    assert weak.preset == name
    # Good servers of the same kind: those that ask for a nonce, say.
    lab.vary(steps(lab.plan, weak).variant)
    names: dict[str, Any] = {"lab": lab}
    exec(call(lab.plan, choice, good), names)
    lab.vary("base")
    assert "1 happened as you said" in names["result"].headline
    ran = runner.run(weak, "served")
    assert (ran.word, ran.as_predicted) == ("served", "yes")
    exec(call(lab.plan, weak, "served"), names)
    assert "1 happened as you said" in names["result"].headline
