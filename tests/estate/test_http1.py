"""Bytes to requests and responses to bytes, over a live listener; each refusal has its control."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.http_message import Request, Response

if TYPE_CHECKING:
    from conftest import Connect, Serve

GET = b"GET /a HTTP/1.1\r\n@\r\n\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\n@\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("good", "bad", "status"),
    [
        (GET, b"GET /a HTTP/1.1\r\n\r\n", 400),
        (GET, b"GET /a HTTP/1.0\r\n\r\n", 400),
        (GET, b"GET /a HTTP/1.1\r\n@\r\n@\r\n\r\n", 400),
        (GET, b"GET /a HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (GET, b"GET /a HTTP/1.1\r\nHost: u@127.0.0.1\r\n\r\n", 400),
        (GET, b"GET /a HTTP/1.1\r\nHost:\r\n\r\n", 421),
        (GET, b"GET /a HTTP/1.1\r\nHost: orders.example\r\n\r\n", 421),
        (GET, b"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 421),
        (GET, b"GET /a#b HTTP/1.1\r\n@\r\n\r\n", 400),
        (GET, b"GET /\xc3\xa9 HTTP/1.1\r\n@\r\n\r\n", 400),
        (GET, b"GET /a b HTTP/1.1\r\n@\r\n\r\n", 400),
        (GET, b"GET /a\x01 HTTP/1.1\r\n@\r\n\r\n", 400),
        (GET, b"GET a HTTP/1.1\r\n@\r\n\r\n", 400),
        (GET, b"GET * HTTP/1.1\r\n@\r\n\r\n", 400),
        (GET, b"OPTIONS * HTTP/1.1\r\n@\r\n\r\n", 400),
        (GET, b"CONNECT /a HTTP/1.1\r\n@\r\n\r\n", 400),
        (GET, b"CONNECT orders.example:443 HTTP/1.1\r\n@\r\n\r\n", 400),
        (GET, b"GET https://orders.example/a HTTP/1.1\r\n@\r\n\r\n", 421),
        (GET, b"GET http://127.0.0.1/a HTTP/1.1\r\n@\r\n\r\n", 400),
        (GET, b"GET /a HTTP/2.0\r\n@\r\n\r\n", 505),
        (GET, b"GET /a\r\n@\r\n\r\n", 400),
        (GET, b"GET  /a HTTP/1.1\r\n@\r\n\r\n", 400),
        (GET, b"GET /a HTTP/1.1\r\n@\r\nX : 1\r\n\r\n", 400),
        (GET, b"GET /a HTTP/1.1\r\n@\r\nX\r\n\r\n", 400),
        (GET, b"GET /a HTTP/1.1\n@\r\n\r\n", 400),
        (GET, b"GET /a HTTP/1.1\nX: 1\n\n", 400),
    ],
)
def test_a_bad_request_line_or_host_is_refused(
    serve: Serve, connect: Connect, good: bytes, bad: bytes, status: int
) -> None:
    served = serve()
    assert connect(served).send(good).answer().status == 200
    answer = connect(served).send(bad).answer()
    assert (answer.status, answer.body) == (status, b"{}")
    assert served.refusal()[0] == "http"
    assert len(served.requests) == 1


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"X: a b", b"X: a\x01b"),
        (b"X: a b", b"X: a\x00b"),
        (b"X: a b", b"X: a\x7fb"),
        (b"X: a b", b"X: a\rb"),
        (b"X: a b", b"X: a\nb"),
        (b"X: a\r\nY: b", b"X: a\nY: b"),
        (b"X: a b", b"X: a\r\n b"),
        (b"X: a b", b"X: a\r\n\tb"),
        (b"Content-Length: 0", b"Content-Length: -0"),
        (b"Content-Length: 0", b"Content-Length: 0x0"),
        (b"Content-Length: 0", b"Content-Length: 0, 1"),
        (b"Content-Length: 0", b"Content-Length: 0\r\nContent-Length: 1"),
        (b"Content-Length: 0", b"Content-Length: " + b"0" * 21),
    ],
)
def test_a_bad_field_is_refused(serve: Serve, connect: Connect, good: bytes, bad: bytes) -> None:
    served = serve()
    request = b"GET /a HTTP/1.1\r\n@\r\n%b\r\n\r\n"
    assert connect(served).send(request % good).answer().status == 200
    peer = connect(served).send(request % bad)
    assert peer.answer().status == 400
    assert peer.is_at_end()


@pytest.mark.parametrize(
    ("good", "bad", "status"),
    [
        (
            CHUNKED + b"1\r\na\r\n0\r\n\r\n",
            CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 11\r\n\r\n")
            + b"1\r\na\r\n0\r\n\r\n",
            400,
        ),
        (CHUNKED + b"1\r\na\r\n0\r\n\r\n", CHUNKED + b"1\r\nab\r\n0\r\n\r\n", 400),
        (CHUNKED + b"1\r\na\r\n0\r\n\r\n", CHUNKED + b"-1\r\na\r\n0\r\n\r\n", 400),
        (
            CHUNKED + b"1\r\na\r\n0\r\n\r\n",
            CHUNKED.replace(b"1.1", b"1.0") + b"1\r\na\r\n0\r\n\r\n",
            400,
        ),
        (
            CHUNKED + b"1\r\na\r\n0\r\n\r\n",
            CHUNKED.replace(b"chunked", b"gzip, chunked") + b"1\r\na\r\n0\r\n\r\n",
            501,
        ),
    ],
)
def test_bad_framing_is_refused_and_ends_the_connection(
    serve: Serve, connect: Connect, good: bytes, bad: bytes, status: int
) -> None:
    served = serve()
    answer = connect(served).send(good).answer()
    assert json.loads(answer.body)[2] == "a"
    peer = connect(served).send(bad + GET)
    answer = peer.answer()
    assert (answer.status, answer.fields["connection"]) == (status, "close")
    assert peer.is_at_end()
    assert len(served.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1:{}", "localhost:{}", "LocalHost:{}"])
def test_the_url_is_made_of_the_host_as_it_was_sent(
    serve: Serve, connect: Connect, host: str
) -> None:
    served = serve()
    host = host.format(served.port)
    request = f"GET //x/../%7e?q=1&q=2 HTTP/1.1\r\nHost: {host}\r\n\r\n"
    assert connect(served).send(request.encode()).answer().status == 200
    assert served.requests[0].url == f"https://{host}//x/../%7e?q=1&q=2"


@pytest.mark.parametrize(
    ("target", "path"),
    [("/a?b", "/a?b"), ("", "/"), ("?b", "/?b"), ("/", "/")],
)
def test_the_authority_of_an_absolute_target_wins_over_host(
    serve: Serve, connect: Connect, target: str, path: str
) -> None:
    served = serve()
    own = f"localhost:{served.port}"
    request = f"GET HTTPS://{own}{target} HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"
    assert connect(served).send(request.encode()).answer().status == 200
    assert served.requests[0].url == f"https://{own}{path}"


def test_fields_keep_their_order_case_duplicates_and_bytes(serve: Serve, connect: Connect) -> None:
    served = serve()
    connect(served).send(
        b"GET /a HTTP/1.1\r\nX-b: 2\r\n@\r\nx-A: \xe9 \xff\r\nX-B:3\r\nEmpty:\r\n\r\n"
    ).answer()
    host = ("Host", f"127.0.0.1:{served.port}")
    assert served.requests[0].fields == (
        *(("X-b", "2"), host),
        *(("x-A", "\xe9 \xff"), ("X-B", "3"), ("Empty", "")),
    )


def test_pipelined_requests_are_answered_in_order_each_by_itself(
    serve: Serve, connect: Connect
) -> None:
    served = serve()
    peer = connect(served).send(
        b"\r\n"
        + GET
        + b"GET /b HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"
        + CHUNKED
        + b'2;x="y"\r\nhi\r\n0\r\nX-Late: 1\r\n\r\n'
        + b"POST /d HTTP/1.1\r\n@\r\nContent-Length: 3\r\n\r\nabc"
        + b"GET /e#f HTTP/1.1\r\n@\r\n\r\n"
        + b"GET /g HTTP/1.1\r\n@\r\nConnection: close\r\n\r\n"
        + b"GET /never HTTP/1.1\r\n@\r\n\r\n"
    )
    answers = [peer.answer() for _ in range(6)]
    assert [answer.status for answer in answers] == [200, 421, 200, 200, 400, 200]
    assert [request.body for request in served.requests] == [b"", b"hi", b"abc", b""]
    # A trailer is no field: one that named Authorization would otherwise bring a credential.
    assert served.requests[1].value("X-Late") is None
    assert answers[-1].fields["connection"] == "close"
    assert peer.is_at_end()


def test_http_1_0_is_answered_and_closed(serve: Serve, connect: Connect) -> None:
    served = serve()
    peer = connect(served).send(GET.replace(b"HTTP/1.1", b"HTTP/1.0"))
    answer = peer.answer()
    assert (answer.status, answer.fields["connection"]) == (200, "close")
    assert peer.is_at_end()


def test_head_has_the_length_and_not_the_body(serve: Serve, connect: Connect) -> None:
    served = serve()
    peer = connect(served)
    got = peer.send(GET.replace(b"GET", b"POST")).answer()
    head = peer.send(GET.replace(b"GET", b"HEAD")).answer(bodiless=True)
    assert head.fields == got.fields
    # Had there been a body, this answer would begin in the middle of it.
    assert peer.send(GET).answer().status == 200


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_content_has_no_body(serve: Serve, connect: Connect, status: int) -> None:
    served = serve(lambda _: Response(status, (), b"not sent"))
    peer = connect(served)
    answers = [peer.send(GET).answer() for _ in range(2)]
    assert [(a.status, a.body, a.fields.get("content-length")) for a in answers] == [
        (status, b"", None)
    ] * 2


def test_framing_and_caching_are_the_listeners_business(serve: Serve, connect: Connect) -> None:
    fields = (("Content-Length", "9"), ("transfer-encoding", "chunked"), ("Connection", "close"))

    def handle(request: Request) -> Response:
        own = (("cache-control", "max-age=9"),) if request.url.endswith("cached") else ()
        return Response(200, (*fields, ("X", "\xe9"), *own), b"ab")

    peer = connect(serve(handle))
    plain = peer.send(GET).answer()
    cached = peer.send(GET.replace(b"/a", b"/cached")).answer()
    assert plain.body == cached.body == b"ab"
    assert plain.fields == {"x": "\xe9", "cache-control": "no-store", "content-length": "2"}
    assert cached.fields == plain.fields | {"cache-control": "max-age=9"}


def test_expectations(serve: Serve, connect: Connect) -> None:
    served = serve()
    head = b"POST /a HTTP/1.1\r\n@\r\nContent-Length: %d\r\nExpect: %b\r\n\r\n"
    peer = connect(served).send(head % (2, b"100-Continue"))
    assert peer.answer().status == 100
    # In two TLS records, so in two reads: the second is not asked for again.
    assert json.loads(peer.send(b"h").send(b"i").answer().body)[2] == "hi"
    # Who does not wait is not told to go on.
    assert json.loads(peer.send(head % (2, b"100-continue") + b"yo").answer().body)[2] == "yo"
    assert connect(served).send(head % (1 << 30, b"100-continue")).answer().status == 413
    assert connect(served).send(head % (2, b"200-maybe")).answer().status == 417


def test_any_bytes_get_a_decision(serve: Serve, connect: Connect) -> None:
    served = serve()

    @given(target=st.binary(max_size=20), name=st.binary(max_size=12), value=st.binary(max_size=99))
    @settings(max_examples=150, deadline=None, database=None)
    def one(target: bytes, name: bytes, value: bytes) -> None:
        peer = connect(served)
        field = b"%b: %b\r\nConnection: close" % (name, value)
        answer = peer.send(b"GET /%b HTTP/1.1\r\n@\r\n%b\r\n\r\n" % (target, field)).answer()
        assert answer.status in (200, 400, 413, 417, 421, 501)
        peer.tls.close()

    one()
