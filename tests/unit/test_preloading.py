"""Imports of a preloaded parent: whose share of the processor they take, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsim.errors import LabError
from labsim.estate import preloading
from labsim.estate.preloading import import_all, standing_back


def test_a_session_stands_back_and_comes_forward_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / "autogroup"
    monkeypatch.setattr(preloading, "_SHARE", share)
    with standing_back():
        assert share.read_text() == "5"
    assert share.read_text() == "0"
    with pytest.raises(LabError), standing_back():
        import_all(["json", "no_such_module"])
    assert share.read_text() == "0"


def test_where_no_share_can_be_changed_nothing_is_different(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preloading, "_SHARE", tmp_path / "none" / "autogroup")
    with standing_back():
        import_all(["json"])
    assert list(tmp_path.iterdir()) == []
