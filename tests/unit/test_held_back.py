"""A request that was held back: the client's own is refused then, and the page and terminal say so."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from labsim.blast import measured
from labsim.stories.held_back import finding, held_back, held_back_text
from labsim.stories.report import report_html
from tests.unit import synthetic_attempts as run

type Rows = list[dict[str, Any]]
REPLAYED = ("rejected", "PROOF_REPLAYED", "jti_is_new", "RFC 9449 section 11.1")
NOT_SHOWN = ("rejected", "PROOF_MISSING", "certificate_is_shown", "RFC 8705 section 3")
SERVED = ("served", "", "", "")


def story(*cases: tuple[str, str, str, tuple[str, str, str, str]]) -> tuple[Rows, Rows]:
    """Return rows of the holding and attempts: replay, binding, the thief's outcome, the client's."""
    rows, attempts = [], []
    for number, (replay, binding, thief, own) in enumerate(cases, 1):
        attempts.append({"attempt": number, "replay": replay, "outcome": thief})
        outcome, reason, check, source = own
        rows.append(
            {
                "client": "app",
                "binding": binding,
                "custody": "none" if binding == "bearer" else "file",
                "attempts": (number,),
                "outcome": outcome,
                "reason": reason,
                "check": check,
                "source": source,
            }
        )
    return rows, attempts


ALL = story(
    ("hold_and_forward", "bearer", "served", SERVED),
    ("hold_and_forward", "dpop", "served", REPLAYED),
    ("hold_and_forward", "dpop", "served", REPLAYED),
    ("hold_and_forward", "mtls", "not_possible", NOT_SHOWN),
    ("changed_body", "dpop", "served", REPLAYED),
    ("changed_body", "http_signature", "rejected", SERVED),
)


def page(held: Any) -> str:
    """Return the report's text, without tags, on one line."""
    rows = run.rows()
    frame, holder = measured.attempts_frame(rows), pd.DataFrame(run.holder_rows())
    blast = measured.blast_radius(frame, run.exposed(rows), run.passing(), run.reachable())
    html = report_html(
        frame, blast, holder, run.exchanges(rows), charts=[], facts={"Seed": "7"}, held=held
    )
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_each_replay_and_binding_is_summed_up_once() -> None:
    held = {(each.replay, each.binding): each for each in held_back(*ALL)}
    assert list(held) == [
        ("changed_body", "dpop"),
        ("changed_body", "http_signature"),
        ("hold_and_forward", "bearer"),
        ("hold_and_forward", "dpop"),
        ("hold_and_forward", "mtls"),
    ]
    dpop = held["hold_and_forward", "dpop"]
    assert (dpop.count, dpop.served, dpop.refused) == (2, 2, 2)
    assert (dpop.thief, dpop.alarm) == ("served 2 of 2", "one proof came twice")
    assert dpop.holder == "refused 2 of 2 (proof was used before)"
    bearer = held["hold_and_forward", "bearer"]
    assert (bearer.holder, bearer.alarm) == ("served 1 of 1", "")
    spared = held["changed_body", "http_signature"]
    assert (spared.thief, spared.holder, spared.alarm) == ("rejected 1 of 1", "served 1 of 1", "")
    noisy = held["hold_and_forward", "mtls"]
    assert (noisy.thief, noisy.holder) == ("not possible 1 of 1", "refused 1 of 1 (no proof)")
    assert "could not prove" in noisy.alarm


def test_a_refusal_that_anybody_meets_is_no_alarm() -> None:
    late = ("rejected", "TOKEN_EXPIRED", "token_has_not_expired", "RFC 9068 section 4")
    (held,) = held_back(*story(("hold_and_forward", "dpop", "served", late)))
    assert (held.refused, held.alarm) == (1, "")
    assert finding([held]) == "The thief held requests back and sent them first."


def test_what_nobody_used_is_left_out() -> None:
    rows, attempts = story(("hold_and_forward", "dpop", "served", REPLAYED))
    rows.append({**rows[0], "attempts": ()})
    (held,) = held_back(rows, attempts)
    assert held.count == 1
    assert held_back([], attempts) == []
    assert finding([]) == held_back_text([]) == ""


def test_the_finding_says_who_was_warned_and_who_was_not() -> None:
    said = finding(held_back(*ALL))
    assert "With DPoP, the client's own request was then refused, as the replay" in said
    assert "that is an alarm" in said
    assert "With bearer, it was served as well, and nobody noticed" in said
    assert "With mTLS, it was refused whatever the thief did: an alarm too" in said
    silent = finding(held_back(*story(("hold_and_forward", "bearer", "served", SERVED))))
    assert "alarm" not in silent


@pytest.mark.parametrize("width", [72, 100, 140])
def test_the_terminal_says_it_as_the_alarm_that_it_is(width: int) -> None:
    text = held_back_text(held_back(*ALL), width=width)
    assert max(map(len, text.splitlines())) <= width
    whole = " ".join(text.split())
    assert "DPoP, key in a file: thief served 2 of 2; then the client refused 2 of 2" in whole
    assert whole.count("ALARM: one proof came twice") == 2
    assert "Bearer: thief served 1 of 1; then the client served 1 of 1" in whole


def test_the_report_has_a_table_of_it() -> None:
    text = page(held_back(*ALL))
    assert "What a client notices whose request was held back" in text
    assert "Alarm : one proof came twice (RFC 9449 section 11.1)" in text
    assert finding(held_back(*ALL)) in text.replace("&#39;", "'")
    assert "Served 1 of 1 Served 1 of 1 none" in text


def test_a_run_that_held_nothing_back_says_nothing_of_it() -> None:
    assert "held back" not in page([])
