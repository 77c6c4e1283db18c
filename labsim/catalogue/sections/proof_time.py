"""Section 5 of the catalogue: a DPoP proof's time, its `jti`, and a proof that comes again."""

from __future__ import annotations

from typing import Any

from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.jws import GONE, Change
from labsim.catalogue.proof_changes import accepted, claims, proof, rows, together
from labsim.catalogue.vector import Elsewhere, Force, Make, Needs, Section, Vector, as_it_is
from labsim.http_message import Request
from labsim.jose import b64url, b64url_decode
from labsim.rejection import Reason

HOUR = 3600
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FOR_EVER = "a captured proof, or one made ahead, is good for as long as its token"
AGAIN = "a captured request is good again: a proof is no more than a second bearer token"
UNNAMED = "a proof that no memory can tell from another: it is good any number of times"
REPLAY_TESTS = "tests/vectors/test_5_replay.py"


def malformed(
    id: str,
    what: str,
    source: str,
    check: str = "required_members_are_there",
    force: Force = Force.MUST,
    **changes: Any,
) -> tuple[Vector, ...]:
    """Make a row about a claim that is not there, or of another type."""
    gain = UNNAMED if "jti" in changes else FOR_EVER
    return rows(id, what, source, claims(**changes), check=check, force=force, gain=gain)


def timed(**offsets: float) -> Make:
    """Set claims of the proof to so many seconds from now."""
    return proof(lambda good: Change(claims={name: good.now + by for name, by in offsets.items()}))


def untimely(
    id: str,
    what: str,
    source: str,
    make: Make,
    check: str = "iat_is_recent",
    force: Force = Force.MUST,
) -> tuple[Vector, ...]:
    """Make a row about a proof that is not of now."""
    reason = Reason.PROOF_OUTSIDE_WINDOW
    return rows(id, what, source, make, check=check, reason=reason, gain=FOR_EVER, force=force)


def own_time(id: str, what: str, source: str, make: Make) -> tuple[Vector, ...]:
    """Make a row about `exp` and `nbf`."""
    return untimely(id, what, source, make, "proof_is_in_its_own_time")


def text(name: str, ahead: int = 0) -> Make:
    """Write a time as a text."""
    return proof(lambda good: Change(claims={name: str(good.now + ahead)}))


def replayed(
    id: str,
    what: str,
    change: Make,
    check: str = "jti_is_new",
    reason: Reason = Reason.PROOF_REPLAYED,
    before: tuple[Make, ...] = (as_it_is,),
    **more: Any,
) -> tuple[Vector, ...]:
    """Make a row about a proof that was spent by the good request."""
    how: dict[str, Any] = {"check": check, "reason": reason, "gain": AGAIN, "before": before}
    return rows(id, what, "9449 11.1", change, force=Force.MUST_STRICT, **how, **more)


def malleated(good: GoodRequest) -> Request:
    """Write the signature (r, s) as (r, n - s), which is as good a one."""
    if good.holder.algorithm != "ES256":
        raise CannotBeMade("signatures of this algorithm have one form")
    signed, _, last = str(good.request.value("DPoP")).rpartition(".")
    octets = b64url_decode(last)
    other = (P256_ORDER - int.from_bytes(octets[32:])).to_bytes(32)
    proof = f"{signed}.{b64url(octets[:32] + other)}"
    return good.request.without("DPoP").adding("DPoP", proof)


def padded(good: GoodRequest) -> Request:
    """Append padding to the proof."""
    proof = f"{good.request.value('DPoP')}=="
    return good.request.without("DPoP").adding("DPoP", proof)


