"""What notebook 13 counts, rolls out and hears, on the real lab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import labsim
from labsim.charts.picture import Picture
from labsim.errors import LabError
from labsim.exercises import blast_radius as ex
from labsim.exercises.counted import CASES, MORE
from labsim.exercises.counting import Waiting
from labsim.exercises.rolled_out import Rolled


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def test_each_case_comes_to_what_was_computed(lab: labsim.Lab) -> None:
    result = ex.count_each(lab, predicted=ex.how_far_today.reference)
    rows = result.rows()
    assert {row["case"] for row in rows} == {*CASES, *MORE}
    assert all(row["measured"] == row["computed"] for row in rows)
    assert [row["as predicted"] for row in rows].count("yes") == len(CASES)
    assert {row["measured"] for row in rows} == {"0", "110"}
    assert "by 4 of 8 thefts and 0 by 4, each as computed" in result.chart().title
    assert "<img" in result._repr_html_()
    assert lab.work_rows("ci-runner")[0]["outcome"] == "served"


@pytest.mark.parametrize("predicted", [None, {"backup_dpop": 3}, 7])
def test_nothing_is_counted_before_it_is_predicted(lab: labsim.Lab, predicted: object) -> None:
    result = ex.count_each(lab, predicted=predicted)
    assert result.sealed
    assert result.frame.empty
    with pytest.raises(LabError, match="sealed"):
        result.chart()
    assert "<img" not in result._repr_html_()


def test_a_campaign_shows_the_attempt_that_was_sent_a_record_first(lab: labsim.Lab) -> None:
    lab.reset()
    friday = lab.attacker.campaign(lab.attacker.steal("ci-runner", by="log_line"))
    assert "vault" in friday.show("vault-0001").title
    with pytest.raises(LabError, match="admin-0001"):
        friday.show("admin-0001")
    records = [row["record"] for row in ex.found(friday).rows]
    assert "collab-4127" in records
    assert set(records) <= set(friday.records)
    ex.claim(lab, friday)


@pytest.mark.parametrize(("two", "records"), [(["collab", "vault"], 88), (["vault", "admin"], 110)])
def test_two_servers_that_enforce_leave_what_was_computed(
    lab: labsim.Lab, two: list[str], records: int
) -> None:
    lab.reset()
    assert isinstance(ex.roll_out(lab, []), Waiting)
    rolled = ex.roll_out(lab, two)
    assert isinstance(rolled, Rolled)
    assert (rolled.measured, rolled.expected) == (records, records)
    assert f"your two first, {records} with 3" in rolled.chart().title


def test_what_is_refused_is_heard_and_what_is_served_is_not(lab: labsim.Lab) -> None:
    sealed = ex.watch(lab, predicted=None)
    assert sealed.sealed
    assert isinstance(ex.alarms(lab), Waiting)
    heard = ex.watch(lab, predicted=ex.what_is_heard.reference)
    for row in heard.rows():
        assert row["as predicted"] == "yes"
        assert (row["alarm"].startswith("none")) == (row["happened"] == "served")
    events = ex.alarms(lab)
    assert not isinstance(events, Waiting)
    assert {"proof_key_is_the_bound_one", "secret_is_the_clients"} <= set(events["check"])
    assert set(events["decision"]) == {"rejected"}


def test_a_late_response_is_drawn_once_it_was_answered(lab: labsim.Lab) -> None:
    assert isinstance(ex.late(lab, None), Waiting)
    assert isinstance(ex.late(lab, "86"), Picture)
