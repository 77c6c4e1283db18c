"""labsim: a small estate of real processes in which OAuth tokens are stolen and replayed.

    import labsim
    lab = labsim.start()

Names are loaded when they are first used (PEP 562), so that importing this costs a millisecond.
"""

__all__ = [
    "Lab",
    "LabError",
    "battery",
    "control_panel",
    "progress",
    "reset_progress",
    "start",
    "takeaway",
]

_WHERE = {
    "Lab": "labsim.lab",
    "LabError": "labsim.errors",
    "battery": "labsim.own_verifier",
    "control_panel": "labsim.panel",
    "progress": "labsim.exercises.standing",
    "reset_progress": "labsim.exercises.standing",
    "start": "labsim.starting",
    "takeaway": "labsim.exercises.takeaway",
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
