"""Labs of their own: time that passes, a server that dies, a lab that stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import labsim
from labsim.errors import LabError

USED: list[Callable[[labsim.Lab], object]] = [
    lambda lab: lab.work("storefront"),
    lambda lab: lab.bind("storefront", "dpop"),
    lambda lab: lab.vary("nonce"),
    lambda lab: lab.enforce("crm"),
    lambda lab: lab.revoke("storefront"),
    lambda lab: lab.evict("storefront"),
    lambda lab: lab.rotate("storefront"),
    lambda lab: lab.advance(days=1),
    lambda lab: lab.attacker.steal("storefront", by="log_line"),
]


@pytest.mark.parametrize("wrong", [{}, [], 0, False, 7], ids=str)
def test_what_is_no_estate_is_not_taken_for_the_labs_own(wrong: Any) -> None:
    with pytest.raises(LabError, match=r"is no estate file\. No estate was loaded"):
        labsim.start(wrong, quiet=True)


def test_time_passes_for_every_process_at_once() -> None:
    with labsim.start(quiet=True) as lab:
        haul = lab.attacker.steal("ops-console", by="log_line")
        before = lab.now
        lab.advance(days=90)
        assert lab.now - before >= 90 * 86400
        (row,) = lab.attacker.replay(haul, by="token_as_is").to_dict("records")
        assert (row["outcome"], row["check"]) == ("rejected", "token_is_not_expired")
        assert row["seconds"] >= 90 * 86400
        assert lab.work_rows("ops-console")[0]["outcome"] == "served"
        with pytest.raises(LabError, match="forward only"):
            lab.advance(seconds=-1)


def test_a_killed_resource_server_is_unreachable_and_loses_nothing_recorded() -> None:
    with labsim.start(quiet=True) as lab:
        haul = lab.attacker.steal("fulfilment", by="log_line")
        lab.attacker.replay(haul, by="token_as_is", against="orders")
        lab.estate.process("orders").kill()
        lab.attacker.replay(haul, by="token_as_is", against="orders")
        lab.attacker.replay(haul[1], by="token_as_is", against="payments")
        rows = lab.attempts()
        assert list(rows.outcome) == ["served", "rejected", "unreachable", "unreachable", "served"]
        assert rows.reason[2].startswith("Nobody listens at 127.0.0.1")
        assert lab.estate.ended() == ["orders"]
        lab.reset()
        assert lab.work_rows("fulfilment")[0]["outcome"] == "served"


def test_a_stopped_lab_says_so_and_starts_again() -> None:
    lab = labsim.start(quiet=True)
    folder = lab.run_folder
    lab.stop()
    lab.stop()
    assert not folder.exists()
    for verb in USED:
        with pytest.raises(LabError, match=r"The lab is stopped\. Call lab\.reset\(\)"):
            verb(lab)
    assert "is stopped" in lab.summary()
    lab.reset()
    assert "The lab runs" in lab.summary()
    assert lab.work_rows("storefront")[0]["outcome"] == "served"
    lab.stop()


def test_loot_and_table_of_an_earlier_run_are_not_taken_for_this_ones() -> None:
    with labsim.start(quiet=True) as lab:
        haul = lab.attacker.steal("ops-console", by="log_line")
        table = lab.attacker.replay(haul, by="token_as_is")
        looked = repr(table.attempt(0).show())
        lab.reset()
        with pytest.raises(LabError, match="Nothing was replayed yet"):
            lab.attacker.show(1)
        with pytest.raises(LabError, match="no attempt to draw yet"):
            lab.attacker.chart()
        other = lab.attacker.steal("ci-runner", by="commit")
        assert other[0]["number"] == haul[0]["number"]
        for verb in (lab.attacker.replay, lab.attacker.campaign):
            with pytest.raises(LabError, match=r'in another run.*steal\("ops-console"'):
                verb(haul)
        assert set(lab.attacker.replay(other, by="token_as_is")["client"]) == {"ci-runner"}
        assert repr(table.attempt(0).show()) == looked != repr(lab.attacker.show(1))


def test_a_victim_that_gets_no_token_sends_nothing_to_hold() -> None:
    with labsim.start(quiet=True) as lab:
        lab.vary("unspent")
        lab.revoke("lead-sync")  # which ends the grant that it lives from
        with pytest.raises(LabError, match="invalid_grant"):
            lab.attacker.steal("lead-sync", by="wiretap")
        haul = lab.attacker.steal("fulfilment", by="wiretap")
        assert haul[0]["spent"] is False
        lab.stop()  # with a request that is still held
        lab.reset()
        assert {row["outcome"] for row in lab.work_rows("fulfilment")} == {"served"}
        assert lab.attacker.release() == []
