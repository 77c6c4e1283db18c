"""How long a person waits from `make lab` to the first thing that happens in the first notebook."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks._measuring import figure
from labsim.commands.bench import Figure
from labsim.errors import LabError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TITLE = "JupyterLab, from its start to the first result of notebook 00, in chromium"
FIRST = "00_the_first_theft"
LAST_CELL = "again = lab.attacker.replay(first"
RESULT = "request_as_is"
TARGET = 20.0


def measure(quick: bool) -> list[Figure]:
    """Start JupyterLab afresh, open 00 and run its cells down to the first replay; LabError if not.

    Chromium itself is open already, as a person's browser is.
    """
    if shutil.which("chromium") is None:
        raise LabError("There is no chromium here.", todo="Run .ci/run, which installs it.")
    from tests.browser.in_browser import chromium

    with chromium() as browser:
        took = [_to_the_first_result(browser) for _ in range(1 if quick else 3)]
    return [figure("to the first result of 00", took, "s", target=TARGET)]


def _to_the_first_result(browser: Browser) -> float:
    from tests.browser.in_browser import jupyter_in, notebook_in

    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as home,
        jupyter_in(Path(home)) as jupyter,
        notebook_in(browser, jupyter, FIRST, "Light") as opened,
    ):
        *before, last = opened.code_down_to(LAST_CELL)
        for place in before:
            opened.run_cell(place)
        said = opened.run_cell(last)
        took = time.perf_counter() - began  # without what it takes to stop all of it
    if RESULT not in said:
        raise LabError("The first replay of 00 shows no result.", f"It shows: {said}")
    return took
