"""How long `labsim.start()` takes until every process is healthy."""

from __future__ import annotations

import json
from typing import Any

from jupyter_client.manager import KernelManager

from benchmarks._measuring import figure, fresh_json
from labsim.commands.bench import Figure
from labsim.errors import LabError

TITLE = "labsim.start() until every process is healthy"
COLD, AGAIN = 0.5, 0.1
PATIENCE = 60.0

# The call alone: the interpreter, or the kernel, and `import labsim` came before. The interceptor's
# parent goes on importing mitmproxy after the first start; the last starts wait until it has.
CODE = """
import json, time
import labsim

def started():
    began = time.perf_counter()
    lab = labsim.start(quiet=True)
    took = time.perf_counter() - began
    lab.stop()
    return took

cold, at_once = started(), started()
from labsim.estate import parents
parents.FIRST.tapping.run("os:getpid")
print(json.dumps([cold, at_once, *(started() for _ in range(5))]))
"""


def measure(quick: bool) -> list[Figure]:
    """Start the lab in fresh interpreters and in fresh Jupyter kernels, seven times in each."""
    times = 2 if quick else 5
    return [
        *_figures("in a new interpreter", [fresh_json(CODE) for _ in range(times)]),
        *_figures("in a Jupyter kernel", [_in_a_kernel() for _ in range(times)]),
    ]


def _figures(where: str, runs: list[list[float]]) -> list[Figure]:
    again = [took for run in runs for took in run[2:]]
    return [
        figure(f"{where}, cold", [run[0] for run in runs], "s", target=COLD),
        figure(f"{where}, again at once", [run[1] for run in runs], "s", target=AGAIN),
        figure(f"{where}, again later", again, "s", target=AGAIN),
    ]


def _in_a_kernel() -> list[float]:
    manager = KernelManager(kernel_name="python3", transport_encryption="auto")
    manager.start_kernel()
    client: Any = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        printed: list[str] = []

        def note(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "error":
                raise LabError(f"The kernel says: {content['ename']}: {content['evalue']}")
            if message["msg_type"] == "stream" and content["name"] == "stdout":
                printed.append(content["text"])

        client.execute_interactive(CODE, timeout=PATIENCE, output_hook=note)
        found: list[float] = json.loads("".join(printed))
        return found
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