forged = proof(lambda good: Change(key=good.stranger))
EDGE = {
    "DR-11": ("jti with NUL", "a\0b"),
    "DR-11b": ("jti beyond the basic plane", "\N{KEY}"),
    "DR-11c": ("jti with half a surrogate pair", "\ud83d"),
}
VECTORS = together(
    malformed("DT-01", "iat missing", "9449 4.3-3", iat=GONE),
    untimely("DT-02", "iat an hour old", "9449 4.3-11", timed(iat=-HOUR)),
    untimely("DT-03", "iat an hour ahead", "9449 11.2", timed(iat=HOUR)),
    untimely("DT-02b", "iat zero", "9449 4.3-11", claims(iat=0)),
    untimely("DT-02c", "iat below zero", "9449 4.3-11", claims(iat=lambda iat: -iat)),
    untimely("DT-03b", "iat in milliseconds", "7519 2", claims(iat=lambda iat: iat * 1000)),
    malformed("DT-04e", "iat an array", "7519 4.1.6", iat=lambda iat: [iat]),
    malformed("DT-04f", "iat an object", "7519 4.1.6", iat=lambda iat: {"iat": iat}),
    malformed("DT-04", "iat a text", "7519 4.1.6", iat=str),
    malformed("DT-04b", "iat true", "7519 4.1.6", iat=True),
    malformed("DT-04c", "iat null", "7519 4.1.6", iat=None),
    malformed("DT-04d", "iat beyond all numbers", "7519 2", iat=10**400),
    malformed("DT-08", "iat NaN", "8259 6", "proof_is_a_jwt", iat=float("nan")),
    malformed("DT-08b", "iat infinite", "8259 6", "proof_is_a_jwt", iat=float("inf")),
    own_time("DT-11", "exp in the past", "7519 4.1.4", timed(exp=-1)),
    own_time("DT-11b", "exp now", "7519 4.1.4", timed(exp=0)),
    own_time("DT-11c", "exp a text", "7519 4.1.4", text("exp", HOUR)),
    own_time("DT-12", "nbf in the future", "7519 4.1.5", timed(nbf=HOUR)),
    own_time("DT-12b", "nbf a text", "7519 4.1.5", text("nbf")),
    untimely("DT-13", "iat 61 s old", "9449 11.1", timed(iat=-61), force=Force.POLICY),
    untimely("DT-13b", "iat 90 s ahead", "9449 11.1", timed(iat=90), force=Force.POLICY),
    untimely("DT-13c", "iat 290 s ahead", "9449 11.1", timed(iat=290), force=Force.POLICY),
    accepted("DT-13d", "iat 30 s old", "9449 11.1", timed(iat=-30), force=Force.POLICY),
    accepted("DT-13e", "iat 50 s ahead", "9449 11.1", timed(iat=50), force=Force.POLICY),
    malformed("DJ-01", "jti missing", "9449 4.2", jti=GONE),
    malformed("DJ-02", "jti empty", "9449 4.2", "jti_is_usable", jti=""),
    malformed("DJ-03", "jti a number", "9449 4.2", jti=7),
    malformed("DJ-04", "jti an array", "9449 4.2", jti=["a"]),
    malformed("DJ-04b", "jti an object", "9449 4.2", jti={"a": 1}),
    malformed("DR-09", "jti of 8 kB", "9449 11.1", "jti_is_usable", Force.SHOULD, jti="j" * 8192),
    malformed("DR-09b", "jti of 257 characters", "9449 11.1", "jti_is_usable", Force.POLICY, jti="j" * 257),
    accepted("DR-09c", "jti of 256 characters", "9449 11.1", claims(jti=lambda jti: jti.rjust(256, "j")), force=Force.POLICY),
    *(accepted(id, what, "7519 4.1.7", claims(jti=lambda jti, odd=odd: jti + odd), force=Force.POLICY) for id, (what, odd) in EDGE.items()),
    replayed("DR-01", "the same proof twice", as_it_is),
    replayed("DR-02", "a new proof with a spent jti", claims(iat=lambda iat: iat - 1)),
    replayed("DR-03", "the same proof eight times at once", as_it_is, before=(), at_once=8),
    replayed("DR-04", "a proof dated ahead, when it is young no more", timed(iat=50), before=(timed(iat=50),), pause=90.0, needs=Needs.CLOCK),
    replayed("DR-05", "the spent signature in its other form", malleated),
    replayed("DR-06", "the spent proof with padding", padded, "proof_is_a_jwt", Reason.PROOF_MALFORMED),
    accepted("DR-05b", "a fresh signature in its other form", "9449 11.1", malleated, force=Force.POLICY),
    accepted("DR-08", "a jti that a forged proof has named", "9449 11.1", as_it_is, before=(forged,)),
)  # fmt: skip


def _by_the_tests(id: str, what: str, why: str, proven: str = REPLAY_TESTS) -> Elsewhere:
    return Elsewhere(id=id, what=what, source="RFC 9449 section 11.1", why=why, proven=proven)


SECTION = Section(
    name="proof_time",
    number=5,
    title="DPoP proof: time, jti, replay",
    vectors=VECTORS,
    elsewhere=(
        _by_the_tests(
            "DR-03",
            "two hundred at once, fifty rounds, each kind of memory",
            "DR-03 here is eight, once",
            "tests/estate/test_replay_under_stress.py",
        ),
        _by_the_tests(
            "DR-07", "the same jti from another client", "it takes a second client's token"
        ),
        _by_the_tests("DR-09", "more distinct jtis than the memory holds", "it fills a memory"),
        _by_the_tests(
            "DR-10", "a restart, or a second node, between two requests", "it restarts a server"
        ),
    ),
)
