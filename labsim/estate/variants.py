"""The variants of an estate: what differs from the base configuration, as data.

A variant changes servers, never clients: the same requests then meet another defence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labsim.errors import LabError


@dataclass(frozen=True, slots=True)
class Variant:
    """Say what differs: nonces, a replay memory, a second replica, a proxy, introspection."""

    name: str
    title: str
    nonces: bool = False
    remembers: bool = True
    replicas: Literal["", "shared", "apart"] = ""
    proxy: Literal["", "strips", "passes"] = ""
    introspects: bool = False


_ALL = (
    Variant("base", "the strict profile: proofs are remembered, no nonces"),
    Variant("nonce", "every server asks for a nonce in each proof", nonces=True),
    Variant(
        "introspection",
        "each resource server asks the authorization server about each token",
        introspects=True,
    ),
    Variant(
        "minimal", "conformant, but no server remembers which proofs it has seen", remembers=False
    ),
    Variant(
        "replicas_shared",
        "each resource server has a second replica, and both share one memory of proofs",
        replicas="shared",
    ),
    Variant(
        "replicas_apart",
        "each resource server has a second replica with a memory of its own",
        replicas="apart",
    ),
    Variant(
        "proxy_strips",
        "a proxy ends TLS and is the only one to say which certificate it saw",
        proxy="strips",
    ),
    Variant(
        "proxy_passes",
        "a proxy ends TLS and passes on a certificate header that a client wrote",
        proxy="passes",
    ),
)
VARIANTS = {variant.name: variant for variant in _ALL}


def variant(name: str) -> Variant:
    """Return a variant by name; LabError that lists those there are."""
    if not isinstance(name, str) or name not in VARIANTS:
        raise LabError.unknown("variant", name, VARIANTS)
    return VARIANTS[name]
