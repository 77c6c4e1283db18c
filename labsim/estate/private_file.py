"""Files that only their owner may read: keys, tokens, credentials."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any


def write_private(file: Path, data: bytes) -> None:
    """Write a file with mode 0600, whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
    part.replace(file)


def new_private(file: Path, data: bytes) -> None:
    """Write a file with mode 0600 that is not there yet and that nobody reads before it is whole.

    OSError if it is there.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb", buffering=0) as opened:
        written = opened.write(data)
    if written != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))


def new_private_json(file: Path, value: Any) -> None:
    """Write a JSON document with mode 0600: see `new_private`."""
    new_private(file, json.dumps(value, indent=1).encode())


def write_private_json(file: Path, value: Any) -> None:
    """Write a JSON document with mode 0600, whole or not at all."""
    write_private(file, json.dumps(value, indent=1).encode())


def read_json(file: Path) -> Any:
    """Read a JSON document of the run folder."""
    return json.loads(file.read_bytes())
