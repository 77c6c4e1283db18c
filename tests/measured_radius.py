"""What a campaign came to, in the terms of `labsim.blast.predicted`, and how the two differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from labsim.blast.first_loot import FirstLoot
from labsim.blast.predicted import Predicted
from labsim.estate.plan import Plan
from tests.robbed import THEFTS
from tests.wired_estate import WiredEstate


@dataclass(frozen=True, slots=True)
class Came:
    """Hold what a thief came to: ids, names and numbers as in `Predicted`."""

    records: frozenset[str]
    resources: frozenset[str]
    credentials: frozenset[str]
    hops: int


def came_to(records: Iterable[Mapping[str, Any]], credentials: Iterable[Mapping[str, Any]]) -> Came:
    """Sum up a campaign by what it was served and what it found, both as JSON values.

    A credential counts with what is needed to use it: a certificate without its key is none.
    """
    served, known = list(records), list(credentials)
    usable = [each for each in known if _usable(each["loot"]["client_credential"])]
    return Came(
        frozenset(str(record["id"]) for record in served),
        frozenset(str(record["resource"]) for record in served),
        frozenset(str(each["loot"]["client"]) for each in usable),
        max((int(each["hop"]) for each in known), default=0),
    )


def _usable(credential: Mapping[str, Any] | None) -> bool:
    return credential is not None and ("secret" in credential or "private_jwk" in credential)


def differences(measured: Came, predicted: Predicted) -> dict[str, Any]:
    """Return what differs, both ways; empty where measured equals predicted."""
    found: dict[str, Any] = {}
    for name in ("records", "resources", "credentials"):
        mine, said = getattr(measured, name), getattr(predicted, name)
        if mine != said:
            found |= {f"{name} only measured": sorted(mine - said)}
            found |= {f"{name} only predicted": sorted(said - mine)}
    if measured.hops != predicted.hops:
        found["hops"] = f"{measured.hops} measured, {predicted.hops} predicted"
    return found


def bound(plan: Plan, client: str, binding: str, custody: str) -> Plan:
    """Return the plan with one client bound in another way (custody none: it has no key)."""
    where: Any = {"binding": binding} | ({} if custody == "none" else {"custody": custody})
    changed = replace(plan.client(client), **where)
    return replace(plan, clients=MappingProxyType({**plan.clients, client: changed}))


@dataclass(frozen=True, slots=True)
class Wired:
    """Hold what one robbery in a wired estate yielded at first, and what it came to."""

    kinds: frozenset[str]
    tokens: frozenset[str]
    came: Came

    def differences(self, first: FirstLoot, predicted: Predicted) -> dict[str, Any]:
        """Return what differs from the prediction, the first loot included; empty where nothing."""
        found: dict[str, Any] = {}
        for name, mine, said in (
            ("loot", self.kinds, first.kinds),
            ("tokens", self.tokens, frozenset(first.tokens)),
        ):
            if mine != said:
                found |= {f"{name} only measured": sorted(mine - said)}
                found |= {f"{name} only predicted": sorted(said - mine)}
        return found | differences(self.came, predicted)


def wired(plan: Plan, client: str, theft: str, seed: int = 0) -> Wired:
    """Rob a client of a wired estate, let the time pass that this theft takes, and go on from there.

    Only what is used after its token's end waits: a foothold is used while it lasts. A token that
    has ended by then is no loot.
    """
    estate = WiredEstate(plan)
    loot = estate.robbed(client, theft)
    later = THEFTS[theft].used_after(plan.token_seconds)
    ended = later > plan.token_seconds
    estate.clock.advance(later if ended else 0)
    campaign = estate.campaign(seed)
    for _row in campaign.run(loot):
        pass
    found = [each.to_json() for each in campaign.credentials.values()]
    kinds = {str(kind) for piece in loot for kind in piece.kinds}
    kinds -= {"token"} if ended else set()
    kinds -= set() if any(_usable(p.client_credential) for p in loot) else {"client_credential"}
    names = {url: name for name, url in estate.urls.items()}
    tokens = {names[piece.resource] for piece in loot if piece.token and not ended}
    came = came_to(campaign.records.values(), found)
    return Wired(frozenset(kinds), frozenset(tokens), came)
