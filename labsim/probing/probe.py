"""Send the catalogue in blocks, each between two good requests, and say what became of each row.

A row is one request, or those that it is about (a replay is two). Where the first good request is
not served, the block's rows are not sent; where the last one is not, its refusals say nothing, and
are inconclusive. What was accepted, was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.listed import catalogue, sections
from labsim.catalogue.running import (
    NO_MORE,
    Means,
    Result,
    Sender,
    Verdict,
    asks_again,
    run_between,
    said,
)
from labsim.catalogue.vector import Actor, Force, Vector
from labsim.http_message import Ending, Outcome

type GoodFor = Callable[[Vector], GoodRequest]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one section for one server and one binding, which share their good requests."""

    title: str
    binding: str
    actor: Actor
    vectors: tuple[Vector, ...]

    @property
    def name(self) -> str:
        """Return the section's title, with server and binding."""
        return f"{self.title} ({self.binding}, {self.actor.in_words})"


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What became of a block: its rows, and why its good requests were not served, if so."""

    block: Block
    results: tuple[Result, ...]
    failed_control: str = ""


def blocks(vectors: Iterable[Vector]) -> list[Block]:
    """Put vectors into blocks, in the catalogue's order."""
    wanted = list(vectors)
    found = []
    for section in sections():
        ids = {vector.id for vector in section.vectors}
        mine = [vector for vector in wanted if vector.id in ids]
        mine.sort(key=lambda vector: (vector.binding, vector.actor))
        for (binding, actor), group in groupby(mine, lambda v: (v.binding, v.actor)):
            title = f"{section.number}. {section.title}"
            found.append(Block(title, binding, actor, tuple(group)))
    return found


def for_a_stranger(binding: str, replay_memory: bool = True) -> list[Vector]:
    """Return what a resource server is asked that accepts tokens of this binding."""
    own = list(catalogue(binding, Actor.RS))
    return own if replay_memory else without_memory(own)


def without_memory(vectors: Iterable[Vector]) -> list[Vector]:
    """Let rows about a replay memory bind nobody: the server is not meant to have one."""
    return [
        replace(vector, force=Force.SHOWS_LIMIT) if vector.force is Force.MUST_STRICT else vector
        for vector in vectors
    ]


def run(
    chosen: Sequence[Block],
    good_for: GoodFor,
    send: Sender,
    on_block: Callable[[BlockResult], None] = lambda _: None,
    means: Means = NO_MORE,
) -> list[BlockResult]:
    """Run every block: a good request first, then its rows, then a good request."""
    found = []
    for block in chosen:
        result = _run_block(block, good_for, send, means)
        found.append(result)
        on_block(result)
    return found


def _run_block(block: Block, good_for: GoodFor, send: Sender, means: Means) -> BlockResult:
    example = block.vectors[0]
    first = _control(example, good_for, send)
    if not is_served(first):
        # Whatever came now would say nothing, and a server in trouble is let alone.
        why = f"a good request was not served: {said(first)}"
        doubtful = [Result(v, Verdict.INCONCLUSIVE, None, why) for v in block.vectors]
        return BlockResult(block, tuple(doubtful), said(first))
    results = [_row(vector, good_for, send, means) for vector in block.vectors]
    last = _control(example, good_for, send)
    failed = "" if is_served(last) else said(last)
    if failed:
        results = [_doubted(result, failed) for result in results]
    return BlockResult(block, tuple(results), failed)


def is_served(outcome: Outcome) -> bool:
    """Tell whether a request was served; a redirect is no answer to it."""
    response = outcome.response
    return outcome.ending is Ending.SERVED and response is not None and response.status < 300


def _control(example: Vector, good_for: GoodFor, send: Sender) -> Outcome:
    outcome = send(good_for(example).request)
    # The nonce came with this very answer, or has just changed: one more, as a client does.
    return send(good_for(example).request) if asks_again(outcome) else outcome


def _row(vector: Vector, good_for: GoodFor, send: Sender, means: Means) -> Result:
    result = run_between(vector, lambda: good_for(vector), send, means)
    wanted = vector.refusal.error if vector.refusal else ""
    if result.outcome and asks_again(result.outcome) and wanted != "use_dpop_nonce":
        return run_between(vector, lambda: good_for(vector), send, means)
    return result


def _doubted(result: Result, why: str) -> Result:
    if result.verdict is not Verdict.REFUSED:
        return result
    doubt = f"a good request was not served either: {why}"
    return Result(result.vector, Verdict.INCONCLUSIVE, result.outcome, doubt)
