"""JupyterLab in a real browser, started as `make lab` starts it, with the notebooks as they are."""

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
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, TimeoutError, expect, sync_playwright

from labsim.commands._checkout import ROOT
from labsim.commands.lab import jupyter_options
from tests.notebooks.fresh_kernel import FOLDER, Run

PICTURES = ROOT / "out" / "browser"
PATIENCE = 60_000  # milliseconds; only a broken test waits this long
THEFT = "00_the_first_theft"
FIRST = "01_a_stolen_bearer_token_works"
SECOND = "02_a_stolen_dpop_token_needs_its_key"
THIRD = "03_a_stolen_mtls_token_needs_its_certificate"
FOURTH = "04_a_signature_covers_what_it_lists"
SIXTH = "06_where_keys_live"
LAST = "13_the_blast_radius"
ANSWERS = {
    "prediction = {": (
        'prediction = {"token_as_is": "proof_is_there", "request_as_is": "jti_is_new",\n'
        '    "redirected_proof": "htu_is_the_target_uri",\n'
        '    "own_proof": "proof_key_is_the_bound_one"}\n'
        "ex.which_check_refuses.check(prediction)"
    ),
    "later = {": (
        'later = {"stolen_key": "served", "new_token_for_own_key": "served"}\n'
        "ex.after_the_new_key.check(later)"
    ),
}


