"""The presets as data: each says what its report was, and fits the roles that it is made for."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsim.catalogue.listed import catalogue
from labsim.catalogue.played import PLAYED
from labsim.estate import plan
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.estate.terminator import REMOVES
from labsim.estate.variants import VARIANTS
from labsim.http_message import Request
from labsim.preset import (
    Preset,
    Role,
    own_replays,
    presets,
    weakened_authorization_server,
    weakened_resource_server,
)
from labsim.roles.resource_server import ResourceServer
from labsim.roles.token_exchange import EXCHANGE_CHECKS
from labsim.rooms import names, rooms
from labsim.stories import oracle
from labsim.weakened.entry_expires_first import SKEW, ShortMemory
from tests.wiring import RECORDS, TOKEN_ENDPOINT, Lab

PRESETS = presets()
ROWS = {row.id for row in (*PLAYED, *catalogue())}
each_preset = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
PLAN = plan.load(None)
EXPECTED = oracle.load(plan.DATA / "expected_outcomes.csv")
# Facts that the lab states of public reports: written down here a second time, by hand.
REPORTS = {
    "cnf_ignored_under_bearer": "giantswarm/mcp-oauth issue 383",
    "binding_never_compared": "giantswarm/mcp-oauth issue 384",
    "thumbprint_never_compared": "Abblix/Oidc.Server pull request 159",
    "mtls_without_cnf": "marcjazz/authkestra issue 224",
    "entry_expires_first": "keycloak/keycloak issue 43505",
    "replay_key_from_raw_htu": "better-auth pull request 10039",
    "nonce_answer_ignored": "wso2/financial-services-accelerator pull request 958",
    "refresh_without_proof": "keycloak/keycloak issue 36475",
    "exchange_strips_binding": "keycloak/keycloak issue 50963",
    "no_replay_store": "wso2/product-is issue 23358",
    "forged_header_passes": "openshift/router pull requests 797 to 807, CVE-2026-46579",
    "signature_covers_nothing": "cloudflare/web-bot-auth pull request 114, GHSA-x9cc-346q-g27m",
    "digest_never_compared": "interledger/rafiki issue 655",
    "stale_token_after_rotation": (
        "AzureAD/microsoft-authentication-library-for-dotnet issue 6117"
    ),
    "strict_cnf_parser": "auth0/node-oauth2-jwt-bearer issue 258",
    "find_then_insert": "a pattern in several servers' replay caches",
}


def test_each_preset_is_the_report_that_it_names() -> None:
    assert {name: preset.report for name, preset in PRESETS.items()} == REPORTS


def test_two_of_them_are_too_strict() -> None:
    strict = {name for name, preset in PRESETS.items() if preset.too_strict}
    assert strict == {"stale_token_after_rotation", "strict_cnf_parser"}


@each_preset
def test_a_scene_is_made_of_what_there_is(preset: Preset) -> None:
    scene, replays = preset.scene, {*names("labsim.replays"), *own_replays()}
    client = PLAN.client(scene.client)
    assert scene.at in client.calls
    assert scene.variant in VARIANTS
    assert scene.binding in names("labsim.bindings")
    if preset.too_strict:
        assert (scene.theft, scene.replay) == ("", "")
    else:
        assert scene.theft in rooms("labsim.thefts", "THEFT")
        assert scene.replay in replays
    assert preset.own is None or preset.own.name == scene.replay
    assert preset.row in ROWS
    assert preset.source.startswith("RFC ")
    assert preset.without or preset.part.__name__ == "part"


@each_preset
def test_a_good_server_refuses_what_the_documents_say_it_refuses(preset: Preset) -> None:
    """Where the oracle has a line for the scene, it is stopped by the same check there."""
    scene = preset.scene
    cell = (scene.theft, scene.custody, scene.binding, scene.replay, scene.variant, "same_resource")
    if preset.too_strict or preset.own is not None:
        assert cell not in EXPECTED
    else:
        assert EXPECTED[cell][:2] == ("rejected", preset.stopped_by)


@each_preset
def test_only_checks_that_there_are_can_be_left_out(preset: Preset) -> None:
    known = {
        Role.RESOURCE_SERVER: {
            check.name
            for binding in rooms("labsim.bindings", "BINDING").values()
            for check in binding.checks
        },
        Role.AUTHORIZATION_SERVER: {check.name for check in EXCHANGE_CHECKS},
        Role.PROXY: {REMOVES},
        Role.CLIENT: {"refused_token_is_dropped"},
    }
    assert set(preset.without) <= known[preset.role]


@pytest.mark.parametrize("name", [n for n, p in PRESETS.items() if p.role is Role.RESOURCE_SERVER])
def test_a_weakened_resource_server_says_so_in_each_event(lab: Lab, name: str) -> None:
    def said(server: ResourceServer) -> object:
        event = server.handle(Request("GET", RECORDS))[1]
        return event and event.get("weakened")

    assert said(lab.orders) is None
    assert said(weakened_resource_server(PRESETS[name], lab.orders)) == name
    assert said(weakened_resource_server(PRESETS[name], lab.orders, "case A")) == "case A"


def test_a_weakened_authorization_server_says_so_in_each_event(lab: Lab) -> None:
    weak = weakened_authorization_server(PRESETS["mtls_without_cnf"], lab.authorization_server)
    events = [
        server.handle(Request("POST", TOKEN_ENDPOINT))[1]
        for server in (lab.authorization_server, weak)
    ]
    assert [event and event.get("weakened") for event in events] == [None, "mtls_without_cnf"]


def test_the_short_memory_is_right_until_it_forgets() -> None:
    memory, proof, until = ShortMemory(InProcessReplayMemory()), ("key", "jti"), 1060.0
    assert memory.is_first(proof, until, 1000.0)
    assert not memory.is_first(proof, until, 1000.0)
    assert not memory.is_first(proof, until, until - SKEW)
    assert memory.is_first(proof, until, until - SKEW + 1)


def test_the_page_lists_every_preset_with_what_its_file_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "museum.md").read_text()
    rows: dict[str, str] = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            name = line.split("`")[1]
            rows[name] = rows.get(name, "") + line
    assert set(rows) == set(PRESETS)
    for name, preset in PRESETS.items():
        told = (preset.report, preset.missed, preset.row, preset.source, preset.fix)
        for said in (*told, str(preset.role), preset.scene.theft, preset.scene.replay):
            assert said in rows[name], (name, said)
