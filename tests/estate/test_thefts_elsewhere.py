"""Thefts in an estate of the user's own, which may lack what they need."""

from __future__ import annotations

from pathlib import Path

import pytest

import labsim
from labsim.errors import LabError
from labsim.estate import plan as plans


def test_an_estate_without_tickets_says_so_before_it_starts_and_when_asked(tmp_path: Path) -> None:
    text = (plans.DATA / "estate.toml").read_text()
    text = (
        text.replace("resources.collab", "resources.wiki")
        .replace("collab.write", "wiki.write")
        .replace("collab.read", "wiki.read")
    )
    text = text.replace('"collab"', '"wiki"').replace("Tickets and chat", "Notes")
    file = tmp_path / "estate.toml"
    file.write_text(text)
    (tmp_path / "records").symlink_to(plans.DATA / "records")
    none = r"ticket needs tickets or chats, and no resource server of this estate"
    with pytest.raises(LabError, match=rf"estate\.toml, stories\.ai_agent\.thefts: {none}"):
        labsim.start(file, quiet=True)
    assert '"ticket", "chat", ' in text
    file.write_text(text.replace('"ticket", "chat", ', ""))
    with labsim.start(file, quiet=True) as small:
        with pytest.raises(LabError, match=rf"{none}.*Nothing was stolen"):
            small.attacker.steal("support-agent", by="ticket")
        assert small.attacker.steal("support-agent", by="log_line").pieces
