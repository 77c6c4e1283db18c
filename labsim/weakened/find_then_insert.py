"""A replay memory that looks first and records afterwards, as several servers' caches do.

Either step is right by itself. Of requests that come at once, each looks before any has recorded,
so that each is the first: one proof is served as often as there are threads, or replicas, to ask.
`labsim.binding.ReplayMemory` asks for one atomic step, which leaves nothing in between.
"""

from __future__ import annotations

from collections.abc import Callable


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
