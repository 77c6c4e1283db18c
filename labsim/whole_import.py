"""Import a heavy module whole, or not at all.

An interrupt in the middle of an import leaves half a module behind, and pandas does not recover
from that until the kernel is restarted. So an interrupt waits for the end of the import.
"""

from __future__ import annotations

import signal
import sys
import threading
from importlib import import_module
from types import FrameType


def whole(module: str) -> None:
    """Import a module, and let an interrupt that comes meanwhile be raised afterwards."""
    if module in sys.modules or threading.current_thread() is not threading.main_thread():
        import_module(module)
        return
    came: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        import_module(module)
    finally:
        signal.signal(signal.SIGINT, before)
        if came and callable(before):
            before(*came[0])
