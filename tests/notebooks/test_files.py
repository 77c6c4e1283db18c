"""The notebooks as files: stripped, short, with nothing in them but what a learner needs."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from labsim.commands._checkout import ROOT
from tests.notebooks.fresh_kernel import (
    ASKING,
    CLAIMS,
    FOLDER,
    NOTEBOOKS,
    exercise_module,
    exercises_in,
    named,
    tag,
)

WORDS, CELLS, LINES, TERMS = 900, 30, 12, 4
CARD = ("Goal", "You have", "You may use", "Minutes")
CALL = re.compile(r"^ex\.(\w+)\.check\(\w+\)$", re.MULTILINE)

with (ROOT / "data" / "terms.csv").open(encoding="utf-8", newline="") as file:
    INTRODUCED = list(csv.DictReader(file))

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
every_claim = pytest.mark.parametrize("path", CLAIMS, ids=named)
every_asking = pytest.mark.parametrize("path", ASKING, ids=named)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook: Any) -> str:
    """Return what a reader reads: no code, no link's target."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.sub(r"`[^`]*`", " ", re.sub(r"\]\([^)]*\)", "]", text))


def words(notebook: Any) -> int:
    """Count every word of the prose, code in a sentence included; lines of tables are no words."""
    text = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return sum(any(map(str.isalnum, word)) for word in text.split())


def place(stem: str) -> str:
    """Return what sorts notebooks as they are read: the primer comes before the first claim."""
    return "" if stem == "primer" else stem


def uses(text: str, term: str) -> re.Match[str] | None:
    return re.search(rf"\b{re.escape(term)}s?\b", text, re.IGNORECASE)


@every_notebook
def test_it_is_stripped_and_for_any_python_3_kernel(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(notebook))
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert notebook.metadata.kernelspec.name == "python3"
    # Nothing of the machine on which it was written.
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert dict(notebook.metadata.language_info) == {"name": "python"}


@every_notebook
def test_it_is_short(path: Path) -> None:
    notebook = read(path)
    longest = max(len(cell.source.splitlines()) for cell in code(notebook))
    print(f"\n{path.stem}: {words(notebook)} words, {len(notebook.cells)} cells")
    assert words(notebook) <= WORDS
    assert len(notebook.cells) <= CELLS
    assert longest <= LINES


@every_claim
def test_its_name_is_its_claim_and_it_opens_with_a_card(path: Path) -> None:
    first = read(path).cells[0].source
    title = first.splitlines()[0].removeprefix("# ")
    assert re.sub(r"\W+", "_", title).lower() == path.stem
    assert [word for word in CARD if f"| {word} |" in first] == list(CARD)
    assert "4127" in first


def test_the_index_links_every_notebook_once_in_the_order_of_reading() -> None:
    index = read(FOLDER / "index.ipynb")
    text = "\n".join(cell.source for cell in index.cells if cell.cell_type == "markdown")
    linked = re.findall(r"\]\((\w+)\.ipynb\)", text)
    assert linked == sorted(set(linked), key=place)
    assert set(linked) == {path.stem for path in NOTEBOOKS} - {"index"}


def minutes(path: Path) -> int:
    """Return the minutes that a card names; of several, the most without a stretch question."""
    found = re.search(
        r"^\| Minutes \| (\d+)(?:\D.* (\d+) for all)?", prose(read(path)), re.MULTILINE
    )
    assert found, path.stem
    return int(found[2] or found[1])


def test_the_index_tells_the_minutes_that_the_cards_tell() -> None:
    text = prose(read(FOLDER / "index.ipynb"))
    cards = {("primer" if not p.stem[0].isdigit() else p.stem[:2]): minutes(p) for p in ASKING}
    told = dict(re.findall(r"^\| \[(\w+)\] \|.*?(\d+) \|$", text, re.MULTILINE))
    assert {name: int(count) for name, count in told.items()} == cards
    paths = {
        "00, then 02": ("00", "02"),
        "00 to 03, 05, 06, 13": ("00", "01", "02", "03", "05", "06", "13"),
        "primer if needed, 00 to 07, 13": tuple(cards),
    }
    for path, names in paths.items():
        row = re.search(rf"\| {path} \| (\d+) \| (\d+) \|", text)
        assert row, path
        alone = sum(cards[name] for name in names)
        assert int(row[1]) == alone
        assert alone * 1.5 - 5 <= int(row[2]) <= alone * 1.5 + 5


