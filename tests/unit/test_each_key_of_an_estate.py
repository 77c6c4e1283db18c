"""Each key of an estate file, left out, of the wrong type, or unknown: file, key, meaning, next step."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labsim.errors import LabError
from labsim.estate import plan
from tests.own_estate import FILES, written

TABLES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "": ((), plan._ESTATE),
    "resources.wiki": (("resources", "wiki"), plan._RESOURCE),
    "clients.helper": (("clients", "helper"), plan._CLIENT),
    "stories.agent": (("stories", "agent"), plan._STORY),
}
KEYS = [(path, key) for path, (_, meanings) in TABLES.items() for key in meanings]


def as_toml(estate: dict[str, Any]) -> str:
    """Write an estate as TOML; JSON's texts, numbers and lists are TOML's as well."""
    lines = [f"{k} = {json.dumps(v)}" for k, v in estate.items() if not isinstance(v, dict)]
    for kind, tables in estate.items():
        for name, table in tables.items() if isinstance(tables, dict) else ():
            lines.append(f"[{kind}.{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def refused(folder: Path, estate: dict[str, Any]) -> LabError:
    file = written(folder)
    file.write_text(as_toml(estate), encoding="utf-8")
    with pytest.raises(LabError) as error:
        plan.load(file)
    return error.value


def table_of(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the page's example and one table of it."""
    estate: dict[str, Any] = tomllib.loads(FILES["estate.toml"])
    table = estate
    for name in TABLES[path][0]:
        table = table[name]
    return estate, table


def wrong_values(key: str) -> Iterator[Any]:
    yield from (True, 1.5)
    yield [] if key not in ("calls", "scopes", "thefts") else "a text"


def said(error: LabError, path: str, key: str, file: str = "estate.toml") -> None:
    where = f"{path}.{key}" if path else key
    assert re.match(rf".*{re.escape(file)}, {re.escape(where)}: ", error.happened), error
    meanings = plan._RECORD if path.startswith("record") else TABLES[path][1]
    assert meanings[key] in error.did
    assert error.todo


def test_the_example_written_again_is_the_example(tmp_path: Path) -> None:
    file = written(tmp_path)
    before = plan.load(file)
    file.write_text(as_toml(table_of("")[0]), encoding="utf-8")
    assert plan.load(file) == before


@pytest.mark.parametrize(("path", "key"), KEYS)
def test_a_key_that_is_missing_is_named_with_its_meaning(
    tmp_path: Path, path: str, key: str
) -> None:
    estate, table = table_of(path)
    del table[key]
    said(refused(tmp_path, estate), path, key)


@pytest.mark.parametrize(("path", "key"), KEYS)
def test_a_value_of_the_wrong_type_is_named_with_the_keys_meaning(
    tmp_path: Path, path: str, key: str
) -> None:
    for value in wrong_values(key):
        estate, table = table_of(path)
        table[key] = value
        said(refused(tmp_path, estate), path, key)


@pytest.mark.parametrize("path", TABLES)
def test_an_unknown_key_is_answered_with_those_there_are(tmp_path: Path, path: str) -> None:
    estate, table = table_of(path)
    table["colour"] = "blue"
    error = refused(tmp_path, estate)
    assert f"{path}.colour".lstrip(".") in error.happened
    assert all(key in error.todo for key in TABLES[path][1])


@pytest.mark.parametrize("kind", ["resources", "clients", "stories"])
def test_an_estate_needs_one_of_each(tmp_path: Path, kind: str) -> None:
    estate, _ = table_of("")
    del estate[kind]
    said(refused(tmp_path, estate), "", kind)


@pytest.mark.parametrize("key", plan._RECORD)
@pytest.mark.parametrize("value", [None, 7, ""], ids=["missing", "a number", "empty"])
def test_a_records_key_is_named_with_its_meaning(tmp_path: Path, key: str, value: Any) -> None:
    file = written(tmp_path)
    records = json.loads(FILES["wiki.json"])
    if value is None:
        del records[1][key]
    else:
        records[1][key] = value
    (tmp_path / "wiki.json").write_text(json.dumps(records), encoding="utf-8")
    with pytest.raises(LabError) as error:
        plan.load(file)
    said(error.value, "record 2", key, "wiki.json")
