"""pyproject.toml, requirements.lock and environment.yml say the same, and name no host."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
ENVIRONMENT = (ROOT / "environment.yml").read_text()
HOST = re.compile(r"://|\b[\w-]+\.(org|com|net|io|dev)\b")
PINNED = re.compile(r"([\w.-]+)==(\S+)(?: ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n")


def name_of(requirement: str) -> str:
    """Return the normalised name at the start of a requirement."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def entries(lock: str) -> list[str]:
    """Cut the lock into one text per package."""
    lines = [line for line in lock.splitlines(keepends=True) if not line.lstrip().startswith("#")]
    return re.split(r"^(?=\S)", "".join(lines), flags=re.MULTILINE)[1:]


def test_each_entry_of_the_lock_is_one_version_with_hashes():
    malformed = [entry for entry in entries(LOCK) if not PINNED.fullmatch(entry)]
    assert malformed == []
    assert len(entries(LOCK)) > 100


@pytest.mark.parametrize(
    "requirement", PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
)
def test_each_dependency_is_in_the_lock(requirement):
    assert name_of(requirement) in {name_of(entry) for entry in entries(LOCK)}


def test_each_locked_package_is_wanted_by_the_project_or_by_another():
    wanted = {
        name_of(requirement)
        for requirement in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
    }
    orphans = []
    for block in re.split(r"^(?=[\w])", LOCK, flags=re.MULTILINE)[1:]:
        via = set(re.findall(r"^ +#(?: via)? +([\w.-]+)$", block, flags=re.MULTILINE))
        if name_of(block) not in wanted and not via - {"labsim"}:
            orphans.append(name_of(block))
    assert orphans == []


def test_the_lock_holds_nothing_but_packages_hashes_and_comments():
    lines = [line for line in LOCK.splitlines() if line.lstrip().startswith("-")]
    assert {line.split("=")[0].strip() for line in lines} == {"--hash"}


@pytest.mark.parametrize("text", [LOCK, ENVIRONMENT], ids=["lock", "environment"])
def test_no_host_is_named(text):
    assert HOST.findall(text) == []


def test_the_environment_installs_the_project_and_repeats_none_of_its_list():
    dependencies = ENVIRONMENT.partition("dependencies:\n")[2].splitlines()
    assert dependencies == ["  - python=3.13", "  - pip", "  - pip:", "      - -e ."]


def test_the_environments_python_is_one_that_the_project_allows():
    assert PROJECT["project"]["requires-python"] == ">=3.12"
    assert "Programming Language :: Python :: 3.13" in PROJECT["project"]["classifiers"]
