"""JupyterLab and chromium, each started once a file, and the notebook that a test names.

Not once a run: playwright keeps an event loop running in this thread while chromium is open, and
tests of other files, which may come in between, run their own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.in_browser import Jupyter, Open, chromium, jupyter_in, notebook_in


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter_in(tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def opened(browser: Browser, jupyter: Jupyter, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Open the notebook that the test names, in the theme that it names."""
    with notebook_in(browser, jupyter, *request.param) as opened:
        yield opened
