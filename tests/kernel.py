"""A real Jupyter kernel and a way to let it run code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

PATIENCE = 60.0  # Only a broken test waits this long.


class Kernel:
    """A kernel and a way to let it run code."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3", transport_encryption="auto")
        self.manager.start_kernel()
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.wait()

    def wait(self) -> None:
        """Wait until it can be talked to."""
        self.client.wait_for_ready(timeout=PATIENCE)

    def run(self, code: str, seen: Callable[[str], None] = lambda text: None) -> str:
        """Run a cell and return what it printed, or the error it ended with.

        `seen` is told what it prints; the error's name, if there was one, is in `ended_with`.
        """
        printed: list[str] = []
        self.ended_with = ""

        def note(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                printed.append(content["text"])
                seen(content["text"])
            if message["msg_type"] == "error":
                self.ended_with = content["ename"]
                printed.append(f"{content['ename']}: {content['evalue']}")

        self.client.execute_interactive(code, timeout=PATIENCE, output_hook=note)
        return "".join(printed)

    def end(self) -> None:
        """Leave nothing of it."""
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
