"""`python -m labsim doctor --seat` on a real estate."""

from __future__ import annotations

import pytest

from labsim.commands import doctor


def test_a_good_seat_says_so_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["--seat"]) == 0
    said = capfd.readouterr().out
    assert said.startswith("seat ok: booted; a stolen bearer token was served 12 records; ")
    assert said.count("\n") == 1


def test_a_seat_where_nothing_can_be_written_says_so(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    assert doctor.main(["--seat"]) == 1
    said = capfd.readouterr().out
    assert said.startswith("seat not ok: ")
    assert "TMPDIR" in said
    assert said.count("\n") == 1
