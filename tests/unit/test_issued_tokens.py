"""The stores of revocation: what the issuer issued and ended, what a resource server was told."""

from __future__ import annotations

import gc
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from labsim.checks import StorageUnavailable
from labsim.estate import storage
from labsim.estate.issued_tokens import SqliteIssuedTokens, SqliteRevocationList
from labsim.roles.issued_tokens import Ended, Issued, IssuedTokens
from labsim.roles.revocation_notice import RevocationList
from tests.wiring import MemoryIssuedTokens, MemoryRevocations

NOW = 1000.0
UNTIL = NOW + 60


def token(jti: str, origin: str = "", client: str = "c") -> Issued:
    return Issued(jti, client, origin, f"https://{jti}.test", UNTIL, frozenset({"a.read"}))


def names(ended: list[Ended]) -> list[str]:
    return sorted(each.jti for each in ended)


@pytest.fixture(params=["in memory", "sqlite"])
def issued(request: pytest.FixtureRequest, tmp_path: Path) -> IssuedTokens:
    """Give a chain a -> b -> c, a family with d, and one token by itself."""
    held: IssuedTokens = MemoryIssuedTokens()
    if request.param == "sqlite":
        held = SqliteIssuedTokens(tmp_path / "issued.sqlite")
    for each in (token("a"), token("b", "a"), token("c", "b"), token("d", "family"), token("e")):
        assert held.record(each, NOW)
    return held


def test_a_token_comes_back_as_it_went(issued: IssuedTokens) -> None:
    assert issued.find("b") == token("b", "a")
    assert issued.find("unknown") is None


@pytest.mark.parametrize(
    ("root", "ended"),
    [("a", "abc"), ("b", "bc"), ("c", "c"), ("family", "d"), ("unknown", ""), ("", "")],
)
def test_whatever_ends_takes_all_that_came_from_it(
    issued: IssuedTokens, root: str, ended: str
) -> None:
    for _ in range(2):
        assert names(issued.end(root, UNTIL)) == list(ended)
    assert [jti for jti in "abcde" if issued.is_ended(jti)] == list(ended)
    assert issued.record(token("by itself"), NOW)


def test_an_end_says_for_whom_and_until_when(issued: IssuedTokens) -> None:
    assert issued.end("c", UNTIL) == [Ended("c", "https://c.test", UNTIL)]


@pytest.mark.parametrize("root", ["a", "family"])
def test_nothing_is_issued_from_what_has_ended(issued: IssuedTokens, root: str) -> None:
    assert issued.record(token("before", root), NOW)
    issued.end(root, UNTIL)
    assert not issued.record(token("after", root), NOW)
    assert issued.find("after") is None
    assert issued.record(token("elsewhere", "e"), NOW)
    assert issued.record(token("by itself"), NOW)


def test_all_of_a_client_ends_with_what_others_made_of_it(issued: IssuedTokens) -> None:
    issued.record(token("theirs", client="other"), NOW)
    issued.record(token("of e", "e", client="other"), NOW)
    assert sorted(set(names(issued.end_all_of("c")))) == ["a", "b", "c", "d", "e", "of e"]
    assert not issued.is_ended("theirs")
    assert issued.end_all_of("nobody") == []


def test_what_has_expired_is_forgotten(tmp_path: Path) -> None:
    held = SqliteIssuedTokens(tmp_path / "issued.sqlite")
    held.record(token("a"), NOW)
    held.end("a", UNTIL)
    held.end("family", UNTIL + 10)
    held.record(token("b"), UNTIL)
    assert held.find("a") is None
    assert not held.record(token("c", "family"), UNTIL), "the family is still remembered"
    assert held.record(token("d", "family"), UNTIL + 10)


def test_the_stores_outlive_their_process(tmp_path: Path) -> None:
    first, told = tmp_path / "issued.sqlite", tmp_path / "told.sqlite"
    SqliteIssuedTokens(first).record(token("a"), NOW)
    SqliteIssuedTokens(first).end("a", UNTIL)
    SqliteRevocationList(told).add({"a": UNTIL}, NOW)
    gc.collect()
    assert SqliteIssuedTokens(first).is_ended("a")
    assert SqliteRevocationList(told).holds("a")


def test_a_full_store_of_tokens_issues_nothing_until_there_is_room(tmp_path: Path) -> None:
    held = SqliteIssuedTokens(tmp_path / "issued.sqlite", pages=16)

    def fill() -> None:
        for number in range(10_000):
            held.record(token(f"{number} {'x' * 300}"), NOW)

    with pytest.raises(StorageUnavailable, match="full"):
        fill()
    assert held.find(f"1 {'x' * 300}") is not None
    assert names(held.end(f"1 {'x' * 300}", UNTIL)) == [f"1 {'x' * 300}"], "ending needs no room"
    assert held.record(token("later"), UNTIL)


@pytest.fixture(params=["in memory", "sqlite"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> RevocationList:
    if request.param == "sqlite":
        return SqliteRevocationList(tmp_path / "told.sqlite")
    return MemoryRevocations()


@pytest.mark.parametrize("jti", ["a", "", "a\0b", "\ud83d", "\N{KEY}", "'; DROP TABLE revoked; --"])
def test_any_jti_can_be_held(told: RevocationList, jti: str) -> None:
    assert not told.holds(jti)
    told.add({jti: UNTIL, "b": UNTIL}, NOW)
    told.add({jti: UNTIL}, NOW)
    assert told.holds(jti)
    assert not told.holds(f"{jti}c")


def test_a_list_that_missed_something_answers_nothing_until_it_has_it(tmp_path: Path) -> None:
    """Whatever it is told next brings along what it could not keep."""
    file = tmp_path / "told.sqlite"
    told = SqliteRevocationList(file)
    hidden = file.rename(tmp_path / "hidden")
    with pytest.raises(StorageUnavailable, match="gone"):
        told.add({"a": UNTIL}, NOW)
    hidden.rename(file)
    with pytest.raises(StorageUnavailable, match="could not keep"):
        told.holds("b")
    told.add({"b": UNTIL}, NOW)
    assert [told.holds(jti) for jti in "abc"] == [True, True, False]


def test_a_locked_list_keeps_nothing_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_BUSY_SECONDS", 0)
    file = tmp_path / "told.sqlite"
    told = SqliteRevocationList(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody_else:
        somebody_else.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable, match="locked"):
            told.add({"a": UNTIL}, NOW)
        somebody_else.execute("ROLLBACK")
    told.add({"a": UNTIL}, NOW)
    assert told.holds("a")


def test_a_list_forgets_what_has_expired(tmp_path: Path) -> None:
    told = SqliteRevocationList(tmp_path / "told.sqlite")
    told.add({"a": UNTIL, "b": UNTIL + 1}, NOW)
    told.add({"c": UNTIL + 60}, UNTIL)
    assert [told.holds(jti) for jti in "abc"] == [False, True, True]
