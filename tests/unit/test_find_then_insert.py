"""The weakened replay memory: right as long as nobody hurries, and no longer."""

from __future__ import annotations

import threading

from labsim.binding import ReplayMemory
from labsim.weakened.find_then_insert import FindThenInsert

NOW, KEY = 1000.0, ("who", "what")


def test_one_after_the_other_it_does_what_a_good_one_does() -> None:
    memory: ReplayMemory = FindThenInsert()
    assert memory.is_first(KEY, NOW + 60, NOW)
    assert not memory.is_first(KEY, NOW + 60, NOW + 60)
    assert memory.is_first(KEY, NOW + 200, NOW + 61)


def test_two_at_once_are_both_first() -> None:
    """Each waits between its two steps until the other has looked as well."""
    both, spent = threading.Barrier(2, timeout=30), dict[tuple[str, str], float]()
    replicas = [FindThenInsert(spent, both.wait) for _ in range(2)]
    answers: list[bool] = []

    def ask(memory: ReplayMemory) -> None:
        answers.append(memory.is_first(KEY, NOW + 60, NOW))

    threads = [threading.Thread(target=ask, args=(replica,)) for replica in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True, True]
    assert not FindThenInsert(spent).is_first(KEY, NOW + 60, NOW), "too late, it knows"
