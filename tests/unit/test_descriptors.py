"""Room for descriptors: raised where the system allows it, and a LabError where it does not."""

from __future__ import annotations

import resource

import pytest

from labsim.errors import LabError
from labsim.estate import descriptors

INFINITY = resource.RLIM_INFINITY


class System:
    """A system with a soft and a hard limit."""

    def __init__(self, soft: int, hard: int) -> None:
        self.limits = soft, hard
        self.was_set = False

    def getrlimit(self, _which: int) -> tuple[int, int]:
        return self.limits

    def setrlimit(self, _which: int, limits: tuple[int, int]) -> None:
        self.limits, self.was_set = limits, True


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> System:
    made = System(*request.param)
    for name in ("getrlimit", "setrlimit"):
        monkeypatch.setattr(resource, name, getattr(made, name))
    return made


@pytest.mark.parametrize(
    ("system", "soft", "was_set"),
    [
        ((1024, 4096), 1024, False),
        ((256, 4096), 200 + descriptors.SPARE, True),
        ((256, INFINITY), 200 + descriptors.SPARE, True),
        ((INFINITY, INFINITY), INFINITY, False),
    ],
    indirect=["system"],
)
def test_room_is_made_where_there_is_too_little(system: System, soft: int, was_set: bool) -> None:
    hard = system.limits[1]
    descriptors.make_room(200)
    assert system.limits == (soft, hard)
    assert system.was_set == was_set


@pytest.mark.parametrize("system", [(256, 300)], indirect=True)
def test_where_the_system_forbids_it_the_next_step_is_said(system: System) -> None:
    descriptors.make_room(300 - descriptors.SPARE)
    with pytest.raises(LabError, match=r"open 300 files.*needs 301") as refused:
        descriptors.make_room(301 - descriptors.SPARE)
    assert "ulimit" in refused.value.todo


@pytest.mark.parametrize(
    ("system", "soft"),
    [
        ((1024, 4096), 4096),
        ((1024, INFINITY), descriptors.MOST),
        ((INFINITY, INFINITY), INFINITY),
        ((1 << 20, 1 << 20), 1 << 20),
    ],
    indirect=["system"],
)
def test_the_parent_takes_what_there_is_and_gives_nothing_back(system: System, soft: int) -> None:
    descriptors.make_all_room()
    assert system.limits[0] == soft
