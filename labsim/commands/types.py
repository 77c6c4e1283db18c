"""Check the types of the lab's own code with mypy, strictly (see pyproject.toml)."""

from __future__ import annotations

from labsim.commands._checkout import run_tool

SUMMARY = "Check types with mypy, strictly; options go to mypy."


def main(arguments: list[str]) -> int:
    """Run mypy over labsim/ and return its exit status."""
    return run_tool("mypy", "labsim", *arguments)
