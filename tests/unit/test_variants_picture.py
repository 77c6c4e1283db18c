"""What the variants change: computed from the attempts, drawn so that nothing overlaps."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.figure import Figure

from labsim.blast import measured
from labsim.charts import differences, palette, style, variants, words
from labsim.charts.words import Look
from labsim.estate.variants import VARIANTS
from labsim.stories.variant_table import variants_text
from tests.unit import synthetic_attempts as run
from tests.unit.test_charts import assert_readable, texts

type Rows = list[dict[str, Any]]
CHANGED = [("own_proof", "wiretap"), ("own_proof", "log_line"), ("token_as_is", "log_line")]
SERVED = {"outcome": "served", "status": 200, "reason": "", "check": "", "records": 1}


def varied(
    variant: str, change: dict[str, Any] | None = None, replay: str = "request_as_is"
) -> Rows:
    """Return the run of one client under a variant; `change` is what DPoP's `replay` comes to."""
    result = []
    for row in run.rows():
        if row["client"] != "fulfilment" or row["theft"] != "wiretap":
            continue
        mine = (row["binding"], row["replay"], row["relation"]) == ("dpop", replay, "same_resource")
        result.append(row | {"variant": variant} | (change if change and mine else {}))
    return result


def numbered(*parts: Rows) -> pd.DataFrame:
    rows = [row for part in parts for row in part]
    return measured.attempts_frame(
        [row | {"attempt": number} for number, row in enumerate(rows, 1)]
    )


def attempts() -> pd.DataFrame:
    return numbered(run.rows(), varied("minimal", SERVED), varied("replicas_shared"))


def every_variant() -> pd.DataFrame:
    """Make a run in which every variant changes how everything ends, with four bindings."""
    rows = []
    for number, variant in enumerate((*VARIANTS, "a_variant_that_nobody_has_words_for_yet")):
        for row in run.rows():
            if (row["replay"], row["theft"]) not in CHANGED or row["story"] != "ai_agent":
                continue
            for binding in ("dpop", "mtls", "http_signature"):
                if row["custody"] != "none":
                    end: dict[str, Any] = {"outcome": "rejected", "check": "x"}
                    end |= {"reason": list(words.REASONS)[number]}
                    tls = "TLS was refused by 127.0.0.1:1 with the alert TLSV1_ALERT_UNKNOWN_CA."
                    if number % 4 == 3:
                        end = {"outcome": "refused_by_tls", "reason": tls, "check": ""}
                    rows.append(row | end | {"variant": variant, "binding": binding})
    return numbered(rows)


def width_of(figure: Figure) -> float:
    return float(figure.get_figwidth())


def test_only_what_differs_is_a_row_and_the_rest_is_named_in_one_line() -> None:
    found = differences.differences(attempts())
    ((way, row),) = [(w, r) for w, r in found.rows if any(each.differs for each in r)]
    assert way == ("request_as_is", "wiretap", "same_resource")
    assert [place.variant for place in found.places] == ["base", "minimal"] * 2
    assert [each.cell.look for each in row[:2]] == [Look.REJECTED_BY_BINDING, Look.SERVED]
    assert found.unchanged == ("replicas_shared",)
    assert differences.unchanged(found) == "Nothing changes with: replicas that share a memory."


def test_the_finding_names_who_lets_a_thief_in_and_changes_with_the_rows() -> None:
    assert differences.title(differences.differences(attempts())) == (
        "1 of 2 variants let in a thief whom the base refuses: servers that remember no proofs."
    )
    both = numbered(run.rows(), varied("minimal", SERVED), varied("replicas_shared", SERVED))
    assert "2 of 2 variants" in differences.title(differences.differences(both))
    neither = numbered(run.rows(), varied("minimal"), varied("replicas_shared"))
    found = differences.differences(neither)
    assert differences.title(found) == "None of 2 variants changes how any replay ends."
    assert found.rows == ()


def test_another_reason_for_a_refusal_is_a_difference_but_lets_nobody_in() -> None:
    change = {"reason": "NONCE_REQUIRED", "check": "nonce_is_there"}
    found = differences.differences(numbered(run.rows(), varied("nonce", change)))
    assert differences.title(found) == "None of 1 variants lets a thief in or out."
    assert "server asks for a nonce with servers that ask for a nonce" in differences.alt(found)


