"""The shape of a comparison: one request, who verifies it, and in what way it is unusual."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labsim.binding import Binding, Evidence
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Rejected

LET_IN, REFUSED = "let in", "refused"


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold one request as a server has it, the token in it, and what that token is bound to.

    `text` is the proof where there is one; `key` is the holder's public key, loaded.
    """

    request: Request
    token: str
    cnf: dict[str, Any]
    text: str
    key: Any


@dataclass(frozen=True, slots=True)
class Verifier:
    """Be one way to verify: `verify` returns for a good request and raises one of `refusals` else.

    `remembers` makes a `verify` that remembers what was spent; None where there is no such thing.
    """

    name: str
    verify: Callable[[Shown], object]
    refusals: tuple[type[Exception], ...]
    remembers: Callable[[], Callable[[Shown], object]] | None = None

    def answer(self, shown: Shown) -> str:
        """Return how it takes a request: LET_IN, REFUSED, or the name of another error."""
        return answer(self.verify, shown, self.refusals)


def answer(
    verify: Callable[[Shown], object], shown: Shown, refusals: tuple[type[Exception], ...]
) -> str:
    """Return how this `verify` takes a request."""
    try:
        verify(shown)
    except refusals:
        return REFUSED
    except Exception as error:  # noqa: BLE001 (a peer may fall over a request; that is no refusal)
        return type(error).__name__
    return LET_IN


@dataclass(frozen=True, slots=True)
class Case:
    """Name one way in which a request is unusual, and make it with the holder's key."""

    what: str
    make: Callable[[SigningKey], Shown]


def the_lab(binding: Binding) -> Verifier:
    """Return the lab's own way: parse, then every check of the room but the one for replays."""

    def judged(shown: Shown, memory: InProcessReplayMemory | None) -> None:
        evidence = Evidence(
            shown.request, time.time(), memory, token=shown.token, claims={"cnf": shown.cnf}
        )
        binding.verify(binding.parse(shown.request), evidence)

    def remembering() -> Callable[[Shown], object]:
        memory = InProcessReplayMemory()
        return lambda shown: judged(shown, memory)

    return Verifier("the lab", lambda shown: judged(shown, None), (Rejected,), remembering)