@dataclass
class Jupyter:
    """A running JupyterLab: where it is, and the folder with the copies that it opens."""

    url: str
    token: str
    notebooks: Path


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """Start JupyterLab as the command does, on copies of the notebooks."""
    home = tmp_path_factory.mktemp("home")
    notebooks = home / "notebooks"
    shutil.copytree(ROOT / "notebooks", notebooks, ignore=shutil.ignore_patterns(".*"))
    environment = {
        **os.environ,
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "LABSIM_PROGRESS": str(home / "progress.jsonl"),
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
            pytest.fail("JupyterLab did not start:\n" + "".join(said))
        # Read on, or the server would wait for room in the pipe.
        rest = threading.Thread(target=server.stderr.read)
        rest.start()
        yield Jupyter(found[1], found[2], notebooks)
        server.terminate()
        rest.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start chromium."""
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
        """Put new source into the cell that begins so, and return the cell's place."""
        found = self.page.evaluate(
            """([beginning, source]) => {
                const cells = Array.from(
                    window.jupyterapp.shell.currentWidget.content.model.cells);
                const place = cells.findIndex(
                    cell => cell.type === 'code' && cell.sharedModel.source.startsWith(beginning));
                cells[place].sharedModel.setSource(source);
                return place;
            }""",
            [beginning, source],
        )
        assert found >= 0
        return int(found)

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
        assert self.page.evaluate(count, place) > before
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
        self.page.screenshot(path=PICTURES / f"{name}.png")


@pytest.fixture
def opened(browser: Browser, jupyter: Jupyter, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Open the notebook that the test names, in the theme that it names."""
    name, theme = request.param
    elsewhere: list[str] = []

    def only_here(route: Route) -> None:
        host = urllib.parse.urlsplit(route.request.url).hostname
        if host == "127.0.0.1":
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    # As high as the notebook: JupyterLab draws only the cells that can be seen.
    with browser.new_page(viewport={"width": 1400, "height": 9000}) as page:
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
    untouched, answered = (Run(FOLDER / f"{name}.ipynb", PICTURES) for _ in range(2))
    for exercise, each in answered.exercises.items():
        answered.answer(exercise, each.reference)
        beginning = untouched.cell(exercise).source.splitlines()[0]
        opened.put(beginning, answered.cell(exercise).source)


@in_themes(THEFT)
def test_the_first_theft_from_the_ticket_to_the_bars(
    opened: Open, request: pytest.FixtureRequest
) -> None:
    answer_right(opened, THEFT)
    opened.run_all()
    opened.assert_no_error()
    expect(opened.page.get_by_text("You predicted 1; 1 happened as you said.")).to_have_count(2)
    drawn = opened.page.locator("svg[aria-roledescription], .jp-RenderedMermaid img").first
    expect(drawn).to_be_visible(timeout=PATIENCE)
    bars = opened.page.locator("img[alt*='12 of 24 with bearer and 0 of 24 with DPoP']")
    expect(bars).to_be_visible()
    expect(opened.page.locator("img[alt*='the holder itself: served']")).to_be_visible()
    opened.picture(f"00-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(FIRST)
def test_the_first_notebook_runs_untouched_and_shows_its_pictures(
    opened: Open, request: pytest.FixtureRequest
) -> None:
    opened.run_all()
    opened.assert_no_error()
    chart = opened.page.locator("img[alt*='12 of 24']")
    expect(chart).to_be_visible()
    drawn = opened.page.locator("svg[aria-roledescription], .jp-RenderedMermaid img").first
    expect(drawn).to_be_visible(timeout=PATIENCE)
    opened.picture(f"01-untouched-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(SECOND)
def test_the_second_notebook_answered_wrong_and_then_right(
    opened: Open, request: pytest.FixtureRequest
) -> None:
    for beginning, source in ANSWERS.items():
        opened.put(beginning, source)
    wrong = "def proof_key_is_the_bound_one(proof, evidence):\n    return True\n\n\n"
    check = "ex.proof_key_is_the_bound_one.check(proof_key_is_the_bound_one)"
    place = opened.put("def proof_key_is_the_bound_one", wrong + check)
    opened.run_all()
    opened.assert_no_error()
    assert "said yes to every proof" in opened.outputs(place)
    opened.picture(f"02-wrong-{request.node.callspec.id}")
    right = wrong.replace("True", 'proof.key.thumbprint == evidence.confirmation.get("jkt")')
    opened.put("def proof_key_is_the_bound_one", right + check)
    assert "The holder was served" in opened.run_cell(place)
    expect(opened.page.get_by_text("Four proofs ran through")).to_be_visible()
    expect(opened.page.get_by_text("You predicted 4; 4 happened as you said.")).to_be_visible()
    expect(opened.page.locator("img[alt*='by replay']").first).to_be_visible()
    opened.picture(f"02-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(THIRD)
def test_the_third_notebook_answered_right(opened: Open, request: pytest.FixtureRequest) -> None:
    answer_right(opened, THIRD)
    opened.run_all()
    opened.assert_no_error()
    for said in (
        "You predicted 2; 2 happened as you said.",
        "It showed a certificate, but not the one the token names.",
        "The certificate in Client-Cert",
    ):
        expect(opened.page.get_by_text(said)).to_be_visible()
    expect(opened.page.get_by_text("You predicted 3; 3 happened as you said.")).to_have_count(2)
    expect(opened.page.locator("img[alt*='by replay']").first).to_be_visible()
    opened.picture(f"03-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(FOURTH)
def test_the_fourth_notebook_answered_right(opened: Open, request: pytest.FixtureRequest) -> None:
    answer_right(opened, FOURTH)
    opened.run_all()
    opened.assert_no_error()
    for said in ("You predicted 4; 4 happened", "You predicted 5; 5 happened"):
        expect(opened.page.get_by_text(said)).to_be_visible()
    expect(opened.page.get_by_text("The signature base of this request")).to_have_count(2)
    expect(opened.page.locator("img[alt*='by replay']").first).to_be_visible()
    opened.picture(f"04-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(SIXTH)
def test_the_sixth_notebook_answered_right(opened: Open, request: pytest.FixtureRequest) -> None:
    answer_right(opened, SIXTH)
    opened.run_all()
    opened.assert_no_error()
    for said in ("You predicted 1; 1 happened", "After 3 steps the thief has nothing left."):
        expect(opened.page.get_by_text(said)).to_be_visible()
    expect(opened.page.get_by_text("You predicted 3; 3 happened as you said.")).to_have_count(2)
    expect(opened.page.locator("img[alt*='0 to 12 of 24 with mTLS']")).to_be_visible()
    opened.picture(f"06-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(LAST)
def test_the_last_notebook_answered_right(opened: Open, request: pytest.FixtureRequest) -> None:
    answer_right(opened, LAST)
    opened.run_all()
    opened.assert_no_error()
    for said in (
        "You predicted 4; 4 happened as you said.",
        "With collab and vault enforcing, 88 of 120 records were sent.",
        "You predicted 5; 5 happened as you said.",
    ):
        expect(opened.page.get_by_text(said)).to_be_visible()
    for drawn in ("110 of 120 records, at 6 of 7", "each as computed", "your two first", "Marked:"):
        expect(opened.page.locator(f"img[alt*='{drawn}']")).to_be_visible()
    opened.picture(f"13-right-{request.node.callspec.id}")
    assert opened.elsewhere == []
