"""The control panel of notebooks 07 and 13: `labsim.control_panel()`.

What can be chosen and why not, and the call as code, are plain functions in `choices`; what is run
is in `running`; only `widgets` knows ipywidgets, and is imported when a panel is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labsim.panel.widgets import ControlPanel

_shown: list[ControlPanel] = []


def control_panel() -> ControlPanel:
    """Make the control panel; a notebook shows it as a page does. Nothing runs before its Run.

    It has an estate of its own, which leaves the notebook's lab alone and ends with `stop`, with
    the next panel of this kernel, or with the kernel.
    """
    from labsim.panel.widgets import ControlPanel

    while _shown:
        _shown.pop().stop()
    _shown.append(ControlPanel())
    return _shown[-1]
