"""`probe --self --weaken PRESET` as a command: it starts a lab of its own, so no other runs here."""

from __future__ import annotations

import pytest

from labsim.commands import probe as command
from labsim.preset import presets


def test_the_command_says_what_got_in_and_what_mends_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["--self", "--weaken", "exchange_strips_binding", "--brief"]) == 1
    said = capsys.readouterr().out
    preset = presets()["exchange_strips_binding"]
    assert "! CR-19 " in said
    assert preset.report in said
    assert preset.fix in " ".join(said.split())
