"""The plan: the lab's own estate loads, and each mistake is refused with file, key and meaning."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from labsim.errors import LabError
from labsim.estate import plan
from labsim.estate.plan import Plan


@pytest.fixture(scope="module")
def lab_plan() -> Plan:
    return plan.load()


@pytest.fixture
def own_data(tmp_path: Path) -> Path:
    """A copy of the lab's own data that a test may break."""
    shutil.copytree(plan.DATA, tmp_path / "data")
    return tmp_path / "data"


def test_the_labs_estate_is_the_one_of_the_design(lab_plan: Plan) -> None:
    calls = {client.name: client.calls for client in lab_plan.clients.values()}
    assert calls == {
        "storefront": ("orders", "payments"),
        "fulfilment": ("orders", "payments"),
        "support-agent": ("crm", "collab"),
        "lead-sync": ("crm",),
        "ci-runner": ("deploy", "vault"),
        "ops-console": ("admin",),
        "nightly-export": ("crm", "orders"),
    }
    assert lab_plan.client("lead-sync").grant == "refresh_token"
    assert {story.client for story in lab_plan.stories.values()} == {
        "fulfilment",
        "support-agent",
        "lead-sync",
        "ci-runner",
        "nightly-export",
    }
    everywhere = {"wiretap", "log_line", "container_files"}
    assert {
        story.client: set(story.thefts) - everywhere for story in lab_plan.stories.values()
    } == {
        "fulfilment": {"compromised_resource", "container_code"},
        "support-agent": {"ticket", "chat", "prompt_injection"},
        "lead-sync": {"vendor_tokens", "vendor_store"},
        "ci-runner": {"commit"},
        "nightly-export": {"former_employee"},
    }
    assert all(everywhere < set(story.thefts) for story in lab_plan.stories.values())


def test_every_resource_holds_6_to_30_records_that_nobody_mixes_up(lab_plan: Plan) -> None:
    ids = [record.id for each in lab_plan.resources.values() for record in each.records]
    assert len(ids) == len(set(ids)) == 120
    for resource in lab_plan.resources.values():
        assert 6 <= len(resource.records) <= 30
        assert all(record.id.startswith(f"{resource.name}-") for record in resource.records)


def test_write_is_for_those_who_need_it_and_for_the_job_that_nobody_owns(lab_plan: Plan) -> None:
    support = lab_plan.client("support-agent").scopes
    assert "crm.read" in support
    assert "crm.write" not in support
    assert {"crm.write", "orders.write"} <= set(lab_plan.client("nightly-export").scopes)
    assert lab_plan.resource("crm").scopes == ("crm.read", "crm.write")


def test_both_ways_to_authenticate_are_there(lab_plan: Plan) -> None:
    ways = {client.authentication for client in lab_plan.clients.values()}
    assert ways == {"client_secret_basic", "private_key_jwt"}


def test_within_reach_is_all_that_lies_where_a_client_calls(lab_plan: Plan) -> None:
    crm = [record.id for record in lab_plan.resource("crm").records]
    assert lab_plan.within_reach("lead-sync") == tuple(crm)
    assert set(crm) < set(lab_plan.within_reach("nightly-export"))


def test_a_plan_goes_to_another_process_and_comes_out_the_same(lab_plan: Plan) -> None:
    assert Plan.from_json(json.loads(json.dumps(lab_plan.to_json()))) == lab_plan


def test_a_plan_cannot_be_changed(lab_plan: Plan) -> None:
    with pytest.raises(TypeError):
        lab_plan.clients["thief"] = lab_plan.client("storefront")  # type: ignore[index]
    with pytest.raises(AttributeError):
        lab_plan.client("storefront").binding = "dpop"  # type: ignore[misc]


def test_an_unknown_name_is_answered_with_those_there_are(lab_plan: Plan) -> None:
    with pytest.raises(LabError, match=r"no client called 'crm'.*storefront.*nightly-export"):
        lab_plan.client("crm")
    with pytest.raises(LabError, match=r"no resource server called 'storefront'.*orders.*admin"):
        lab_plan.resource("storefront")


