"""Section 5 of the catalogue: one `jti` again, in a proof that differs where it is compared loosely.

A replay memory that is keyed by what a client writes, and not by what the server compared, takes
each spelling for another proof.
"""

from __future__ import annotations

from collections.abc import Callable

from labsim.catalogue.proof_changes import claims, rows, together
from labsim.catalogue.vector import Force, Section, Vector, as_it_is
from labsim.rejection import Reason

MANY = "one jti is good once for each spelling: what was signed once is sent as often as one likes"


def respelled(id: str, what: str, htu: Callable[[str], str]) -> tuple[Vector, ...]:
    """Make a row about the spent proof's `jti` under another spelling of the same URI."""
    return rows(
        id,
        what,
        "9449 11.1",
        claims(htu=htu),
        check="jti_is_new",
        reason=Reason.PROOF_REPLAYED,
        gain=MANY,
        force=Force.MUST_STRICT,
        before=(as_it_is,),
    )


def in_capitals(htu: str) -> str:
    """Write scheme and host in capitals."""
    scheme, _, rest = htu.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.upper()}://{host.upper()}{slash}{path}"


SECTION = Section(
    name="replayed_proofs",
    number=5,
    title="DPoP proof: one jti, spelled otherwise",
    vectors=together(
        respelled("DR-02b", "a spent jti, and htu with a query", lambda htu: f"{htu}?again"),
        respelled("DR-02c", "a spent jti, and htu with a fragment", lambda htu: f"{htu}#again"),
        respelled("DR-02d", "a spent jti, and htu in capitals", in_capitals),
    ),
)
