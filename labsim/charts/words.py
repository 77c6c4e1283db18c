"""The words and glyphs for what was measured, the same in pictures, report and terminal.

Names of rooms (`log_line`, `own_proof`) are for code and tables of data. Here they become words for
someone who has not read the code. A replay or theft is called by its room's own title; any other
name that is not known reads, its underscores as spaces. So a new room needs no change here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from labsim.estate.variants import VARIANTS
from labsim.rooms import rooms


class Look(StrEnum):
    """Name the ways a cell can look. Rejected is two: by the binding, and by something else."""

    SERVED = "served"
    SERVED_IN_PART = "served in part"
    REJECTED_BY_BINDING = "rejected by the binding"
    REJECTED_OTHERWISE = "rejected for another reason"
    REFUSED_BY_TLS = "refused by TLS"
    UNREACHABLE = "unreachable"
    NOT_POSSIBLE = "not possible"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Sign:
    """Hold a look's glyph, the ASCII that stands in for it, its word, and what it means."""

    glyph: str
    ascii: str
    word: str
    meaning: str


SIGNS: Final = {
    Look.SERVED: Sign("●", "#", "served", "the server gave its records to the one who asked"),
    Look.SERVED_IN_PART: Sign("◐", "%", "served", "served in some of the attempts, not in all"),
    Look.REJECTED_BY_BINDING: Sign(
        "✕", "x", "rejected", "refused because the thief could not prove to be the holder"
    ),
    Look.REJECTED_OTHERWISE: Sign(
        "◇", "o", "rejected", "refused for a reason that has nothing to do with the binding"
    ),
    Look.REFUSED_BY_TLS: Sign("⊗", "T", "refused by TLS", "no connection, so no request either"),
    Look.UNREACHABLE: Sign("?", "?", "unreachable", "nobody answered: this says nothing"),
    Look.NOT_POSSIBLE: Sign("\u2013", "-", "not possible", "cannot be built from what was stolen"),
    Look.NOT_MEASURED: Sign(" ", " ", "", "was not tried in this run"),
}
_LOOKS: Final = {
    "served": Look.SERVED,
    "refused_by_tls": Look.REFUSED_BY_TLS,
    "unreachable": Look.UNREACHABLE,
    "not_possible": Look.NOT_POSSIBLE,
}
REASONS: Final = {
    "ADDRESS_NOT_ALLOWED": "address not allowed",
    "NO_CREDENTIALS": "no token sent",
    "CREDENTIALS_MALFORMED": "token not readable",
    "TOKEN_MALFORMED": "token not readable",
    "TOKEN_TYPE_WRONG": "wrong kind of token",
    "TOKEN_SIGNATURE_INVALID": "token not genuine",
    "TOKEN_ISSUER_UNKNOWN": "token of another issuer",
    "TOKEN_AUDIENCE_MISMATCH": "token is for another server",
    "TOKEN_EXPIRED": "token has expired",
    "TOKEN_NOT_YET_VALID": "token not valid yet",
    "TOKEN_CLAIM_MISSING": "token lacks a claim",
    "TOKEN_REVOKED": "token was revoked",
    "TOKEN_INACTIVE": "issuer calls it inactive",
    "BINDING_UNSUPPORTED": "binding not known here",
    "SCHEME_MISMATCH": "wrong scheme for this token",
    "BINDING_MISMATCH": "not the token's key",
    "PROOF_MISSING": "no proof",
    "PROOF_MALFORMED": "proof not readable",
    "PROOF_SIGNATURE_INVALID": "proof has a wrong signature",
    "PROOF_METHOD_MISMATCH": "proof is for another method",
    "PROOF_TARGET_MISMATCH": "proof is for another address",
    "PROOF_CONTENT_MISMATCH": "content was changed",
    "PROOF_OUTSIDE_WINDOW": "proof too old or early",
    "PROOF_TOKEN_MISMATCH": "proof is for another token",
    "PROOF_REPLAYED": "proof was used before",
    "PROOF_KEY_REVOKED": "key was withdrawn",
    "NONCE_REQUIRED": "server asks for a nonce",
    "SCOPE_INSUFFICIENT": "beyond the token's rights",
    "METHOD_NOT_ALLOWED": "method not allowed",
    "REQUEST_MALFORMED": "request not readable",
    "CLIENT_UNKNOWN": "client not known",
    "CLIENT_CREDENTIAL_INVALID": "credential is wrong",
    "CLIENT_NOT_ALLOWED": "client may not do this",
    "GRANT_UNSUPPORTED": "grant not offered",
    "GRANT_INVALID": "grant not valid",
    "SCOPE_INVALID": "scope not allowed",
    "TARGET_INVALID": "no such resource",
    "UNAVAILABLE": "server could not decide",
}
"""Every reason for refusal (`labsim.rejection.Reason`) in at most five words."""
_CHECKS: Final = {
    "signature_is_by_the_bound_key": "key did not sign this",
    "caller_may_use_the_subject_token": "not the asker's token",
}
"""Where a reason says too little: this check cannot tell another key from another request."""
_BINDING_REASONS: Final = ("SCHEME_", "BINDING_", "PROOF_", "NONCE_")

