"""A campaign: what it tries, what it finds, when it ends; the roles wired without sockets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from labsim.campaign import ORDER, Campaign
from labsim.estate import plan as plans
from labsim.estate.plan import Client, Plan, Record
from labsim.loot import Loot
from tests.wired_estate import BINDINGS, REPLAYS, MemoryJournal, WiredEstate

LAB = plans.load()
HOPS = {
    "support-agent/crm by log_line": (0, ""),
    "support-agent/collab by log_line": (0, ""),
    "nightly-export in crm-0009": (1, "support-agent/crm by log_line"),
    "storefront in crm-0017": (1, "support-agent/crm by log_line"),
    "support-agent in collab-0006": (1, "support-agent/collab by log_line"),
    "ci-runner in collab-4127": (1, "support-agent/collab by log_line"),
}
"""The way from a support agent's token: who knows what, by which credential that was found."""


def with_client(plan: Plan, name: str, **changes: Any) -> Plan:
    client = replace(plan.client(name), **changes)
    return replace(plan, clients=MappingProxyType({**plan.clients, name: client}))


def with_records(plan: Plan, **texts: str) -> Plan:
    """Give resource servers one record each, with this text."""
    resources = {
        name: replace(plan.resource(name), records=(Record(f"{name}-1", "secret", "A note", text),))
        for name, text in texts.items()
    }
    return replace(plan, resources=MappingProxyType(resources))


def run(estate: WiredEstate, loot: Iterable[Loot], seed: int = 0) -> tuple[Campaign, list[Any]]:
    campaign = estate.campaign(seed)
    return campaign, list(campaign.run(loot))


def from_theft(plan: Plan, client: str, theft: str, seed: int = 0) -> tuple[Campaign, list[Any]]:
    estate = WiredEstate(plan)
    return run(estate, estate.robbed(client, theft), seed)


def at(rows: Iterable[Mapping[str, Any]], **what: object) -> list[Mapping[str, Any]]:
    return [row for row in rows if all(row[name] == value for name, value in what.items())]


def test_one_bearer_token_leads_from_record_to_record_through_the_estate() -> None:
    campaign, rows = from_theft(LAB, "support-agent", "log_line")
    assert {c.name: (c.hop, c.found_with) for c in campaign.credentials.values()} == HOPS
    every = {record.id for resource in LAB.resources.values() for record in resource.records}
    assert every - set(campaign.records) == {r.id for r in LAB.resource("admin").records}
    opened = {(row["credential"], row["resource"]) for row in at(rows, outcome="served")}
    assert ("ci-runner in collab-4127", "vault") in opened
    assert ("storefront in crm-0017", "payments") in opened
    (deploy,) = at(rows, credential="ci-runner in collab-4127", resource="deploy")
    assert (deploy["led_by"], deploy["hop"], deploy["client"]) == ("collab-4127", 1, "ci-runner")
    assert (deploy["theft"], deploy["relation"], deploy["again"]) == ("log_line", "", False)
    vault = campaign.records["vault-0004"]
    assert (vault["title"], vault["resource"]) == ("Seal of the label printer", "vault")


@pytest.mark.parametrize("binding", ["dpop", "mtls", "http_signature"])
def test_a_bound_token_alone_leads_nowhere(binding: str) -> None:
    campaign, rows = from_theft(
        with_client(LAB, "support-agent", binding=binding), "support-agent", "log_line"
    )
    assert not campaign.records
    assert len(rows) > len(LAB.resources)
    assert {row["outcome"] for row in rows} <= {"rejected", "refused_by_tls"}


@pytest.mark.parametrize("theft", ["log_line", "wiretap", "container_files"])
@pytest.mark.parametrize("binding", BINDINGS)
def test_nothing_impossible_is_tried_and_nothing_twice_or_once_it_was_served(
    binding: str, theft: str
) -> None:
    _campaign, rows = from_theft(
        with_client(LAB, "support-agent", binding=binding), "support-agent", theft
    )
    assert not at(rows, outcome="not_possible")
    tried = [(r["credential"], r["resource"], r["replay"], r["binding"]) for r in rows]
    assert max(Counter(tried).values()) == 1
    for credential, resource in {each[:2] for each in tried}:
        pair = at(rows, credential=credential, resource=resource)
        assert "served" not in [row["outcome"] for row in pair[:-1]]
        order = [ORDER.index(r["replay"]) for r in pair if r["replay"] in ORDER]
        assert order == sorted(order)


@pytest.mark.parametrize("binding", BINDINGS)
def test_the_authorization_server_says_which_key_a_found_client_needs(binding: str) -> None:
    campaign, rows = from_theft(
        with_client(LAB, "ci-runner", binding=binding), "support-agent", "log_line"
    )
    mine = at(rows, credential="ci-runner in collab-4127")
    assert {r["resource"] for r in at(mine, outcome="served")} == {"deploy", "vault"}
    assert {r["binding"] for r in at(mine, outcome="served")} == {binding}
    assert {r["replay"] for r in mine} == {"new_token_for_own_key"}
    # At the first target it finds out, bearer first; from then on it knows.
    first = [r["binding"] for r in mine if r["resource"] == mine[0]["resource"]]
    assert first == (
        ["bearer"] if binding == "bearer" else [*dict.fromkeys(["bearer", *BINDINGS])][: len(first)]
    )
    assert first[-1] == binding
    assert {r["binding"] for r in mine[len(first) :]} == {binding}
    assert "vault-0001" in campaign.records


