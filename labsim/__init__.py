"""labsim: a small estate of real processes in which OAuth tokens are stolen and replayed.

    import labsim
    lab = labsim.start()

Names are loaded when they are first used (PEP 562), so that importing this costs a millisecond.
"""

__all__ = ["Lab", "LabError", "control_panel", "start"]

_WHERE = {
    "Lab": "labsim.lab",
    "LabError": "labsim.errors",
    "control_panel": "labsim.panel",
    "start": "labsim.starting",
}


def __getattr__(name):  # type: ignore[no-untyped-def]  # this file must parse under Python 3.8
    """Load a public name from its module."""
    if name not in _WHERE:
        raise AttributeError(f"module 'labsim' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)


def __dir__():  # type: ignore[no-untyped-def]
    """List the public names."""
    return sorted(__all__)
