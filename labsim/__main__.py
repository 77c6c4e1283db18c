"""Dispatch `python -m labsim COMMAND …` to the file of that name in `commands/`.

Runs on any python3 from 3.8 on: `setup` starts here before there is a newer one.
"""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

COMMANDS = Path(__file__).resolve().parent / "commands"
_OLDEST = (3, 12)


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    names = _names()
    if not given or given[0] in ("-h", "--help", "help"):
        print(_help(names))
        return 0 if given else 2
    if given[0] not in names:
        print(
            f"There is no command {given[0]!r}; there are: {', '.join(names)}.",
            file=sys.stderr,
        )
        return 2
    try:
        status = int(importlib.import_module("labsim.commands." + given[0]).main(given[1:]))
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever was reading has seen enough ("| head"); so say no more
        sys.stdout = None
        return 141
    except Exception as error:
        message = _for_a_person(error, given[0])
        if message is None:
            raise
        print(message, file=sys.stderr)
        return 1


def _names() -> list[str]:
    return sorted(path.stem for path in COMMANDS.glob("*.py") if not path.stem.startswith("_"))


def _help(names: list[str]) -> str:
    width = max(map(len, names), default=0)
    lines = [f"  {name:<{width}}  {_summary(COMMANDS / (name + '.py'))}" for name in names]
    return "\n".join(["usage: python -m labsim COMMAND [...]", "", *lines])


def _summary(path: Path) -> str:
    """Read a command's SUMMARY without importing it, so that help needs nothing installed."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "SUMMARY":
            return str(ast.literal_eval(node.value))
    return ""


def _for_a_person(error: Exception, command: str) -> str | None:
    """Return what to print instead of a traceback, or None if the error is a fault in the lab."""
    # Nothing can have raised a LabError unless its module was imported.
    errors = sys.modules.get("labsim.errors")
    if errors is not None and isinstance(error, errors.LabError):
        return str(error)
    old = sys.version_info < _OLDEST and isinstance(error, (ImportError, SyntaxError))
    name = getattr(error, "name", None) or ""
    absent = isinstance(error, ModuleNotFoundError) and name.split(".")[0] != "labsim"
    if old or absent:
        lacking = "is too old" if old else f"has no {name}"
        return (
            f"'{command}' does not run on this Python ({sys.executable}), which {lacking}: run "
            f"'make setup', then '.venv/bin/python -m labsim {command}'."
        )
    return None


if __name__ == "__main__":
    sys.exit(main())