BROKEN = [
    ("token_seconds = 3600", "", "token_seconds: the key is missing", "how long"),
    (
        "token_seconds = 3600",
        "token_seconds = true",
        "token_seconds: True has the wrong",
        "how long",
    ),
    ("token_seconds = 3600", 'token_seconds = "1"', "token_seconds: '1' has the wrong", "how long"),
    ("token_seconds = 3600", "token_seconds = 0", "token_seconds: 0 is out of range", "how long"),
    (
        "token_seconds = 3600",
        "token_second = 3600",
        "token_second: there is no such key",
        "There are",
    ),
    ('name = "lab"', 'name = "../lab"', "name: '../lab' is no name", "lower-case"),
    ('title = "Orders"', 'title = ""', "resources.orders.title: the text is empty", "calls this"),
    ('title = "Orders"', 'title = "a\\u0007"', "resources.orders.title: the text", "printable"),
    ('title = "Orders"', "title = 7", "resources.orders.title: 7 has the wrong type", "calls this"),
    ('zone = "delivery"', 'zone = "Delivery!"', "resources.deploy.zone: 'Delivery!'", "the map"),
    ('records = "records/crm.json"', "", "resources.crm.records: the key is missing", "JSON file"),
    ('records = "records/crm.json"', 'records = "no.json"', "no.json is missing", "not loaded"),
    ("[resources.crm]", "[resources.Crm]", "resources: 'Crm' is no name", "lower-case"),
    ("[resources.vault]", "[resources.attacker]", "the name 'attacker' is taken", "Choose another"),
    (
        "[resources.vault]",
        "[resources.terminator]",
        "the name 'terminator' is taken",
        "Choose another",
    ),
    (
        "[resources.vault]",
        "[resources.outside-clients]",
        "the name 'outside-clients' is taken",
        "Choose another",
    ),
    ("[clients.storefront]", "[clients.orders]", "the name 'orders' is taken", "Choose another"),
    ("[clients.fulfilment]", "[clients.storefront]", "no valid TOML", "each name once"),
    ('calls = ["crm", "collab"]', 'calls = ["crm", "colab"]', "'colab' is unknown", "There are"),
    ('calls = ["crm", "collab"]', 'calls = ["crm", "crm"]', "'crm' is there twice", "asks for"),
    (
        'calls = ["crm", "collab"]',
        "calls = []",
        "support-agent.calls: the list is empty",
        "asks for",
    ),
    ('calls = ["crm", "collab"]', 'calls = "crm"', "'crm' has the wrong type", "asks for"),
    ('calls = ["crm", "collab"]', 'calls = ["crm", ["crm"]]', "is unknown", "asks for"),
    ('"crm.read", "collab.read"', '"crm.rea", "collab.read"', "'crm.rea' is unknown", "allow"),
    (
        '["crm.read", "collab.read", "collab.write"]',
        '["crm.read"]',
        "no scope to read 'collab'",
        "allow",
    ),
    (
        '["crm.read", "collab.read", "collab.write"]',
        '["crm.read", "collab.write"]',
        "no scope to read 'collab'",
        "allow",
    ),
    ('kind = "agent"', 'kind = "robot"', "kind: 'robot' is unknown", "workload, agent"),
    ('grant = "refresh_token"', 'grant = "password"', "grant: 'password' is unknown", "RFC 6749"),
    ('"private_key_jwt"', '"none"', "authentication: 'none' is unknown", "tls_client_auth"),
    ('binding = "bearer"', 'binding = "magic"', "binding: 'magic' is unknown", "dpop"),
    ('custody = "memory"', 'custody = "cloud"', "custody: 'cloud' is unknown", "memory, signer"),
    ('client = "lead-sync"', 'client = "leadsync"', "client: 'leadsync' is unknown", "loses its"),
    ('"wiretap", ', '"wire_tap", ', "thefts: 'wire_tap' is unknown", "wiretap"),
    (
        "[stories.leaver]",
        "[stories]\nx = 1\n[stories.leaver]",
        "stories.x: this must be a table",
        "sentence",
    ),
    ("[stories.leaver]", "[clients.leaver]", "clients.leaver", "no such key"),
]


