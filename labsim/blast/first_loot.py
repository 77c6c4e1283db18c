"""What each theft yields and what that opens, as tables written from the documents.

This is the second opinion on what the lab measures, so it shares no code with the attacker: kinds
of loot, thefts and bindings are plain names here, and each row says where it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from labsim.errors import LabError
from labsim.estate.plan import Client

CUSTODIES: Final[Mapping[str, tuple[str, ...]]] = {
    "bearer": ("none",),  # RFC 6750 section 1.2: no key at all
    "dpop": ("file", "memory", "signer"),
    "mtls": ("file", "memory", "signer"),
    "http_signature": ("file", "memory", "signer"),
}
"""Bindings, and where the key of each may lie."""
_EVERYWHERE: Final = frozenset({"none", "file", "memory", "signer"})
_ON_DISK: Final = frozenset({"file"})
_IN_THE_PROCESS: Final = frozenset({"file", "memory"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Yield:
    """Say what a theft yields: kinds of loot, and those that depend on where the key lies.

    `tokens` is `each` (one for each resource server that the client calls), `first` (one, for the
    first of them) or `expired` (too old by the time it is used). `key_in` and `foothold_in` are
    the custodies in which the key falls, or the power to use it in place; `no_token_in` those in
    which the token itself stays where it is. `needs` is what must be there for it to happen at all:
    a client with a `grant`, one that is an `agent`, or `tickets` somewhere in the estate.
    """

    source: str
    tokens: str = "each"
    kinds: frozenset[str] = frozenset()
    key_in: frozenset[str] = frozenset()
    foothold_in: frozenset[str] = frozenset()
    no_token_in: frozenset[str] = frozenset()
    needs: str = ""


_FILES: Final = frozenset({"client_credential", "certificate", "refresh_token"})
_STORE: Final = frozenset({"client_credential", "refresh_token"})
_REQUEST: Final = frozenset({"captured_request"})

YIELDS: Final[Mapping[str, Yield]] = {
    # The interceptor sees whole requests; the server has had each of them, so they are spent.
    "wiretap": Yield(source="RFC 9700 section 4.9", kinds=_REQUEST),
    "log_line": Yield(source="CWE-532"),
    # A key file beside the token is stolen with it (RFC 9449 section 11.4).
    "container_files": Yield(source="OWASP NHI2:2025", kinds=_FILES, key_in=_ON_DISK),
    # RFC 9449 section 2: code in the client's runtime uses the key online, and makes proofs ahead.
    "container_code": Yield(
        source="RFC 9449 sections 2 and 11.2",
        kinds=_FILES | {"proofs_ahead"},
        key_in=_IN_THE_PROCESS,
        foothold_in=_EVERYWHERE,
    ),
    "commit": Yield(source="CWE-540", kinds=frozenset({"client_credential"})),
    "ticket": Yield(source="OWASP NHI2:2025", tokens="first", kinds=_REQUEST, needs="tickets"),
    "chat": Yield(source="OWASP NHI2:2025", tokens="first", needs="tickets"),
    # A store has one access token for each tenant, and a token has one audience.
    "vendor_store": Yield(source="OWASP NHI3:2025", tokens="first", kinds=_STORE, needs="grant"),
    "vendor_tokens": Yield(
        source="OWASP NHI3:2025",
        tokens="first",
        kinds=frozenset({"refresh_token"}),
        needs="grant",
    ),
    # A confused deputy: where it cannot read its own token, it is made to use it.
    "prompt_injection": Yield(
        source="OWASP LLM01:2025",
        foothold_in=frozenset({"signer"}),
        no_token_in=frozenset({"signer"}),
        needs="agent",
    ),
    "former_employee": Yield(
        source="OWASP NHI1:2025",
        tokens="expired",
        kinds=frozenset({"client_credential", "certificate"}),
        key_in=_ON_DISK,
    ),
    # A server keeps what it is sent, which is meant for itself (RFC 9700 section 4.9.2).
    "compromised_resource": Yield(source="RFC 9700 section 4.9.2", tokens="first", kinds=_REQUEST),
}

OPENS: Final[Mapping[str, tuple[frozenset[str], ...]]] = {
    # RFC 6750 section 1.2: any party in possession of the token can use it; sent again likewise.
    "bearer": (frozenset({"token"}), frozenset({"captured_request"})),
    # RFC 9449 sections 7.1 and 11.2: a proof by the bound key, made now or made ahead. A captured
    # one is spent: the server remembers it (section 11.1).
    "dpop": (frozenset({"token", "key"}), frozenset({"token", "proofs_ahead"})),
    # RFC 8705 section 3: a connection with the certificate, and so with its key. No proofs.
    "mtls": (frozenset({"token", "key", "certificate"}),),
    # RFC 9421 sections 3.2 and 7.2.2: as with DPoP, a signature by the bound key, used once.
    "http_signature": (frozenset({"token", "key"}), frozenset({"token", "proofs_ahead"})),
}
"""What opens the resource that a token is for: one of these, whole."""


@dataclass(frozen=True, slots=True)
class FirstLoot:
    """Hold what a theft of one client yields: kinds of loot, and for which resources tokens."""

    kinds: frozenset[str]
    tokens: tuple[str, ...]


def first_loot(client: Client, theft: str, binding: str, custody: str) -> FirstLoot:
    """Return what a theft yields; raises LabError for what does not exist or makes no sense.

    A vendor's store holds grants of customers, so that `vendor_store` and `vendor_tokens` rob only
    clients whose grant is `refresh_token`; a prompt is obeyed by agents only.
    """
    row = _known(theft, binding, custody)
    _refuse_senseless(client, theft, row)
    kinds = set(row.kinds)
    if client.grant != "refresh_token":
        kinds.discard("refresh_token")
    if binding != "mtls":
        kinds.discard("certificate")
    if "proofs_ahead" not in set().union(*OPENS[binding]):
        kinds.discard("proofs_ahead")
    if custody in row.key_in and custody != "none":
        kinds.add("key")
    if custody in row.foothold_in:
        kinds.add("foothold")
    if _one_key(client, binding) and custody != "file" and "key" not in kinds:
        kinds.discard("client_credential")
    tokens = {"each": client.calls, "first": client.calls[:1], "expired": ()}[row.tokens]
    if custody in row.no_token_in:
        tokens = ()
    return FirstLoot(frozenset(kinds | ({"token"} if tokens else set())), tokens)


def makes_sense(client: Client, theft: str) -> bool:
    """Tell whether a theft can happen to this client; tickets are not the client's own business."""
    needed = YIELDS[theft].needs
    has_grant, is_agent = client.grant == "refresh_token", client.kind == "agent"
    return {"grant": has_grant, "agent": is_agent}.get(needed, True)


