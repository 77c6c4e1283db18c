"""An interrupt waits for the end of an import."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labsim.whole_import import whole

HALVES = """
import os, signal
first = 1
os.kill(os.getpid(), signal.SIGINT)
second = 2
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Write a module that is interrupted in the middle of its import."""
    (tmp_path / "in_two_halves.py").write_text(HALVES)
    monkeypatch.syspath_prepend(tmp_path)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield "in_two_halves"
    signal.signal(signal.SIGINT, before)
    sys.modules.pop("in_two_halves", None)


def test_the_import_ends_and_then_the_interrupt_is_raised(module: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        whole(module)
    assert sys.modules[module].second == 2
    whole(module)


def test_an_import_without_an_interrupt_leaves_the_handler_as_it_was(module: str) -> None:
    before = signal.getsignal(signal.SIGINT)
    whole("json.tool")
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
