"""A second lab beside a notebook's own: processes of its own, and neither ends the other."""

from __future__ import annotations

import labsim
from labsim.starting import start_beside


def test_two_labs_work_side_by_side_and_end_apart() -> None:
    with labsim.start(quiet=True) as lab, start_beside("test") as other:
        assert lab.run_folder != other.run_folder
        assert not set(lab.estate.urls.values()) & set(other.estate.urls.values())
        other.bind("ci-runner", "dpop")
        for each, by, ending in [(lab, "bearer", "served"), (other, "dpop", "rejected")]:
            assert each.binding("ci-runner") == by
            haul = each.attacker.steal("ci-runner", by="wiretap")
            table = each.attacker.replay(haul[0], by="token_as_is", against="deploy")
            assert list(table["outcome"]) == [ending]
        folder = other.run_folder
        other.stop()
        assert not folder.exists()
        assert lab.work_rows("ci-runner")[0]["outcome"] == "served"
        other.reset()
        assert other.work_rows("ci-runner")[0]["outcome"] == "served"
    assert not lab.runs
    assert not other.runs
