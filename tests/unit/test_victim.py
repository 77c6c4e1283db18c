"""The bad days of a workload: what it leaks, until when, and that nothing else is meant to."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labsim.errors import LabError
from labsim.estate.victim import THEFTS, Victim
from labsim.http_message import Ending, Outcome, Request, Response
from tests.wiring import CLIENT_AUTHORITY, RECORDS

ASKED = Request("GET", RECORDS, (("Authorization", "Bearer t"),))
ANSWERED = Outcome.answered(ASKED, Response(200))


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    """A victim in a run folder that has the two authorities' certificates."""
    (tmp_path / "interceptor").mkdir()
    (tmp_path / "client").mkdir()
    for folder in (tmp_path, tmp_path / "interceptor"):
        (folder / "ca.pem").write_bytes(CLIENT_AUTHORITY.certificate_pem)
    inhabited: Any = None
    process: Any = SimpleNamespace(folder=tmp_path / "client", run_folder=tmp_path)
    return Victim(process, inhabited)


def logged(folder: Path) -> list[str]:
    file = folder / "client" / "app.log"
    return file.read_text().splitlines() if file.exists() else []


def test_it_leaks_in_the_way_of_a_theft_until_it_is_mended(victim: Victim, tmp_path: Path) -> None:
    victim.saw(ANSWERED)
    assert logged(tmp_path) == []
    victim.leak("log_line")
    victim.saw(ANSWERED)
    assert len(logged(tmp_path)) == 1
    victim.mend()
    victim.saw(ANSWERED)
    assert len(logged(tmp_path)) == 1


def test_a_new_leak_ends_the_one_before(victim: Victim, tmp_path: Path) -> None:
    victim.leak("log_line")
    victim.leak("log_line")
    victim.saw(ANSWERED)
    assert len(logged(tmp_path)) == 1
    victim.leak("container_files")
    victim.saw(ANSWERED)
    assert len(logged(tmp_path)) == 1


def test_nobody_hears_of_a_request_that_got_no_answer(victim: Victim, tmp_path: Path) -> None:
    victim.leak("log_line")
    victim.saw(Outcome(Ending.UNREACHABLE, ASKED))
    victim.saw(Outcome(Ending.NOT_POSSIBLE))
    assert logged(tmp_path) == []


def test_it_goes_through_the_interceptor_until_it_is_mended(victim: Victim) -> None:
    assert victim.tap is None
    victim.leak("wiretap", proxy="http://127.0.0.1:9")
    assert victim.tap is not None
    assert victim.tap.proxy == "http://127.0.0.1:9"
    victim.mend()
    assert victim.tap is None


def test_without_an_interceptor_there_is_none_to_go_through(victim: Victim) -> None:
    with pytest.raises(LabError, match="no interceptor"):
        victim.leak("wiretap")


def test_evicting_nobody_does_no_harm(victim: Victim) -> None:
    victim.evict()
    victim.evict()


def test_every_theft_can_be_leaked_in_the_way_of() -> None:
    assert {"container_code", "container_files", "log_line", "wiretap"} <= set(THEFTS)
