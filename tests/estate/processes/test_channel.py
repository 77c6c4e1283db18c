"""A channel stays in step when either side was interrupted at the worst moment."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator

import pytest

from labsim.estate.channel import Channel, Gone, Lines, Message, frame, hung_up


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """Give a channel and the socket at its other end."""
    ours, theirs = socket.socketpair()
    yield Channel(ours), theirs
    ours.close()
    theirs.close()


def test_messages_arrive_whole_however_they_are_cut() -> None:
    messages: list[Message] = [{"id": 1, "text": "ü\n\n"}, {"id": 2}, {"id": 3, "long": "x" * 50}]
    data = b"".join(frame(message) for message in messages)
    for size in range(1, len(data)):
        lines = Lines()
        pieces = itertools.batched(data, size)
        assert [m for piece in pieces for m in lines.feed(bytes(piece))] == messages


def test_a_message_after_a_torn_one_is_not_lost() -> None:
    torn, whole = frame({"id": 1, "text": "}{"}), frame({"id": 2})
    for end in range(len(torn)):
        assert Lines().feed(torn[:end] + whole)[-1] == {"id": 2}
    for start in range(1, len(torn)):
        assert Lines().feed(torn[start:] + whole)[-1] == {"id": 2}
        lines = Lines()
        assert [*lines.feed(torn[start:]), *lines.feed(whole)][-1] == {"id": 2}


@pytest.mark.parametrize("noise", [b"\n\n\n", b"\n{}]\n", b"\n[1]\n", b"\n7\n", b"\n\xff\n"])
def test_noise_is_passed_over(noise: bytes) -> None:
    assert Lines().feed(noise + frame({"id": 1}) + noise) == [{"id": 1}]


def test_the_answer_to_another_request_is_passed_over(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    other.sendall(b"".join(frame({"id": number, "result": number}) for number in (0, 2, 1)))
    assert channel.call("do", {}) == {"id": 1, "result": 1}
    other.sendall(frame({"id": 1, "result": "late"}) + frame({"id": 2, "result": "right"}))
    assert channel.call("do", {}) == {"id": 2, "result": "right"}


def test_both_sides_may_send_at_length_at_the_same_time(
    ends: tuple[Channel, socket.socket],
) -> None:
    channel, other = ends
    long = "x" * 5_000_000

    def late_answer_first() -> None:
        other.sendall(frame({"id": 0, "result": long}))
        lines = Lines()
        while not lines.feed(other.recv(1 << 16)):
            pass
        other.sendall(frame({"id": 1, "result": "right"}))

    thread = threading.Thread(target=late_answer_first)
    thread.start()
    assert channel.call("do", {"long": long}) == {"id": 1, "result": "right"}
    thread.join()


def test_the_other_end_closes(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    assert not channel.gone()
    other.sendall(frame({"id": 1, "result": "the last word"}))
    other.close()
    assert channel.gone()
    with pytest.raises(Gone):
        channel.call("do", {"long": "x" * 1_000_000})


def test_this_end_closes_while_another_thread_waits(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    raised: list[Exception] = []

    def call() -> None:
        try:
            channel.call("do", {})
        except Gone as gone:
            raised.append(gone)

    thread = threading.Thread(target=call)
    thread.start()
    other.recv(1)
    channel.close()
    thread.join()
    assert len(raised) == 1
    assert hung_up(other)
    with pytest.raises(Gone):
        channel.call("do", {})
    channel.post("do", {})
    assert channel.gone()
