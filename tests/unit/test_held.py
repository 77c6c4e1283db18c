"""One request held back: which one, until when, and what the two threads tell each other."""

from __future__ import annotations

import asyncio
import threading

from labsim.estate.held import CATCH_SECONDS, HELD_SECONDS, PATIENCE_SECONDS, Hold


def test_nothing_is_held_unless_it_was_asked_for() -> None:
    hold = Hold()
    assert hold.take() is None
    assert not hold.caught(0)


def test_the_next_request_is_held_and_no_other() -> None:
    hold = Hold()
    hold.arm()
    assert hold.take() is not None
    assert hold.take() is None


def test_whoever_waits_is_told_of_a_held_request_and_lets_it_go() -> None:
    hold = Hold()
    hold.arm()
    told: list[bool] = []

    def let_go() -> None:
        told.append(hold.caught())
        hold.release()
        told.append(hold.caught(0))

    owner = threading.Thread(target=let_go)
    owner.start()
    taken = hold.take()
    assert taken is not None
    assert asyncio.run(hold.keep(taken))
    owner.join()
    assert told == [True, False]


def test_a_request_that_nobody_lets_go_ends_by_itself() -> None:
    hold = Hold(seconds=0)
    hold.arm()
    taken = hold.take()
    assert taken is not None
    assert not asyncio.run(hold.keep(taken))
    assert not hold.caught(0)
    hold.release()  # nobody is there to be let go


def test_a_request_let_go_before_it_waits_goes_on() -> None:
    hold = Hold()
    hold.arm()
    taken = hold.take()
    hold.arm()  # as after an interrupt: the owner begins anew
    assert taken is not None
    assert asyncio.run(hold.keep(taken))
    assert not hold.caught(0), "it is the next one that is waited for"


def test_a_client_waits_longer_than_its_request_is_held() -> None:
    assert CATCH_SECONDS < HELD_SECONDS < PATIENCE_SECONDS
