"""One attempt on a notebook's page: the bytes, and how the three sides see the end."""

from __future__ import annotations

from typing import Any

from labsim.stories.three_views import beside, captured, shown

ROW: dict[str, Any] = {
    "attempt": 4,
    "replay": "own_proof",
    "resource": "deploy",
    "outcome": "rejected",
    "status": 401,
    "error": "invalid_token",
    "reason": "BINDING_MISMATCH",
}
EVENT = {"decision": "rejected", "check": "proof_key_is_the_bound_one", "request_id": "r-1"}
EXCHANGE = {"request": "GET / HTTP/1.1", "response": "HTTP/1.1 401 <b>", "event": EVENT}


def test_the_three_views_stand_side_by_side() -> None:
    page = shown(ROW, EXCHANGE)
    for text in (repr(page), page._repr_html_()):
        assert "Attempt 4: own proof, at deploy" in text
        views = [text.index(f"{side}: ") for side in ("the wire", "the server", "the client")]
        assert views == sorted(views)
        assert "check: proof_key_is_the_bound_one" in text
        assert "It is not told which check failed." in text
        assert "r-1" not in text
    assert "<b>" not in page._repr_html_()


def test_where_nothing_was_sent_it_says_so() -> None:
    row = ROW | {"outcome": "not_possible", "reason": "this loot holds no key"}
    text = repr(shown(row, {"request": "", "response": "", "event": {}}))
    assert "Nothing was sent." in text
    assert "No answer." in text
    assert "No request reached it" in text


def test_a_captured_request_has_no_answer_to_show() -> None:
    page = captured("GET / HTTP/1.1", "As it was taken")
    assert repr(page) == "As it was taken\n\nOn the wire: the request\nGET / HTTP/1.1"
    assert "At the client" not in page._repr_html_()


def test_two_events_stand_side_by_side_without_what_neither_says() -> None:
    thief = {"decision": "served", "reason": "", "records": ["d-1", "d-2"], "token": "t"}
    table = beside(thief, {"decision": "served", "reason": "", "records": [], "path": "/"})
    assert table.to_dict("index") == {
        "decision": {"the thief's": "served", "the holder's": "served"},
        "records": {"the thief's": 2, "the holder's": 0},
        "token": {"the thief's": "t", "the holder's": None},
        "path": {"the thief's": None, "the holder's": "/"},
    }