def test_a_variant_can_keep_a_thief_out_too() -> None:
    rows = [row | SERVED if row["replay"] == "own_proof" else row for row in run.rows()]
    refused = {"outcome": "rejected", "reason": "TOKEN_INACTIVE", "check": "token_is_active"}
    found = differences.differences(
        numbered(rows, varied("introspection", refused, replay="own_proof"))
    )
    assert "keep out a thief whom the base serves" in differences.title(found)


def test_like_is_compared_with_like() -> None:
    rows = run.rows()
    for row in rows:
        if row["client"] == "lead-sync":  # robbed in the base only: it must not count
            row |= SERVED
    assert not differences.differences(numbered(rows, varied("minimal"))).rows
    for row in rows:
        row["variant"] = "nonce"  # no base at all: nothing to compare with
    assert not differences.differences(numbered(rows)).rows


def test_a_server_s_address_is_no_difference() -> None:
    def refused(port: int) -> dict[str, Any]:
        said = f"TLS was refused by 127.0.0.1:{port} with the alert TLSV1_ALERT_UNKNOWN_CA."
        return {"outcome": "refused_by_tls", "reason": said, "check": ""}

    mine = {"binding": "dpop", "replay": "own_proof", "relation": "same_resource"}
    rows = [row | refused(4) if mine.items() <= row.items() else row for row in run.rows()]
    frame = numbered(rows, varied("nonce", refused(9), replay="own_proof"))
    assert not differences.differences(frame).rows


def test_the_picture_says_in_words_what_it_shows() -> None:
    picture = variants.picture(attempts())
    assert picture.alt.startswith(picture.title)
    assert "DPoP, key in a file: rejected: proof was used before in the base, served" in picture.alt
    assert picture.alt.endswith("replicas that share a memory.")
    drawn = [text for text, _ in texts(picture.figure)]
    assert drawn.count("≠ base") == 2  # marked by words, not by a frame alone
    assert "Nothing changes with: replicas that share a memory." in drawn
    root = ElementTree.fromstring(picture.svg)
    assert root.findtext("{http://www.w3.org/2000/svg}desc") == picture.alt
    assert palette.mark("dpop").colour in picture.svg
    assert f"var(--served,{palette.LIGHT['served']})" in picture.themed_svg


def test_nothing_overlaps_in_the_variants() -> None:
    assert_readable(variants.picture(attempts()).figure)


def test_nothing_overlaps_with_every_variant_and_binding() -> None:
    picture = variants.picture(every_variant())
    assert_readable(picture.figure)
    lines = style.titled(picture.title, width_of(picture.figure))[1]
    assert len(lines) <= 2


def test_a_run_without_variants_still_has_a_picture() -> None:
    picture = variants.picture(numbered(run.rows()))
    assert picture.title == "No variant of the servers was tried."
    assert_readable(picture.figure)


def test_every_variant_has_words() -> None:
    assert all(words.variant(name) != words.plain(name) for name in VARIANTS)
    assert words.variant("new_thing") == "new thing"


@pytest.mark.parametrize("width", [72, 80, 120])
def test_the_text_keeps_to_its_width_and_has_the_same_changes(width: int) -> None:
    text = variants_text(attempts(), width=width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert text.count("● served") == 2
    assert "Nothing changes with" in text
    wide = variants_text(every_variant(), width=width, encoding="ascii")
    assert wide.isascii()
    assert max(len(line) for line in wide.splitlines()) <= width


@pytest.mark.parametrize("binding", ["dpop", "mtls", "http_signature"])
def test_one_variant_of_a_key_at_a_signer_says_where_the_key_lies(binding: str) -> None:
    rows = [row for row in (*run.rows(), *varied("minimal", SERVED)) if row["custody"] == "file"]
    signer = [row | {"binding": binding, "custody": "signer"} for row in rows]
    drawn = [text for text, _ in texts(variants.picture(numbered(signer)).figure)]
    assert "key in a signer" in drawn
