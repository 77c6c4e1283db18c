"""What `import labsim` costs, and what it brings along."""

from __future__ import annotations

from benchmarks._measuring import figure, fresh_json, fresh_python, seconds
from labsim.commands.bench import Figure

TITLE = "import labsim, beyond what the interpreter itself takes"
MILLISECONDS = 50.0
HEAVY = ("pandas", "matplotlib", "tornado", "mitmproxy")
STATEMENTS = {
    "import labsim": MILLISECONDS,
    "from labsim import start": None,  # what the first call of start() pays for
}


def measure(quick: bool) -> list[Figure]:
    """Start bare interpreters and importing ones in turn; then look for heavy modules."""
    rounds = 5 if quick else 25
    figures = []
    for statement, target in STATEMENTS.items():
        extra = [1000 * (_whole(statement) - _whole("pass")) for _ in range(rounds)]
        figures.append(figure(statement, extra, "ms", target=target))
    for statement in STATEMENTS:
        loaded = fresh_json(
            f"{statement}\nimport json, sys\n"
            f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
        )
        what = f"of {', '.join(HEAVY)}, in it after {statement!r}"
        figures.append(Figure(what=what, value=len(loaded), unit="", target=0))
    return figures


def _whole(statement: str) -> float:
    return seconds(lambda: fresh_python("-c", statement))
