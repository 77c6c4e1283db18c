"""What one client may cost, and that none of it costs another client anything."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from labsim.estate.limits import Limits
from labsim.estate.listener import Listener
from labsim.http_message import Request, Response

if TYPE_CHECKING:
    from conftest import Connect, Files, Peer, Serve, Served

GET = b"GET /a HTTP/1.1\r\n@\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\n@\r\n"
KIB = 1024


def head_of(size: int, port: int) -> bytes:
    """Return a request that is one header block of exactly `size` bytes."""
    start = f"GET /a HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX: ".encode()
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


def test_a_header_block_over_its_bound_is_answered_431(serve: Serve, connect: Connect) -> None:
    served = serve()
    assert connect(served).send(head_of(16 * KIB, served.port)).answer().status == 200
    # The answer must survive all that the client sends before it looks.
    for size in (16 * KIB + 1, 16 * KIB + 2, 64 * KIB, 4096 * KIB):
        peer = connect(served).send(head_of(size, served.port))
        assert peer.answer().status == 431
        assert peer.is_at_end()
    endless = connect(served).send(head_of(64 * KIB, served.port)[:-4])
    assert endless.answer().status == 431
    assert len(served.requests) == 1


@pytest.mark.parametrize("sent", [0, 1024 * KIB, 3072 * KIB])
def test_a_body_over_its_bound_is_answered_413_at_once(
    serve: Serve, connect: Connect, sent: int
) -> None:
    served = serve()
    head = POST + b"Content-Length: %d\r\n\r\n"
    whole = connect(served).send(head % (1024 * KIB) + b"b" * 1024 * KIB)
    assert whole.answer().status == 200
    peer = connect(served).send(head % (1024 * KIB + 1) + b"b" * sent)
    assert peer.answer().status == 413
    assert peer.is_at_end()
    assert [len(request.body) for request in served.requests] == [1024 * KIB]


def chunked(*chunks: bytes, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    """Return a request with a chunked body."""
    body = b"".join(b"%x%b\r\n%b\r\n" % (len(c), extension, c) for c in chunks)
    return POST + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n" + trailer + b"\r\n"


SMALL = Limits(header_bytes=512, body_bytes=4096)


@pytest.mark.parametrize(
    ("good", "bad", "statuses"),
    [
        (chunked(b"b" * 4096), chunked(b"b" * 4097), {413}),
        (chunked(b"b" * 2048, b"b" * 2048), chunked(b"b" * 2048, b"b" * 2048, b"b"), {413}),
        (chunked(*[b"b"] * 300), chunked(*[b"b"] * 450), {413}),
        (chunked(*[b"b"] * 300), chunked(*[b"b"] * 450)[:-5], {413}),
        (
            chunked(b"b", extension=b";x=1"),
            chunked(b"b", extension=b";x=" + b"1" * 9000),
            {413, 431},
        ),
        (
            chunked(*[b"b"] * 20, extension=b";x=" + b"1" * 40),
            chunked(*[b"b"] * 20, extension=b";x=" + b"1" * 400),
            {413},
        ),
        (chunked(b"b", trailer=b"X: 1\r\n"), chunked(b"b", trailer=b"X: 1\r\n" * 4000), {413, 431}),
        (chunked(b"b", trailer=b"X: 1\r\n"), chunked(b"b", trailer=b"X: 1\r\n" * 500), {413, 431}),
    ],
)
def test_chunks_are_no_way_around_a_bound(
    serve: Serve, connect: Connect, good: bytes, bad: bytes, statuses: set[int]
) -> None:
    served = serve(limits=SMALL)
    assert connect(served).send(good).answer().status == 200
    peer = connect(served).send(bad)
    assert peer.answer().status in statuses
    assert peer.is_at_end()
    assert len(served.requests) == 1


IMPATIENT = Limits(request_seconds=0.2, idle_seconds=0.2, handshake_seconds=0.2, linger_seconds=0.2)


@pytest.mark.parametrize(
    "half",
    [b"G", GET[:-2], POST + b"Content-Length: 2\r\n\r\na", chunked(b"ab")[:-3]],
)
def test_a_half_sent_request_is_dropped_after_its_time(
    serve: Serve, connect: Connect, half: bytes
) -> None:
    served = serve(limits=IMPATIENT)
    peer = connect(served).send(half)
    answer = peer.answer()
    assert (answer.status, answer.fields["connection"]) == (408, "close")
    assert peer.is_at_end()
    assert served.refusal() == ("http", "408 half a request, then nothing")
    assert served.requests == []


def drip(peer: Peer, start: bytes, drop: bytes) -> None:
    """Send single bytes, each well within any bound on one wait, until the server answers."""
    peer.send(start)
    for _ in range(5000):
        if select.select([peer.tls], [], [], 0.02)[0]:
            return
        peer.send(drop)
    pytest.fail("the server waits for a slow sender for ever")


@pytest.mark.parametrize("start", [GET[:-2] + b"X: ", POST + b"Content-Length: 9999\r\n\r\n"])
def test_a_slow_sender_is_cut_however_steadily_it_drips(
    serve: Serve, connect: Connect, start: bytes
) -> None:
    peer = connect(serve(limits=IMPATIENT))
    drip(peer, start, b"x")
    assert peer.answer().status == 408


@pytest.mark.parametrize(
    ("before", "limits"),
    [
        (b"", Limits(request_seconds=0.2, idle_seconds=300.0)),
        (GET, Limits(request_seconds=300.0, idle_seconds=0.2)),
    ],
)
def test_an_idle_connection_is_closed_without_an_answer(
    serve: Serve, connect: Connect, before: bytes, limits: Limits
) -> None:
    served = serve(limits=limits)
    peer = connect(served).send(before)
    if before:
        assert peer.answer().status == 200
    assert peer.is_at_end()
    assert served.refusals.empty()


def silent(served: Served) -> socket.socket:
    """Connect and never begin a handshake."""
    return socket.create_connection(("127.0.0.1", served.port), 30)


def test_a_client_that_never_shakes_hands_is_dropped(serve: Serve) -> None:
    served = serve(limits=IMPATIENT)
    with silent(served) as raw:
        assert raw.recv(1) == b""
    assert served.refusal() == ("tls", "HANDSHAKE_TIMED_OUT")


def test_fifty_half_open_connections_slow_no_other(serve: Serve, connect: Connect) -> None:
    served = serve()
    with contextlib.ExitStack() as held:
        quiet = [held.enter_context(silent(served)) for _ in range(50)]
        halves = [connect(served).send(GET[:-2]) for _ in range(50)]
        good = connect(served)
        for _ in range(20):
            assert good.send(GET).answer().status == 200
        # All hundred were still held meanwhile: nothing has come to any of them.
        assert select.select([*quiet, *(peer.tls for peer in halves)], [], [], 0)[0] == []
    for peer in halves:
        assert peer.send(b"\r\n").answer().status == 200


def served_at_last(served: Served, connect: Connect) -> bool:
    """Try again until a place is free; each try waits for the server's answer or its reset."""
    for _ in range(5000):
        with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
            peer = connect(served).send(GET)
            status = peer.answer().status
            peer.tls.close()
            if status == 200:
                return True
    return False


