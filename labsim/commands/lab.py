"""Open the notebooks in JupyterLab, on 127.0.0.1 only and with nothing leaving the machine."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from labsim.commands._checkout import ROOT
from labsim.errors import LabError

SUMMARY = "Open the notebooks in JupyterLab; options go to JupyterLab (--no-browser, say)."
# Turns off the question about news; what is in it a person's own settings still override.
SETTINGS = Path(__file__).resolve().parent / "jupyter_settings"


def main(arguments: list[str]) -> int:
    """Become JupyterLab; return only if it is not installed."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise LabError(f"This Python ({sys.executable}) has no JupyterLab.", todo="Run 'make lab'.")
    # A kernel of that name in the home folder would run without the lab's packages.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    # This very process, so that a signal to it (Ctrl-C, a test's terminate) needs no passing on.
    command = [sys.executable, "-m", "jupyterlab", *jupyter_options(ROOT / "notebooks"), *arguments]
    sys.stdout.flush()
    os.execv(sys.executable, command)  # noqa: S606 - no shell is what is wanted


def jupyter_options(notebooks: Path) -> list[str]:
    """Return JupyterLab's options; on the command line they override any configuration file."""
    options = [
        f"--ServerApp.root_dir={notebooks}",
        "--ServerApp.ip=127.0.0.1",
        # Kernels talk over loopback, where any user of the machine can listen in.
        "--KernelManager.transport_encryption=auto",
        f"--LabApp.app_settings_dir={SETTINGS}",
        # Each of these three would ask a server on the internet.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    if (notebooks / "index.ipynb").is_file():
        options.append("--LabApp.default_url=/lab/tree/index.ipynb")
    # Jupyter refuses root without it; a container knows no other user.
    return [*options, "--allow-root"] if os.geteuid() == 0 else options
