"""Files that only their owner may read: whole, or an error that says why."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from labsim.estate import private_file
from labsim.estate.private_file import (
    new_private,
    new_private_json,
    read_json,
    write_private,
    write_private_json,
)


@pytest.mark.parametrize("write", [write_private, new_private])
def test_it_is_its_owners_only_and_leaves_nothing_beside_it(tmp_path: Path, write: object) -> None:
    file = tmp_path / "key.pem"
    before = os.umask(0)
    try:
        write(file, b"a key")  # type: ignore[operator]
    finally:
        os.umask(before)
    assert file.read_bytes() == b"a key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("write", [write_private_json, new_private_json])
def test_json_comes_back_as_it_went(tmp_path: Path, write: object) -> None:
    file, value = tmp_path / "client.json", {"a": [1, None, "\ud83d"], "b": {}}
    write(file, value)  # type: ignore[operator]
    assert read_json(file) == value


def test_one_takes_the_place_of_another_and_a_new_one_of_none(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    write_private(file, b"old")
    write_private(file, b"new")
    assert file.read_bytes() == b"new"
    with pytest.raises(FileExistsError):
        new_private(file, b"another")
    assert file.read_bytes() == b"new"


def test_half_a_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            os.close(descriptors.pop())

        def write(self, data: bytes) -> int:
            return len(data) - 1

    def opened(descriptor: int, *_: object, **__: object) -> Full:
        descriptors.append(descriptor)
        return Full()

    descriptors: list[int] = []
    monkeypatch.setattr(private_file, "open", opened, raising=False)
    with pytest.raises(OSError, match="No space left on device"):
        new_private(tmp_path / "key.pem", b"a key")
