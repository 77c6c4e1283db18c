"""What one theft yielded: readable claims, the captured request, and a plain table."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.errors import LabError
from labsim.haul import Haul, pieces_of
from labsim.http_message import Request
from labsim.jose import sign_compact
from labsim.keys import SigningKey

TOKEN = sign_compact({"alg": "ES256"}, {"aud": "https://crm.test"}, SigningKey.generate())
CAPTURED = Request("GET", "https://crm.test/records", (("Authorization", f"Bearer {TOKEN}"),))


def piece(captured: Request | None = None) -> dict[str, Any]:
    return {
        "token": TOKEN,
        "url": "https://crm.test/records",
        "kinds": ["captured_request", "token"],
        "found_at": "<the log>",
        "captured": captured.to_json() if captured else None,
    }


def stolen(run: str) -> dict[str, Any]:
    named = {"client": "c", "theft": "t", "resource": "r", "custody": "none", "run": run}
    return {**piece(), **named, "number": 0}


HAUL = Haul("support-agent", "wiretap", (piece(), piece(CAPTURED)))


def test_it_is_a_sequence_of_its_pieces() -> None:
    assert len(HAUL) == 2
    assert HAUL[1]["captured"]
    assert [each["token"] for each in HAUL] == [TOKEN, TOKEN]
    assert HAUL[1:] == Haul("support-agent", "wiretap", HAUL.pieces[1:])


def test_claims_are_read_without_the_owner() -> None:
    assert list(HAUL.claims()["aud"]) == ["https://crm.test", "https://crm.test"]


def test_a_captured_request_is_shown_with_its_token_decoded() -> None:
    shown = HAUL.show(1)
    for text in (repr(shown), shown._repr_html_()):
        assert "GET /records HTTP/1.1" in text
        assert "The access token, decoded" in text
        assert "At the client" not in text


@pytest.mark.parametrize("number", [0, 2, -1, "x", None])
def test_a_piece_without_a_request_says_which_have_one(number: Any) -> None:
    with pytest.raises(LabError, match="that hold one: 1"):
        HAUL.show(number)


def test_it_says_what_was_taken_and_nothing_of_it_is_markup() -> None:
    assert "captured request, token (for https://crm.test/records; <the log>)" in repr(HAUL)
    assert "&lt;the log&gt;" in HAUL._repr_html_()
    assert "nothing" in repr(Haul("support-agent", "log_line", ()))


def test_only_loot_has_pieces() -> None:
    whole = stolen("labsim-1")
    assert pieces_of(whole, "labsim-1") == (whole,)
    haul = Haul("c", "t", (whole, whole))
    assert pieces_of(haul, "labsim-1") == (whole, whole)
    assert pieces_of(haul[:1], "labsim-1") == (whole,)
    for wrong in (None, "haul", 3, {}, piece(), [whole], (whole,)):
        with pytest.raises(LabError, match=r"is no loot\. Nothing was replayed\. Pass what"):
            pieces_of(wrong, "labsim-1")
    with pytest.raises(LabError) as caught:
        pieces_of("x" * 10_000, "labsim-1")
    assert len(str(caught.value)) < 200


def test_loot_of_another_run_is_not_taken_for_this_ones() -> None:
    for loot in (stolen("labsim-1"), Haul("c", "t", (stolen("labsim-1"),))):
        with pytest.raises(LabError, match=r'in another run .*Steal again: .*\("c", by="t"\)'):
            pieces_of(loot, "labsim-2")
