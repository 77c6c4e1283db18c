"""Records as JSON: listed, read, added."""

from __future__ import annotations

import pytest

from labsim.http_message import Request
from labsim.roles.records_api import answer, needed_scope
from tests.wiring import ORDERS, Records


@pytest.fixture
def records() -> Records:
    return Records([{"id": "o-1"}, {"id": "o/2 \u00e9"}])


def test_records_are_listed_and_counted(records: Records) -> None:
    response, ids = answer(records, Request("GET", f"{ORDERS}/records?page=2"))
    assert (response.status, ids) == (200, ["o-1", "o/2 \u00e9"])
    assert [record["id"] for record in response.json()["records"]] == ids


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["a", "b", "c"]),
        ("?", ["a", "b", "c"]),
        ("?sensitivity=public", ["a"]),
        ("?page=2&sensitivity=secret", ["b"]),
        ("?sensitivity=public&sensitivity=secret", ["a", "b"]),
        ("?sensitivity=%70ublic", ["a"]),
        ("?sensitivity=Public", []),
        ("?sensitivity=unknown", []),
        ("?sensitivity=", []),
        ("?sensitivity", []),
        ("?Sensitivity=public", ["a", "b", "c"]),
        ("?sensitivity=%ff", []),
    ],
)
def test_a_list_may_be_of_one_sensitivity(query: str, ids: list[str]) -> None:
    kinds = {"a": "public", "b": "secret"}
    records = Records([{"id": i, "sensitivity": kind} for i, kind in kinds.items()])
    records.append({"id": "c"})
    response, listed = answer(records, Request("GET", f"{ORDERS}/records{query}"))
    assert (response.status, listed) == (200, ids)
    assert [record["id"] for record in response.json()["records"]] == ids


@pytest.mark.parametrize("path", ["o-1", "%6f-1", "o%2F2%20%C3%A9"])
def test_one_record_is_read(records: Records, path: str) -> None:
    response, ids = answer(records, Request("GET", f"{ORDERS}/records/{path}"))
    assert response.status == 200
    assert ids == [response.json()["id"]]


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/records/", 404, None),
        ("GET", "/records/x", 404, None),
        ("GET", "/Records", 404, None),
        ("GET", "/", 404, None),
        ("get", "/records", 405, "GET, HEAD, POST"),
        ("DELETE", "/records", 405, "GET, HEAD, POST"),
        ("DELETE", "/records/o-1", 405, "GET, HEAD"),
        ("DELETE", "/records/x", 404, None),
    ],
)
def test_nothing_else_is_served(
    records: Records, method: str, path: str, status: int, allow: str | None
) -> None:
    response, ids = answer(records, Request(method, ORDERS + path))
    assert (response.status, response.value("Allow"), ids) == (status, allow, [])


def test_a_record_is_added_until_there_is_no_room(records: Records) -> None:
    body = b'{"title":"%s","text":5,"id":"o-1","other":1}' % (b"t" * 2000)
    posted = Request("POST", f"{ORDERS}/records", (), body)
    response, ids = answer(records, posted)
    assert (response.status, ids) == (201, [])
    assert response.json() == {"id": "new-2", "title": "t" * 1000, "text": "5"}
    assert answer(records, posted)[0].status == 201
    assert answer(records, posted)[0].status == 507


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"\xff"])
def test_what_is_no_record_is_not_added(records: Records, body: bytes) -> None:
    response, _ids = answer(records, Request("POST", f"{ORDERS}/records", (), body))
    assert (response.status, len(records)) == (400, 2)


@pytest.mark.parametrize(
    ("method", "scope"),
    [
        ("GET", "orders.read"),
        ("HEAD", "orders.read"),
        ("POST", "orders.write"),
        ("get", "orders.write"),
    ],
)
def test_what_does_not_only_read_needs_the_right_to_write(method: str, scope: str) -> None:
    assert needed_scope("orders", Request(method, ORDERS)) == scope
