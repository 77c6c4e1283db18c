"""What of a victim's files lies outside its folder: in a repository, at home, in a vendor's store."""

from __future__ import annotations

import json

from labsim.estate import plan
from labsim.loot import Kind, Loot
from tests.robbed import ENTRY, THEFTS, URL, Given, Victim, took

OTHER = {
    "resource": "https://crm.test",
    "url": "https://crm.test/records",
    "access_token": "u",
}
FILES = {
    "tokens.json": json.dumps({"orders": ENTRY, "crm": OTHER}).encode(),
    "client.json": b'{"client_id": "free"}',
    "refresh_token.json": b'"r"',
    "key.json": b'{"kty": "EC"}',
    "certificate.pem": b"-----BEGIN CERTIFICATE-----\n",
}


def committed(*states: dict[str, bytes]) -> Victim:
    victim = Victim()
    THEFTS["commit"].leak(victim)
    for state in states:
        victim.files = state
        victim.end()
    return victim


def found_in_history(victim: Victim) -> list[Loot]:
    return took("commit", Given(commits=victim.commits))


def test_a_commit_is_made_when_the_work_is_done_and_the_next_removes_it() -> None:
    assert committed().commits == []
    added, removed = committed(FILES).commits
    assert set(added) == {"tokens.json", "client.json"}
    assert removed == {}


def test_a_history_holds_settings_and_no_key() -> None:
    first, second = found_in_history(committed(FILES))
    assert (first.token, second.token, first.url) == ("t", "u", URL)
    assert first.kinds == {Kind.TOKEN, Kind.CLIENT_CREDENTIAL}
    assert first.found_at == f"commit {0:010x}: client.json, tokens.json"


def test_the_newest_commit_with_a_token_wins() -> None:
    moved = {**ENTRY, "access_token": "n", "url": "https://proxy.test/records"}
    newer = {"tokens.json": json.dumps({"orders": moved}).encode()}
    found = found_in_history(committed(FILES, newer))
    assert {loot.url: loot.token for loot in found} == {moved["url"]: "n", OTHER["url"]: "u"}


def test_a_work_tree_alone_holds_nothing() -> None:
    victim = committed(FILES)
    assert took("commit", Given(commits=victim.commits[-1:])) == []
    assert took("commit", Given(contents=FILES)) == []


def copied(files: dict[str, bytes]) -> Victim:
    victim = Victim(files=files)
    THEFTS["former_employee"].leak(victim)
    assert victim.copies == {}
    victim.end()
    return victim


def test_copies_kept_at_home_are_what_lay_there_but_for_what_is_used_up() -> None:
    first, second = took("former_employee", Given(copied(FILES).copies))
    assert (first.token, second.token) == ("t", "u")
    kinds = {Kind.TOKEN, Kind.CLIENT_CREDENTIAL, Kind.CERTIFICATE, Kind.KEY}
    assert first.kinds == second.kinds == kinds
    assert first.found_at == "copies kept at home: client.json, key.json, tokens.json"


def test_a_key_that_lay_in_no_file_was_not_copied() -> None:
    files = {name: FILES[name] for name in ("tokens.json", "client.json")}
    first, _ = took("former_employee", Given(copied(files).copies))
    assert first.kinds == {Kind.TOKEN, Kind.CLIENT_CREDENTIAL}


def test_copies_are_used_when_the_tokens_have_expired() -> None:
    seconds = plan.load().token_seconds
    late = {name for name, theft in THEFTS.items() if theft.used_after(seconds) >= seconds}
    assert late == {"former_employee"}


def stored(theft: str) -> Given:
    victim = Victim(files=FILES)
    THEFTS[theft].leak(victim)
    assert victim.store == {}
    victim.end()
    return Given({"store.json": json.dumps(victim.store).encode()})


def test_a_vendors_store_yields_a_piece_for_each_tenant() -> None:
    first, second = took("vendor_store", stored("vendor_store"))
    assert (first.refresh_token, second.refresh_token) == ("r-a", "r-b")
    assert (first.token, first.url, first.found_at) == ("t", URL, "store.json, tenant a")
    assert first.kinds == {Kind.TOKEN, Kind.REFRESH_TOKEN, Kind.CLIENT_CREDENTIAL}
    assert first.client_credential == {"client_id": "free"}


def test_a_vendors_table_of_tokens_is_the_same_without_the_credential() -> None:
    pieces = took("vendor_tokens", stored("vendor_tokens"))
    assert [piece.refresh_token for piece in pieces] == ["r-a", "r-b"]
    assert {piece.kinds for piece in pieces} == {frozenset({Kind.TOKEN, Kind.REFRESH_TOKEN})}
