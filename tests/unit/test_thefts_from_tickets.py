"""What is pasted into tickets and chats, and what a reader of many of them finds."""

from __future__ import annotations

import pytest

from labsim.http_message import Request, Response
from labsim.loot import Kind
from tests.robbed import SERVED, THEFTS, URL, Given, Victim, request, took

TOKEN = "eyJ0eXAiOiJhdCtqd3QifQ.eyJhdWQiOiJvIn0.c2ln"
OTHER = "https://crm.test/records"
PROSE = {
    "c-1": "The label printer doesn't print. New roll did not help.",
    "c-2": 'TOKEN=$(get-token ci s); curl -H "Authorization: Bearer $TOKEN" https://deploy.test/',
    "c-3": 'curl -H "Authorization: Bearer $TOKEN" https://deploy.test/',
    "c-4": "curl",
    "c-5": "curl -H 'that does not end",
    "c-6": "curl -X",
    "c-7": "See https://docs.test/ for how a token eyJ looks.",
    "c-8": "",
}


def pasted(theft: str, *requests: Request) -> dict[str, str]:
    victim = Victim()
    THEFTS[theft].leak(victim)
    for each in requests:
        victim.work(each, SERVED)
    return {f"c-{number}": text for number, (_title, text) in enumerate(victim.pasted, 20)}


@pytest.mark.parametrize(
    "fields",
    [
        (("Authorization", f"DPoP {TOKEN}"), ("DPoP", "h.p.s"), ("Accept", "application/json")),
        (("Authorization", f"Bearer {TOKEN}"), ("X-Odd", 'it\'s a "quotation": $HOME `x` \\ ;')),
        (
            ("Authorization", f"HTTPSig {TOKEN}"),
            ("Signature-Input", 's=("@method" "@target-uri");created=1;tag="httpsig-oauth"'),
            ("Signature", "s=:c2ln+/=:"),
        ),
    ],
)
def test_a_curl_line_in_a_ticket_is_the_whole_request(fields: tuple[tuple[str, str], ...]) -> None:
    sent = Request("GET", f"{URL}?a=b&c=d", fields)
    (loot,) = took("ticket", Given(texts=PROSE | pasted("ticket", sent)))
    assert loot.captured == sent
    assert (loot.token, loot.url, loot.spent) == (TOKEN, sent.url, True)
    assert loot.found_at == "a ticket, c-20"
    assert loot.kinds == {Kind.TOKEN, Kind.CAPTURED_REQUEST}


def test_a_chat_holds_the_token_and_no_proof() -> None:
    texts = pasted("chat", request(token=TOKEN))
    (loot,) = took("chat", Given(texts=PROSE | texts))
    assert (loot.token, loot.url, loot.found_at) == (TOKEN, URL, "a chat, c-20")
    assert loot.kinds == {Kind.TOKEN}
    assert "proof" not in "".join(texts.values())


@pytest.mark.parametrize("theft", ["ticket", "chat"])
def test_only_the_first_request_is_pasted(theft: str) -> None:
    texts = pasted(theft, request(token=TOKEN), request(OTHER, TOKEN), request(token=TOKEN))
    assert [loot.url for loot in took(theft, Given(texts=texts))] == [URL]


@pytest.mark.parametrize("theft", ["ticket", "chat"])
def test_a_victim_that_sends_no_token_has_none_to_paste(theft: str) -> None:
    victim = Victim()
    THEFTS[theft].leak(victim)
    victim.work(request(token=None), Response(401))
    assert took(theft, Given(texts=dict(victim.pasted))) == []


@pytest.mark.parametrize("theft", ["ticket", "chat"])
def test_prose_holds_no_token(theft: str) -> None:
    assert took(theft, Given(texts=PROSE)) == []
    found = took(theft, Given(texts=PROSE | pasted(theft, request(token=TOKEN))))
    assert [loot.token for loot in found] == [TOKEN]


def test_what_is_read_in_a_ticket_is_not_read_in_passing() -> None:
    texts = pasted("ticket", request(token=TOKEN))
    assert [loot.read_in_passing for loot in took("ticket", Given(texts=texts))] == [()]
