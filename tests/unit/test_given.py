"""What a thief was given: these files and folders, and nothing around them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labsim.errors import LabError
from labsim.estate.given import LARGEST_FILE, Given


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "client"
    (inside / "deeper").mkdir(parents=True)
    for name in ("tokens.json", "app.log", "deeper/secret", "../other.json"):
        (inside / name).write_bytes(name.encode())
    return inside


NOBODY: Any = None  # neither tickets nor letters are asked for here


def files(*paths: Path) -> dict[str, bytes]:
    return dict(Given([str(path) for path in paths], 5.0, NOBODY, NOBODY).files())


def test_a_folder_is_what_lies_in_it_and_no_deeper(folder: Path) -> None:
    assert files(folder) == {"app.log": b"app.log", "tokens.json": b"tokens.json"}


def test_a_file_is_itself(folder: Path) -> None:
    assert files(folder / "app.log") == {"app.log": b"app.log"}
    assert files(folder / "app.log", folder / "deeper") == {
        "app.log": b"app.log",
        "secret": b"deeper/secret",
    }


def test_what_is_not_there_is_no_file(folder: Path) -> None:
    assert files(folder / "no such file") == {}
    assert files() == {}


def test_a_large_file_is_read_so_far(folder: Path) -> None:
    (folder / "tokens.json").write_bytes(bytes(LARGEST_FILE + 1))
    assert len(files(folder)["tokens.json"]) == LARGEST_FILE


def test_the_way_in_is_no_loot_of_its_own_and_can_be_asked_for(folder: Path) -> None:
    given = Given([str(folder / "deeper"), str(folder)], 5.0, NOBODY, NOBODY)
    with pytest.raises(LabError, match="No code of the attacker's runs"):
        given.foothold()
    (folder / "foothold.json").write_text(json.dumps("127.0.0.1:1/secret"))
    assert given.foothold().address == "127.0.0.1:1/secret"
    assert "foothold.json" not in dict(given.files())
    assert given.now == 5.0
