"""Which rounds the main job runs: client, binding, custody, theft, variant, and what is tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labsim.rooms import names
from labsim.rooms import rooms as all_rooms

if TYPE_CHECKING:
    from labsim.estate.plan import Plan
    from labsim.loot import Theft

THEFTS: Final[dict[str, Theft]] = dict(all_rooms("labsim.thefts", "THEFT"))
REPLAYS: Final = tuple(names("labsim.replays"))
# Binding and custody. A bearer client has no key, so that custody says nothing there.
BASE = (
    ("bearer", "file"),
    ("dpop", "file"),
    ("dpop", "memory"),
    ("dpop", "signer"),
    ("mtls", "file"),
    ("mtls", "memory"),
    ("mtls", "signer"),
    ("http_signature", "file"),
    ("http_signature", "memory"),
    ("http_signature", "signer"),
)
DOING: Final = {"changed_query": "query", "changed_body": "write"}
"""What the victim does while it is tapped, for replays that change just that of its request."""
_CAPTURED = ("hold_and_forward", "changed_header", "changed_query", "changed_body")
_IN_BINDING = (
    "token_as_is", "request_as_is", "own_proof", "own_certificate", "unknown_certificate",
    "downgraded_scheme", "redirected_proof", "stolen_key", "forged_certificate_header",
    "new_token_for_own_key",
)  # fmt: skip
_AHEAD = ("proofs_made_ahead",)
_EXCHANGED = ("laundered_by_exchange",)
_EACH = (
    ("bearer", "file"),
    ("dpop", "file"),
    ("mtls", "file"),
    ("http_signature", "file"),
)

type Row = tuple[str, str, str, str, tuple[str, ...]]


def _variants() -> Iterator[Row]:
    yield "nonce", "dpop", "file", "wiretap", _IN_BINDING
    yield "nonce", "dpop", "file", "container_files", _IN_BINDING
    yield "introspection", "dpop", "file", "container_files", _IN_BINDING
    for variant in ("minimal", "replicas_shared", "replicas_apart"):
        yield variant, "dpop", "file", "wiretap", _IN_BINDING
        yield variant, "http_signature", "file", "wiretap", _IN_BINDING
    yield "proxy_strips", "mtls", "memory", "container_files", _IN_BINDING
    yield "proxy_passes", "mtls", "memory", "container_files", _IN_BINDING
    yield "nonce", "dpop", "signer", "container_code", _AHEAD
    yield "stamping_signer", "dpop", "signer", "container_code", _AHEAD
    yield "stamping_signer", "http_signature", "signer", "container_code", _AHEAD
    for binding, custody in _EACH:
        yield "unspent", binding, custody, "wiretap", _CAPTURED
        for variant in ("exchange_for_anyone", "exchange_unbinds", "exchange_widens"):
            yield variant, binding, custody, "log_line", _EXCHANGED


VARIANTS = tuple(_variants())
"""Variant, binding, custody, theft, replays: once is enough, since the story makes no difference to
a verifier, and only where the variant can make one."""


@dataclass(frozen=True, slots=True)
class Round:
    """One client, bound in one way, robbed in one way, under one variant; `replays` are tried.

    `beyond` says that they go to a server that the client has no business with.
    """

    story: str
    client: str
    binding: str
    custody: str
    theft: str
    variant: str
    replays: tuple[str, ...] = REPLAYS
    beyond: bool = False


def rounds(plan: Plan) -> list[Round]:
    """Return every round of the main job, in the order of the stories.

    A client is bound in every way of BASE, and as the estate file has it if that is another one;
    for a theft that yields the same wherever the key lies, with the key in a file only. A variant
    is shown on the first story that has the theft for it.
    """
    found = [
        Round(story.name, story.client, binding, custody, theft, "base")
        for story in plan.stories.values()
        for binding, custody in dict.fromkeys((*BASE, _as_written(plan, story.client)))
        for theft in story.thefts
        if custody == "file" or THEFTS[theft].custody_matters
    ]
    for variant, binding, custody, theft, replays in VARIANTS:
        story = next((s for s in plan.stories.values() if theft in s.thefts), None)
        if story is not None:
            where = (story.name, story.client, binding, custody, theft, variant)
            found.append(Round(*where, replays, beyond=variant == "exchange_widens"))
    return found


def _as_written(plan: Plan, client: str) -> tuple[str, str]:
    found = plan.client(client)
    return found.binding, "file" if found.binding == "bearer" else found.custody
