"""Verification side by side: the lab's, and that of libraries that nobody here wrote.

Each gets the same requests in the same run, in turn. What a peer does not check is no claim about
it: a bad request of that kind is made, and the peer lets it in. A good one comes first.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks._measuring import MICRO, RawVerify, figure
from benchmarks._peers import dpop, signatures
from benchmarks._peers.shape import LET_IN, REFUSED, Case, Shown, Verifier, answer
from labsim.commands.bench import Figure
from labsim.errors import LabError
from labsim.keys import SigningKey

TITLE = "Proofs verified side by side, and what is let in"
CHUNK = 20
SEEN, FIRST_SIGHT = "key seen before", "key at first sight"
RAW = "raw ES256 verify"
ROOMS: dict[str, Any] = {"dpop": dpop, "http_signature": signatures}


def measure(quick: bool) -> list[Figure]:
    """Time every verifier on good requests, and then give each the bad ones."""
    rounds = 10 if quick else 60
    found: list[Figure] = []
    for name, room in ROOMS.items():
        key = SigningKey.generate()
        same = [room.shown(key) for _ in range(rounds * CHUNK)]
        others = [room.shown(SigningKey.generate()) for _ in range(rounds * CHUNK)]
        found += _timed(name, room.VERIFIERS, {SEEN: same, FIRST_SIGHT: others})
        found += _let_in(name, room.VERIFIERS, room.BAD, key)
        found += _kept_out(name, room.VERIFIERS, room.GOOD, key)
        found.append(_again(name, room.VERIFIERS, room.shown(key)))
    return found


def _timed(
    name: str, verifiers: Sequence[Verifier], requests: dict[str, list[Shown]]
) -> list[Figure]:
    figures: list[Figure] = []
    for what, shown in requests.items():
        took = _each(verifiers, shown)
        raw = took.pop(RAW)
        ours = took.pop(verifiers[0].name)
        ratio = _ratio(ours, raw)
        title = f"{name}: the lab, {what}"
        figures.append(figure(title, ours, "µs of CPU", against=RAW, ratio=ratio))
        for peer, theirs in took.items():
            title = f"{name}: {peer}, {what}"
            figures.append(
                figure(title, theirs, "µs of CPU", against=RAW, ratio=_ratio(theirs, raw))
            )
            title = f"{name}: the lab beside it, {what}"
            ratio = _ratio(ours, theirs)
            figures.append(figure(title, ours, "µs of CPU", against=peer, ratio=ratio, target=1.0))
    return figures


def _each(verifiers: Sequence[Verifier], shown: list[Shown]) -> dict[str, list[float]]:
    """Return how many microseconds each took for one request, round by round."""
    raw = RawVerify("ES256", len(shown))
    took: dict[str, list[float]] = {RAW: [], **{each.name: [] for each in verifiers}}
    for each in verifiers:  # what is imported or made at the first call of all
        each.verify(shown[0])
    gc.collect()
    gc.freeze()
    try:
        for at in range(CHUNK, len(shown), CHUNK):
            took[RAW].append(_cpu(partial(raw, CHUNK)))
            chunk = shown[at : at + CHUNK]
            for each in verifiers:
                took[each.name].append(_cpu(partial(_all, each, chunk)))
    finally:
        gc.unfreeze()
    return took


def _cpu(work: Callable[[], object]) -> float:
    """Return the CPU time of this process for one request of a chunk, in microseconds."""
    began = time.process_time()
    work()
    return MICRO * (time.process_time() - began) / CHUNK


def _all(verifier: Verifier, shown: list[Shown]) -> None:
    verify = verifier.verify
    for each in shown:
        verify(each)


def _ratio(ours: list[float], theirs: list[float]) -> float:
    # Round by round: what disturbs one disturbs the other, and is divided out.
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def _let_in(
    name: str, verifiers: Sequence[Verifier], cases: Sequence[Case], key: SigningKey
) -> list[Figure]:
    """Return for each verifier how many bad requests it lets in, and for each of these who does."""
    answers = {
        case.what: {each.name: each.answer(shown) for each in verifiers}
        for case in cases
        if (shown := case.make(key))
    }
    unit = f"of {len(cases)} bad ones let in"
    found = []
    for number, each in enumerate(verifiers):
        count = [row[each.name] for row in answers.values()].count(LET_IN)
        target = 0.0 if number == 0 else None
        found.append(Figure(what=f"{name}: {each.name}", value=count, unit=unit, target=target))
    return [*found, *(_row(f"{name}: bad: {what}", row) for what, row in answers.items())]


def _kept_out(
    name: str, verifiers: Sequence[Verifier], cases: Sequence[Case], key: SigningKey
) -> list[Figure]:
    """Return for each good request who does not let it in; the first one is for all to take."""
    rows = []
    for number, case in enumerate(cases):
        shown = case.make(key)
        row = {each.name: each.answer(shown) for each in verifiers}
        needed = verifiers if number == 0 else verifiers[:1]
        for each in needed:
            if row[each.name] != LET_IN:
                said = f"{each.name} does not take {case.what} ({name}): {row[each.name]}."
                raise LabError(said, "Nothing was compared.")
        rows.append(_row(f"{name}: good: {case.what}", row))
    return rows


def _again(name: str, verifiers: Sequence[Verifier], shown: Shown) -> Figure:
    """Give each the same request twice, with a memory for those that have one."""
    row = {}
    for each in verifiers:
        verify = each.remembers() if each.remembers else each.verify
        if answer(verify, shown, each.refusals) != LET_IN:
            raise LabError(f"{each.name} does not take a good request.", "Nothing was compared.")
        row[each.name] = answer(verify, shown, each.refusals)
    return _row(f"{name}: bad: the same request a second time", row)


def _row(what: str, answers: dict[str, str]) -> Figure:
    """Say who lets a request in, and who falls over it with an error that is no refusal."""
    by = [name for name, said in answers.items() if said == LET_IN]
    fell = [f"{name} ({said})" for name, said in answers.items() if said not in (LET_IN, REFUSED)]
    against = f"let in by {', '.join(by) or 'nobody'}"
    if fell:
        against += f"; fell over it: {', '.join(fell)}"
    return Figure(what=what, value=len(by), unit="", against=against)