@every_claim
def test_what_comes_next_is_the_next_notebook(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    linked = re.findall(r"^\[\d\d\]\((\w+)\.ipynb\)", text.partition("## Next\n")[2], re.MULTILINE)
    after = CLAIMS[CLAIMS.index(path) + 1 :]
    assert linked == [each.stem for each in after[:1]]


@every_claim
def test_it_says_what_it_does_not_show_and_what_comes_next(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[-2:] == ["What this does not show", "Next"]
    assert "Predict" in headings
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (path.parent / target).is_file(), target


@every_claim
def test_the_first_code_cell_starts_the_lab_and_the_last_one_stops_it(path: Path) -> None:
    cells = [cell.source for cell in code(read(path))]
    assert "lab = labsim.start()" in cells[0]
    assert "lab.stop()" in cells[-1]
    assert not any("lab.stop()" in cell or "labsim.start(" in cell for cell in cells[1:-1])


@every_notebook
def test_no_code_cell_has_plumbing_in_it(path: Path) -> None:
    for cell in code(read(path)):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                assert [name.name for name in node.names] == ["labsim"]
            elif isinstance(node, ast.ImportFrom):
                assert node.module == "labsim.exercises"
            else:
                assert not isinstance(node, ast.Try | ast.With | ast.For | ast.While | ast.ClassDef)


@every_asking
def test_each_exercise_has_one_cell_that_checks_it(path: Path) -> None:
    notebook = read(path)
    tagged = {tag(cell).removeprefix("ex:"): cell.source for cell in code(notebook) if tag(cell)}
    assert set(tagged) == set(exercises_in(exercise_module(notebook)))
    for name, source in tagged.items():
        assert CALL.findall(source) == [name]
    asked = [name for cell in code(notebook) for name in CALL.findall(cell.source)]
    assert len(asked) == len(tagged)


@every_claim
def test_it_asks_three_core_questions_and_one_from_an_earlier_notebook(path: Path) -> None:
    exercises = exercises_in(exercise_module(read(path))).values()
    core = [each for each in exercises if not each.stretch and not each.recalls]
    assert 3 <= len(core) <= 4, [each.name for each in core]
    recalled = [each.recalls for each in exercises if each.recalls]
    if path.stem >= "01":
        assert recalled
    assert all(number < path.stem[:2] for number in recalled)


@every_asking
def test_every_exercise_has_two_wrong_answers_each_with_its_own_message(path: Path) -> None:
    for each in exercises_in(exercise_module(read(path))).values():
        assert len({wrong.says for wrong in each.wrong}) == len(each.wrong) >= 2, each.name


@every_claim
def test_it_adds_its_bars_and_its_rows_under_its_own_number(path: Path) -> None:
    text = "\n".join(cell.source for cell in code(read(path)))
    # Either verb adds both; a notebook may show one of the pictures only.
    said = re.findall(r"lab\.my_(?:bars|matrix)\((.*)\)", text)
    assert set(said) == {f'"{path.stem[:2]}"'}


def test_the_first_theft_names_no_document() -> None:
    first = read(FOLDER / "00_the_first_theft.ipynb")
    said = [prose(first), *(each.solved for each in exercises_in(exercise_module(first)).values())]
    assert not re.search(r"\bRFC\b|\bsection\b", " ".join(said))


@every_asking
def test_no_term_is_used_before_the_notebook_that_introduces_it(path: Path) -> None:
    text = prose(read(path))
    here = [row["term"] for row in INTRODUCED if row["notebook"] == path.stem]
    later = [row["term"] for row in INTRODUCED if place(row["notebook"]) > place(path.stem)]
    if not path.stem[0].isdigit():  # what is optional explains every word that it uses
        later = []
    assert len(here) <= TERMS
    assert [term for term in later if uses(text, term)] == []
    body = text.partition("\n")[2]  # Without the title, which is the claim.
    for term in here:
        introduced = uses(body, f"**{term}**".strip("*"))
        assert introduced, f"{term} is not used in {path.stem}"
        bold = re.search(rf"\*\*{re.escape(term)}s?\*\*", body, re.IGNORECASE)
        assert bold, f"{term} is not introduced in bold"
        assert bold.start() <= introduced.start(), f"{term} is used before it is introduced"


def test_every_term_has_a_notebook_and_a_plain_meaning() -> None:
    stems = {path.stem for path in ASKING}
    assert len({row["term"].lower() for row in INTRODUCED}) == len(INTRODUCED)
    for row in INTRODUCED:
        assert row["notebook"] in stems, row
        assert len(row["meaning"].split()) > 3, row
