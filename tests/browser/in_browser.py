"""JupyterLab as `make lab` starts it, and a notebook of it open in a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, TimeoutError, sync_playwright

from labsim.commands._checkout import ROOT
from labsim.commands.lab import jupyter_options
from tests.notebooks.fresh_kernel import FOLDER, Run

PICTURES = ROOT / "out" / "browser"
PATIENCE = 60_000  # milliseconds; only a broken test waits this long


@dataclass
class Jupyter:
    """A running JupyterLab: where it is, and the folder with all that it reads and writes."""

    url: str
    token: str
    home: Path

    @property
    def own(self) -> Path:
        """Return the folder of what a learner has answered so far."""
        return self.home / "own"


@contextmanager
def jupyter_in(home: Path) -> Iterator[Jupyter]:
    """Start JupyterLab as the command does, on copies of the notebooks; stop it at the end."""
    notebooks = home / "notebooks"
    shutil.copytree(FOLDER, notebooks, ignore=shutil.ignore_patterns(".*", "labsim-*"))
    environment = {
        **os.environ,
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "LABSIM_PROGRESS": str(home / "own" / "progress.jsonl"),
        "PYTHONPATH": str(ROOT),
    }
    options = [*jupyter_options(notebooks), "--no-browser", "--ServerApp.port=0"]
    options.append("--LabApp.expose_app_in_browser=True")
    with subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        cwd=home,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        said = []
        for line in server.stderr:
            said.append(line)
            found = re.search(r"(http://127\.0\.0\.1:\d+)/lab\S*\?token=(\w+)", line)
            if found:
                break
        else:
            raise AssertionError("JupyterLab did not start:\n" + "".join(said))
        # Read on, or the server would wait for room in the pipe.
        rest = threading.Thread(target=server.stderr.read)
        rest.start()
        try:
            yield Jupyter(found[1], found[2], home)
        finally:
            server.terminate()
            rest.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start chromium, the one that is installed here."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


def wait(page: Page, condition: str, argument: object = None) -> None:
    """Wait until a condition holds in the page; where it never does, keep a picture of the page."""
    try:
        page.wait_for_function(condition, arg=argument, timeout=PATIENCE)
    except TimeoutError as error:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / "never.png")
        status = page.evaluate("() => document.title")
        raise AssertionError(f"never true in {status!r} (see never.png): {condition}") from error


@dataclass
class Open:
    """A notebook in the browser, and every address that the page asked for elsewhere."""

    page: Page
    elsewhere: list[str]

    def execute(self, command: str) -> None:
        """Execute a command of JupyterLab's and wait until all that it started is done."""
        self.page.evaluate(
            """command => {
                window.done = false;
                window.failed = '';
                window.jupyterapp.commands.execute(command).then(
                    () => { window.done = true; },
                    error => { window.failed = String(error); },
                );
            }""",
            command,
        )
        wait(self.page, "() => window.done || window.failed")
        assert self.page.evaluate("() => window.failed") == ""

    def run_all(self) -> None:
        """Run every cell, as the menu's Run All Cells does; each must have run to its end."""
        self.execute("notebook:run-all-cells")
        counts = self.page.evaluate(
            """() => Array.from(window.jupyterapp.shell.currentWidget.content.model.cells)
                .filter(cell => cell.type === 'code').map(cell => cell.executionCount)"""
        )
        assert counts == list(range(1, len(counts) + 1))

    def put(self, beginning: str, source: str) -> int:
        """Put new source into the cell that begins so, or has this tag; return its place."""
        found = self.page.evaluate(
            """([beginning, source]) => {
                const cells = Array.from(
                    window.jupyterapp.shell.currentWidget.content.model.cells);
                const place = cells.findIndex(
                    cell => cell.type === 'code' && (
                        cell.sharedModel.source.startsWith(beginning)
                        || (cell.sharedModel.metadata.tags || []).includes(beginning)));
                cells[place].sharedModel.setSource(source);
                return place;
            }""",
            [beginning, source],
        )
        assert found >= 0
        return int(found)

    def code_down_to(self, beginning: str) -> list[int]:
        """Return the places of the code cells from the first to the one that begins so."""
        cells = self.page.evaluate(
            """() => Array.from(window.jupyterapp.shell.currentWidget.content.model.cells)
                .map(cell => [cell.type, cell.sharedModel.source])"""
        )
        code = [(place, text) for place, (kind, text) in enumerate(cells) if kind == "code"]
        (last,) = [place for place, text in code if text.startswith(beginning)]
        return [place for place, _ in code if place <= last]

    def run_cell(self, place: int) -> str:
        """Run the cell at a place as a learner does, and return what its outputs then say."""
        count = """place => window.jupyterapp.shell.currentWidget.content.model.cells
            .get(place).executionCount"""
        before = self.page.evaluate(count, place)
        self.page.evaluate(
            """place => {
                window.jupyterapp.shell.currentWidget.content.activeCellIndex = place;
            }""",
            place,
        )
        self.execute("notebook:run-cell")
        assert self.page.evaluate(count, place) > (before or 0)
        return self.outputs(place)

    def outputs(self, place: int | None = None) -> str:
        """Return the outputs of one cell, or of all, as JSON text."""
        return str(
            self.page.evaluate(
                """place => JSON.stringify(
                    window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
                        .filter((cell, index) => place === null || index === place)
                        .flatMap(cell => cell.outputs || []))""",
                place,
            )
        )

    def assert_no_error(self) -> None:
        outputs = json.loads(self.outputs())
        assert outputs
        assert [output for output in outputs if output["output_type"] == "error"] == []

    def picture(self, name: str) -> None:
        """Keep a picture of the whole notebook, for a person to look at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.evaluate("() => document.activeElement && document.activeElement.blur()")
        bottom = self.page.evaluate(
            """() => Math.max(...Array.from(document.querySelectorAll('.jp-Notebook .jp-Cell'))
                .map(cell => cell.getBoundingClientRect().bottom))"""
        )
        size = self.page.viewport_size or {"width": 0, "height": 0}
        whole = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], bottom + 20)}
        self.page.screenshot(path=PICTURES / f"{name}.png", clip=whole)


@contextmanager
def notebook_in(browser: Browser, jupyter: Jupyter, name: str, theme: str) -> Iterator[Open]:
    """Open a notebook in a theme, as somebody who has answered nothing so far."""
    shutil.rmtree(jupyter.own, ignore_errors=True)
    elsewhere: list[str] = []

    def only_here(route: Route) -> None:
        host = urllib.parse.urlsplit(route.request.url).hostname
        if host == "127.0.0.1":
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    # As high as the notebook: JupyterLab draws only the cells that can be seen.
    with browser.new_page(viewport={"width": 1400, "height": 11000}) as page:
        page.route("http*://**/*", only_here)
        page.goto(f"{jupyter.url}/lab/tree/{name}.ipynb?reset&token={jupyter.token}")
        wait(page, "() => window.jupyterapp !== undefined")
        themes = "() => window.jupyterapp.commands.hasCommand('apputils:change-theme')"
        wait(page, themes)
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {theme}",
        )
        light = str(theme == "Light").lower()
        page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")
        ready = """path => {
            const widget = window.jupyterapp.shell.currentWidget;
            return widget?.context?.path === path && widget.context.isReady
                && widget.sessionContext.session?.kernel?.connectionStatus === 'connected';
        }"""
        wait(page, ready, f"{name}.ipynb")
        yield Open(page, elsewhere)
        page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")


def in_themes(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "opened", [(name, "Light"), (name, "Dark")], indirect=True, ids=["light", "dark"]
    )


def answer_right(opened: Open, name: str) -> None:
    """Put the reference answer into the cell of each exercise of a notebook."""
    answered = Run(FOLDER / f"{name}.ipynb", PICTURES)
    for exercise, each in answered.exercises.items():
        answered.answer(exercise, each.reference)
        opened.put(f"ex:{exercise}", answered.cell(exercise).source)
