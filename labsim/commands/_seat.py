"""Boot, steal, replay and answer in one line: what `doctor --seat` runs on the lab's own Python.

Not below 3.12, and not before set-up: `doctor` sees to that.
"""

from __future__ import annotations

import sys
import time

from labsim.errors import LabError

CLIENT, RESOURCE = "ci-runner", "deploy"
_RESTART = "Run it again; if it says so twice, run 'make setup', then 'make test ARGS=--fast'."


def main() -> int:
    """Try the seat, say in one line how that went, and return 0 if all went as it must."""
    began = time.perf_counter()
    try:
        found = seat()
    except LabError as error:
        print(f"seat not ok: {one_line(str(error))}")
        return 1
    print(f"seat ok: {found}, in {time.perf_counter() - began:.1f} s.")
    return 0


def seat() -> str:
    """Start a lab, rob a client twice and replay; return what happened, LabError if it is wrong.

    A bearer token from a log must be served; a DPoP request from the line, sent again, must not.
    """
    from labsim.starting import start

    with start(quiet=True) as lab:
        expect("the holder", lab.work_rows(CLIENT, RESOURCE)[0]["outcome"], "served")
        log = lab.attacker.steal(CLIENT, by="log_line")
        lab.attacker.replay(log[0], by="token_as_is", against=RESOURCE)
        expect("a stolen bearer token", lab.attacker.rows[-1]["outcome"], "served")
        records = lab.attacker.rows[-1]["records"]
        lab.bind(CLIENT, "dpop")
        expect("the bound holder", lab.work_rows(CLIENT, RESOURCE)[0]["outcome"], "served")
        line = lab.attacker.steal(CLIENT, by="wiretap")
        lab.attacker.replay(line[0], by="request_as_is", against=RESOURCE)
        expect("a DPoP request sent again", lab.attacker.rows[-1]["check"], "jti_is_new")
    return (
        f"booted; a stolen bearer token was served {records} records; bound with DPoP, its owner "
        "was served and the stolen request refused (jti_is_new)"
    )


def expect(who: str, ended: str, wanted: str) -> None:
    """Raise a LabError unless something ended as it must."""
    if ended != wanted:
        raise LabError(f"{who} ended as {ended or 'nothing'}, not as {wanted}.", todo=_RESTART)


def one_line(text: str) -> str:
    """Return text without its line breaks."""
    return " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main())
