"""The variants of an estate: what differs from the base configuration, as data.

A variant changes servers, signers and what stands in between, never what clients hold or ask for:
the same requests then meet another defence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labsim.errors import LabError


@dataclass(frozen=True, slots=True)
class Variant:
    """Say what differs: nonces, a replay memory, a replica, a proxy, introspection, signers.

    `holds` says that the interceptor holds a request back, so that the thief has it first;
    `careless_exchange` names the checks that the authorization server leaves out of a token
    exchange; `allow_list` says that resource servers look at where a request comes from;
    `confirms_more` that a token's `cnf` says more than its key.
    """

    name: str
    title: str
    nonces: bool = False
    remembers: bool = True
    replicas: Literal["", "shared", "apart"] = ""
    proxy: Literal["", "strips", "passes"] = ""
    introspects: bool = False
    stamps: bool = False
    holds: bool = False
    careless_exchange: tuple[str, ...] = ()
    allow_list: bool = False
    confirms_more: bool = False


_FOR_ANYONE = ("caller_may_use_the_subject_token",)
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
    Variant(
        "stamping_signer",
        "a signer writes the time into each proof itself, and signs nothing else",
        stamps=True,
    ),
    Variant(
        "unspent",
        "the interceptor holds a request back, so that the server has not had it",
        holds=True,
    ),
    Variant(
        "exchange_for_anyone",
        "the authorization server exchanges a token for whoever holds it",
        careless_exchange=_FOR_ANYONE,
    ),
    Variant(
        "exchange_unbinds",
        "the same, and the new token need not be bound to a key",
        careless_exchange=(*_FOR_ANYONE, "new_token_is_bound"),
    ),
    Variant(
        "exchange_widens",
        "the same, and the new token may go further than the old one",
        careless_exchange=(*_FOR_ANYONE, "audience_is_within_reach", "scope_is_no_wider"),
    ),
    Variant(
        "ip_allow_list",
        "each resource server takes requests from the address of the clients and no other",
        allow_list=True,
    ),
    Variant(
        "cnf_says_more",
        "the authorization server puts a member into cnf that nobody has to understand",
        confirms_more=True,
    ),
)
VARIANTS = {variant.name: variant for variant in _ALL}


def variant(name: str) -> Variant:
    """Return a variant by name; LabError that lists those there are."""
    if not isinstance(name, str) or name not in VARIANTS:
        raise LabError.unknown("variant", name, VARIANTS)
    return VARIANTS[name]
