"""Labs of their own: time that passes, a server that dies, a lab that stops."""

from __future__ import annotations

import pytest

import labsim
from labsim.errors import LabError


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
    with pytest.raises(LabError, match="stopped"):
        lab.work("storefront")
    lab.reset()
    assert lab.work_rows("storefront")[0]["outcome"] == "served"
    lab.stop()


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
