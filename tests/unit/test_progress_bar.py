"""A bar for what takes longer than a second, in a notebook only."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from labsim.progress_bar import ProgressBar, in_a_notebook


@dataclass
class Drawn:
    """What tqdm would draw, written down."""

    what: tuple[Any, ...]
    n: int = 0
    closed: bool = False

    def update(self, more: int) -> None:
        self.n += more

    def close(self) -> None:
        self.closed = True


@dataclass
class Watched:
    now: float = 0.0
    wanted: bool = True
    made: list[Drawn] = field(default_factory=list)

    def bar(self) -> ProgressBar:
        def make(*what: Any) -> Drawn:
            self.made.append(Drawn(what))
            return self.made[-1]

        return ProgressBar(
            "Campaign", "attempts", 9, clock=lambda: self.now, wanted=lambda: self.wanted, make=make
        )


def test_what_is_quick_shows_nothing() -> None:
    watched = Watched()
    with watched.bar() as bar:
        watched.now = 0.9
        bar.reach(5)
    assert watched.made == []


def test_after_a_second_it_shows_all_that_is_done_and_is_gone_at_the_end() -> None:
    watched = Watched()
    with watched.bar() as bar:
        bar.reach(5)
        watched.now = 1.5
        bar.reach(6)
        bar.reach(8)
        (drawn,) = watched.made
        assert (drawn.what, drawn.n, drawn.closed) == (("Campaign", "attempts", 9), 8, False)
    assert drawn.closed


def test_it_is_gone_after_an_error_too() -> None:
    watched = Watched()

    def broken() -> None:
        with watched.bar() as bar:
            watched.now = 2
            bar.reach(1)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        broken()
    assert watched.made[0].closed


def test_outside_a_notebook_it_shows_nothing_however_long_it_takes() -> None:
    watched = Watched(wanted=False)
    with watched.bar() as bar:
        watched.now = 60
        bar.reach(5)
    assert watched.made == []


@pytest.mark.parametrize(
    ("shell", "is_one"), [(None, False), (SimpleNamespace(kernel=object()), True)]
)
def test_a_notebook_is_known_by_its_kernel(
    monkeypatch: pytest.MonkeyPatch, shell: Any, is_one: bool
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert in_a_notebook() is is_one


def test_a_terminal_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_a_notebook()
