"""An attempt as a sequence diagram: made from what was recorded, safe in mermaid and in SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from labsim.charts.sequence import Message, Note, Sequence
from labsim.stories.attack_sequence import ATTACKER, INTERCEPTOR, ISSUER, PROXY, attack_sequence

GET = "GET /records HTTP/1.1\r\nHost: a\r\nAuthorization: DPoP t\r\nDPoP: p\r\n\r\n"
ROW: dict[str, Any] = {
    "attempt": 1, "client": "ci-runner", "theft": "wiretap", "custody": "file", "binding": "dpop",
    "loot": "captured_request+token", "replay": "request_as_is", "variant": "base",
    "resource": "deploy", "outcome": "rejected", "status": 401, "error": "invalid_dpop_proof",
    "reason": "PROOF_REPLAYED", "check": "jti_is_new", "records": 0, "seconds": 2,
}  # fmt: skip
OWN = {"sent": GET, "outcome": "served", "status": 200, "variant": "base"}
EVENT = {"check": "jti_is_new", "source": "RFC 9449 section 11.1"}
EXCHANGE: dict[str, Any] = {"request": GET, "event": EVENT, "holder": OWN, "earlier": []}


def made(row: dict[str, Any] | None = None, **exchange: Any) -> Sequence:
    return attack_sequence(ROW | (row or {}), EXCHANGE | exchange)


def messages(drawn: Sequence) -> list[tuple[str, str, str]]:
    return [(s.sender, s.receiver, s.kind) for s in drawn.steps if isinstance(s, Message)]


def notes(drawn: Sequence) -> list[tuple[str, str]]:
    return [(s.at, s.text) for s in drawn.steps if isinstance(s, Note)]


def test_a_wiretap_and_a_refused_replay() -> None:
    drawn = made()
    assert messages(drawn) == [
        ("ci-runner", INTERCEPTOR, "request"),
        (INTERCEPTOR, "deploy", "request"),
        ("deploy", "ci-runner", "answer"),
        (INTERCEPTOR, ATTACKER, "theft"),
        (ATTACKER, "deploy", "request"),
        ("deploy", ATTACKER, "refused"),
    ]
    assert notes(drawn) == [("deploy", "refused by jti_is_new, RFC 9449 section 11.1")]
    assert (
        drawn.title == "Send a captured request again, at deploy: rejected, proof was used before"
    )


def test_served_is_another_arrow_than_refused() -> None:
    drawn = made({"outcome": "served", "status": 200, "error": "", "check": "", "records": 12})
    assert messages(drawn)[-1] == ("deploy", ATTACKER, "answer")
    assert notes(drawn) == []
    assert "12 records" in drawn.alt


def test_what_was_not_recorded_is_not_drawn() -> None:
    drawn = made(holder=None)
    assert messages(drawn)[0] == (INTERCEPTOR, ATTACKER, "theft")
    assert "ci-runner" not in dict(drawn.participants)


def test_a_request_for_a_token_goes_to_the_authorization_server() -> None:
    asked = {"method": "POST", "url": "https://as/token", "status": 200, "error": ""}
    drawn = made({"theft": "container_files", "replay": "new_token_for_own_key"}, earlier=[asked])
    assert (ATTACKER, ISSUER, "request") in messages(drawn)
    refused = made({"replay": "laundered_by_exchange"}, request="POST /token HTTP/1.1\r\n\r\n")
    assert messages(refused)[-1] == (ISSUER, ATTACKER, "refused")
    assert notes(refused)[0][0] == ISSUER


def test_signed_in_place_goes_through_the_holder() -> None:
    drawn = made({"theft": "container_code", "replay": "signed_in_place", "outcome": "served"})
    assert messages(drawn)[-4:] == [
        (ATTACKER, "ci-runner", "request"),
        ("ci-runner", "deploy", "request"),
        ("deploy", "ci-runner", "answer"),
        ("ci-runner", ATTACKER, "answer"),
    ]


def test_a_request_held_back_is_refused_to_its_own_sender() -> None:
    held = OWN | {"outcome": "held back", "status": None}
    victim = {"status": 401, "outcome": "rejected", **EVENT}
    drawn = made({"outcome": "served", "status": 200}, holder=held, victim=[victim])
    assert (INTERCEPTOR, "the request is held back") in notes(drawn)
    assert messages(drawn)[-1] == ("deploy", "ci-runner", "refused")


def test_a_proxy_stands_before_the_server_where_one_did() -> None:
    drawn = made({"variant": "proxy_passes"})
    assert (ATTACKER, PROXY, "request") in messages(drawn)
    assert ("ci-runner", PROXY, "request") not in messages(drawn), "it was robbed before"


def test_nothing_is_sent_where_it_could_not_be_built() -> None:
    drawn = made({"outcome": "not_possible", "reason": "this loot holds no key", "status": None})
    assert notes(drawn) == [(ATTACKER, "nothing is sent: this loot holds no key")]
    assert messages(drawn)[-1] == (INTERCEPTOR, ATTACKER, "theft")


def test_a_refusal_by_tls_asks_no_check() -> None:
    reason = "TLS was refused by a:1 with the alert TLSV1_ALERT_UNKNOWN_CA."
    drawn = made({"outcome": "refused_by_tls", "reason": reason, "status": None}, event={})
    assert "no connection: certificate not trusted" in drawn.alt
    assert "no check is asked" in drawn.alt


def test_time_that_passed_is_told() -> None:
    assert (ATTACKER, "1400 lab seconds later") in notes(made({"seconds": 1400}))


def test_it_is_mermaid_svg_and_text_and_no_html() -> None:
    bundle = made()._repr_mimebundle_()
    assert set(bundle) == {"text/vnd.mermaid", "image/svg+xml", "text/plain"}
    lines = bundle["text/vnd.mermaid"].splitlines()
    assert lines[0] == "sequenceDiagram"
    assert lines[1].startswith("accTitle: ")
    assert sum(line.startswith("participant ") for line in lines) == 4
    root = ET.fromstring(bundle["image/svg+xml"])
    assert root.attrib["role"] == "img"
    assert "refused by jti_is_new" in root.attrib["aria-label"]
    assert "prefers-color-scheme:dark" in bundle["image/svg+xml"]
    assert "var(--ink," in bundle["image/svg+xml"]


@pytest.mark.parametrize("hostile", ["a;b", "x\nparticipant evil", "<b>", "#9829;", "end}", '"'])
def test_a_servers_word_is_no_markup(hostile: str) -> None:
    drawn = made({"error": hostile}, event={"check": hostile, "source": ""})
    lines = drawn.mermaid.splitlines()
    assert len(lines) == 3 + len(drawn.participants) + len(drawn.steps)
    body = "\n".join(lines[3:])
    assert "<b>" not in body.replace("<br/>", "")
    assert "a;b" not in body
    assert hostile not in body
    ET.fromstring(drawn.svg)
