"""Events: one line, one write; half a line harms nobody else's."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from labsim.checks import StorageUnavailable
from labsim.estate.events import EventLog, EventReader


def event(time: float, **more: Any) -> dict[str, Any]:
    return {"time": time, **more}


def test_events_are_read_in_the_order_of_lab_time(tmp_path: Path) -> None:
    one, other = EventLog(tmp_path / "a.jsonl"), EventLog(tmp_path / "b.jsonl")
    one.append(event(3))
    other.append(event(1))
    one.append(event(2))
    assert [found["time"] for found in EventReader(tmp_path).new()] == [1, 2, 3]


def test_each_line_is_read_once(tmp_path: Path) -> None:
    log, reader = EventLog(tmp_path / "a.jsonl"), EventReader(tmp_path)
    assert reader.new() == []
    log.append(event(1))
    assert reader.new() == [event(1)]
    assert reader.new() == []
    log.append(event(2))
    assert reader.new() == [event(2)]
    assert EventReader(tmp_path).new() == [event(1), event(2)]


def test_any_text_stays_on_one_line(tmp_path: Path) -> None:
    odd = event(1, detail="a\nb\r\u2028\u0085\0\ud800\N{KEY}")
    EventLog(tmp_path / "a.jsonl").append(odd)
    assert (tmp_path / "a.jsonl").read_bytes().count(b"\n") == 1
    assert EventReader(tmp_path).new() == [odd]


def test_a_log_is_appended_to_and_is_its_owners_only(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    for number in (1, 2):
        EventLog(file).append(event(number))
    assert [found["time"] for found in EventReader(tmp_path).new()] == [1, 2]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("half", [b'{"time":2,"de', b'{"time":2}', b"\xff"])
def test_half_a_line_is_read_when_it_is_whole(tmp_path: Path, half: bytes) -> None:
    file, reader = tmp_path / "a.jsonl", EventReader(tmp_path)
    EventLog(file).append(event(1))
    with file.open("ab") as killed:
        killed.write(half)
    assert reader.new() == [event(1)]
    with file.open("ab") as killed:
        killed.write(b'tail":1}\n')
    found = reader.new()
    assert found == ([{"time": 2, "detail": 1}] if half.endswith(b"de") else [])


def test_a_full_disk_loses_one_event_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(tmp_path / "a.jsonl")
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:5]))
    with pytest.raises(StorageUnavailable, match="whole"):
        log.append(event(1))
    monkeypatch.setattr(os, "write", write)
    log.append(event(2))
    assert EventReader(tmp_path).new() == [event(2)]


def test_a_disk_that_takes_nothing_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_file: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    log = EventLog(tmp_path / "a.jsonl")
    with monkeypatch.context() as full:
        full.setattr(os, "write", no_space)
        with pytest.raises(StorageUnavailable, match="No space left"):
            log.append(event(1))
    log.append(event(2))
    assert EventReader(tmp_path).new() == [event(2)]
