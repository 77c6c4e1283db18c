"""Captured requests that are changed on their way, on real processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import labsim
from labsim.errors import LabError

CLIENT = "storefront"
DOING = {"changed_body": "write", "changed_query": "query", "changed_header": "read"}
REPLAYED = {"dpop": "jti_is_new", "http_signature": "nonce_is_new"}
REFUSED = {
    ("changed_body", "http_signature"): "digest_is_the_bodys",
    ("changed_query", "http_signature"): "signature_is_by_the_bound_key",
}


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


@pytest.fixture(autouse=True)
def _as_it_was(lab: labsim.Lab) -> Iterator[None]:
    yield
    lab.vary("base")
    lab.restore_records()


def tried(lab: labsim.Lab, by: str, doing: str) -> tuple[str, str]:
    haul = lab.attacker.steal(CLIENT, by="wiretap", doing=doing, at="orders")
    (row,) = lab.attacker.replay(haul, by=by, against="orders").to_dict("records")
    return row["outcome"], row["check"]


@pytest.mark.parametrize("binding", ["bearer", "dpop", "http_signature", "mtls"])
@pytest.mark.parametrize("by", DOING)
def test_a_changed_request_before_and_after_the_victims_own(
    lab: labsim.Lab, by: str, binding: str
) -> None:
    lab.bind(CLIENT, binding)
    doing = DOING[by]
    control = [row["outcome"] for row in lab.work_rows(CLIENT, "orders", doing=doing)]
    assert control == ["served"]
    no_connection = ("rejected", "certificate_is_shown")
    refusal = REFUSED.get((by, binding), "")
    spent = no_connection if binding == "mtls" else _ending(refusal or REPLAYED.get(binding, ""))
    assert tried(lab, by, doing) == spent
    lab.vary("unspent")
    assert tried(lab, by, doing) == (no_connection if binding == "mtls" else _ending(refusal))
    (own,) = lab.attacker.release()
    # A refused thief has spent nothing; a served one leaves the victim with the alarm.
    alarm = "" if refusal else REPLAYED.get(binding, "")
    expected = no_connection if binding == "mtls" else _ending(alarm)
    assert (own["outcome"], own["check"]) == expected
    if binding != "mtls" and refusal:
        assert tried(lab, "request_as_is", doing) == ("served", "")


def _ending(check: str) -> tuple[str, str]:
    return ("rejected", check) if check else ("served", "")


def test_a_thief_writes_what_it_likes_and_the_victim_finds_it(lab: labsim.Lab) -> None:
    lab.bind(CLIENT, "dpop")
    lab.vary("unspent")
    before = len(lab.work_rows(CLIENT, "orders")[0]["records"])
    assert tried(lab, "changed_body", "write") == ("served", "")
    lab.attacker.release()
    lab.work_rows(CLIENT, "orders")  # its token was refused: it gets another one
    (row,) = lab.work_rows(CLIENT, "orders")
    assert len(row["records"]) == before + 1
    assert "The thief wrote this." in row["answer"]
    lab.restore_records()
    assert len(lab.work_rows(CLIENT, "orders")[0]["records"]) == before


def test_a_widened_query_reads_more_than_the_victim_asked_for(lab: labsim.Lab) -> None:
    lab.bind(CLIENT, "dpop")
    lab.vary("unspent")
    haul = lab.attacker.steal(CLIENT, by="wiretap", doing="query", at="orders")
    (wide,) = lab.attacker.replay(haul, by="changed_query", against="orders").records
    lab.attacker.release()
    narrow = lab.work_rows(CLIENT, "orders", doing="query")[0]["records"]
    assert 0 < len(narrow) < wide == len(lab.plan.resource("orders").records)


def test_a_client_writes_where_its_scopes_allow_it(lab: labsim.Lab) -> None:
    assert [r["resource"] for r in lab.work_rows("fulfilment", doing="write")] == ["orders"]
    (row,) = lab.work_rows("fulfilment", "payments", doing="write")
    assert (row["outcome"], row["status"]) == ("rejected", 403)
    with pytest.raises(LabError, match="read, query, write"):
        lab.work("fulfilment", doing="magic")
    with pytest.raises(LabError, match="orders, payments"):
        lab.attacker.steal("fulfilment", by="wiretap", at="crm")
