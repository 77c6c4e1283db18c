"""Check what can be read off the files: style, import rules, stripped notebooks, sizes."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from pathlib import Path

from labsim.commands._checkout import ROOT, run_tool

SUMMARY = "Check style, import rules, notebooks and sizes; --fix mends what can be mended."
FILE_LINES = 300
FUNCTION_LINES = 40


def main(arguments: list[str]) -> int:
    """Run every check, so that one run shows all there is to mend; return 1 if any failed."""
    parser = argparse.ArgumentParser(prog="labsim lint", description=SUMMARY)
    parser.add_argument("--fix", action="store_true", help="mend what can be mended")
    fix = parser.parse_args(arguments).fix
    passed = [
        _report("ruff check", run_tool("ruff", "check", *(["--fix"] if fix else []))),
        _report("ruff format", _format(fix)),
        _report("import rules", _import_rules()),
        _report("notebooks", _notebooks(fix)),
        _report("sizes", _sizes()),
    ]
    return 0 if all(passed) else 1


def too_long(path: Path, root: Path = ROOT) -> Iterator[str]:
    """Yield one line for a file, and for each function in it, that is longer than it may be."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(root)
    lines = len(text.splitlines())
    if lines > FILE_LINES:
        yield f"{name}: {lines} lines, at most {FILE_LINES}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                where = f"{name}:{node.lineno}: {node.name}"
                yield f"{where} has {lines} lines, at most {FUNCTION_LINES}"


def _format(fix: bool) -> int:
    # Concise: the whole difference of every file would hide the other checks' lines.
    how = [] if fix else ["--check", "--output-format", "concise"]
    return run_tool("ruff", "format", *how)


def _import_rules() -> int:
    from importlinter.cli import lint_imports  # a developer's tool: --help must do without it

    settings = str(ROOT / "pyproject.toml")
    cache = str(ROOT / ".import_linter_cache")
    return lint_imports(config_filename=settings, cache_dir=cache, no_logo=True)


def _sizes() -> int:
    found = [line for path in sorted((ROOT / "labsim").rglob("*.py")) for line in too_long(path)]
    for line in found:
        print(line)
    return len(found)


def _notebooks(fix: bool) -> int:
    notebooks = sorted(map(str, (ROOT / "notebooks").glob("*.ipynb")))
    if not notebooks:
        return 0
    # Ids are kept: they are stable names of cells, and links and exercises may point at them.
    return run_tool("nbstripout", "--keep-id", *([] if fix else ["--verify"]), *notebooks)


def _report(what: str, status: int) -> bool:
    print(f"{what}: {'ok' if status == 0 else 'FAILED'}", flush=True)
    return status == 0