def _refuse_senseless(client: Client, theft: str, row: Yield) -> None:
    if makes_sense(client, theft):
        return
    if row.needs == "agent":
        raise LabError(
            f"The theft {theft} needs an agent, and {client.name} is a {client.kind}.",
            todo="Rob a client whose kind is agent, or choose another theft.",
        )
    raise LabError(
        f"The theft {theft} takes refresh tokens, and {client.name} lives from none.",
        todo="Rob a client whose grant is refresh_token, or choose another theft.",
    )


def _one_key(client: Client, binding: str) -> bool:
    """Tell whether the key that the tokens are bound to is what the client authenticates with.

    One connection shows one certificate (RFC 8705 sections 2.1 and 3), so that there are not two.
    That key is the client's credential: it lies in the credential's file where it lies in one at
    all, and a copy of the files without it has a certificate, which is no secret.
    """
    return client.authentication == "tls_client_auth" and binding == "mtls"


def _known(theft: str, binding: str, custody: str) -> Yield:
    if theft not in YIELDS:
        raise LabError.unknown("theft", theft, YIELDS)
    if binding not in CUSTODIES:
        raise LabError.unknown("binding", binding, CUSTODIES)
    if custody not in CUSTODIES[binding]:
        raise LabError.unknown(f"custody for {binding}", custody, CUSTODIES[binding])
    return YIELDS[theft]


def readable(client: Client, resources: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """Return those of `resources` (all that it calls, if None) that the client may read."""
    scopes = set(client.scopes)
    return tuple(r for r in (resources or client.calls) if f"{r}.read" in scopes)


def opened_by_token(client: Client, loot: FirstLoot, binding: str) -> tuple[str, ...]:
    """Return the resources that the stolen tokens open with what was stolen beside them.

    A token has one audience (RFC 9068 section 4), so that it opens its own resource and no other.
    """
    opens = any(needed <= loot.kinds for needed in OPENS[binding])
    return readable(client, loot.tokens) if opens and loot.tokens else ()


def gets_new_tokens(client: Client, kinds: frozenset[str]) -> bool:
    """Tell whether this loot gets new tokens, for a key of the thief's own.

    The client's credential does where the client may ask by itself (RFC 6749 section 4.4). One
    that is registered for refresh tokens only needs one of those too: the grant type is refused
    otherwise (section 5.2), and the refresh token is worth nothing alone (section 10.4).
    """
    needed = {"client_credential"} if client.grant == "client_credentials" else set(_STORE)
    return needed <= kinds


def opened(client: Client, loot: FirstLoot, binding: str) -> tuple[str, ...]:
    """Return the resources that this loot opens, in the order in which the client calls them."""
    # RFC 9449 section 2: whoever signs in place is the holder, for whatever the holder may do.
    if "foothold" in loot.kinds or gets_new_tokens(client, loot.kinds):
        return readable(client)
    return opened_by_token(client, loot, binding)
