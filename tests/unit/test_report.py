"""The report and the terminal's tables: they say what the rows say, and nothing gets out."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from labsim.blast import measured
from labsim.charts import blast_radius, findings, matrix, words
from labsim.stories import exchange, report, tables
from tests.unit import synthetic_attempts as run

type Rows = list[dict[str, Any]]
FACTS = {"Seed": "7", "Python": "3.13", "Date": "some day"}


class Page(HTMLParser):
    """Collect what a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "col", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def rows_with_nonce() -> Rows:
    rows = run.rows()
    return rows + [
        row | {"attempt": row["attempt"] + len(rows), "variant": "nonce"} for row in rows
    ]


def report_of(
    rows: Rows, exchanges: dict[int, dict[str, Any]] | None = None, drawn: bool = False
) -> str:
    frame, holder = measured.attempts_frame(rows), pd.DataFrame(run.holder_rows())
    blast = measured.blast_radius(frame, run.exposed(rows), run.passing(), run.reachable())
    return report.report_html(
        frame,
        blast,
        holder,
        run.exchanges(rows) if exchanges is None else exchanges,
        charts=[matrix.picture(frame, holder), blast_radius.picture(blast)] if drawn else [],
        facts=FACTS,
    )


@pytest.fixture(scope="module")
def html() -> str:
    return report_of(rows_with_nonce(), drawn=True)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_is_well_formed(page: Page) -> None:
    assert page.wrong == []
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert page.all("html")[0]["lang"] == "en"


def test_nothing_is_fetched_from_anywhere(page: Page, html: str) -> None:
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            if name in ("src", "href", "action", "data", "poster", "srcset"):
                assert str(value).startswith(("#", "data:")), f"<{tag} {name}={value}>"
            assert not name.startswith("on")
    assert not page.all("script")
    assert not page.all("iframe")
    for match in re.finditer(r"url\(([^)]*)\)|@import", html):
        assert str(match[1]).startswith("#")
    policies = [meta.get("content") for meta in page.all("meta") if "http-equiv" in meta]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_only_loopback_and_the_svg_namespace_are_named(html: str) -> None:
    found = set(re.findall(r"https?://[^\s\"'<&/:]+", html))
    assert found <= {"http://www.w3.org", "https://127.0.0.1"}


def test_it_opens_with_the_finding(page: Page) -> None:
    text = " ".join(" ".join(page.text).split())
    frame = measured.attempts_frame(run.rows())
    finding = findings.of_matrix(
        findings.both(frame, pd.DataFrame(run.holder_rows()))[findings.SAME]
    )
    assert finding in text
    assert text.index(finding) < text.index("In two pictures") < text.index("Cell by cell")
    assert text.index("What this does not show") < text.index("How it was measured")
    for name, value in FACTS.items():
        assert f"{name} {value}" in text


def test_a_changed_row_changes_the_finding() -> None:
    rows = run.rows()
    for row in rows:
        if row["binding"] == "dpop":
            row |= {"outcome": "rejected", "reason": "PROOF_MISSING", "records": 0}
    changed = report_of(rows)
    assert "a stolen DPoP token was never served" in changed
    assert "a stolen DPoP token was never served" not in report_of(run.rows())


def test_it_follows_light_and_dark(html: str) -> None:
    assert "prefers-color-scheme:dark" in html
    assert "color-scheme:light dark" in html


def test_both_charts_are_there_with_their_alt_text(page: Page) -> None:
    pictures = page.all("svg")
    assert len(pictures) == 2
    assert all(each["role"] == "img" and len(str(each["aria-label"])) > 100 for each in pictures)


def test_the_matrix_is_a_table_with_headings(page: Page) -> None:
    matrices = [table for table in page.all("table") if table.get("class") == "matrix"]
    assert len(matrices) == 4  # two variants, each at the token's server and at another
    ids = [heading["id"] for heading in page.all("h3") if "id" in heading]
    assert [table["aria-labelledby"] for table in matrices] == ids
    scopes = {heading.get("scope") for heading in page.all("th")}
    assert scopes == {"row", "col", "colgroup"}


def test_every_cell_opens_by_keyboard(page: Page) -> None:
    cells = len(run.REPLAYS) * len(run.THEFTS) * len(run.COLUMNS) * 4
    assert len(page.all("details")) == len(page.all("summary")) == cells


