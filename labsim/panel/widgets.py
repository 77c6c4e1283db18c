"""The control panel as ipywidgets: buttons for what can be chosen, Run, and what came of it.

Every choice is a real button, so that mouse, keyboard and a screen reader work as on any page: Tab
goes from group to group in the order of reading, Enter or Space presses. A sign and a word say what
is chosen, never a colour alone, and all colours are the page's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from typing import Any, Final

import ipywidgets

from labsim.charts import cards, words
from labsim.errors import LabError
from labsim.panel import choices
from labsim.panel.choices import NONE, UNKNOWN, Choice, Option
from labsim.panel.running import Ran, Runner, plan_of_the_lab

TITLES: Final = {
    "theft": "1. Theft",
    "binding": "2. Binding",
    "custody": "3. Custody: where the key lies",
    "replay": "4. Replay",
    "preset": "5. Preset: a weakened verifier",
}
_WAIT: Final = "Predict before you run: type, or choose from the list. “I do not know” will do too."
_READY: Final = "Ready. The first run starts the panel's own estate, which takes a few seconds."
_SIGNS: Final = {"chosen": "●", "free": "○", "closed": "⊘"}


class Group:
    """Show one field: a heading, a button for each option, and why some cannot be pressed."""

    def __init__(self, field: str, there: tuple[Option, ...], choose: Callable[..., None]) -> None:
        self.field = field
        self.buttons: dict[str, Any] = {}
        for option in there:
            button = ipywidgets.Button(layout=ipywidgets.Layout(width="auto"))
            button.add_class("labsim-choice")
            button.on_click(partial(choose, field, option.name))
            self.buttons[option.name] = button
        self._why = ipywidgets.HTML()
        row = ipywidgets.Box(
            list(self.buttons.values()),
            layout=ipywidgets.Layout(display="flex", flex_flow="row wrap"),
        )
        heading = ipywidgets.HTML(f"<strong>{escape(TITLES[field])}</strong>")
        self.widget = ipywidgets.VBox([heading, row, self._why])

    def show(self, there: tuple[Option, ...], chosen: str) -> None:
        """Say on each button whether it is chosen, and close those that cannot be."""
        for option in there:
            button = self.buttons[option.name]
            state = "closed" if option.reason else "chosen" if option.name == chosen else "free"
            button.description = f"{_SIGNS[state]} {option.label}"
            button.tooltip = f"{TITLES[self.field]}: {option.name}" + (
                f"; not possible: {option.reason}"
                if option.reason
                else ", chosen"
                if state == "chosen"
                else ""
            )
            button.disabled = bool(option.reason)
        why = choices.impossible(there)
        told = f"{_SIGNS['closed']} Not possible now: {why}." if why else ""
        self._why.value = f'<div style="color:{cards.MUTED};line-height:1.4">{escape(told)}</div>'


class ControlPanel:
    """Be the panel: a notebook shows it. `choice` and `outcomes` are what it stands at."""

    def __init__(self, runner: Runner | None = None) -> None:
        self._runner = runner or Runner()
        self._plan = plan_of_the_lab()
        self.choice = Choice()
        there = choices.options(self._plan, self.choice)
        self._groups = {
            field: Group(field, options, self._choose) for field, options in there.items()
        }
        full = ipywidgets.Layout(width="100%")
        # Not a list to select from: there JupyterLab takes letters and arrows for its commands.
        self._prediction = ipywidgets.Combobox(
            description="6. Prediction",
            placeholder="served, or the check that refuses",
            ensure_option=True,
            style={"description_width": "initial"},
            layout=ipywidgets.Layout(width="28em"),
            tooltip="How does it end? Type, or choose from the list",
        )
        self._prediction.observe(self._refresh_run, names="value")
        self._run = ipywidgets.Button(
            description="Run", tooltip="Run what is chosen", button_style="primary"
        )
        self._run.on_click(self._press_run)
        self._end = ipywidgets.Button(
            description="Stop the panel's estate", layout=ipywidgets.Layout(width="auto")
        )
        self._end.on_click(lambda _button: self.stop())
        self._status = ipywidgets.HTML(layout=full)
        self._outcomes = ipywidgets.HTML(layout=full)
        self._code = ipywidgets.Textarea(
            description="The same as code, to copy",
            rows=6,
            layout=full,
            style={"description_width": "initial"},
        )
        self.widget = self._laid_out()
        self._refresh()

    def _laid_out(self) -> Any:
        buttons = ipywidgets.HBox([self._prediction, self._run, self._end])
        buttons.layout.flex_flow = "row wrap"
        groups = [group.widget for group in self._groups.values()]
        parts = [*groups, buttons, self._status, self._outcomes, self._code]
        box = ipywidgets.VBox(parts, layout=ipywidgets.Layout(padding="8px", width="100%"))
        box.add_class("labsim-panel")
        return box

    @property
    def outcomes(self) -> list[Ran]:
        """Return the last outcomes, the newest first."""
        return self._runner.outcomes

    @property
    def code(self) -> str:
        """Return the choice as code."""
        return choices.call(self._plan, self.choice, self._predicted)

    def stop(self) -> None:
        """Stop the panel's estate, if it runs; the next run starts another."""
        ran = self._runner.runs
        self._runner.stop()
        self._end.disabled = True
        if ran:
            self._say("The panel's estate is stopped. Run starts another.")

    # What a press does.

    def _choose(self, field: str, name: str, _button: Any = None) -> None:
        self.choice = choices.changed(self._plan, self.choice, field, name)
        self._refresh()

    def _press_run(self, _button: Any = None) -> None:
        # Run stays open: closed until the word has arrived, Tab would pass it by.
        if not self._predicted:
            self._say(_WAIT, cards.WARN)
            return
        self._busy(True)
        self._say("Running…")
        try:
            ran = self._runner.run(self.choice, self._predicted)
        except LabError as error:
            self._say(f"The lab says: {error}", cards.WARN)
        except BaseException:
            self._say("The run broke off, and says why below.", cards.WARN)
            raise
        else:
            self._say(
                f"{words.capital(ran.ended)}. The holder's own request: {ran.holder}. "
                f"As you predicted: {ran.as_predicted}."
            )
            self._outcomes.value = self._table()
        finally:
            self._busy(False)

    def _busy(self, yes: bool) -> None:
        self._run.disabled = yes
        self._end.disabled = yes or not self._runner.runs

    @property
    def _predicted(self) -> str:
        value = str(self._prediction.value)
        return value if value in self._prediction.options else ""

    # What is shown.

    def _refresh(self) -> None:
        there = choices.options(self._plan, self.choice)
        for field, group in self._groups.items():
            group.show(there[field], getattr(self.choice, field))
        # Another choice is another question: the old answer does not stand for it.
        self._prediction.options = choices.predictable(self.choice)
        self._prediction.value = ""
        self._refresh_run()

    def _refresh_run(self, _change: Any = None) -> None:
        self._busy(False)
        self._say(_READY if self._predicted else _WAIT)
        self._code.value = self.code

    def _say(self, text: str, accent: str = cards.BRAND) -> None:
        style = f"border-left:5px solid {accent};padding:6px 10px;color:{cards.INK}"
        style += f";background:{cards.PAPER};line-height:1.5"
        self._status.value = f'<div role="status" style="{style}">{escape(text)}</div>'

    def _table(self) -> str:
        table = cards.table([outcome_row(ran) for ran in self.outcomes])
        heading = cards.heading("The last outcomes, newest first")
        return f'<div style="line-height:1.4;color:{cards.INK}">{heading}{table}</div>'

    def __repr__(self) -> str:
        """Say where it can be seen, and the choice as code: a terminal has no buttons."""
        return f"<The control panel: a notebook shows it ('make lab').>\n{self.code}"

    def _repr_mimebundle_(self, **how: Any) -> Any:
        return self.widget._repr_mimebundle_(**how)


def outcome_row(ran: Ran) -> Mapping[str, str]:
    """Return an outcome as a row of the panel's table."""
    custody = "" if ran.choice.custody == NONE else f", key in {ran.choice.custody}"
    return {
        "theft": ran.choice.theft,
        "binding": ran.choice.binding + custody,
        "replay": ran.choice.replay,
        "preset": ran.choice.preset,
        "predicted": "–" if ran.predicted in ("", UNKNOWN) else ran.predicted,
        "happened": ran.ended,
        "as predicted": ran.as_predicted,
        "the holder": ran.holder,
    }
