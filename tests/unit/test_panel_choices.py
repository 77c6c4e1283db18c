"""What the control panel offers, what it closes and why, and the choice as code; no widget here."""

from __future__ import annotations

import ast

import pytest

from labsim.attacker import Attacker
from labsim.blast.first_loot import CUSTODIES
from labsim.estate.plan import Plan, load
from labsim.panel.choices import (
    FIELDS,
    NONE,
    UNKNOWN,
    Choice,
    call,
    changed,
    client_of,
    impossible,
    options,
    predictable,
    steps,
)
from labsim.panel.rehearsal import Rehearsal, reason
from labsim.prediction import readable
from labsim.rooms import names


@pytest.fixture(scope="module")
def plan() -> Plan:
    return load(None)


def chosen(plan: Plan, **fields: str) -> Choice:
    choice = Choice()
    for field in FIELDS:
        if field in fields:
            choice = changed(plan, choice, field, fields[field])
    assert {field: getattr(choice, field) for field in fields} == fields
    return choice


def reasons(plan: Plan, choice: Choice, field: str) -> dict[str, str]:
    return {option.name: option.reason for option in options(plan, choice)[field]}


def test_every_room_can_be_chosen(plan: Plan) -> None:
    there = options(plan, Choice())
    for field, package in [("binding", "bindings"), ("replay", "replays"), ("theft", "thefts")]:
        assert {option.name for option in there[field]} == set(names(f"labsim.{package}"))


@pytest.mark.parametrize("binding", CUSTODIES)
def test_custody_is_that_of_the_binding(plan: Plan, binding: str) -> None:
    choice = chosen(plan, binding=binding)
    open_ones = {name for name, why in reasons(plan, choice, "custody").items() if not why}
    assert open_ones == set(CUSTODIES[binding])
    assert choice.custody in open_ones


@pytest.mark.parametrize(
    ("fields", "replay", "why"),
    [
        ({"theft": "log_line", "binding": "dpop"}, "request_as_is", "no captured_request"),
        ({"theft": "log_line", "binding": "dpop"}, "stolen_key", "no key"),
        ({"theft": "container_files", "binding": "dpop"}, "stolen_key", ""),
        (
            {"theft": "container_files", "binding": "dpop", "custody": "memory"},
            "stolen_key",
            "no key",
        ),
        ({"theft": "log_line"}, "own_proof", "a bearer token asks for no proof"),
        ({"theft": "log_line", "binding": "mtls"}, "own_proof", "the proof is the connection"),
        ({"theft": "wiretap", "binding": "dpop"}, "hold_and_forward", ""),
        ({"theft": "ticket", "binding": "dpop"}, "hold_and_forward", "has had this request"),
        ({"theft": "wiretap", "binding": "mtls"}, "hold_and_forward", "cannot be held back"),
        ({"theft": "wiretap", "binding": "dpop"}, "changed_body", ""),
        ({"theft": "container_code", "binding": "mtls"}, "proofs_made_ahead", "no proofs"),
        ({"theft": "container_code", "binding": "dpop"}, "signed_in_place", ""),
        ({"theft": "former_employee", "binding": "bearer"}, "token_as_is", ""),
        (
            {"theft": "prompt_injection", "binding": "dpop", "custody": "signer"},
            "token_as_is",
            "no token",
        ),
    ],
)
def test_what_cannot_be_built_is_closed_with_the_rooms_own_reason(
    plan: Plan, fields: dict[str, str], replay: str, why: str
) -> None:
    said = reasons(plan, chosen(plan, **fields), "replay")[replay]
    assert why in said
    assert bool(said) is bool(why)


def test_the_reason_is_the_one_that_the_attacker_gives() -> None:
    """Not a copy of it: both call the same function, which asks the room."""
    assert "spend" in Attacker.replay.__code__.co_names
    assert "spend" in reason.__code__.co_names


def test_a_change_closes_what_it_makes_impossible_and_keeps_the_rest(plan: Plan) -> None:
    choice = chosen(plan, theft="container_code", binding="dpop", replay="proofs_made_ahead")
    for field, name, replay in [
        ("custody", "signer", "proofs_made_ahead"),
        ("binding", "mtls", "token_as_is"),
        ("binding", "bearer", "token_as_is"),
    ]:
        choice = changed(plan, choice, field, name)
        assert choice.replay == replay
        assert not reasons(plan, choice, "replay")[choice.replay]
        assert not reasons(plan, choice, "custody")[choice.custody]
    assert choice.custody == NONE


