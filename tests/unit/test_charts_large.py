"""The pictures of a whole run over all axes: nothing overlaps, and nothing is lost by room."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest

from labsim.blast import measured
from labsim.blast.first_loot import CUSTODIES, YIELDS
from labsim.charts import blast_radius, cells, condensed, findings, matrix, style, words
from labsim.charts.estate_map import estate_map
from labsim.charts.picture import Picture
from labsim.estate import plan
from labsim.estate.plan import Plan
from tests.unit import synthetic_attempts as run
from tests.unit.test_charts import assert_readable, large, texts

PAIRS = [(binding, custody) for binding, kept in CUSTODIES.items() for custody in kept]
REPLAYS = words.ORDER["replay"]
TLS = "TLS was refused by 127.0.0.1:1 with the alert TLSV1_ALERT_UNKNOWN_CA."
ENDINGS: list[dict[str, Any]] = [
    {"outcome": "served", "records": 6},
    {"outcome": "rejected", "reason": "PROOF_TARGET_MISMATCH"},
    {"outcome": "refused_by_tls", "reason": TLS},
    {"outcome": "rejected", "reason": "TOKEN_AUDIENCE_MISMATCH"},
    {"outcome": "not_possible", "reason": "the loot has none"},
]
type Rows = list[dict[str, Any]]


def attempts(spread: int) -> pd.DataFrame:
    """Make a run over all axes; with spread 1 no column ends like another, with 0 all do."""
    rows: Rows = []
    pattern = run.rows()[0] | {"reason": "", "check": "", "status": None, "records": 0}
    for where in ("same_resource", "other_resource"):
        for theft_number, theft in enumerate(YIELDS):
            for place, (binding, custody) in enumerate(PAIRS):
                for number, replay in enumerate(REPLAYS):
                    nth = number + spread * (theft_number * 7 + place * 3 + number * place)
                    row = pattern | {"attempt": len(rows) + 1, "relation": where, "replay": replay}
                    row |= {"theft": theft, "binding": binding, "custody": custody}
                    rows.append(row | ENDINGS[nth % len(ENDINGS)])
    return measured.attempts_frame(rows)


def holders() -> pd.DataFrame:
    own = run.holder_rows()[0]
    return pd.DataFrame(
        [own | {"theft": t, "binding": b, "custody": c} for t in YIELDS for b, c in PAIRS]
    )


@cache
def drawn(spread: int) -> Picture:
    return matrix.picture(attempts(spread), holders())


def bars(records: dict[str, int]) -> pd.DataFrame:
    """Make bars of every theft, binding and custody; `records` by theft, 0 where none is named."""
    return pd.DataFrame(
        [
            {"theft": theft, "binding": binding, "custody": custody, "of": 120}
            | {"records": records.get(theft, 0) if binding != "mtls" else 0}
            | {"read_in_passing": 60 if theft == "wiretap" else 0, "resources": 1}
            for theft in YIELDS
            for binding, custody in PAIRS
        ]
    )


# The matrix.


@pytest.mark.parametrize("spread", [0, 1])
def test_nothing_overlaps_in_a_matrix_over_all_axes(spread: int) -> None:
    assert_readable(drawn(spread).figure)
    assert len(style.titled(drawn(spread).title, drawn(spread).figure.get_figwidth())[1]) <= 3


def test_columns_that_end_alike_are_drawn_once_and_every_attempt_is_counted() -> None:
    alike, different = drawn(0), drawn(1)
    assert alike.figure.get_figheight() < different.figure.get_figheight() / 4
    said = " ".join(text for text, _ in texts(alike.figure))
    assert "Compromised" in said.title()
    assert said.count("Bearer") == 1
    for picture in (alike, different):
        last = texts(picture.figure)[-1][0]
        assert f"{len(PAIRS) * len(YIELDS) * len(REPLAYS) * 2} in all" in last


def column(theft: str, binding: str, custody: str) -> cells.Column:
    return cells.Column(theft, binding, custody)


def test_custodies_come_together_before_thefts_and_bindings_never_do() -> None:
    columns = [
        column("wiretap", "dpop", "file"),
        column("wiretap", "dpop", "memory"),
        column("wiretap", "mtls", "file"),
        column("chat", "dpop", "file"),
        column("chat", "dpop", "memory"),
        column("chat", "mtls", "file"),
        column("commit", "dpop", "file"),
        column("commit", "dpop", "memory"),
        column("commit", "mtls", "file"),
    ]
    yes, no = (cells.cell([cells.Ending(end, "", "")]) for end in ("served", "unreachable"))
    row = (no, no, no, no, no, no, no, yes, no)
    found = condensed.together(columns, [row])
    assert [(each.thefts, each.binding, each.custodies) for each in found] == [
        (("wiretap", "chat"), "dpop", ("file", "memory")),
        (("wiretap", "chat"), "mtls", ("file",)),
        (("commit",), "dpop", ("file",)),
        (("commit",), "dpop", ("memory",)),
        (("commit",), "mtls", ("file",)),
    ]
    gathered = condensed.gathered(row, found)
    assert [cell.attempts for cell in gathered] == [4, 2, 1, 1, 1]
    assert [cell.look for cell in gathered] == [no.look] * 3 + [yes.look, no.look]


# The blast radius.


@pytest.mark.parametrize(
    "records", [{}, dict.fromkeys(YIELDS, 110), {t: 10 * n for n, t in enumerate(YIELDS)}]
)
def test_nothing_overlaps_in_a_blast_radius_over_all_axes(records: dict[str, int]) -> None:
    picture = blast_radius.picture(bars(records))
    assert_readable(picture.figure)
    assert len(style.titled(picture.title, picture.figure.get_figwidth())[1]) <= 3


def test_the_title_counts_thefts_where_it_has_no_room_to_name_them() -> None:
    mixed = {theft: 10 * number for number, theft in enumerate(YIELDS)}
    assert blast_radius.picture(bars(mixed)).title == (
        "Records were exposed by replay after 11 of 12 thefts with bearer, DPoP and HTTP signature "
        "and 0 of 12 thefts with mTLS."
    )
    assert blast_radius.picture(bars({})).title == (
        "No record was exposed by replay, after any theft, with any binding."
    )
    every = bars({}).assign(records=110)
    assert "110 of 120 with every binding after wiretap, log line" in (
        blast_radius.picture(every).title
    )


def test_bars_that_are_the_same_are_drawn_once() -> None:
    mine = findings.condensed(findings.bars(bars({"chat": 44, "ticket": 44})))
    assert [thefts for thefts, _ in mine] == [
        ("wiretap",),
        tuple(t for t in words.ORDER["theft"] if t not in ("wiretap", "ticket", "chat")),
        ("ticket", "chat"),
    ]
    for _, each in mine:
        assert [bar.custodies for bar in each] == [("none",), *[("file", "memory", "signer")] * 3]
    drawn_texts = [t for t, _ in texts(blast_radius.picture(bars({"chat": 44})).figure)]
    assert drawn_texts.count("44 of 120 by replay") == 3


# The map.


@pytest.fixture(scope="module")
def wide() -> Plan:
    return large(plan.load())


def test_a_large_map_keeps_every_robbed_client_and_counts_those_that_are_alike(wide: Plan) -> None:
    robbed = list(wide.clients)[:30]
    served = dict.fromkeys(wide.resources, 3)
    shown = estate_map(wide, stolen={name: list(YIELDS) for name in robbed}, served=served)
    assert_readable(shown.picture.figure)
    said = [text for text, _ in texts(shown.picture.figure)]
    assert said.count("robbed in 12 ways") == 30
    assert said.count("3 of 24 records") == 40
    # 200 clients call 40 servers, five each; of the first 30 servers' five one was robbed.
    assert (said.count("Bearer, 4 alike"), said.count("Bearer, 5 alike")) == (30, 10)
    assert shown.picture.figure.get_figheight() < 40


def test_clients_with_another_binding_or_other_calls_are_not_alike(wide: Plan) -> None:
    mine = {name: wide.clients[name] for name in list(wide.clients)[:36]}
    mine["c1"] = replace(mine["c1"], calls=mine["c0"].calls)
    mine["c2"] = replace(mine["c2"], calls=mine["c0"].calls)
    small = replace(wide, clients=MappingProxyType(mine))
    shown = estate_map(small, bindings={"c2": "dpop"})
    said = [text for text, _ in texts(shown.picture.figure)]
    assert said.count("Bearer, 2 alike") == 1
    assert (said.count("Bearer"), said.count("DPoP")) == (33, 1)
    assert_readable(shown.picture.figure)


def test_an_estate_of_the_usual_size_is_drawn_as_ever() -> None:
    shown = estate_map(plan.load(), stolen={"support-agent": list(YIELDS), "lead-sync": ["chat"]})
    said = [text for text, _ in texts(shown.picture.figure)]
    assert "agent" in said
    assert "robbed by chat" in said
    assert "robbed in 12 ways" in said
    assert "24 records" in said
