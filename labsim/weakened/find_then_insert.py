"""A replay memory that looks first and records afterwards, as several servers' caches do.

Either step is right by itself. Of requests that come at once, each looks before any has recorded,
so that each is the first: one proof is served as often as there are threads, or replicas, to ask.
`labsim.binding.ReplayMemory` asks for one atomic step, which leaves nothing in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Ending, Outcome
from labsim.loot import Kind, Loot
from labsim.preset import Preset, Role, Scene
from labsim.roles.resource_server import ResourceServer

ROUND_TRIP = 0.5
"""Real seconds that the store of this preset takes to answer: a slow one, so that it is seen."""
COPIES = 20
"""How often the thief sends the one request, all at once."""


class FindThenInsert:
    """Remember spent proofs in two steps; `spent` may be shared, as replicas share a store.

    `round_trip` is called between the two: what a store elsewhere takes to answer.
    """

    def __init__(
        self,
        spent: dict[tuple[str, str], float] | None = None,
        round_trip: Callable[[], object] = lambda: None,
    ) -> None:
        self._spent = {} if spent is None else spent
        self._round_trip = round_trip

    def is_first(self, key: tuple[str, str], until: float, now: float) -> bool:
        """Look for `key`, then record it until `until` (lab seconds), and say what was found."""
        found = self._spent.get(key, now - 1) >= now
        self._round_trip()
        self._spent[key] = until
        return not found


def part(server: ResourceServer) -> ResourceServer:
    """Put such a memory in the place of the server's own."""
    return replace(server, memory=FindThenInsert(round_trip=partial(time.sleep, ROUND_TRIP)))


def spend(loot: Loot, _binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send a request that was held back many times at once; return the second-best answer.

    The first to be served is the request's one use, which the thief has by holding it back.
    """
    if loot.captured is None or loot.spent:
        raise NotPossible("the server has had this request already")
    request = loot.captured.moved(target.url)
    with ThreadPoolExecutor(COPIES) as at_once:
        outcomes = at_once.map(thief.send, [request] * COPIES)
        return sorted(outcomes, key=lambda each: each.ending is not Ending.SERVED)[1]


PRESET = Preset(
    name="find_then_insert",
    title="one proof, sent many times at once, is served more than once",
    report="a pattern in several servers' replay caches",
    missed="Looking for jti and recording it were two steps, with time in between.",
    fix="Insert first, in one atomic step, and let the store say whether it was there.",
    row="DR-03",
    source="RFC 9449 section 11.1",
    role=Role.RESOURCE_SERVER,
    scene=Scene(binding="dpop", theft="wiretap", replay="sent_many_times", variant="unspent"),
    stopped_by="jti_is_new",
    part=part,
    own=Replay(
        name="sent_many_times",
        source="RFC 9449 section 11.1",
        title="send one held request many times at once",
        needs=frozenset({Kind.CAPTURED_REQUEST}),
        spend=spend,
    ),
)