def test_a_refusal_shows_its_three_views() -> None:
    row = next(row for row in run.rows() if row.get("check") == "jti_is_new")
    html = report_of([row])
    text = " ".join(" ".join(Page(html).text).split())
    wire = run.exchange(row)
    for part in (
        "HTTP/1.1 401 Unauthorized",
        'DPoP error="invalid_dpop_proof"',
        "reason PROOF_REPLAYED",
        "check jti_is_new",
        f"source {run.SOURCE}",
        "status 401 and the error code invalid_dpop_proof",
        "The access token, decoded",
        '"scope": "crm.read"',
        "The proof, decoded",
        '"typ": "dpop+jwt"',
    ):
        assert part in text
    assert wire["request"].splitlines()[2] in " ".join(Page(html).text)


def test_a_cell_that_was_not_possible_says_why() -> None:
    row = next(row for row in run.rows() if row["outcome"] == "not_possible")
    holder = run.rows()[0]
    text = " ".join(" ".join(Page(report_of([holder, row])).text).split())
    assert "could not be built: a bearer token asks for no proof." in text
    assert "Nothing was sent." in text


def test_a_cell_says_how_many_attempts_stand_behind_it() -> None:
    rows = [row for row in run.rows() if row["relation"] == "same_resource"]
    text = " ".join(" ".join(Page(report_of(rows)).text).split())
    assert "In this cell: 3 rejected (no proof)." in text
    sent = sum(row["outcome"] != "not_possible" for row in rows)
    assert f"Attempts {len(rows)}, of which {sent} could be built and sent" in text


HOSTILE = "</pre><script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)>\x00\x1b[2J\x9b"


def test_hostile_bytes_in_an_answer_stay_text() -> None:
    rows = run.rows()[:1]
    wire = run.exchange(rows[0])
    wire["response"] = f"HTTP/1.1 200 OK\r\nX: {HOSTILE}\r\n\r\n{HOSTILE}"
    wire["event"] |= {"detail": HOSTILE + "\u202e", HOSTILE: 1, "name": {"x": [HOSTILE]}}
    rows[0]["resource"] = HOSTILE
    frame, holder = measured.attempts_frame(rows), pd.DataFrame(run.holder_rows())
    exposed = {1: ["x"] * int(rows[0]["records"])}
    blast = measured.blast_radius(frame, exposed, [], run.reachable())
    html = report.report_html(frame, blast, holder, {1: wire}, charts=[], facts={HOSTILE: HOSTILE})
    found = Page(html)
    assert found.wrong == []
    assert not found.all("script")
    assert not found.all("img")
    hidden = [c for c in html if not (c.isprintable() or c == "\n")]
    assert hidden == []


def test_a_long_body_is_cut_and_counted() -> None:
    row = run.rows()[0]
    body = "x" * (exchange.LONGEST_BODY + 321)
    shown = exchange.view(
        measured_row(row), {"request": "", "response": f"HTTP/1.1 200\r\n\r\n{body}"}
    )
    assert shown.response.endswith("[321 more bytes]")
    assert len(shown.response) < exchange.LONGEST_BODY + 100


def measured_row(row: dict[str, Any]) -> dict[Any, Any]:
    (found,) = measured.attempts_frame([row]).to_dict("records")
    return found


@pytest.mark.parametrize(
    "text",
    ["", "a.b.c", "eyJ.eyJ.", "e30.W10.x", "AAAAAAAA.AAAA.", "%00.%00.%00", "A" * 9 + ".B" * 9],
)
def test_what_is_no_jwt_is_not_decoded(text: str) -> None:
    assert exchange.decoded(f"GET / HTTP/1.1\r\nAuthorization: Bearer {text}\r\n\r\n{text}") == []


def test_a_jwt_in_a_body_is_decoded_too() -> None:
    token = run.jwt({"alg": "ES256"}, {"iss": "\u202eclient"})
    (found,) = exchange.decoded(f"POST /token HTTP/1.1\r\n\r\nclient_assertion={token}")
    assert found.called == "In the body"
    assert "\\u202e" in found.claims


def test_an_attempt_whose_exchange_is_lost_is_still_shown() -> None:
    assert "Nothing was sent." in report_of(run.rows()[:1], exchanges={})


REFUSED = {
    "outcome": "refused_by_tls",
    "reason": "TLS was refused by 127.0.0.1:4711 with the alert TLSV1_ALERT_UNKNOWN_CA.",
}


def test_a_connection_that_tls_refused_shows_the_alert_and_the_listener_s_event() -> None:
    row = run.rows()[0] | {"outcome": "rejected"} | REFUSED | {"records": 0}
    event = {
        "decision": "refused_by_tls",
        "role": "listener",
        "detail": "CERTIFICATE_VERIFY_FAILED",
    }
    texts = []
    for its in (event, {}):
        html = report_of([row], exchanges={1: {"request": "", "response": "", "event": its}})
        texts.append(" ".join(" ".join(Page(html).text).split()))
    for text in texts:
        assert "TLSV1_ALERT_UNKNOWN_CA. In words: certificate not trusted." in text
        assert "No bytes to show" in text
        assert "Nothing was sent." not in text
    assert "detail CERTIFICATE_VERIFY_FAILED" in texts[0]
    assert "client's view only" in texts[1]
    assert "client's view only" not in texts[0]


