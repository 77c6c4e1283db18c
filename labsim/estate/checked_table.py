"""Read a table of a hand-written file key by key, and refuse what it should not have.

Every refusal names the file, the key, what the key means, and the next step: the file is written
by people, and the one who wrote it wants to know what to change.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from labsim.errors import LabError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_RULE = "a lower-case letter, then at most 39 of a-z, 0-9, '-' and '_'"
LONGEST_TEXT = 2000
"""Characters of one text: these files are read by people and drawn as pictures."""


def shown(file: Path) -> str:
    """Return the file's name as errors show it: below the working folder where it can be."""
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(file)


def read(file: Path) -> Any:
    """Return what a TOML or JSON file holds (by its suffix); LabError if it cannot be read."""
    try:
        text = file.read_bytes().decode()
    except FileNotFoundError:
        todo = "Take it from the repository again, or name another file."
        raise LabError(f"{shown(file)} is missing.", "The estate was not loaded.", todo) from None
    except (OSError, UnicodeDecodeError) as error:
        todo = "Make it a readable UTF-8 text file."
        why = error.strerror if isinstance(error, OSError) else error
        raise LabError(f"{shown(file)} cannot be read: {why}.", todo=todo) from None
    kind = "JSON" if file.suffix == ".json" else "TOML"
    try:
        if kind == "TOML":
            return tomllib.loads(text)
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        todo = f"Mend that place; the file must be valid {kind}, each name once."
        raise LabError(f"{shown(file)} is no valid {kind}: {error}.", todo=todo) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # TOML refuses a key that is there twice; JSON readers take the last one and say nothing.
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError(f"a key is there twice in the table with the keys {', '.join(table)}")
    return table


class Table:
    """Give out the values of one table, each checked; `meanings` are the keys that there are."""

    def __init__(self, file: Path, path: str, value: object, meanings: Mapping[str, str]) -> None:
        self.file = file
        self._path = path
        self._meanings = meanings
        if not isinstance(value, dict):
            keys = f"Write the keys {', '.join(meanings)}."
            raise LabError(f"{shown(file)}, {path or 'the file'}: this must be a table.", todo=keys)
        self._value: dict[str, Any] = value
        for key in value:
            if key not in meanings:
                todo = f"There are: {', '.join(meanings)}."
                raise self.refusal(key, "there is no such key", todo)

    def refusal(self, key: str, problem: str, todo: str) -> LabError:
        """Make the error for one key: file, key, problem, the key's meaning, the next step."""
        where = f"{self._path}.{key}" if self._path else key
        meaning = self._meanings.get(key)
        said = f"This key is {meaning}." if meaning else ""
        return LabError(f"{shown(self.file)}, {where}: {problem}.", said, todo)

    def _get(self, key: str, kind: type, called: str) -> Any:
        if key not in self._value:
            raise self.refusal(key, "the key is missing", f"Add it: {called}.")
        value = self._value[key]
        # bool is an int in Python, and `token_seconds = true` is a mistake all the same.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.refusal(key, f"{value!r} has the wrong type", f"Write {called}.")
        return value

    def text(self, key: str, lines: bool = False) -> str:
        """Return a text that is not empty and that can be printed; `lines` lets it be several."""
        value: str = self._get(key, str, "a text in quotation marks")
        clean = value.replace("\n", "") if lines else value
        if not value.strip() or not clean.isprintable() or len(value) > LONGEST_TEXT:
            problem = "the text is empty, too long, or has characters that cannot be printed"
            raise self.refusal(key, problem, f"Write 1 to {LONGEST_TEXT} printable characters.")
        return value

    def name(self, key: str) -> str:
        """Return a name: it becomes part of a folder's name and of a scope."""
        value = self.text(key)
        if not _NAME.fullmatch(value):
            raise self.refusal(key, f"{value!r} is no name", f"Write {_RULE}.")
        return value

    def whole_number(self, key: str, least: int, most: int) -> int:
        """Return a whole number between `least` and `most`."""
        value: int = self._get(key, int, f"a whole number from {least} to {most}")
        if not least <= value <= most:
            raise self.refusal(key, f"{value} is out of range", f"Write {least} to {most}.")
        return value

    def one_of(self, key: str, choices: Iterable[str]) -> Any:
        """Return one of `choices`."""
        have = tuple(choices)
        value = self._get(key, str, f"one of {', '.join(have)}")
        if value not in have:
            raise self.refusal(key, f"{value!r} is unknown", f"Write one of: {', '.join(have)}.")
        return value

    def some_of(
        self,
        key: str,
        choices: Iterable[str],
        why_not: Callable[[str], tuple[str, str] | None] = lambda _value: None,
    ) -> tuple[str, ...]:
        """Return one or more of `choices`, none of them twice.

        `why_not` says of a choice why it cannot be here, and what to do; None where it can.
        """
        have = tuple(choices)
        values = self._get(key, list, f"a list of some of {', '.join(have)}")
        for value in values:
            if value not in have:
                problem, todo = f"{value!r} is unknown", f"There are: {', '.join(have)}."
                raise self.refusal(key, problem, todo)
            if values.count(value) > 1:
                raise self.refusal(key, f"{value!r} is there twice", "Write each of them once.")
            if (refused := why_not(value)) is not None:
                raise self.refusal(key, *refused)
        if not values:
            raise self.refusal(key, "the list is empty", f"Write some of: {', '.join(have)}.")
        return tuple(values)

    def tables(
        self, key: str, meanings: Mapping[str, str], taken: Collection[str] = ()
    ) -> Iterator[tuple[str, Table]]:
        """Yield name and table of each table below `key`, at least one, none named as `taken`."""
        found = self._get(key, dict, f"at least one table [{key}.a-name]")
        if not found:
            raise self.refusal(key, "there is none", f"Add at least one table [{key}.a-name].")
        for name, value in found.items():
            if not _NAME.fullmatch(name):
                raise self.refusal(key, f"{name!r} is no name", f"Write {_RULE}.")
            if name in taken:
                problem = f"the name {name!r} is taken by something else in the estate"
                raise self.refusal(key, problem, "Choose another name.")
            yield name, Table(self.file, f"{key}.{name}", value, meanings)
