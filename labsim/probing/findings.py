"""What a probe has found: for a person, as JSON, as JUnit XML, and as an exit status."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from labsim.catalogue.running import Result, Verdict
from labsim.catalogue.vector import Force
from labsim.probing.probe import BlockResult

FOUND, INCONCLUSIVE = 1, 2
_LABEL = {
    Verdict.REFUSED: "refused",
    Verdict.ACCEPTED: "accepted",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.NOT_APPLICABLE: "not sent",
}


def exit_status(found: Sequence[BlockResult]) -> int:
    """Return 1 if something was accepted that must be refused, or refused that must be accepted.

    Else 2 if a good request was not served, or a row that counts has no answer; else 0. Rows of
    policy, and those that show a limit, change nothing.
    """
    results = _all(found)
    if any(is_a_finding(result) for result in results):
        return FOUND
    unclear = [r for r in results if r.verdict is Verdict.INCONCLUSIVE and _counts(r)]
    failed = any(block.failed_control for block in found)
    return INCONCLUSIVE if failed or unclear or not results else 0


def is_a_finding(result: Result) -> bool:
    """Tell whether a row shows a fault of the server's: a hole, or too strict."""
    return result.is_a_hole or result.is_too_strict


def _counts(result: Result) -> bool:
    return result.vector.must_be_refused or result.vector.must_be_served


def _all(found: Sequence[BlockResult]) -> list[Result]:
    return [result for block in found for result in block.results]


def table(found: Sequence[BlockResult], width: int = 100, every_row: bool = True) -> str:
    """Return the rows as lines of at most `width` characters, block by block.

    Without `every_row`, only those that came out otherwise than the lab's own servers answer. Rows
    that were not sent stand together, by what they would have taken.
    """
    lines: list[str] = []
    for block in found:
        sent = [r for r in block.results if r.verdict is not Verdict.NOT_APPLICABLE]
        shown = [r for r in sent if every_row or not r.is_expected]
        rows = [line for result in shown for line in _row(result, width)]
        if block.failed_control:
            rows.insert(0, f"  A good request was not served: {block.failed_control}.")
        if every_row:
            rows += _not_sent(block, width)
        lines += [block.block.name, *rows, ""] if rows else []
    return "\n".join(lines).rstrip()


def _not_sent(block: BlockResult, width: int) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for result in block.results:
        if result.verdict is Verdict.NOT_APPLICABLE:
            reasons.setdefault(result.why, []).append(result.vector.id)
    lines = []
    for why, ids in reasons.items():
        text = f"not sent, as {why}: {', '.join(dict.fromkeys(ids))}"
        lines += textwrap.wrap(text, width, initial_indent="  ", subsequent_indent=" " * 12)
    return lines


def _row(result: Result, width: int) -> list[str]:
    vector = result.vector
    mark = "!" if is_a_finding(result) else " "
    head = f"{mark} {vector.id:<9} {_LABEL[result.verdict]:<13} {vector.force:<14} "
    lines = textwrap.wrap(vector.what, width, initial_indent=head, subsequent_indent=" " * 41)
    why = _note(result)
    indent = " " * 12
    return lines + (
        textwrap.wrap(why, width, initial_indent=indent, subsequent_indent=indent) if why else []
    )


def _note(result: Result) -> str:
    vector = result.vector
    if result.is_too_strict:
        return f"A good request is refused ({vector.source})."
    if result.verdict is Verdict.ACCEPTED and vector.refusal is not None:
        if vector.force is Force.POLICY:
            return f"Both answers conform ({vector.source})."
        return f"What an attacker gains: {vector.gain} ({vector.source})."
    return result.why


def summary(found: Sequence[BlockResult], sent: int) -> str:
    """Return the last lines: how many of what, each finding by name, and what follows from it."""
    results = _all(found)
    counted = Counter(result.verdict for result in results)
    counts = ", ".join(f"{counted[verdict]} {_LABEL[verdict]}" for verdict in Verdict)
    lines = [f"{len(results)} rows, {sent} requests: {counts}."]
    holes = [r.vector.name for r in results if r.is_a_hole]
    strict = [r.vector.name for r in results if r.is_too_strict]
    if holes:
        lines += [f"Accepted, and must be refused ({len(holes)}):", *(f"  {n}" for n in holes)]
    if strict:
        lines += [f"Refused, and must be accepted ({len(strict)}):", *(f"  {n}" for n in strict)]
    lines.append(_CONCLUSIONS[exit_status(found)])
    return "\n".join(lines)


_CONCLUSIONS = {
    0: "Nothing was accepted that must be refused.",
    FOUND: "The server has a fault: see the rows marked with ! and their sources.",
    INCONCLUSIVE: "Inconclusive: where good requests are not served, refusals say nothing.",
}


def as_json(found: Sequence[BlockResult], sent: int) -> dict[str, Any]:
    """Return everything as JSON values: one object for each row, and the exit status."""
    return {
        "exit_status": exit_status(found),
        "requests": sent,
        "failed_controls": {b.block.name: b.failed_control for b in found if b.failed_control},
        "rows": [_json_row(block, result) for block in found for result in block.results],
    }


def _json_row(block: BlockResult, result: Result) -> dict[str, Any]:
    vector, response = result.vector, result.outcome.response if result.outcome else None
    return {
        "id": vector.id,
        "section": block.block.title,
        "binding": vector.binding,
        "server": vector.actor.in_words,
        "what": vector.what,
        "source": vector.source,
        "force": str(vector.force),
        "verdict": str(result.verdict),
        "is_a_finding": is_a_finding(result),
        "gain": vector.gain,
        "status": response.status if response else None,
        "why": result.why,
    }


def as_junit(found: Sequence[BlockResult]) -> str:
    """Return everything as JUnit XML: a suite for each block, a case for each row.

    A finding is a failure, an inconclusive row that counts an error, one that was not sent skipped.
    """
    root = ElementTree.Element("testsuites", name="labsim probe")
    for block in found:
        suite = ElementTree.SubElement(root, "testsuite", name=block.block.name)
        counted: Counter[str] = Counter()
        for result in block.results:
            name = f"{result.vector.id} {result.vector.what}"
            where = f"labsim.{result.vector.binding}.{result.vector.actor}"
            case = ElementTree.SubElement(suite, "testcase", name=_xml(name), classname=where)
            kind, message = _junit_outcome(result)
            if kind:
                counted[kind] += 1
                ElementTree.SubElement(case, kind, message=_xml(message))
        suite.set("tests", str(len(block.results)))
        suite.set("failures", str(counted["failure"]))
        suite.set("errors", str(counted["error"]))
        suite.set("skipped", str(counted["skipped"]))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _junit_outcome(result: Result) -> tuple[str, str]:
    if is_a_finding(result):
        return "failure", _note(result)
    if result.verdict is Verdict.INCONCLUSIVE and _counts(result):
        return "error", result.why
    if result.verdict is Verdict.NOT_APPLICABLE:
        return "skipped", result.why
    return "", ""


def _xml(text: str) -> str:
    """Return the text with what XML 1.0 has no character for written as an escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
