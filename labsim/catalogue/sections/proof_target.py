"""Section 4 of the catalogue: the method and the target that a DPoP proof names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from labsim.catalogue.jws import GONE
from labsim.catalogue.proof_changes import BOTH, claims, rows, together
from labsim.catalogue.vector import Actor, Force, Section, Vector
from labsim.rejection import Reason

OTHER_METHOD = "a proof that was captured from a read is good for a write"
OTHER_TARGET = "a proof that was captured at one place is good at another"


def malformed(id: str, what: str, source: str, **changes: Any) -> tuple[Vector, ...]:
    """Make a row about a claim that is not there, or of another type."""
    check = "required_members_are_there"
    gain = OTHER_METHOD if "htm" in changes else OTHER_TARGET
    return rows(id, what, source, claims(**changes), check=check, gain=gain)


def method(id: str, what: str, source: str, htm: Any) -> tuple[Vector, ...]:
    """Make a row about another method."""
    reason, check = Reason.PROOF_METHOD_MISMATCH, "htm_is_the_method"
    make = claims(htm=htm)
    return rows(id, what, source, make, check=check, reason=reason, gain=OTHER_METHOD)


def target(
    id: str,
    what: str,
    source: str,
    htu: Any,
    actors: tuple[Actor, ...] = BOTH,
    force: Force = Force.MUST,
) -> tuple[Vector, ...]:
    """Make a row about another target."""
    return rows(
        id,
        what,
        source,
        claims(htu=htu),
        check="htu_is_the_target_uri",
        reason=Reason.PROOF_TARGET_MISMATCH,
        gain=OTHER_TARGET,
        actors=actors,
        force=force,
    )


def parts(**changes: Callable[[str], str]) -> Callable[[str], str]:
    """Change parts of a URL: scheme, netloc, path."""

    def changed(htu: str) -> str:
        old = urlsplit(htu)
        new = {name: change(getattr(old, name)) for name, change in changes.items()}
        return urlunsplit(old._replace(**new))

    return changed


def last_slash_encoded(htu: str) -> str:
    """Encode the slash before the last segment."""
    before, _, after = htu.rpartition("/")
    return f"{before}%2F{after}"


def another_port(netloc: str) -> str:
    """Name another port."""
    return f"{netloc.partition(':')[0]}:444"


def dotted(netloc: str) -> str:
    """Put a dot behind the host."""
    host, colon, port = netloc.partition(":")
    return f"{host}.{colon}{port}"


RS, AS = (Actor.RS,), (Actor.AS,)
VECTORS = together(
    malformed("DM-01", "htm missing", "9449 4.3-3", htm=GONE),
    method("DM-02", "htm of another method", "9449 4.3-8", "PUT"),
    method("DM-02b", "htm empty", "9449 4.3-8", ""),
    method("DM-02c", "several methods", "9449 4.2", lambda htm: f"{htm} PUT"),
    method("DM-02d", "htm with white space behind", "9449 4.2", lambda htm: f"{htm} "),
    method("DM-03", "htm in lower case", "9110 9.1", str.lower),
    malformed("DM-04", "htm an array", "9449 4.2", htm=lambda htm: [htm]),
    malformed("DM-05", "htu missing", "9449 4.3-3", htu=GONE),
    target("DM-06", "another endpoint of the server", "9449 4.3-9", parts(path=lambda _: "/another"), BOTH),
    target("DM-06c", "the collection that it is in", "9449 4.3-9", lambda htu: htu.rpartition("/")[0], RS),
    target("DM-07", "another host", "9449 11", parts(netloc=lambda _: "thief.test")),
    target("DM-07b", "another port", "9449 4.3-9", parts(netloc=another_port)),
    target("DM-07c", "another scheme", "9449 4.3-9", parts(scheme=lambda _: "http")),
    target("DM-07d", "user information before the host", "9110 4.2.4", parts(netloc=lambda n: f"a@{n}")),
    target("DM-07e", "the host with more behind", "9449 11", parts(netloc=lambda n: f"{n.partition(':')[0]}.thief.test")),
    target("DM-07f", "the host with a dot behind", "3986 6.2.2", parts(netloc=dotted)),
    target("DM-09", "a segment more", "9449 4.3-9", lambda htu: f"{htu}/more"),
    target("DM-09b", "a path parameter", "3986 3.3", lambda htu: f"{htu};a=1"),
    target("DM-09c", "two slashes", "3986 6.2", parts(path=lambda path: f"/{path}")),
    target("DM-10", "a trailing slash", "9449 4.3-9", lambda htu: f"{htu}/"),
    target("DM-11", "the path in another case", "3986 6.2.2.1", parts(path=str.swapcase)),
    malformed("DM-13", "htu an array", "9449 4.2", htu=lambda htu: [htu]),
    target("DM-16", "an encoded slash", "3986 2.2", last_slash_encoded),
    target("DM-18", "no URL", "9449 4.3-9", "not a URL"),
    target("DM-18b", "a relative reference", "9449 4.3-9", lambda htu: urlsplit(htu).path),
    target("DM-18c", "a broken escape", "3986 2.1", lambda htu: f"{htu}%zz"),
    target("DM-18d", "htu empty", "9449 4.3-9", ""),
    target("DM-19", "white space around it", "3986 2", lambda htu: f" {htu} ", force=Force.POLICY),
    target("DM-19b", "backslashes", "3986 2", lambda htu: htu.replace("/", "\\"), force=Force.POLICY),
    target("DM-19c", "a tab inside", "3986 2", lambda htu: htu.replace("//", "/\t/"), force=Force.POLICY),
    target("DM-20", "letters that only look like ASCII", "3986 2", lambda h: h.replace("s", "\u017f", 1)),
    target("DM-20b", "letters that fold to ASCII", "3986 2", lambda h: h.replace("ken", "\u212aen"), AS),
)  # fmt: skip

SECTION = Section(name="proof_target", number=4, title="DPoP proof: htm and htu", vectors=VECTORS)
