"""What resource servers hold: placeholders become credentials, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim.errors import LabError
from labsim.estate import plan, records
from labsim.estate.plan import Record, Resource

VALUES = {
    "client_id:ci-runner": "id-of-the-runner",
    "client_secret:ci-runner": "secret-of-the-runner",
    "url:deploy": "https://127.0.0.1:1/deploy",
}


def resource(text: str) -> Resource:
    record = Record("collab-4127", "confidential", "Ticket 4127", text)
    return Resource("collab", "Collab", "saas", "chat", "data/records/collab.json", (record,))


def filled(text: str) -> str:
    return records.filled(resource(text), VALUES).records[0].text


def test_placeholders_are_filled_and_the_rest_stays() -> None:
    text = "curl -u {client_id:ci-runner}:{client_secret:ci-runner} {url:deploy}"
    expected = "curl -u id-of-the-runner:secret-of-the-runner https://127.0.0.1:1/deploy"
    assert filled(text) == expected


@pytest.mark.parametrize("text", ["no braces", '{"q": 1}', "$(x) ${HOME} {}", "{ client_id }"])
def test_other_braces_are_left_alone(text: str) -> None:
    assert filled(text) == text


@pytest.mark.parametrize(
    "placeholder", ["client_secret:ops-console", "client_secret", "client_secret:", "url:nowhere"]
)
def test_an_unknown_placeholder_is_named_with_file_and_record(placeholder: str) -> None:
    with pytest.raises(LabError) as refused:
        filled(f"see {{{placeholder}}}")
    for part in ("data/records/collab.json", "collab-4127", f"{{{placeholder}}}"):
        assert part in str(refused.value)
    kind = placeholder.partition(":")[0]
    assert f"{kind}:" in refused.value.todo


def test_a_value_that_looks_like_a_placeholder_is_not_filled_again() -> None:
    values = {"client_id:a": "{client_id:b}", "client_id:b": "wrong"}
    done = records.filled(resource("{client_id:a}"), values)
    assert done.records[0].text == "{client_id:b}"


def test_only_the_text_is_filled_and_the_plan_keeps_its_own() -> None:
    before = resource("{url:deploy}")
    after = records.filled(before, VALUES)
    assert before.records[0].text == "{url:deploy}"
    assert replace(after, records=before.records) == before


def test_the_labs_own_records_ask_only_for_what_an_estate_can_give() -> None:
    lab = plan.load()
    with_secret = [
        client.name
        for client in lab.clients.values()
        if client.authentication == "client_secret_basic"
    ]
    values = {f"client_secret:{name}": "s" for name in with_secret}
    values |= {f"client_id:{name}": "i" for name in lab.clients}
    values |= {f"url:{name}": "u" for name in lab.resources}
    asked: set[str] = set()
    for each in lab.resources.values():
        asked |= records.placeholders(each)
        done = records.filled(each, values)
        assert not records.placeholders(done)
    assert {"client_secret:ci-runner", "client_id:ci-runner", "url:deploy"} <= asked


def test_ticket_4127_holds_a_pasted_curl_line() -> None:
    (ticket,) = [r for r in plan.load().resource("collab").records if r.id == "collab-4127"]
    assert "curl" in ticket.text
    assert "{client_secret:ci-runner}" in ticket.text
