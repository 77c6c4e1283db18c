"""What every test may use: the lab wired in process, and how hypothesis is to search."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.exchange", "tests.killed_campaigns", "tests.wiring")

from tests.wiring import Lab  # noqa: E402

# A shell that starts this in the background lets every child ignore interrupts, which some send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline and no complaint about a slow machine: a test asserts what is true, not how fast.
# The same examples in every run, so that a red one is red again and CI does not flake by chance.
# To search longer, and elsewhere each time: pytest --hypothesis-profile=long
for name, examples in {"labsim": 25, "long": 5000}.items():
    settings.register_profile(
        name,
        deadline=None,
        derandomize=name == "labsim",
        max_examples=examples,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
settings.load_profile("labsim")


@pytest.fixture(scope="session", autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let nothing that a test predicts or answers come into the record of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABSIM_PROGRESS", str(tmp_path_factory.mktemp("own") / "progress.jsonl"))
        yield


@pytest.fixture
def lab() -> Lab:
    return Lab()


def pytest_collection_finish() -> None:
    # Six thousand tests and what they import: nothing of it is garbage before the end. To look
    # through it time and again takes every tenth second.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file with one worker, which makes for all its tests what they share.

    A test of a notebook shares nothing with the next one, and there are many long ones in a file.
    """
    for item in items:
        if item.path.parent.name != "notebooks":
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
