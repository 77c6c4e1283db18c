"""The charts: what they say comes from the rows, nothing overlaps, and everyone can read them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from labsim.blast import measured
from labsim.charts import blast_radius, cells, findings, matrix, palette, style, words
from labsim.charts.estate_map import EstateMap, estate_map
from labsim.charts.picture import Picture
from labsim.charts.words import SIGNS, Look
from labsim.errors import LabError
from labsim.estate import plan
from labsim.estate.plan import Plan
from labsim.rejection import Reason
from labsim.rooms import names
from tests.unit import synthetic_attempts as run

type Rows = list[dict[str, Any]]


def of_matrix(rows: Rows, holder: Rows | None = None) -> Picture:
    own = run.holder_rows() if holder is None else holder
    return matrix.picture(measured.attempts_frame(rows), pd.DataFrame(own))


def of_blast(rows: Rows) -> Picture:
    frame = measured.attempts_frame(rows)
    table = measured.blast_radius(frame, run.exposed(rows), run.passing(), run.reachable())
    return blast_radius.picture(table)


@cache
def base_matrix() -> Picture:
    return of_matrix(run.rows())


@cache
def base_blast() -> Picture:
    return of_blast(run.rows())


def said_of_matrix(rows: Rows, holder: Rows | None = None) -> str:
    own = pd.DataFrame(run.holder_rows() if holder is None else holder)
    return findings.of_matrix(findings.both(measured.attempts_frame(rows), own)[findings.SAME])


def said_of_blast(rows: Rows) -> str:
    frame = measured.attempts_frame(rows)
    table = measured.blast_radius(frame, run.exposed(rows), run.passing(), run.reachable())
    return findings.of_bars(findings.bars(table))


def changed(where: Callable[[dict[str, Any]], bool], **change: Any) -> Rows:
    return [row | (change if where(row) else {}) for row in run.rows()]


def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    # Placed in inches, so nothing has to be painted to know where it is.
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    # Nor are there axes to be seen, whose ticks would be made only to be looked at here.
    children = [child for axes in figure.axes for child in axes.get_children()]
    drawn = [child for child in (*figure.texts, *children) if not isinstance(child, Axis)]
    every: list[Any] = [text for child in drawn for text in child.findobj(Text)]
    found = [text for text in every if text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in found]


def assert_readable(figure: Figure) -> None:
    """Assert that no text lies on another or leaves the card."""
    found = texts(figure)
    width, height = figure.canvas.get_width_height()
    for text, box in found:
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
        assert inside, f"{text!r} leaves the picture"
    ordered = sorted(found, key=lambda pair: pair[1].x0)
    for number, (text, box) in enumerate(ordered):
        for other, its in ordered[number + 1 :]:
            if its.x0 >= box.x1:
                break
            # A line's box is as high as its font; neighbours may share that, letters may not.
            apart = min(box.y1, its.y1) - max(box.y0, its.y0) < 2
            assert apart or min(box.x1, its.x1) - max(box.x0, its.x0) < 1, f"{text!r} on {other!r}"


# What the titles say.


def test_the_matrix_title_says_which_replays_got_in() -> None:
    title = said_of_matrix(run.rows())
    assert title == (
        "A stolen bearer token was served just as it is; a stolen DPoP token only to a thief "
        "with the key or the client's credential."
    )
    assert base_matrix().title == title
    assert base_matrix().alt.startswith(title)


def test_a_changed_row_changes_the_matrix_title() -> None:
    served = changed(
        lambda row: row["replay"] == "own_proof" and row["outcome"] == "rejected",
        outcome="served",
        status=200,
        reason="",
        records=1,
    )
    assert words.replay("own_proof") in said_of_matrix(served)
    never = changed(
        lambda row: row["binding"] == "dpop", outcome="rejected", reason="PROOF_MISSING"
    )
    assert "a stolen DPoP token was never served" in said_of_matrix(never)


def test_what_cannot_be_built_is_no_merit_of_the_binding() -> None:
    nothing = changed(lambda row: row["binding"] == "dpop", outcome="not_possible", reason="why")
    assert "no replay of a stolen DPoP token could be built" in said_of_matrix(nothing)


def test_a_holder_that_is_refused_is_in_the_title() -> None:
    assert "But" not in said_of_matrix(run.rows())
    holder = run.holder_rows()
    for row in holder:
        if row["theft"] == "wiretap":
            row["outcome"] = "rejected"
    title = said_of_matrix(run.rows(), holder)
    assert "the holder itself was not served in 3 of 9 columns" in title
    elsewhere = [row | {"variant": "another"} for row in holder]
    assert "not served in 9 of 9" in said_of_matrix(run.rows(), elsewhere)


def test_the_blast_radius_title_and_alt_text_have_the_numbers() -> None:
    picture = base_blast()
    assert "14 of 23 with bearer and 0 of 23 with DPoP after wiretap and log line" in picture.title
    assert "23 of 23 with every binding after container files" in picture.title
    assert "DPoP, key in memory 0 of 23 by replay, 6 of 23 read in passing" in picture.alt
    drawn = [text for text, _ in texts(picture.figure)]
    assert drawn.count("0 of 23 by replay") == 2  # file and memory came to the same
    assert drawn.count("6 of 23 read in passing") == 2
    assert drawn.count("key in a file or in memory") == 3
    assert "failed" not in picture.alt


def four_bindings(rows: Rows) -> Rows:
    """Return rows in which every binding ends as DPoP does."""
    return rows + [
        row | {"binding": binding, "attempt": row["attempt"] + len(rows) * number}
        for number, binding in enumerate(("mtls", "http_signature"), 1)
        for row in rows
        if row["binding"] == "dpop"
    ]


def test_the_titles_of_four_bindings_take_two_lines() -> None:
    rows = four_bindings(run.rows())
    holder = [row for row in run.holder_rows() if row["binding"] == "dpop"]
    own = run.holder_rows() + [
        row | {"binding": each} for row in holder for each in ("mtls", "http_signature")
    ]
    for picture in (of_matrix(rows, own), of_matrix(rows), of_blast(rows)):
        _, lines = style.titled(picture.title, picture.figure.get_figwidth())
        assert len(lines) <= 2
        assert "…" not in lines[-1]
    assert "a stolen DPoP, mTLS or HTTP signature token" in said_of_matrix(rows, own)


def test_what_no_theft_yields_is_named_and_takes_no_row() -> None:
    drawn = " ".join(text for text, _ in texts(of_matrix(four_bindings(run.rows())).figure))
    assert "Cannot be built from what was stolen: sign with the stolen key;" in drawn
    assert drawn.count("Sign with the stolen key") == 1  # a row only where there is a key


def test_a_victim_whose_own_requests_fail_is_told_at_its_bar() -> None:
    frame = measured.attempts_frame(run.rows())
    bare = measured.blast_radius(frame, run.exposed(run.rows()), [], run.reachable())
    row = {"theft": "wiretap", "custody": "memory", "binding": "dpop", "variant": "base"}
    robbed = [row | {"requests": 2, "failed": 2}] * 2
    picture = blast_radius.picture(findings.with_victims(bare, robbed))
    note = "0 read in passing: the victim's own requests failed"
    assert [text for text, _ in texts(picture.figure)].count(note) == 1
    assert f"DPoP, key in memory 0 of 23 by replay, {note}" in picture.alt
    assert_readable(picture.figure)
    some = findings.with_victims(bare, [row | {"requests": 2, "failed": 1}])
    assert "1 of 2 of the victim's own requests failed" in blast_radius.picture(some).alt
    served = findings.with_victims(bare, [row | {"requests": 2, "failed": 0}])
    assert "failed" not in blast_radius.picture(served).alt
    another = findings.with_victims(bare, [row | {"failed": 2, "requests": 2, "variant": "nonce"}])
    assert "failed" not in blast_radius.picture(another).alt


def test_a_newcomer_meets_the_simplest_replays_first() -> None:
    replays = words.in_order("replay", sorted(names("labsim.replays")))
    assert replays[0] == "token_as_is"
    assert replays[-2:] == ["stolen_key", "new_token_for_own_key"]
    certificates = [n for n, name in enumerate(replays) if "certificate" in name]
    assert certificates == list(range(certificates[0], certificates[0] + 3))


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "TLS was refused by 127.0.0.1:1 with the alert TLSV1_ALERT_UNKNOWN_CA.",
            "certificate not trusted",
        ),
        (
            "TLS was refused by a:1 with the alert SSLV3_ALERT_HANDSHAKE_FAILURE.",
            "handshake failure",
        ),
        ("This client refused the certificate of 127.0.0.1:1: expired.", "by the client"),
        ("reset the connection; the alert that says why was lost.", "alert was lost"),
        ("something else", ""),
    ],
)
def test_a_tls_alert_is_told_in_words(reason: str, said: str) -> None:
    assert words.alert(reason) == words.alert(words.without_address(reason)) == said
    cell = cells.cell([cells.Ending("refused_by_tls", reason, "")])
    assert (cell.look, cell.why) == (Look.REFUSED_BY_TLS, said)


def test_a_changed_row_changes_the_blast_radius_title() -> None:
    rows = changed(
        lambda row: (row["theft"], row["binding"]) == ("wiretap", "bearer"),
        outcome="rejected",
        records=0,
    )
    assert "0 of 23 with every binding after wiretap" in said_of_blast(rows)


def test_custodies_that_differ_are_a_range() -> None:
    rows = changed(
        lambda row: (row["theft"], row["custody"]) == ("container_files", "memory"),
        outcome="rejected",
        records=0,
    )
    assert "0 to 23 of 23 with DPoP after container files" in said_of_blast(rows)


def test_nothing_to_draw_is_said_and_not_drawn() -> None:
    with pytest.raises(LabError, match="no attempts"):
        of_matrix([])
    with pytest.raises(LabError, match="no blast radius"):
        blast_radius.picture(pd.DataFrame(columns=list(measured.BLAST_RADIUS_DTYPES)))


def test_clients_that_call_one_server_only_need_no_second_panel() -> None:
    rows = [row for row in run.rows() if row["relation"] == "same_resource"]
    drawn = [text for text, _ in texts(of_matrix(rows).figure)]
    assert findings.SAME in drawn
    assert findings.OTHER not in drawn


def test_a_theft_that_was_tried_at_no_other_server_has_no_panel_of_them() -> None:
    rows, holder = many()
    reasons = dict(zip(MANY_THEFTS, (reason for reason, *_ in run.REFUSED.values()), strict=True))
    # Alike with every custody, so that fewer columns are drawn than there are.
    alike = [row | {"outcome": "rejected", "reason": reasons[row["theft"]]} for row in rows]
    here_only = MANY_THEFTS[-1]
    elsewhere = [row | {"relation": "other_resource"} for row in alike]
    drawn = [text for text, _ in texts(of_matrix(alike + elsewhere, holder).figure)]
    assert drawn.count(findings.OTHER) == drawn.count(findings.SAME) == 3
    elsewhere = [row for row in elsewhere if row["theft"] != here_only]
    drawn = [text for text, _ in texts(of_matrix(alike + elsewhere, holder).figure)]
    assert (drawn.count(findings.SAME), drawn.count(findings.OTHER)) == (3, 2)


# What a cell is.


def ending(outcome: str, reason: str = "") -> cells.Ending:
    return cells.Ending(outcome, reason, "some_check" if reason else "")


def test_a_cell_with_anything_served_never_reads_as_a_refusal() -> None:
    cell = cells.cell([ending("rejected", "PROOF_MISSING")] * 4 + [ending("served")], range(1, 6))
    assert (cell.look, cell.word, cell.exemplar) == (Look.SERVED_IN_PART, "served 1 of 5", 5)
    assert cell.attempts == 5


def test_a_cell_with_several_reasons_says_so() -> None:
    pair = [ending("rejected", "PROOF_MISSING"), ending("rejected", "PROOF_REPLAYED")]
    assert cells.cell([pair[0], *pair]).why == "no proof, and 1 more"
    assert cells.cell(pair[:1] * 3).why == "no proof"


def test_what_could_not_be_built_gives_way_to_what_was_tried() -> None:
    cell = cells.cell([ending("not_possible")] * 9 + [ending("served")])
    assert (cell.look, cell.attempts) == (Look.SERVED, 10)
    assert cells.cell([ending("not_possible")]).look is Look.NOT_POSSIBLE
    assert cells.cell([]).look is Look.NOT_MEASURED


def test_an_unreachable_server_is_no_refusal() -> None:
    pair = [ending("unreachable"), ending("unreachable"), ending("rejected", "PROOF_MISSING")]
    assert cells.cell(pair).word == "unreachable 2 of 3"


@pytest.mark.parametrize(
    ("reason", "look"),
    [
        ("SCHEME_MISMATCH", Look.REJECTED_BY_BINDING),
        ("BINDING_MISMATCH", Look.REJECTED_BY_BINDING),
        ("PROOF_REPLAYED", Look.REJECTED_BY_BINDING),
        ("NONCE_REQUIRED", Look.REJECTED_BY_BINDING),
        ("TOKEN_AUDIENCE_MISMATCH", Look.REJECTED_OTHERWISE),
        ("TOKEN_EXPIRED", Look.REJECTED_OTHERWISE),
        ("SCOPE_INSUFFICIENT", Look.REJECTED_OTHERWISE),
        ("CLIENT_CREDENTIAL_INVALID", Look.REJECTED_OTHERWISE),
        ("UNAVAILABLE", Look.REJECTED_OTHERWISE),
    ],
)
def test_only_the_bindings_own_reasons_are_its_merit(reason: str, look: Look) -> None:
    assert words.look("rejected", reason) is look
    assert words.look("rejected", reason.lower()) is look


def test_every_reason_there_is_has_words() -> None:
    assert set(words.REASONS) == {reason.name for reason in Reason}
    assert all(len(said.split()) <= 5 for said in words.REASONS.values())


def test_every_look_has_a_glyph_and_letters_of_its_own() -> None:
    assert set(SIGNS) == set(Look)
    assert len({sign.glyph for sign in SIGNS.values()}) == len(Look)
    assert len({sign.ascii for sign in SIGNS.values()}) == len(Look)
    assert all(sign.ascii.isascii() for sign in SIGNS.values())


def test_a_name_that_nobody_knows_yet_still_reads() -> None:
    assert words.replay("hold_and_forward_x") == "hold and forward x"
    assert words.binding("new_thing") == "new thing"
    assert words.why("NEW_REASON", "key_is_warm") == "not so: key is warm"
    assert palette.mark("new_thing") == palette.mark("new_thing")


def test_rows_that_ended_alike_are_one_and_nothing_is_lost() -> None:
    frame = measured.attempts_frame(run.rows())
    grid = cells.grid(frame, pd.DataFrame(run.holder_rows()), "other_resource")
    merged = cells.merged(grid.rows)
    assert sorted(len(row.replays) for row in merged) == [1, 6]

    def count(rows: tuple[cells.Row, ...]) -> int:
        return sum(cell.attempts for row in rows for cell in row.cells)

    assert count(merged) == count(grid.rows)


# How pictures look.


def test_no_binding_looks_like_another_and_no_outcome_is_red_or_green() -> None:
    marks = [palette.mark(name) for name in ("bearer", "dpop", "mtls", "http_signature")]
    for part in ("colour", "marker", "hatch"):
        assert len({getattr(mark, part) for mark in marks}) == len(marks)
    for colours in (palette.LIGHT, palette.DARK):
        for name in ("served", "bound", "other"):
            red, green, blue = (int(colours[name][n : n + 2], 16) for n in (1, 3, 5))
            assert abs(red - green) < 16, f"{name} is red or green"
            assert blue >= min(red, green) - 16


def test_every_colour_can_be_told_apart_by_its_text() -> None:
    assert len(set(palette.LIGHT.values())) == len(palette.LIGHT) == len(palette.DARK)
    assert set(palette.LIGHT) == set(palette.DARK)


@pytest.mark.parametrize("colours", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(colours: dict[str, str]) -> None:
    def light(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    pairs = [("ink", each) for each in ("paper", "band", "bound", "other")]
    pairs += [("on-served", "served"), ("muted", "paper"), ("muted", "band")]
    for front, back in pairs:
        low, high = sorted((light(colours[front]), light(colours[back])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{front} on {back}"


MANY_THEFTS = [f"theft_number_{n}" for n in range(5)]


def many() -> tuple[Rows, Rows]:
    """Make a run with five thefts and ten columns each."""
    pairs = [("bearer", "none")]
    pairs += [
        (b, c) for b in ("dpop", "mtls", "http_signature") for c in ("file", "memory", "signer")
    ]
    outcomes = ["served", "rejected", "refused_by_tls", "unreachable", "not_possible"]
    rows = [
        run.rows()[0]
        | {"attempt": n, "theft": theft, "binding": binding, "custody": custody, "replay": replay}
        | {"outcome": outcomes[n % 5], "reason": list(words.REASONS)[n % len(words.REASONS)]}
        for n, (theft, (binding, custody), replay) in enumerate(
            (theft, pair, replay)
            for theft in MANY_THEFTS
            for pair in pairs
            for replay in run.REPLAYS
        )
    ]
    holder = [
        run.holder_rows()[0] | {"theft": theft, "binding": binding, "custody": custody}
        for theft in MANY_THEFTS
        for binding, custody in pairs
    ]
    return rows, holder


def test_nothing_overlaps_in_the_matrix() -> None:
    assert_readable(base_matrix().figure)


def test_nothing_overlaps_in_a_matrix_of_50_columns() -> None:
    assert_readable(of_matrix(*many()).figure)


def test_nothing_overlaps_in_the_blast_radius() -> None:
    assert_readable(base_blast().figure)


@pytest.mark.parametrize("most", [0, 1, 120, 1_000_000])
def test_nothing_overlaps_in_a_blast_radius_of_any_size(most: int) -> None:
    rows = [
        {"theft": theft, "binding": b, "custody": "file", "of": most, "records": most // (n + 1)}
        | {"read_in_passing": most if n % 2 else 0, "resources": 1}
        for n, theft in enumerate(MANY_THEFTS)
        for b in ("bearer", "dpop", "mtls", "http_signature", "a_binding_with_a_long_name")
    ]
    assert_readable(blast_radius.picture(pd.DataFrame(rows)).figure)


def test_a_user_s_own_style_changes_nothing() -> None:
    before = base_blast().svg
    with mpl.rc_context({"axes.facecolor": "black", "text.color": "white", "font.size": 30}):
        assert of_blast(run.rows()).svg == before


# The SVG.


@pytest.mark.parametrize("draw", [of_matrix, of_blast], ids=["matrix", "blast_radius"])
def test_the_svg_is_small_always_the_same_and_says_what_it_shows(draw: Any) -> None:
    first, second = draw(run.rows()), draw(run.rows())
    assert first.svg == second.svg
    assert len(first.svg) < 160_000
    root = ElementTree.fromstring(first.svg)
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.findtext(f"{space}title") == first.title
    assert root.findtext(f"{space}desc") == first.alt
    assert first.title in str(root.get("aria-label"))
    for gone in ("<metadata", "<!--", "date", "matplotlib", "<text"):
        assert gone not in first.svg


def test_two_pictures_in_one_page_share_no_ids() -> None:
    def ids(picture: Picture) -> set[str]:
        found = [each.get("id") for each in ElementTree.fromstring(picture.svg).iter()]
        assert len(list(filter(None, found))) == len(set(filter(None, found)))
        return {each for each in found if each}

    first, second = base_matrix(), base_blast()
    assert not ids(first) & ids(second)
    used = {part.split('"')[0] for part in first.svg.split('href="#')[1:]}
    assert used <= ids(first)


def test_the_card_is_opaque_and_its_colours_follow_a_page_that_has_them() -> None:
    picture = base_blast()
    assert palette.LIGHT["paper"] in picture.svg
    assert "var(" not in picture.svg
    for name in ("paper", "ink", "muted", "line"):
        assert f"var(--{name},{palette.LIGHT[name]})" in picture.themed_svg
        assert f"--{name}:{palette.DARK[name]}" in palette.css()


def test_names_from_an_estate_cannot_break_the_svg() -> None:
    picture = base_blast()
    hostile = Picture(picture.figure, '<script>"&', 'a < b --> & "c" \'')
    root = ElementTree.fromstring(hostile.svg)
    assert root.findtext("{http://www.w3.org/2000/svg}desc") == 'a < b --> & "c" \''


def test_a_notebook_gets_an_image_with_its_alt_text() -> None:
    picture = base_blast()
    bundle = picture._repr_mimebundle_()
    image = ElementTree.fromstring(bundle["text/html"])[0]
    assert image.get("alt") == picture.alt
    assert str(image.get("src")).startswith("data:image/svg+xml;base64,")
    assert picture.title in bundle["text/plain"]


def test_dollar_signs_are_text_and_no_formula() -> None:
    figure, axes = style.sheet(4, 1)
    style.write(axes, 0.2, 0.5, "costs $5 and $6")
    assert_readable(figure)


@pytest.mark.parametrize("bold", [False, True])
def test_a_line_is_as_wide_as_its_words_and_spaces(bold: bool) -> None:
    line = "AV Ta f. “stolen” key’s 1,000 of  60 — PROOF_REPLAYED;  To Wa "
    font = get_font(findfont(FontProperties(family=style.FONT, weight="bold" if bold else None)))
    for size in (7.5, 8.5, 12.5):
        font.set_size(size, 72)
        for end in range(len(line)):
            font.set_text(line[:end])
            whole = font.get_width_height()[0] / 64 / 72
            if not line[:end].endswith(" "):
                assert style.text_width(line[:end], size, bold) == pytest.approx(whole, abs=1e-3)


@pytest.mark.parametrize("width", [0.3, 1.0, 2.5])
def test_wrapped_text_fits(width: float) -> None:
    text = "an unbreakably-long-word-that-goes-on and many short ones that fit side by side"
    lines = style.wrapped(text, width, 8, 3)
    assert len(lines) <= 3
    assert all(style.text_width(line, 8) <= width for line in lines)
    assert style.wrapped("short", 2, 8, 1) == ["short"]


# The map.


@pytest.fixture(scope="module")
def lab_plan() -> Plan:
    return plan.load()


def large(lab_plan: Plan) -> Plan:
    """Make an estate of 40 resource servers and 200 clients with long names."""
    one, client = lab_plan.resource("crm"), lab_plan.client("support-agent")
    resources = {
        f"r{n}": replace(
            one, name=f"r{n}", title=f"A resource server with a long name {n}", zone=f"z{n // 6}"
        )
        for n in range(40)
    }
    clients = {
        f"c{n}": replace(
            client,
            name=f"c{n}",
            title=f"A client with quite a long name {n}",
            calls=(f"r{n % 40}",),
        )
        for n in range(200)
    }
    return replace(
        lab_plan, resources=MappingProxyType(resources), clients=MappingProxyType(clients)
    )


def busy(lab_plan: Plan) -> EstateMap:
    return estate_map(
        lab_plan,
        bindings={"support-agent": "dpop", "ops-console": "mtls", "lead-sync": "http_signature"},
        custodies={"support-agent": "memory"},
        stolen={"support-agent": ["wiretap", "log_line"], "ci-runner": names("labsim.thefts")},
        served={"deploy": 12, "vault": 12, "crm": 0},
    )


def test_nothing_overlaps_on_the_map(lab_plan: Plan) -> None:
    assert_readable(estate_map(lab_plan).picture.figure)
    assert_readable(busy(lab_plan).picture.figure)


def test_nothing_overlaps_on_a_map_of_40_resource_servers(lab_plan: Plan) -> None:
    wide = large(lab_plan)
    served = dict.fromkeys(wide.resources, 3)
    assert_readable(estate_map(wide, stolen=list(wide.clients)[:30], served=served).picture.figure)


def test_the_map_says_what_fell(lab_plan: Plan) -> None:
    shown = busy(lab_plan)
    assert shown.title == (
        "2 of 7 clients robbed; 2 of 7 resource servers served the attacker 24 of 120 records."
    )
    assert "Support agent (DPoP, key in memory) calls" in shown.alt
    assert "robbed by wiretap, log line" in shown.alt
    assert repr(shown) == shown.alt  # in a terminal
    assert "Customer records: served the attacker 0 of 24 records" in shown.alt


def test_the_map_takes_names_alone_too(lab_plan: Plan) -> None:
    shown = estate_map(lab_plan, stolen={"ci-runner"}, served={"vault"})
    assert shown.title == "1 of 7 clients robbed; 1 of 7 resource servers served the attacker."
    assert "nothing has been stolen" in estate_map(lab_plan).title


def test_the_map_shows_a_part_when_asked(lab_plan: Plan) -> None:
    shown = estate_map(lab_plan, only=["ci-runner", "vault"])
    assert [client.name for client in shown.clients] == ["ci-runner"]
    assert [resource.name for resource in shown.resources] == ["vault"]
    assert shown.mermaid.count("-->") == 1
    assert_readable(shown.picture.figure)


def test_a_map_of_one_theft_has_three_boxes(lab_plan: Plan) -> None:
    only, gone = ["ci-runner", "deploy"], ["ci-runner"]
    shown = estate_map(lab_plan, only=only, stolen=gone, served=["deploy"], issuer=False)
    assert shown.title == "1 client robbed; 1 resource server served the attacker."
    boxes = [line for line in shown.mermaid.splitlines() if re.match(r"\s*\w+[\[({]+\"", line)]
    assert len(boxes) == 3
    assert "subgraph" not in shown.mermaid
    assert_readable(shown.picture.figure)
    whole = estate_map(lab_plan, only=only, stolen=gone)
    assert "as -. tokens .-> c0" in whole.mermaid


def test_a_name_that_is_not_in_the_plan_is_refused(lab_plan: Plan) -> None:
    with pytest.raises(LabError, match="no client or resource called 'nobody'"):
        estate_map(lab_plan, stolen=["nobody"])


def test_the_notebook_gets_mermaid_svg_and_text_but_no_html(lab_plan: Plan) -> None:
    bundle = busy(lab_plan)._repr_mimebundle_()
    assert list(bundle) == ["text/vnd.mermaid", "image/svg+xml", "text/plain"]
    text = bundle["text/vnd.mermaid"]
    assert "accTitle: 2 of 7 clients" in text
    assert "accDescr: " in text
    assert text.count("subgraph ") - text.count("direction") == text.split().count("end")


def test_links_have_the_colour_of_their_binding(lab_plan: Plan) -> None:
    lines = busy(lab_plan).mermaid.splitlines()
    links = [line for line in lines if "-->" in line or "-. " in line or "==>" in line]
    (style_line,) = [line for line in lines if palette.mark("mtls").colour in line]
    (place,) = style_line.split()[1].split(",")
    assert "mTLS" in links[int(place)]


def test_a_title_cannot_end_its_box_in_mermaid(lab_plan: Plan) -> None:
    client = replace(lab_plan.client("storefront"), title='x"] --> evil["<img src=x>')
    clients = MappingProxyType({**lab_plan.clients, "storefront": client})
    text = estate_map(replace(lab_plan, clients=clients)).mermaid
    (line,) = [line for line in text.splitlines() if line.strip().startswith("c0[")]
    assert line.count('"') == 2
    assert "<img" not in line


def test_charts_are_not_imported_before_they_are_drawn(tmp_path: Path) -> None:
    code = (
        "import sys, labsim.charts, labsim.blast, labsim.charts.words, labsim.charts.findings, "
        "labsim.charts.estate_map, labsim.stories.tables, labsim.stories.exchange\n"
        "print([m for m in ('matplotlib', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"


def test_pyplot_is_never_imported() -> None:
    code = (
        "import sys, labsim.charts.matrix, labsim.charts.blast_radius, "
        "labsim.charts.estate_picture\nprint('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "False"
