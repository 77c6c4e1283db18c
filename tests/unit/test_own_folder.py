"""The learner's own folder: lines that come back, what is beside the record, and removing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsim import own_folder
from labsim.errors import LabError


@pytest.fixture(autouse=True)
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "new folder" / "mine.jsonl"
    monkeypatch.setenv(own_folder.VARIABLE, str(file))
    return file


def test_lines_come_back_in_their_order_and_each_kind_has_a_file_of_its_own(record: Path) -> None:
    assert own_folder.lines("") == own_folder.lines("ideas") == []
    assert own_folder.add("", {"n": 1}) == own_folder.add("", {"n": 2}) == ""
    own_folder.add("ideas", {"n": 3})
    assert own_folder.lines("") == [{"n": 1}, {"n": 2}]
    assert own_folder.lines("ideas") == [{"n": 3}]
    assert {path.name for path in record.parent.iterdir()} == {"mine.jsonl", "mine.ideas.jsonl"}


def test_what_is_no_line_of_the_labs_is_passed_over(record: Path) -> None:
    own_folder.add("", {"n": 1})
    with record.open("ab") as file:
        file.write(b'{"cut off\n[1, 2]\n\xff\n' + b"[" * 100_000 + b"\n")
    own_folder.add("", {"n": 2})
    assert own_folder.lines("") == [{"n": 1}, {"n": 2}]


def test_removing_takes_all_kinds_and_nothing_else(record: Path) -> None:
    assert own_folder.remove() == []
    for kind in own_folder.KINDS:
        own_folder.add(kind, {"n": 1})
    foreign = record.with_name("mine.notes.txt")
    foreign.touch()
    assert len(own_folder.remove()) == len(own_folder.KINDS)
    assert list(record.parent.iterdir()) == [foreign]


def test_a_record_that_is_a_folder_is_named_and_left_alone(record: Path) -> None:
    record.mkdir(parents=True)
    for do, how in ((lambda: own_folder.lines(""), "read"), (own_folder.remove, "removed")):
        with pytest.raises(LabError, match=rf"mine\.jsonl cannot be {how}: .*Set LABSIM_PROGRESS"):
            do()
    assert record.is_dir()
    assert own_folder.lines("ideas") == []


def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(own_folder.VARIABLE, str(tmp_path / "file" / "mine.jsonl"))
    assert "was not written down" in own_folder.add("", {"n": 1})