def test_a_table_that_is_too_wide_is_parted_by_theft() -> None:
    rows = wide_rows()
    page = Page(report_of(rows))
    matrices = [table for table in page.all("table") if table.get("class") == "matrix"]
    assert len(matrices) == 2 * len(run.THEFTS)
    assert "stolen by log line" in " ".join(page.text)


def test_the_variants_are_a_table_too() -> None:
    rows = run.rows()
    for row in rows_with_nonce()[len(rows) :]:
        if row["replay"] == "own_proof" and row["outcome"] == "rejected":
            row |= {"outcome": "served", "status": 200, "records": 0, "reason": "", "check": ""}
        rows.append(row)
    html = report_of(rows)
    assert 'id="variants"' in html
    assert "Servers that ask for a nonce" in html
    assert "Nothing changes with: servers that ask for a nonce." in report_of(rows_with_nonce())


def test_an_estate_s_outcomes_that_nobody_knows_do_not_break_it() -> None:
    seen = exchange.view(measured_row(run.rows()[0] | {"outcome": "refused_by_tls"}), None)
    assert "no more is known" in seen.client_sees


# The terminal.


def texts(rows: Rows, **how: Any) -> tuple[str, str]:
    frame = measured.attempts_frame(rows)
    blast = measured.blast_radius(frame, run.exposed(rows), run.passing(), run.reachable())
    holder = pd.DataFrame(run.holder_rows())
    return tables.matrix_text(frame, holder, **how), tables.blast_text(blast, **how)


def wide_rows() -> Rows:
    """Make a run with seven columns for each theft, as the main job has."""
    rows = run.rows()
    more = [
        row | {"binding": binding, "attempt": row["attempt"] + len(rows) * number}
        for number, binding in enumerate(("mtls", "http_signature"), 1)
        for row in rows
        if row["binding"] == "dpop"
    ]
    return rows + more


@pytest.mark.parametrize("width", [72, 80, 120])
def test_seven_columns_stand_in_one_strip_with_numbers_for_why(width: int) -> None:
    text = tables.matrix_text(
        measured.attempts_frame(wide_rows()), pd.DataFrame(run.holder_rows()), width=width
    )
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    (first, *_) = [line.split()[-7:] for line in lines if line.startswith("  present the token as")]
    assert first == ["●", *["✕1"] * 6] if width >= 80 else first[0]
    assert "Why: 1 no proof; 2 " in text
    assert text.index("present the token") < text.index("Cannot be built from this: ")


@pytest.mark.parametrize("width", [72, 100, 160])
def test_the_tables_keep_to_their_width(width: int) -> None:
    for text in texts(run.rows(), width=width):
        assert max(len(line) for line in text.splitlines()) <= width


def test_the_matrix_starts_with_the_holder_and_merges_what_is_alike() -> None:
    text, _ = texts(run.rows())
    blocks = text.split("Stolen by ")[1:]
    assert [block.split(" (")[0] for block in blocks] == ["wiretap", "container files"]
    first = next(line for line in blocks[0].splitlines() if "●" in line)
    assert first.split("  ")[1] == words.HOLDER
    assert "DPoP, key in a file or in" in blocks[0]
    assert "✕ no proof" in text
    assert "◇ token is for another server" in text


def test_every_cell_is_told_as_it_was_measured() -> None:
    rows = run.rows()
    for row in rows:
        if (row["theft"], row["replay"]) == ("log_line", "own_proof") and row["binding"] == "dpop":
            row |= {"outcome": "unreachable", "reason": "connection refused"}
    assert "? unreachable" in texts(rows)[0]
    assert "? unreachable" not in texts(run.rows())[0]


def test_a_terminal_without_glyphs_gets_letters() -> None:
    for text in texts(run.rows(), encoding="ascii"):
        assert text.isascii()
    assert "# served" in texts(run.rows(), encoding="ascii")[0]


def test_the_blast_radius_in_text_has_the_numbers() -> None:
    _, text = texts(run.rows())
    lines = [line.split() for line in text.splitlines()]
    assert ["bearer", "████████████░░░░░░░░", "14", "of", "23", "6", "2"] in lines
    assert sum(line[-5:-2] == ["0", "of", "23"] for line in lines) == 4
