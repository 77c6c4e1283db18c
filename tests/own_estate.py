"""The example of docs/estate-format.md as files: the page must be enough to write an estate from."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "estate-format.md").read_text("utf-8")
FILES = dict(re.findall(r"^```\w+ ([\w.-]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def written(folder: Path) -> Path:
    """Write the page's files into a folder and return the estate file."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "estate.toml"
