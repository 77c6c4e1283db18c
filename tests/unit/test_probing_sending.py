"""What is sent goes to one server, and not faster than asked."""

from __future__ import annotations

import pytest

from labsim.http_message import Ending, Outcome, Request, Response
from labsim.probing.sending import PacedSender, origin_of

HERE = "https://127.0.0.1:8443"


class Recorder:
    """Stand where the dialler stands."""

    def __init__(self, nonce: str = "") -> None:
        self.sent: list[str] = []
        self.nonce = nonce

    def __call__(self, request: Request) -> Outcome:
        self.sent.append(request.url)
        fields = (("DPoP-Nonce", self.nonce),) if self.nonce else ()
        return Outcome.answered(request, Response(200, fields))

    def close(self) -> None:
        pass


def sender(dialler: Recorder, pace: float, times: list[float], waited: list[float]) -> PacedSender:
    return PacedSender(
        dialler,  # type: ignore[arg-type]
        frozenset({HERE}),
        pace=pace,
        clock=lambda: times.pop(0),
        wait=waited.append,
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:8444/a",
        "https://thief.test/a",
        "http://127.0.0.1:8443/a",
        "https://127.0.0.1:8443.thief.test/a",
        "https://a@127.0.0.1:8443/a",
    ],
)
def test_the_token_goes_nowhere_else(url: str) -> None:
    dialler = Recorder()
    outcome = sender(dialler, 0, [], [])(Request("GET", url))
    assert outcome.ending is Ending.NOT_POSSIBLE
    assert dialler.sent == []


def test_requests_are_so_far_apart() -> None:
    dialler, waited = Recorder(), list[float]()
    send = sender(dialler, 10, [0.0, 0.04, 0.35, 0.36], waited)
    for _ in range(4):
        send(Request("GET", f"{HERE}/a"))
    assert len(dialler.sent) == send.count == 4
    assert waited == pytest.approx([0.06, 0.09])


def test_the_last_nonce_of_a_server_is_kept() -> None:
    send = sender(Recorder("n-1"), 0, [0.0], [])
    send(Request("GET", f"{HERE}/a"))
    assert send.nonces == {HERE: "n-1"}


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin_of("HTTPS://Api.Test:8443/a?b") == "https://api.test:8443"


def test_what_is_sent_at_once_is_waited_for_afterwards() -> None:
    dialler, waited = Recorder(), list[float]()
    send = sender(dialler, 10, [0.0, 0.1], waited)
    outcomes = send.at_once(send, Request("GET", f"{HERE}/a"), 4)
    assert len(outcomes) == len(dialler.sent) == send.count == 4
    send(Request("GET", f"{HERE}/a"))
    assert waited == pytest.approx([0.3])


def test_at_once_goes_nowhere_else_either() -> None:
    dialler = Recorder()
    (outcome,) = sender(dialler, 0, [], []).at_once(dialler, Request("GET", "https://a.test"), 4)
    assert (outcome.ending, dialler.sent) == (Ending.NOT_POSSIBLE, [])


def test_another_origin_can_be_allowed() -> None:
    send = sender(Recorder(), 0, [0.0], [])
    send.allow("https://127.0.0.1:9443/b")
    assert send(Request("GET", "https://127.0.0.1:9443/a")).ending is Ending.SERVED


def test_what_cannot_be_sent_is_not_quoted() -> None:
    """The value may be the token, which has no place in a report."""

    def dialler(_request: Request) -> Outcome:
        return Outcome(Ending.NOT_POSSIBLE, None, None, "Illegal header value b'DPoP secret'.")

    outcome = sender(dialler, 0, [0.0], [])(Request("GET", f"{HERE}/a"))  # type: ignore[arg-type]
    assert outcome.detail == "Illegal header value"
