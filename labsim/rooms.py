"""Find the rooms of a folder: one file is one room, with one constant.

There is no list to edit and no decorator: a binding, theft or replay exists because its file does.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any


def rooms(package: str, constant: str) -> MappingProxyType[str, Any]:
    """Return the rooms of `package` by name, sorted; each file holds `constant`.

    Raises TypeError if a file lacks the constant or names it otherwise than its file.
    """
    found = {}
    for module in iter_modules(import_module(package).__path__):
        room = getattr(import_module(f"{package}.{module.name}"), constant, None)
        if room is None or room.name != module.name:
            raise TypeError(
                f"{package}/{module.name}.py needs {constant} with name={module.name!r}"
            )
        found[room.name] = room
    return MappingProxyType(dict(sorted(found.items())))


def names(package: str) -> tuple[str, ...]:
    """Return the names of a folder's rooms, sorted, without importing them."""
    folder = Path(__file__).parent / package.rpartition(".")[2]
    return tuple(sorted(module.name for module in iter_modules([str(folder)])))
