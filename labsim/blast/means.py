"""By what means a thief reads, and until when: how each one ends, with its source.

Times are lab seconds since the theft; what never happens is None, and ends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from math import inf
from typing import Final, cast

from labsim.blast.first_loot import (
    FirstLoot,
    first_loot,
    gets_new_tokens,
    opened_by_token,
    readable,
)
from labsim.blast.predicted import opened_by_credential
from labsim.errors import LabError
from labsim.estate.plan import Authentication, Client, Plan

KEPT_APART: Final = "kept_apart"
CERTIFICATE: Final = "tls_client_auth"
AUTHENTICATIONS: Final = ("client_secret_basic", "private_key_jwt", CERTIFICATE, KEPT_APART)
"""How the robbed client authenticates: by what lies in its files; by the key of its certificate,
which is then also what its tokens are bound to (RFC 8705 section 2); or by something that this
theft does not take, such as a key that a signer holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Countermeasures:
    """Say what is done against a thief, and when: lab seconds since the theft, None for never.

    `token_seconds` is how long an access token lives from the theft on (the plan's, if None).
    `revoke_at`: all tokens and grants of the robbed client are revoked; its resource servers know
    `told_after` seconds later. `evict_at`: the thief loses its foothold. `rotate_at`: the robbed
    client's credential is replaced; `rotate_found_at`: those that lay in records, too.
    `enforce_at`: the resource servers begin to look at `cnf`; until then a bound token is a bearer
    token to them. None is different here: they have done so all along. `reused_at`: the holder
    uses its own copy of a refresh token that the thief has used, and the family ends.
    """

    token_seconds: float | None = None
    revoke_at: float | None = None
    told_after: float = 0.0
    evict_at: float | None = None
    rotate_at: float | None = None
    rotate_found_at: float | None = None
    withdraw_at: float | None = None
    enforce_at: float | None = None
    reused_at: float | None = None

    def __post_init__(self) -> None:
        """Raise LabError for a time before the theft."""
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise LabError(
                    f"{name} is {value}: times count from the theft on.",
                    todo="Give seconds, 0 or more, or None.",
                )

    def token(self, plan: Plan) -> float:
        """Return how long an access token lives."""
        return float(plan.token_seconds if self.token_seconds is None else self.token_seconds)

    @property
    def told_at(self) -> float:
        """Return when the resource servers know of the revocation."""
        return _or_never(self.revoke_at) + self.told_after


@dataclass(frozen=True, slots=True)
class Mean:
    """Name one means of reading, what it opens, and when it ends (never: infinity)."""

    name: str
    resources: tuple[str, ...]
    until: float


@dataclass(frozen=True, slots=True)
class Case:
    """Name one theft: of whom, how, what its tokens are bound to, and how it authenticates.

    `authentication` is one of `AUTHENTICATIONS`, or empty for what the plan says.
    """

    client: str
    theft: str
    binding: str
    custody: str
    authentication: str = ""


def means(plan: Plan, case: Case, measures: Countermeasures) -> tuple[Mean, ...]:
    """Return by what means the thief reads at first; those that open nothing are left out.

    Raises LabError as `first_loot` does, and for an authentication that cannot be.
    """
    client = plan.client(case.client)
    loot = stolen(client, case)
    found = _means(plan, client, loot, case, measures)
    return tuple(each for each in found if each.resources and each.until > 0)


def _means(
    plan: Plan, client: Client, loot: FirstLoot, case: Case, measures: Countermeasures
) -> Iterator[Mean]:
    binding, withdrawn_at = case.binding, _or_never(measures.withdraw_at)
    # RFC 9068 section 4 (exp) or RFC 7009 section 2.1, whichever is first. Proofs made ahead end
    # with the token that they name (RFC 9449 section 11.2), so that they are one means.
    token_end = min(measures.token(plan), measures.told_at)
    if binding == "mtls":
        token_end = min(token_end, withdrawn_at)  # RFC 8705 section 7.5
    yield Mean("token", opened_by_token(client, loot, binding), token_end)
    if measures.enforce_at is not None and binding != "bearer":
        # RFC 9449 section 7.2: who does not look at `cnf` takes a bound token for a bearer token.
        until = min(token_end, measures.enforce_at)
        yield Mean(
            "token, not enforced", readable(client, loot.tokens) if loot.tokens else (), until
        )
    if "foothold" in loot.kinds:
        # It is the holder who asks for new tokens and signs: only eviction ends that.
        yield Mean("foothold", readable(client), _or_never(measures.evict_at))
    if gets_new_tokens(client, loot.kinds):
        until = _last_token_ends(plan, _asks_until(client, measures), measures)
        if (case.authentication or client.authentication) == CERTIFICATE:
            # The new tokens are bound to it as well (RFC 8705 section 2.1).
            until = min(until, withdrawn_at)
        yield Mean("new tokens", readable(client), until)


def _asks_until(client: Client, measures: Countermeasures) -> float:
    """Return until when the robbed client's credential gets tokens, with a grant's if it needs one.

    RFC 9700 section 4.14.2: used twice, a family ends; RFC 7009 section 2.1: revoked.
    """
    ends = [measures.rotate_at]
    if client.grant == "refresh_token":
        ends += [measures.reused_at, measures.revoke_at]
    return min(_or_never(each) for each in ends)


def _last_token_ends(plan: Plan, asks_until: float, measures: Countermeasures) -> float:
    """Return when the last token ends that was issued just before `asks_until`.

    A new secret ends no token. A revocation does, if it is not before the last one was issued:
    revoke first and rotate then, and the thief gets another in between.
    """
    end = asks_until + measures.token(plan)
    return min(end, measures.told_at) if _or_never(measures.revoke_at) >= asks_until else end


def found_mean(
    plan: Plan,
    name: str,
    case: Case,
    now: float,
    measures: Countermeasures,
    refreshes: bool = False,
) -> Mean | None:
    """Return the means that a client's credential is, which was found in a record at `now`.

    None if it opens nothing, or was replaced before. The robbed client's own may lie in a record
    too, and ends as any stolen one does; `refreshes` says that a refresh token of it was stolen.
    """
    client, mine = plan.client(name), name == case.client
    asks_until = _asks_until(client, measures) if mine else _or_never(measures.rotate_found_at)
    opens = opened_by_credential(client, mine and refreshes)
    if now >= asks_until or not opens:
        return None
    last = asks_until + measures.token(plan)
    return Mean("found", opens, _last_token_ends(plan, asks_until, measures) if mine else last)


def stolen(client: Client, case: Case) -> FirstLoot:
    """Return the first loot, with what the client's way to authenticate makes of it."""
    authentication = case.authentication or str(client.authentication)
    if authentication not in AUTHENTICATIONS:
        raise LabError.unknown("client authentication", authentication, AUTHENTICATIONS)
    if case.authentication == CERTIFICATE and case.binding != "mtls":
        raise LabError(
            f"A client with {CERTIFICATE} has tokens bound to its certificate, not {case.binding}.",
            todo="Choose the binding mtls, or another authentication.",
        )
    if authentication != KEPT_APART:
        return first_loot(
            replace(client, authentication=cast(Authentication, authentication)),
            case.theft,
            case.binding,
            case.custody,
        )
    loot = first_loot(client, case.theft, case.binding, case.custody)
    return FirstLoot(loot.kinds - {"client_credential"}, loot.tokens)


def _or_never(seconds: float | None) -> float:
    return inf if seconds is None else float(seconds)
