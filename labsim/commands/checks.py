"""List every check, where it is written, and the rows of the catalogue that it alone stops.

Each is taken out, one after the other, and the rows that name it are sent again to servers that
lack it; nothing leaves this process.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from labsim.catalogue.ablation import ASSERTION, TOKEN, Ablated, ablate, removable
from labsim.catalogue.listed import catalogue
from labsim.checks import Checks
from labsim.errors import LabError
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.roles.introspected_tokens import INTROSPECTION_CHECKS
from labsim.roles.revocation_notice import REVOCATION_NOTICE
from labsim.roles.tls_client_authentication import CERTIFICATE_CHECKS
from labsim.roles.token_exchange import EXCHANGE_CHECKS
from labsim.rooms import rooms

SUMMARY = "List each check, its source, and the attacks that it alone stops."

ELSEWHERE: dict[str, Checks] = {
    "token exchange": EXCHANGE_CHECKS,
    "introspection answer": INTROSPECTION_CHECKS,
    "revocation notice": REVOCATION_NOTICE.checks,
    **{f"client certificate ({kind})": found for kind, found in CERTIFICATE_CHECKS.items()},
}
"""Other checks of the endpoints: tests/contract takes each out, with an attack of its own."""


def main(arguments: list[str]) -> int:
    """Print the checks and return 0."""
    parser = argparse.ArgumentParser(prog="labsim checks", description=SUMMARY, allow_abbrev=False)
    parser.add_argument("--of", metavar="NAME", help=f"only these: {', '.join(_lists())}")
    parser.add_argument("--json", action="store_true", help="as a JSON array, a row a check")
    options = parser.parse_args(arguments)
    if options.of is not None and options.of not in _lists():
        raise LabError.unknown("list of checks", options.of, _lists())
    rows = [row for row in _rows() if options.of in (None, row["of"])]
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        _print(rows, sys.stdout)
    return 0


def _lists() -> list[str]:
    return [TOKEN, *rooms("labsim.bindings", "BINDING"), ASSERTION, *ELSEWHERE]


def _rows() -> Iterator[dict[str, Any]]:
    for of, check in removable():
        yield _row(ablate(of, check, InProcessReplayMemory))
    for of, found in ELSEWHERE.items():
        for check in found:
            told = {"of": of, "check": check.name, "source": check.source}
            yield {**told, "alone": [], "also": {}, "proven": "tests/contract"}


def _row(ablated: Ablated) -> dict[str, Any]:
    """Return a check as a row: ids without repetition, since a row may be for two servers."""
    alone = list(dict.fromkeys(vector.id for vector in ablated.alone))
    also = {vector.id: check for vector, check in ablated.held if vector.id not in alone}
    return {
        "of": ablated.of,
        "check": ablated.check.name,
        "source": ablated.check.source,
        "alone": alone,
        "also": also,
        "proven": "catalogue" if alone else "tests/contract",
    }


def _print(rows: list[dict[str, Any]], out: TextIO) -> None:
    of = ""
    for row in rows:
        if row["of"] != of:
            of = row["of"]
            print(f"\n{of}", file=out)
        print(f"  {row['check']:<36} {row['source']}", file=out)
        if row["alone"]:
            print(f"      alone stops {', '.join(row['alone'])}", file=out)
        for row_id, check in row["also"].items():
            print(f"      names {row_id} too, which {check} would stop without it", file=out)
        if not row["alone"]:
            print(f"      shown to matter in {row['proven']}, with an attack of its own", file=out)
    shown = sum(bool(row["alone"]) for row in rows)
    ids = {row_id for row in rows for row_id in row["alone"]}
    print(
        f"\n{len(rows)} checks. {shown} of them were taken out just now, and {len(ids)} kinds of "
        f"bad request got in; the catalogue has {len(catalogue())} vectors.",
        file=out,
    )
