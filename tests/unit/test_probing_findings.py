"""What a probe says: exit status, table, JSON and JUnit XML, from results made by hand."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from labsim.catalogue.listed import catalogue
from labsim.catalogue.running import Result, Verdict
from labsim.catalogue.vector import Actor
from labsim.probing.findings import as_json, as_junit, exit_status, summary, table
from labsim.probing.probe import Block, BlockResult, blocks, for_a_stranger

BY_ID = {v.id: v for v in catalogue("dpop", Actor.RS)}


def found(*results: tuple[str, Verdict], failed: str = "") -> list[BlockResult]:
    vectors = tuple(BY_ID[id] for id, _ in results)
    block = Block("2. A section", "dpop", Actor.RS, vectors)
    made = tuple(Result(BY_ID[id], verdict, None, "so it is") for id, verdict in results)
    return [BlockResult(block, made, failed)]


STATUS = {
    "refused as it must be": ([("DB-06", Verdict.REFUSED), ("PC-01", Verdict.ACCEPTED)], 0),
    "accepted and must not be": ([("DB-06", Verdict.ACCEPTED)], 1),
    "refused and must not be": ([("PC-01", Verdict.REFUSED)], 1),
    "a policy row either way": ([("DH-04", Verdict.ACCEPTED), ("PC-11", Verdict.REFUSED)], 0),
    "a SHOULD accepted": ([("DR-09", Verdict.ACCEPTED)], 0),
    "no answer to what counts": ([("DB-06", Verdict.INCONCLUSIVE)], 2),
    "no answer to a policy row": ([("DB-06", Verdict.REFUSED), ("DH-04", Verdict.INCONCLUSIVE)], 0),
    "a finding beside no answer": ([("DB-06", Verdict.ACCEPTED), ("DB-12", Verdict.INCONCLUSIVE)], 1),
    "not sent": ([("DB-06", Verdict.REFUSED), ("AT-11", Verdict.NOT_APPLICABLE)], 0),
}  # fmt: skip


@pytest.mark.parametrize("what", STATUS)
def test_the_exit_status(what: str) -> None:
    results, status = STATUS[what]
    assert exit_status(found(*results)) == status
    assert as_json(found(*results), 1)["exit_status"] == status


def test_a_failed_control_is_inconclusive_and_nothing_at_all_too() -> None:
    assert exit_status(found(("DB-06", Verdict.REFUSED), failed="status 401")) == 2
    assert exit_status(found(("DB-06", Verdict.ACCEPTED), failed="status 401")) == 1
    assert exit_status([]) == 2


def test_the_table_marks_what_was_found_and_says_what_it_is_worth() -> None:
    results = found(
        ("DB-06", Verdict.ACCEPTED), ("DB-12", Verdict.REFUSED), ("DH-04", Verdict.ACCEPTED)
    )
    text = table(results)
    assert "! DB-06 " in text
    assert "What an attacker gains: a stolen token works with the thief's own key" in text.replace(
        "\n            ", " "
    )
    assert "Both answers conform" in text
    assert "DB-12" in text
    assert "DB-12" not in table(results, every_row=False)
    assert all(len(line) <= 72 for line in table(results, 72).splitlines())
    assert "DB-06 RS dpop a stolen token" in summary(results, 3)


def test_rows_that_were_not_sent_stand_together() -> None:
    results = found(("AT-11", Verdict.NOT_APPLICABLE), ("AT-12", Verdict.NOT_APPLICABLE))
    assert "not sent, as so it is: AT-11, AT-12" in table(results)
    assert table(results, every_row=False) == ""


def test_junit_says_how_each_row_ended() -> None:
    results = found(
        ("DB-06", Verdict.ACCEPTED),
        ("DB-12", Verdict.INCONCLUSIVE),
        ("AT-11", Verdict.NOT_APPLICABLE),
        ("DB-13", Verdict.REFUSED),
    )
    (suite,) = ElementTree.fromstring(as_junit(results).encode()).iter("testsuite")
    kinds = [[child.tag for child in case] for case in suite.iter("testcase")]
    assert kinds == [["failure"], ["error"], ["skipped"], []]
    counts = [suite.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["4", "1", "1", "1"]


def test_every_row_can_be_written_as_xml() -> None:
    for block in blocks(catalogue()):
        results = tuple(
            Result(v, Verdict.INCONCLUSIVE, None, "\0\x1b\ud800") for v in block.vectors
        )
        ElementTree.fromstring(as_junit([BlockResult(block, results)]).encode())


@pytest.mark.parametrize("binding", ["bearer", "dpop", "mtls", "http_signature"])
def test_a_stranger_is_asked_about_its_binding_and_its_tokens(binding: str) -> None:
    vectors = for_a_stranger(binding)
    assert {(v.binding, v.actor) for v in vectors} == {(binding, Actor.RS)}
    assert "AT-03" in {v.id for v in vectors}
    assert sum(len(b.vectors) for b in blocks(vectors)) == len(vectors)
    assert len({v.name for v in vectors}) == len(vectors)