@pytest.mark.parametrize(("good", "bad", "said", "meaning"), BROKEN)
def test_a_mistake_in_one_key_is_refused_by_name(
    own_data: Path, good: str, bad: str, said: str, meaning: str
) -> None:
    file = own_data / "estate.toml"
    text = file.read_text()
    assert good in text
    plan.load(file)
    file.write_text(text.replace(good, bad, 1))
    with pytest.raises(LabError) as refused:
        plan.load(file)
    assert said in str(refused.value)
    assert meaning in str(refused.value)
    assert ".toml" in str(refused.value) or ".json" in str(refused.value)
    assert refused.value.todo


BROKEN_RECORDS = [
    ('"id": "crm-0001"', '"id": "crm-0002"', "'crm-0002' is there twice"),
    ('"id": "crm-0001"', '"id": "orders-0001"', "'orders-0001' is there twice"),
    ('"id": "crm-0001"', '"id": "CRM 1"', "record 1.id: 'CRM 1' is no name"),
    ('"sensitivity": "internal"', '"sensitivity": "hot"', "record 1.sensitivity: 'hot' is unknown"),
    ('"sensitivity": "internal", ', "", "record 1.sensitivity: the key is missing"),
    (
        '"sensitivity": "internal"',
        '"sensitivity": null',
        "record 1.sensitivity: None has the wrong",
    ),
    ('"title": "C', '"owner": "x", "title": "C', "record 1.owner: there is no such key"),
    ('"title": "C', '"title": "x", "title": "C', "a key is there twice"),
    ("[", "{", "crm.json is no valid JSON"),
]


@pytest.mark.parametrize(("good", "bad", "said"), BROKEN_RECORDS)
def test_a_mistake_in_one_record_is_refused_by_name(
    own_data: Path, good: str, bad: str, said: str
) -> None:
    file = own_data / "records" / "crm.json"
    text = file.read_text()
    plan.load(own_data / "estate.toml")
    file.write_text(text.replace(good, bad, 1))
    with pytest.raises(LabError, match=r"crm\.json") as refused:
        plan.load(own_data / "estate.toml")
    assert said in str(refused.value)
    assert refused.value.todo


@pytest.mark.parametrize("content", ["[]", "{}", "7", '["record"]'])
def test_a_records_file_is_a_list_of_tables(own_data: Path, content: str) -> None:
    (own_data / "records" / "vault.json").write_text(content)
    with pytest.raises(LabError, match=r"vault\.json"):
        plan.load(own_data / "estate.toml")


def test_what_is_no_text_at_all_is_refused(own_data: Path) -> None:
    file = own_data / "estate.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabError, match=r"estate\.toml cannot be read"):
        plan.load(file)


def test_a_folder_in_a_files_place_is_refused(own_data: Path) -> None:
    with pytest.raises(LabError, match="cannot be read"):
        plan.load(own_data / "records")


def test_deep_nesting_is_refused_and_no_crash(own_data: Path) -> None:
    (own_data / "records" / "vault.json").write_text("[" * 200_000)
    with pytest.raises(LabError, match=r"vault\.json is no valid JSON"):
        plan.load(own_data / "estate.toml")


def test_a_missing_data_folder_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(plan, "DATA", tmp_path / "data")
    with pytest.raises(LabError, match=r"folder .*data is missing.*clone"):
        plan.load()


def test_a_missing_estate_file_is_named(monkeypatch: pytest.MonkeyPatch, own_data: Path) -> None:
    (own_data / "estate.toml").unlink()
    monkeypatch.setattr(plan, "DATA", own_data)
    with pytest.raises(LabError, match=r"estate\.toml is missing"):
        plan.load()