def test_options_of_one_reason_are_told_together(plan: Plan) -> None:
    told = impossible(options(plan, chosen(plan, theft="log_line"))["replay"])
    assert told.count("this loot holds no captured_request") == 1
    assert "send a captured request again, " in told
    assert impossible(options(plan, Choice())["theft"]) == ""


def test_a_client_is_robbed_as_a_story_of_the_plan_has_it(plan: Plan) -> None:
    assert client_of(plan, "log_line").name == "ci-runner"
    assert client_of(plan, "vendor_store").name == "lead-sync"
    assert client_of(plan, "prompt_injection").name == "support-agent"


def test_a_request_is_held_back_only_where_the_replay_needs_that(plan: Plan) -> None:
    assert steps(plan, chosen(plan, binding="dpop", replay="hold_and_forward")).variant == "unspent"
    assert steps(plan, chosen(plan, binding="dpop", replay="request_as_is")).variant == "base"
    assert steps(plan, chosen(plan, binding="dpop", replay="changed_query")).steal == {
        "by": "wiretap",
        "doing": "query",
        "at": "deploy",
    }


def test_a_foothold_is_used_at_once_and_what_it_left_later(plan: Plan) -> None:
    fields = {"theft": "container_code", "binding": "dpop"}
    at_once = steps(plan, chosen(plan, **fields, replay="signed_in_place"))
    later = steps(plan, chosen(plan, **fields, replay="proofs_made_ahead"))
    assert (at_once.evicts, at_once.seconds) == (False, 0)
    assert (later.evicts, later.seconds) == (True, 1440)


@pytest.mark.parametrize("binding", CUSTODIES)
def test_every_word_that_may_be_predicted_can_be_read(plan: Plan, binding: str) -> None:
    said = predictable(chosen(plan, binding=binding, replay="laundered_by_exchange"))
    assert set(said) - {UNKNOWN} <= set(readable())
    assert "served" in said
    assert "caller_may_use_the_subject_token" in said


def test_the_code_is_code_and_says_what_was_chosen(plan: Plan) -> None:
    choice = chosen(plan, binding="dpop", custody="signer", replay="own_proof")
    text = call(plan, choice, "proof_key_is_the_bound_one")
    ast.parse(text)
    assert text.splitlines() == [
        'lab.bind("ci-runner", "dpop", custody="signer")',
        'loot = lab.attacker.steal("ci-runner", by="wiretap")',
        (
            'result = lab.attacker.replay(loot[0], by="own_proof", against="deploy", '
            'predicted="proof_key_is_the_bound_one")'
        ),
        "result",
    ]
    assert "predicted" not in call(plan, choice, UNKNOWN)


def test_a_preset_stands_around_theft_and_replay(plan: Plan) -> None:
    choice = chosen(plan, theft="log_line", binding="dpop", preset="binding_never_compared")
    text = call(plan, choice)
    ast.parse(text)
    assert 'with lab.weakened("deploy", preset="binding_never_compared"):\n    loot = ' in text


def test_a_preset_names_the_role_that_makes_the_mistake(plan: Plan) -> None:
    fields = {"theft": "container_files", "binding": "mtls", "preset": "forged_header_passes"}
    proxy = steps(plan, chosen(plan, **fields))
    assert (proxy.weakened, proxy.variant) == ("terminator", "proxy_strips")
    assert 'lab.vary("proxy_strips")' in call(plan, chosen(plan, **fields))
    issuer = chosen(plan, binding="dpop", preset="exchange_strips_binding")
    assert steps(plan, issuer).weakened == "authorization-server"


@pytest.mark.parametrize(
    ("binding", "preset", "why"),
    [
        ("mtls", "binding_never_compared", "a mistake about DPoP"),
        ("dpop", "strict_cnf_parser", "a scene of its own"),
        ("dpop", "find_then_insert", "a scene of its own"),
        ("dpop", "binding_never_compared", ""),
    ],
)
def test_a_preset_that_would_show_nothing_is_closed(
    plan: Plan, binding: str, preset: str, why: str
) -> None:
    said = reasons(plan, chosen(plan, binding=binding), "preset")
    assert set(said) == {NONE, *names("labsim.weakened")}
    assert why in said[preset]
    assert bool(said[preset]) is bool(why)


def test_a_rehearsal_sends_nothing(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("a request went out")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    client = plan.client("ci-runner")
    for replay in names("labsim.replays"):
        for binding, custodies in CUSTODIES.items():
            for custody in custodies:
                reason(Rehearsal(client, "container_code", binding, custody), replay)
