"""Between the servers, over real TLS: the courier of revocations, and asking about a token."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from labsim.checks import StorageUnavailable
from labsim.estate.asked_issuer import AskedIssuer
from labsim.estate.dialler import Dialler
from labsim.estate.revocation_courier import RevocationCourier
from labsim.http_message import Request, Response
from labsim.roles.client_authentication import basic
from labsim.roles.issued_tokens import Ended
from tests.estate.conftest import PATIENCE, Files, Serve


@pytest.fixture
def dial(files: Files) -> Iterator[Dialler]:
    dialler = Dialler(files.ca)
    yield dialler
    dialler.close()


class Told:
    """A courier, the notices that reached somebody, and what it says it missed."""

    def __init__(self, dial: Dialler, now: float = 0.0) -> None:
        self.now = now
        self.missed: list[tuple[str, list[str], str]] = []
        self.courier = RevocationCourier(dial, _notice, lambda: self.now, self._note_missed)

    def _note_missed(self, audience: str, ended: Sequence[Ended], why: str) -> None:
        self.missed.append((audience, [each.jti for each in ended], why))


def _notice(audience: str, ended: Sequence[Ended]) -> Request:
    body = " ".join(sorted(each.jti for each in ended)).encode()
    return Request("POST", f"{audience}/revocations", (("Content-Type", "text/plain"),), body)


def test_each_server_is_told_of_its_own_tokens_before_tell_returns(
    dial: Dialler, serve: Serve
) -> None:
    one, two = (serve(lambda _request: Response(202)) for _ in range(2))
    urls = [f"https://127.0.0.1:{served.port}" for served in (one, two)]
    told = Told(dial)
    told.courier.tell([Ended("a", urls[0], 9), Ended("b", urls[1], 9), Ended("c", urls[0], 9)])
    assert [request.body for request in one.requests] == [b"a c"]
    assert [request.body for request in two.requests] == [b"b"]
    assert [request.path for request in two.requests] == ["/revocations"]
    assert told.missed == []
    assert all(told.courier.has_told(url) for url in urls)
    told.courier.tell([])
    assert len(one.requests) == 1


def test_who_did_not_take_it_is_told_again(dial: Dialler, serve: Serve) -> None:
    # By what was sent and not by how often: the courier may knock in between.
    statuses = {b"a": iter([503] * 100), b"a b": iter([401])}
    taken: queue.Queue[bytes] = queue.Queue()

    def handle(request: Request) -> Response:
        status = next(statuses[request.body], 202)
        if status == 202:
            taken.put(request.body)
        return Response(status)

    url = f"https://127.0.0.1:{serve(handle).port}"
    told = Told(dial)
    told.courier.tell([Ended("a", url, 9)])
    assert not told.courier.has_told(url)
    assert told.missed == [(url, ["a"], "it answered 503")]
    told.courier.tell([Ended("b", url, 9)])
    assert told.missed[1:] == [(url, ["a", "b"], "it answered 401")]
    assert taken.get(timeout=PATIENCE) == b"a b"


def test_what_has_expired_need_not_be_told(dial: Dialler, serve: Serve) -> None:
    served = serve(lambda _request: Response(202))
    url = f"https://127.0.0.1:{served.port}"
    told = Told(dial, now=9.0)
    told.courier.tell([Ended("a", url, 9)])
    assert (served.requests, told.missed) == ([], [])
    assert told.courier.has_told(url)


def asking(dial: Dialler, serve: Serve, answer: Response, **metadata: Any) -> AskedIssuer:
    """Make an issuer that answers this about any token, and somebody who asks it."""
    url: list[str] = []

    def handle(request: Request) -> Response:
        if request.path == "/introspect":
            return answer
        found = {"issuer": url[0], "introspection_endpoint": f"{url[0]}/introspect"}
        return Response.of_json(200, {**found, **metadata})

    url.append(f"https://127.0.0.1:{serve(handle).port}")
    return AskedIssuer(url[0], dial, basic("orders", "s"))


def test_the_answer_about_a_token_is_the_issuers(dial: Dialler, serve: Serve) -> None:
    ask = asking(dial, serve, Response.of_json(200, {"active": True, "sub": "a"}))
    for _ in range(2):
        assert ask("token") == {"active": True, "sub": "a"}


@pytest.mark.parametrize(
    ("answer", "metadata", "said"),
    [
        (Response.of_json(401, {"error": "invalid_client"}), {}, "it answered 401"),
        (Response.of_json(503, {}), {}, "it answered 503"),
        (Response(200, (), b"<html>"), {}, "introspection"),
        (Response.of_json(200, ["active"]), {}, "introspection"),
        (Response.of_json(200, {}), {"issuer": "https://else.test"}, "another issuer"),
        (Response.of_json(200, {}), {"introspection_endpoint": None}, "cannot be sent"),
        (Response.of_json(200, {}), {"introspection_endpoint": "https://127.0.0.1:1/"}, "Nobody"),
    ],
)
def test_anything_but_an_answer_is_no_answer(
    dial: Dialler, serve: Serve, answer: Response, metadata: dict[str, Any], said: str
) -> None:
    with pytest.raises(StorageUnavailable, match=said):
        asking(dial, serve, answer, **metadata)("token")