_BINDINGS: Final = {
    "bearer": "bearer",
    "dpop": "DPoP",
    "mtls": "mTLS",
    "http_signature": "HTTP signature",
}
_BASELINES: Final = {"ip_allow_list": "bearer behind an allow-list"}
_BINDINGS_TOLD: Final = {
    "bearer": "whoever has the token may use it",
    "dpop": "each request must carry a fresh proof, signed with the key the token is bound to",
    "mtls": "the token works only over a connection that shows the client's certificate",
    "http_signature": "each request must be signed with the key the token is bound to",
}
_ALERTS: Final = {
    "UNKNOWN_CA": "certificate not trusted",
    "BAD_CERTIFICATE": "bad certificate",
    "CERTIFICATE_EXPIRED": "certificate expired",
    "CERTIFICATE_REQUIRED": "no certificate",
}
_VARIANTS: Final = {
    "base": "the base",
    "nonce": "servers that ask for a nonce",
    "introspection": "servers that ask the issuer about each token",
    "minimal": "servers that remember no proofs",
    "replicas_shared": "replicas that share a memory",
    "replicas_apart": "replicas with memories of their own",
    "proxy_strips": "a proxy that strips a client's own certificate header",
    "proxy_passes": "a proxy that lets a client's own certificate header through",
    "stamping_signer": "signers that write the time into a proof themselves",
    "unspent": "an interceptor that holds requests back",
    "exchange_for_anyone": "an issuer that exchanges a token for whoever holds it",
    "exchange_unbinds": "an issuer that exchanges a bound token for a bearer token",
    "exchange_widens": "an issuer that exchanges a token for one that goes further",
    "ip_allow_list": "servers that take requests from the clients' address only",
    "cnf_says_more": "an issuer that says more in cnf than it must",
}
_GIVEN: Final = {
    "stolen_key": "the key",
    "new_token_for_own_key": "the client's credential",
    "signed_in_place": "a foothold in the holder's process",
    "proofs_made_ahead": "proofs made ahead",
}
_CUSTODIES: Final = {
    "none": "no key",
    "file": "key in a file",
    "memory": "key in memory",
    "signer": "key in a signer",
}
_THEFTS: Final = (
    "wiretap", "log_line", "container_files", "container_code", "commit", "ticket", "chat",
    "vendor_store", "vendor_tokens", "prompt_injection", "former_employee", "compromised_resource",
)  # fmt: skip
HOLDER: Final = "the holder itself"
ORDER: Final = {
    "theft": _THEFTS,
    "binding": tuple(_BINDINGS),
    "custody": tuple(_CUSTODIES),
    "replay": (
        "token_as_is",
        "request_as_is",
        "downgraded_scheme",
        "own_proof",
        "redirected_proof",
        "own_certificate",
        "unknown_certificate",
        "forged_certificate_header",
        "changed_body",
        "changed_query",
        "changed_header",
        "hold_and_forward",
        "proofs_made_ahead",
        "signed_in_place",
        "laundered_by_exchange",
        "stolen_key",
        "new_token_for_own_key",
    ),
    "variant": tuple(VARIANTS),
}
"""Known names in the order in which a reader meets them; names not listed come after."""


