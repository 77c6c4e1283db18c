"""The control panel's widgets, without a page: what a press does, and what is then shown."""

from __future__ import annotations

from typing import Any

import pytest

import labsim
from labsim.errors import LabError
from labsim.panel.choices import UNKNOWN, Choice
from labsim.panel.running import KEPT, Ran, Runner
from labsim.panel.widgets import ControlPanel, outcome_row
from labsim.seen_attempt import SeenAttempt

ROW: dict[str, Any] = {
    "attempt": 1, "replay": "own_proof", "resource": "deploy", "outcome": "rejected",
    "check": "proof_key_is_the_bound_one", "source": "RFC 9449", "records": 0, "reason": "R",
}  # fmt: skip
OWN = {"sent": "", "outcome": "served", "status": 200}


class Pretended(Runner):
    """Run nothing, and end as it is told."""

    def __init__(self, ends: BaseException | None = None) -> None:
        super().__init__()
        self.ends = ends
        self.begun = 0

    def run(self, choice: Choice, predicted: str = "") -> Ran:
        self.begun += 1
        if self.ends:
            raise self.ends
        ran = Ran(choice, predicted, SeenAttempt(ROW, {"holder": OWN}))
        self.outcomes = [ran, *self.outcomes][:KEPT]
        return ran


def press(panel: ControlPanel, field: str, name: str) -> None:
    panel._groups[field].buttons[name].click()


def predict(panel: ControlPanel, word: str) -> None:
    panel._prediction.value = word


def test_nothing_runs_before_run_is_pressed_and_run_waits_for_a_prediction() -> None:
    runner = Pretended()
    panel = ControlPanel(runner)
    press(panel, "binding", "dpop")
    panel._run.click()
    assert "Predict before you run" in panel._status.value
    assert runner.begun == 0
    predict(panel, "served")
    assert runner.begun == 0
    panel._run.click()
    assert runner.begun == 1


def test_a_word_that_is_none_is_no_prediction() -> None:
    runner = Pretended()
    panel = ControlPanel(runner)
    predict(panel, "perhaps")
    panel._run.click()
    assert runner.begun == 0


def test_what_cannot_be_chosen_is_disabled_and_says_why() -> None:
    panel = ControlPanel(Pretended())
    press(panel, "theft", "log_line")
    group = panel._groups["replay"]
    button = group.buttons["request_as_is"]
    assert button.disabled
    assert button.description.startswith("⊘")
    assert "this loot holds no captured_request" in button.tooltip
    assert "this loot holds no captured_request" in group._why.value
    assert not group.buttons["token_as_is"].disabled
    press(panel, "theft", "wiretap")
    assert not button.disabled


def test_what_is_chosen_is_told_by_a_sign_and_a_word() -> None:
    panel = ControlPanel(Pretended())
    press(panel, "binding", "mtls")
    buttons = panel._groups["binding"].buttons
    assert [name for name, b in buttons.items() if b.description.startswith("●")] == ["mtls"]
    assert buttons["mtls"].tooltip.endswith(", chosen")


def test_another_choice_asks_for_another_prediction() -> None:
    panel = ControlPanel(Pretended())
    predict(panel, "served")
    press(panel, "binding", "dpop")
    assert panel._prediction.value == ""


def test_an_outcome_is_shown_with_what_was_predicted_and_the_holder() -> None:
    panel = ControlPanel(Pretended())
    press(panel, "binding", "dpop")
    predict(panel, "proof_key_is_the_bound_one")
    panel._run.click()
    assert "Rejected by proof_key_is_the_bound_one (RFC 9449)" in panel._status.value
    assert "served (200)" in panel._status.value
    assert "As you predicted: yes" in panel._status.value
    assert panel._outcomes.value.count("<tr>") == 2


def test_the_last_five_are_kept() -> None:
    panel = ControlPanel(Pretended())
    for _ in range(7):
        predict(panel, UNKNOWN)
        panel._run.click()
    assert len(panel.outcomes) == 5
    assert outcome_row(panel.outcomes[0])["as predicted"] == "–"


def test_the_code_follows_choice_and_prediction() -> None:
    panel = ControlPanel(Pretended())
    press(panel, "binding", "dpop")
    predict(panel, "served")
    assert panel._code.value == panel.code
    assert 'lab.bind("ci-runner", "dpop", custody="file")' in panel.code
    assert 'predicted="served"' in panel.code


def test_what_the_lab_says_is_shown_and_the_panel_goes_on() -> None:
    runner = Pretended(LabError("No <port>.", todo="Free one."))
    panel = ControlPanel(runner)
    predict(panel, "served")
    panel._run.click()
    assert "The lab says: No &lt;port&gt;. Free one." in panel._status.value
    assert not panel._run.disabled


def test_an_interrupted_run_does_not_leave_the_panel_running() -> None:
    panel = ControlPanel(Pretended(KeyboardInterrupt()))
    predict(panel, "served")
    with pytest.raises(KeyboardInterrupt):
        panel._press_run()
    assert "broke off" in panel._status.value
    assert not panel._run.disabled


def test_no_colour_is_the_panels_own() -> None:
    panel = ControlPanel(Pretended())
    predict(panel, "served")
    panel._run.click()
    for widget in (panel._status, panel._outcomes, panel._groups["replay"]._why):
        assert "var(--jp-" in widget.value
    assert all(not b.style.button_color for g in panel._groups.values() for b in g.buttons.values())


def test_a_second_panel_stops_the_first() -> None:
    first = labsim.control_panel()
    stopped: list[bool] = []
    first._runner.stop = lambda: stopped.append(True)  # type: ignore[method-assign]
    second = labsim.control_panel()
    assert stopped == [True]
    second.stop()


@pytest.mark.parametrize(
    ("more", "ended"),
    [
        ({"outcome": "served", "records": 12}, "served 12 records"),
        ({"outcome": "refused_by_tls", "reason": "x"}, "refused by TLS: x"),
        ({"outcome": "not_possible", "reason": "no key"}, "not possible: no key"),
    ],
)
def test_each_ending_has_its_words(more: dict[str, Any], ended: str) -> None:
    held = {"outcome": "rejected", "check": "jti_is_new"}
    ran = Ran(Choice(), "served", SeenAttempt(ROW | more, {"holder": OWN, "victim": [held]}))
    assert ran.ended == ended
    assert ran.holder == "held back, then rejected by jti_is_new"
    assert ran.as_predicted == ("yes" if more["outcome"] == "served" else "no")


def test_a_terminal_is_told_where_the_panel_can_be_seen() -> None:
    panel = ControlPanel()
    assert "a notebook shows it ('make lab')" in repr(panel)
    assert panel.code in repr(panel)
