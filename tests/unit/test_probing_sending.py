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
