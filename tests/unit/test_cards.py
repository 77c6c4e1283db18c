"""Cards: what is text stays text, and the colours are the page's own."""

from __future__ import annotations

from labsim.charts import cards

NASTY = '<img src=x onerror="alert(1)">'


def test_what_is_text_stays_text() -> None:
    rows = [{NASTY: NASTY}]
    page = cards.card(NASTY, NASTY, cards.paragraph(NASTY) + cards.block(NASTY, NASTY))
    page += cards.table(rows) + cards.heading(NASTY)
    assert "<img" not in page
    assert page.count("&lt;img") == 8


def test_code_in_a_paragraph_is_set_as_code() -> None:
    assert "<code>a &lt; b</code>" in cards.paragraph("Look at `a < b`.")


def test_no_rows_are_no_table() -> None:
    assert cards.table([]) == ""


def test_every_colour_is_the_pages_own_with_one_to_fall_back_on() -> None:
    colours = (cards.INK, cards.MUTED, cards.PAPER, cards.BAND, cards.LINE, cards.BRAND, cards.WARN)
    for colour in colours:
        assert colour.startswith("var(--jp-")
        assert ", #" in colour
