"""How long the main job takes once everything is set up."""

from __future__ import annotations

from tempfile import TemporaryDirectory

from benchmarks._measuring import figure, fresh_python, seconds
from labsim.commands.bench import Figure

TITLE = "The main job: python -m labsim demo"
WHOLE = 30.0


def measure(quick: bool) -> list[Figure]:
    """Run the command as a person does; LabError if it does not end well."""
    runs = [seconds(_demo) for _ in range(1 if quick else 3)]
    return [figure("from command to prompt", runs, "s", target=WHOLE)]


def _demo() -> None:
    with TemporaryDirectory() as folder:
        fresh_python("-m", "labsim", "demo", "--out", folder)
