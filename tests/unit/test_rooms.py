"""A room exists because its file does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from labsim.rooms import names, rooms

KINDS = {"labsim.bindings": "BINDING", "labsim.thefts": "THEFT", "labsim.replays": "REPLAY"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    package = tmp_path / "a_house"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for module in [name for name in sys.modules if name.startswith("a_house")]:
        del sys.modules[module]


def room(folder: Path, file: str, text: str) -> None:
    (folder / f"{file}.py").write_text(f"from types import SimpleNamespace\n{text}\n")


def test_a_file_is_a_room(folder: Path) -> None:
    room(folder, "second", "ROOM = SimpleNamespace(name='second')")
    room(folder, "first", "ROOM = SimpleNamespace(name='first')")
    found = rooms("a_house", "ROOM")
    assert list(found.items()) == [
        ("first", SimpleNamespace(name="first")),
        ("second", SimpleNamespace(name="second")),
    ]


@pytest.mark.parametrize("text", ["", "ROOM = None", "ROOM = SimpleNamespace(name='other')"])
def test_a_room_without_its_constant_is_an_error_that_names_it(folder: Path, text: str) -> None:
    room(folder, "empty", text)
    with pytest.raises(TypeError, match=r"a_house/empty\.py needs ROOM with name='empty'"):
        rooms("a_house", "ROOM")


@pytest.mark.parametrize("package", KINDS)
def test_the_labs_rooms_are_found(package: str) -> None:
    found = rooms(package, KINDS[package])
    assert tuple(found) == names(package)
    assert found
    for one in found.values():
        assert one.source


@pytest.mark.parametrize("package", KINDS)
def test_nobody_can_add_a_room_by_hand(package: str) -> None:
    with pytest.raises(TypeError):
        rooms(package, KINDS[package])["x"] = None  # type: ignore[index]