def test_above_the_bound_the_newcomer_is_told_503(serve: Serve, connect: Connect) -> None:
    served = serve(limits=Limits(connections=1))
    first = connect(served)
    assert first.send(GET).answer().status == 200
    newcomer = connect(served).send(GET)
    answer = newcomer.answer()
    assert (answer.status, answer.fields["connection"]) == (503, "close")
    assert newcomer.is_at_end()
    assert served.refusal() == ("http", "503 too many connections")
    assert first.send(GET).answer().status == 200
    first.tls.close()
    assert served_at_last(served, connect)


def test_those_who_are_told_503_are_bounded_too(serve: Serve, connect: Connect) -> None:
    served = serve(limits=Limits(connections=1, handshake_seconds=300.0))
    assert connect(served).send(GET).answer().status == 200
    with contextlib.ExitStack() as held:
        for _ in range(16):
            held.enter_context(silent(served))
        last = held.enter_context(silent(served))
        assert last.recv(1) == b""


def test_a_client_that_does_not_read_gives_its_place_back(serve: Serve, connect: Connect) -> None:
    big = Response(200, (), b"x" * 32 * KIB * KIB)

    def handle(request: Request) -> Response:
        return big if request.url.endswith("big") else Response(200)

    limits = Limits(connections=1, request_seconds=0.2, linger_seconds=0.2)
    served = serve(handle, limits)
    greedy = connect(served).send(GET.replace(b"/a", b"/big"))
    assert select.select([greedy.tls], [], [], 30)[0]
    assert served_at_last(served, connect)


def test_a_long_answer_arrives_whole(serve: Serve, connect: Connect) -> None:
    body = bytes(range(256)) * 16 * KIB
    peer = connect(serve(lambda _: Response(200, (), body)))
    assert peer.send(GET).answer().body == body


def test_a_client_that_never_stops_sending_is_cut(serve: Serve, connect: Connect) -> None:
    served = serve(limits=Limits(body_bytes=9, linger_bytes=1 * KIB * KIB, linger_seconds=30.0))
    peer = connect(served).send(POST + b"Content-Length: 10\r\n\r\n")
    # Over the linger's bytes the server closes, and the next bytes meet a reset.
    with pytest.raises(OSError):  # noqa: PT011, PT012
        for _ in range(4096):
            peer.tls.sendall(b"x" * 16 * KIB)


def test_close_cuts_every_connection_and_accepts_no_more(serve: Serve, connect: Connect) -> None:
    entered, leave = threading.Event(), threading.Event()

    def handle(request: Request) -> Response:
        if request.url.endswith("busy"):
            entered.set()
            assert leave.wait(30)
        return Response(200)

    served = serve(handle)
    kept, half, busy = connect(served), connect(served), connect(served)
    assert kept.send(GET).answer().status == 200
    half.send(GET[:-2])
    busy.send(GET.replace(b"/a", b"/busy"))
    assert entered.wait(30)
    served.listener.close()
    served.listener.close()
    for peer in (kept, half, busy):
        with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
            assert peer.is_at_end()
    with pytest.raises(ConnectionRefusedError):
        silent(served)
    leave.set()
    # Being stopped is nobody's bad request.
    assert served.refusals.empty()


def test_a_listener_that_never_started_can_be_closed(files: Files) -> None:
    bound = socket.create_server(("127.0.0.1", 0))
    context = files.server_context()
    listener = Listener(bound, context, lambda _: Response(200), lambda _kind, _text: None)
    listener.close()
    assert bound.fileno() == -1