def test_a_credential_that_is_none_costs_one_refusal_at_each_target() -> None:
    secret = "x" * 43
    plan = with_records(LAB, crm=f"try it: somebody with {secret}", orders="nothing")
    plan = with_client(plan, "nightly-export", calls=("crm", "orders"))
    plan = replace(
        plan, clients=MappingProxyType({"nightly-export": plan.client("nightly-export")})
    )
    campaign, rows = from_theft(plan, "nightly-export", "log_line")
    wrong = at(rows, credential="somebody in crm-1")
    assert [r["error"] for r in wrong] == ["invalid_client"] * 2
    assert set(campaign.records) == {"crm-1", "orders-1"}


def test_what_is_known_already_is_not_new() -> None:
    plan = with_client(LAB, "support-agent", binding="dpop", custody="memory")
    campaign, _rows = from_theft(plan, "support-agent", "container_files")
    assert "collab-0006" in campaign.records
    assert not [name for name in campaign.credentials if name.startswith("support-agent in ")]
    pairs = [c.loot.client_credential for c in campaign.credentials.values() if c.hop]
    assert len({(p["client_id"], p["secret"]) for p in pairs if p}) == len(pairs) == 3


def test_a_token_in_a_record_is_loot_as_well() -> None:
    estate = WiredEstate(LAB)
    estate.work("ci-runner")
    token = estate.holdings["ci-runner"].tokens["vault"].access_token
    crm: Any = estate.servers["crm"].records
    crm[0] = {**crm[0], "text": f'curl -H "Authorization: Bearer {token}"'}
    campaign, rows = run(estate, estate.robbed("support-agent", "log_line"))
    (served,) = at(rows, credential="ci-runner/vault in crm-0001", outcome="served")
    assert (served["resource"], served["replay"]) == ("vault", "token_as_is")
    assert campaign.credentials["ci-runner/vault in crm-0001"].loot.found_at == "crm-0001"


def vendor(owner: str) -> Plan:
    """An integration's refresh token is stolen; its client secret stands where its token reads."""
    plan = with_records(LAB, crm=f"{{client_id:{owner}}} with {{client_secret:{owner}}}")
    sync = replace(LAB.client("lead-sync"), calls=("crm",), scopes=("crm.read",))
    other = replace(LAB.client("storefront"), calls=("crm",), scopes=("crm.write",))
    clients: dict[str, Client] = {"lead-sync": sync, "storefront": other}
    return replace(plan, clients=MappingProxyType(clients))


def test_a_found_credential_makes_a_stolen_refresh_token_usable() -> None:
    _campaign, rows = from_theft(vendor("lead-sync"), "lead-sync", "vendor_tokens")
    # By itself the client may not ask for a token, with the refresh token it may.
    (alone,) = at(rows, credential="lead-sync in crm-1")
    assert alone["error"] == "unauthorized_client"
    (both,) = at(rows, credential="lead-sync refreshed in crm-1")
    assert (both["outcome"], both["hop"], both["led_by"]) == ("served", 1, "crm-1")


def test_another_clients_credential_does_not() -> None:
    campaign, rows = from_theft(vendor("storefront"), "lead-sync", "vendor_tokens")
    tenants = [f"lead-sync/crm by vendor_tokens{more}" for more in ("", " #2", " #3")]
    assert list(campaign.credentials) == [*tenants, "storefront in crm-1"]
    (refused,) = at(rows, credential="storefront in crm-1")
    assert refused["error"] == "insufficient_scope"


def test_a_seed_repeats_and_another_tries_in_another_order() -> None:
    def keys(seed: int) -> list[tuple[str, ...]]:
        _campaign, rows = from_theft(LAB, "support-agent", "log_line", seed)
        return [(r["credential"], r["resource"], r["replay"], r["outcome"]) for r in rows]

    first, other = keys(1), keys(2)
    assert keys(1) == first
    assert first != other
    assert sorted(first) == sorted(other)


def test_a_journal_of_another_campaign_is_refused() -> None:
    estate, journal = WiredEstate(LAB), MemoryJournal()
    loot = estate.robbed("support-agent", "log_line")
    first = list(estate.campaign(1, journal).run(loot))
    with pytest.raises(ValueError, match="another campaign"):
        list(estate.campaign(2, journal).run(loot))
    with pytest.raises(ValueError, match="another campaign"):
        list(estate.campaign(1, journal).run(loot[:1]))
    assert list(estate.campaign(1, journal).run(loot)) == first


def test_the_order_names_replays_that_exist_and_each_once() -> None:
    assert set(ORDER) <= set(REPLAYS)
    assert len(set(ORDER)) == len(ORDER)