def look(outcome: str, reason: str) -> Look:
    """Return how an attempt looks; only a refusal for the binding's own reasons is its merit."""
    if outcome != "rejected":
        return _LOOKS.get(outcome, Look.NOT_MEASURED)
    by_binding = reason.upper().startswith(_BINDING_REASONS)
    return Look.REJECTED_BY_BINDING if by_binding else Look.REJECTED_OTHERWISE


def why(reason: str, check: str = "") -> str:
    """Return why something was refused, in a few words."""
    known = _CHECKS.get(check) or REASONS.get(reason.upper())
    return known or (f"not so: {plain(check)}" if check else plain(reason))


def alert(reason: str) -> str:
    """Return why a TLS connection was refused, in a few words; empty if that is not known.

    `reason` is what the client saw: the alert with which the server ended the handshake.
    """
    found = re.search(r"the alert (?:TLSV\w+?|SSLV3)_ALERT_(\w+)", reason)
    if found:
        return _ALERTS.get(found[1]) or plain(found[1])
    if reason.startswith("This client refused"):
        return "by the client"
    return "alert was lost" if "the alert that says why was lost" in reason else ""


def without_address(reason: str) -> str:
    """Return a reason without host and port, so that one server's is like another's."""
    return re.sub(r"(?<!\S)[\w.-]+:\d+(?!\d)", "the server", reason)


def plain(name: str) -> str:
    """Return a name with its underscores as spaces."""
    return name.replace("_", " ").lower()


def capital(text: str) -> str:
    """Return text with a capital first, as a heading has it; `mTLS` and `DPoP` stay as they are."""
    first = text.split()[0] if text else ""
    return text[:1].upper() + text[1:] if first.islower() else text


def a(text: str) -> str:
    """Return text with its article, by how it is said: `an mTLS`, `an HTTP signature`."""
    return f"an {text}" if text.startswith(("mTLS", "HTTP")) or text[0] in "aeio" else f"a {text}"


def theft(name: str) -> str:
    """Return a theft's name in words."""
    return plain(name)


def binding(name: str) -> str:
    """Return a binding's name as people write it."""
    return _BINDINGS.get(name) or _BASELINES.get(name) or plain(name)


def binding_told(name: str) -> str:
    """Return in words what a binding asks of whoever uses the token; empty if nobody wrote it."""
    return _BINDINGS_TOLD.get(name, "")


def custody(name: str) -> str:
    """Return where the key lies, in words."""
    return _CUSTODIES.get(name) or f"key in {plain(name)}"


def custodies(names: list[str]) -> str:
    """Return several places where a key may lie, in words: `key in a file or in memory`."""
    first, *rest = [custody(name) for name in names]
    return listed([first, *(each.removeprefix("key ") for each in rest)], "or")


def replay(name: str) -> str:
    """Return a replay in words, as its room says it: what the thief does."""
    return _titles("labsim.replays", "REPLAY").get(name) or plain(name)


def needed(name: str) -> str:
    """Return what a thief must have for a replay, beyond the token; empty if it is only a trick."""
    return _GIVEN.get(name, "")


def variant(name: str) -> str:
    """Return a variant in words: which servers, or what stands before them."""
    return _VARIANTS.get(name) or plain(name)


def theft_told(name: str) -> str:
    """Return in words how a theft happens, as its room says it."""
    return _titles("labsim.thefts", "THEFT").get(name) or plain(name)


@lru_cache
def _titles(package: str, constant: str) -> dict[str, str]:
    return {name: room.title for name, room in rooms(package, constant).items()}


def in_order(kind: str, names: list[str]) -> list[str]:
    """Return distinct names in the reader's order: known ones first, others as they came."""
    distinct = list(dict.fromkeys(names))
    known = [name for name in ORDER[kind] if name in distinct]
    return known + [name for name in distinct if name not in known]


def listed(parts: list[str], last: str = "and") -> str:
    """Join parts as a sentence does: `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"
