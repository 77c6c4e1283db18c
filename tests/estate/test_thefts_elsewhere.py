"""Thefts in an estate of the user's own, which may lack what they need."""

from __future__ import annotations

from pathlib import Path

import pytest

import labsim
from labsim.errors import LabError
from labsim.estate import plan as plans


def test_an_estate_without_tickets_says_so(tmp_path: Path) -> None:
    text = (plans.DATA / "estate.toml").read_text()
    text = (
        text.replace("resources.collab", "resources.wiki")
        .replace("collab.write", "wiki.write")
        .replace("collab.read", "wiki.read")
    )
    text = text.replace('"collab"', '"wiki"').replace("Tickets and chat", "Notes")
    (tmp_path / "estate.toml").write_text(text)
    (tmp_path / "records").symlink_to(plans.DATA / "records")
    with (
        labsim.start(tmp_path / "estate.toml", quiet=True) as small,
        pytest.raises(LabError, match=r"No resource server .* holds tickets or chats"),
    ):
        small.attacker.steal("support-agent", by="ticket")
