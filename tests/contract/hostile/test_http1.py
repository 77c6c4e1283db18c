"""Octets of any kind on a connection, in pieces of any size: requests, or one refusal (RFC 9112).

In process, without a socket; tests/estate/test_hostile_bytes.py has the live server.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labsim.estate.http1 import HttpRefusal, RequestReader, encode
from labsim.estate.limits import Limits
from labsim.http_message import Request, Response
from tests.hostile import FIELD_TEXT

LIMITS = Limits(header_bytes=600, body_bytes=300)
AUTHORITIES = frozenset({"a.test"})
STATUSES = (400, 413, 417, 421, 431, 501, 505)
GET = b"GET /a HTTP/1.1\r\nHost: a.test\r\nX: 1\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = (
    b"POST /a HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Late: 1\r\n\r\n"
)
EXPECTING = POST.replace(b"Content", b"Expect: 100-continue\r\nContent")
PIECES = (
    *(b"\r", b"\n", b"\r\n", b"\n\n", b"\r\n\r\n", b" ", b"\t", b":", b"\x00", b"\xff", b"#", b"@"),
    *(b"Host: b.test\r\n", b"Content-Length: 3\r\n", b"Content-Length: 03, 3\r\n", b"a" * 700),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: x\r\n", b"Connection: close\r\n"),
    *(b"HTTP/1.0", b"HTTP/2", b"https://a.test/", b"OPTIONS * ", b"0\r\n", b"-1", b"fffffffffffff"),
    *(b"Upgrade: h2c\r\n", b"Expect: x\r\n", b"X: " + b"b" * 599 + b"\r\n", b"c: d\r\n" * 99),
)

type Read = list[Request | int]


def read(octets: bytes, *cuts: int) -> Read:
    """Return the requests in a stream that comes cut at these places, and its refusals' status."""
    ends = [*sorted({cut for cut in cuts if 0 < cut < len(octets)}), len(octets)]
    pieces = iter([octets[a:b] for a, b in zip([0, *ends], ends, strict=False)])
    interim: list[bytes] = []
    reader = RequestReader(lambda: next(pieces, b""), interim.append, LIMITS)
    found: Read = []
    while reader.begin():
        try:
            incoming = reader.read()
        except HttpRefusal as refusal:
            return [*found, refusal.status]
        try:
            found.append(incoming.request(AUTHORITIES, None))
        except HttpRefusal as refusal:
            found.append(refusal.status)
        if not incoming.is_kept:
            break
    assert set(interim) <= {b"HTTP/1.1 100 Continue\r\n\r\n"}
    return found


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Return requests one after the other, with pieces cut out and put in; or any octets."""
    good = st.lists(
        st.sampled_from([GET, POST, CHUNKED, EXPECTING, b"\r\n"]), min_size=1, max_size=3
    )
    found = bytearray(b"".join(draw(good)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(found)))
        piece = draw(st.one_of(st.binary(max_size=4), st.sampled_from(PIECES)))
        found[at : at + draw(st.integers(0, 4))] = piece
    return draw(st.one_of(st.just(bytes(found)), st.binary(max_size=60)))


@given(octets=streams(), cuts=st.lists(st.integers(1, 400), max_size=6))
@example(octets=b"", cuts=[])
@example(octets=b"\r\n" * 300, cuts=[1, 2, 3])
@example(octets=b"G" * 601, cuts=[600])
@example(octets=GET[:-1], cuts=[])
@example(octets=CHUNKED[:-1], cuts=[])
@example(octets=CHUNKED.replace(b"3;", b"3" * 30), cuts=[])
@example(octets=POST.replace(b": 3", b": " + b"9" * 19), cuts=[])
@example(octets=POST.replace(b": 3", b": " + b"9" * 400), cuts=[])
def test_a_stream_is_requests_or_a_refusal(octets: bytes, cuts: list[int]) -> None:
    for each in read(octets, *cuts):
        if isinstance(each, int):
            assert each in STATUSES
            continue
        assert each.url.startswith("https://a.test/")
        assert len(each.body) <= LIMITS.body_bytes
        assert len(each.values("Host")) == 1
        for name, value in each.fields:
            assert name
            assert not set("\r\n\0") & set(name + value)


@pytest.mark.parametrize("stream", [GET * 3, POST + GET, CHUNKED * 2 + POST, EXPECTING + CHUNKED])
def test_however_a_good_stream_is_cut_it_says_the_same(stream: bytes) -> None:
    """A second reading at another cut would be a way to smuggle a request past the first."""
    whole = read(stream)
    assert all(isinstance(each, Request) for each in whole)
    for cut in range(1, len(stream)):
        assert read(stream, cut) == whole
    assert read(stream, *range(len(stream))) == whole


@given(octets=streams(), cuts=st.lists(st.integers(1, 400), max_size=6))
@example(octets=b"\r\n", cuts=[1])
@example(octets=b"\r\n" + GET, cuts=[1, 2])
@example(octets=b"\r\n\r\n" + GET, cuts=[2])
@example(octets=GET + b"\r\n\r\n" + GET, cuts=[len(GET) + 1, len(GET) + 3])
def test_however_any_stream_is_cut_it_has_the_same_requests(octets: bytes, cuts: list[int]) -> None:
    def requests(found: Read) -> Read:
        return [each for each in found if isinstance(each, Request)]

    assert requests(read(octets, *cuts)) == requests(read(octets))
    assert len(read(octets, *cuts)) == len(read(octets))


@given(
    lines=st.lists(st.tuples(FIELD_TEXT, st.one_of(FIELD_TEXT, st.text(max_size=6))), max_size=3),
    status=st.integers(-1, 1000),
    body=st.binary(max_size=10),
)
@example(lines=[("X", "a\r\nSet-Cookie: b")], status=200, body=b"")
@example(lines=[("X", "\u0100")], status=200, body=b"")
@example(lines=[("X: a\r\nY", "b")], status=200, body=b"")
def test_an_answer_is_one_head_and_its_body_or_a_value_error(
    lines: list[tuple[str, str]], status: int, body: bytes
) -> None:
    try:
        octets = encode(Response(status, tuple(lines), body), "GET", is_kept=True)
    except ValueError:
        return
    head, _, rest = octets.partition(b"\r\n\r\n")
    assert rest == (b"" if status in (204, 304) else body)
    assert head.count(b"\n") == head.count(b"\r\n") <= len(lines) + 2
