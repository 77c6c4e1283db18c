"""What a campaign came to, in the terms of `labsim.blast.predicted`, and how the two differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from labsim.blast import first_loot
from labsim.blast.first_loot import CUSTODIES, FirstLoot
from labsim.blast.predicted import Predicted, Predictor
from labsim.estate.plan import Plan
from tests.robbed import THEFTS
from tests.wired_estate import WiredEstate

PAIRS = tuple((binding, custody) for binding, each in CUSTODIES.items() for custody in each)
"""Every binding with every custody."""
type Case = tuple[str, str, str, str]
"""Client, theft, binding, custody."""


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


@dataclass(frozen=True, slots=True)
class Robbed:
    """Hold what one robbery yielded at first, kinds of loot and servers of tokens, and what then."""

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


def robbed(
    pieces: Iterable[Mapping[str, Any]], ended: bool, servers: Mapping[str, str], came: Came
) -> Robbed:
    """Sum up pieces of loot, as JSON values; a token that has ended by its use is no loot.

    `servers` are the resource servers' names by audience.
    """
    every = list(pieces)
    kinds = {kind for piece in every for kind in piece["kinds"]}
    tokens = {servers[piece["resource"]] for piece in every if piece["token"]}
    if ended:
        kinds, tokens = kinds - {"token"}, set()
    if not any(_usable(piece["client_credential"]) for piece in every):
        kinds -= {"client_credential"}
    return Robbed(frozenset(kinds), frozenset(tokens), came)


def waits(theft: str, token_seconds: int) -> float:
    """Return for how long a thief waits in these comparisons: only until every token has ended.

    What is used before that is used at once: a foothold lasts while it is used.
    """
    later = THEFTS[theft].used_after(token_seconds)
    return later if later > token_seconds else 0.0


def bound(plan: Plan, client: str, binding: str, custody: str) -> Plan:
    """Return the plan with one client bound in another way (custody none: it has no key)."""
    where: Any = {"binding": binding} | ({} if custody == "none" else {"custody": custody})
    changed = replace(plan.client(client), **where)
    return replace(plan, clients=MappingProxyType({**plan.clients, client: changed}))


def wired(plan: Plan, client: str, theft: str, seed: int = 0) -> Robbed:
    """Rob a client of a wired estate and let the attacker go on from there."""
    estate = WiredEstate(plan)
    pieces = estate.robbed(client, theft)
    ended = waits(theft, plan.token_seconds)
    estate.clock.advance(ended)
    campaign = estate.campaign(seed)
    for _row in campaign.run(pieces):
        pass
    found = [each.to_json() for each in campaign.credentials.values()]
    servers = {url: name for name, url in estate.urls.items()}
    came = came_to(campaign.records.values(), found)
    return robbed([piece.to_json() for piece in pieces], ended > 0, servers, came)


def against(plan: Plan, case: Case, measured: Robbed) -> dict[str, Any]:
    """Return what differs between a robbery of this case and the prediction; empty where nothing."""
    client, *how = case
    loot = first_loot.first_loot(plan.client(client), *how)
    return measured.differences(loot, Predictor(plan).of(client, *how))


def compared(plan: Plan, case: Case, seed: int = 0) -> dict[str, Any]:
    """Rob a client of a wired estate, and return what differs; empty where nothing."""
    client, theft, binding, custody = case
    return against(plan, case, wired(bound(plan, client, binding, custody), client, theft, seed))
