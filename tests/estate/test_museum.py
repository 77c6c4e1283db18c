"""Each preset on real processes: its thief is let in by it alone, and its holder is not shut out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

import labsim
from labsim import museum
from labsim.commands import demo
from labsim.errors import LabError
from labsim.estate.names import AUTHORIZATION_SERVER, TERMINATOR
from labsim.estate.weakening import PRESETS
from labsim.museum import Seen

LETTING_IN = [name for name, preset in PRESETS.items() if not preset.too_strict]
TOO_STRICT = [name for name, preset in PRESETS.items() if preset.too_strict]


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def endings(seen: list[Seen], who: str) -> list[tuple[str, str, str]]:
    return [(each.when, each.outcome, each.check) for each in seen if each.who == who]


@pytest.mark.parametrize("name", LETTING_IN)
def test_a_thief_is_served_by_the_weakened_role_and_by_no_other(lab: labsim.Lab, name: str) -> None:
    before = len(lab.attacker.rows)
    seen = museum.visit(lab, name)
    stopped = PRESETS[name].stopped_by
    assert endings(seen, "thief") == [
        ("good", "rejected", stopped),
        ("weakened", "served", ""),
        ("good again", "rejected", stopped),
    ]
    assert {outcome for _when, outcome, _check in endings(seen, "holder")} == {"served"}
    rows = lab.attacker.rows[before:]
    assert [row["verifier"] for row in rows] == ["full", name, "full"]
    assert museum.mistakes(PRESETS[name], seen) == []


@pytest.mark.parametrize("name", TOO_STRICT)
def test_a_holder_is_shut_out_by_what_is_too_strict(lab: labsim.Lab, name: str) -> None:
    seen = museum.visit(lab, name)
    assert endings(seen, "holder") == [
        ("good", "served", ""),
        ("weakened", "rejected", PRESETS[name].stopped_by),
        ("good again", "served", ""),
    ]
    assert endings(seen, "thief") == []
    assert museum.mistakes(PRESETS[name], seen) == []


def test_a_scene_that_ends_otherwise_is_noticed(lab: labsim.Lab) -> None:
    seen = museum.visit(lab, "binding_never_compared")
    assert museum.mistakes(PRESETS["strict_cnf_parser"], seen)
    assert museum.mistakes(PRESETS["cnf_ignored_under_bearer"], seen)


def test_who_stops_listening_leaves_a_good_lab(lab: labsim.Lab) -> None:
    def told(seen: Seen) -> None:
        if seen.when == "weakened":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        museum.visit(lab, "forged_header_passes", told)
    assert lab.variant == "base"
    assert "WEAKENED" not in lab.summary()
    assert {row["outcome"] for row in lab.work_rows("storefront")} == {"served"}


def test_a_weakening_is_loud_and_ends_with_its_block(lab: labsim.Lab) -> None:
    def marked() -> set[str]:
        return {str(lab.event(r["request_id"]).get("weakened", "")) for r in lab.work_rows(CLIENT)}

    with lab.weakened("orders", preset="no_replay_store") as preset:
        assert preset is PRESETS["no_replay_store"]
        assert "WEAKENED: orders" in lab.summary()
        assert "wso2/product-is issue 23358" in repr(lab)
        assert marked() == {"no_replay_store", ""}, "the server beside it is as it was"
        assert lab.estate.verifier("orders") == "no_replay_store"
        assert lab.estate.verifier("payments") == "full"
    assert "WEAKENED" not in lab.summary() + repr(lab)
    assert marked() == {""}
    operators = [e for e in lab.events() if e["role"] == "operator" and e["name"] == "orders"]
    assert [e["decision"] for e in operators][-2:] == ["weakened", "restored"]


CLIENT = "storefront"


def test_what_is_changed_meanwhile_stays_and_the_mistake_too(lab: labsim.Lab) -> None:
    with lab.weakened("orders", preset="binding_never_compared"):
        lab.enforce("payments")
        lab.enforce(*lab.plan.resources)
        lab.bind(CLIENT, "dpop")
        haul = lab.attacker.steal(CLIENT, by="log_line", at="orders")
        assert set(lab.attacker.replay(haul, by="own_proof", against="orders").outcome) == {
            "served"
        }
    assert set(lab.attacker.replay(haul, by="own_proof", against="orders").outcome) == {"rejected"}


@pytest.mark.parametrize(
    ("role", "preset", "variant"),
    [
        ("crm", "binding_never_compared", "base"),
        (AUTHORIZATION_SERVER, "mtls_without_cnf", "base"),
        (TERMINATOR, "forged_header_passes", "proxy_strips"),
    ],
)
def test_a_servers_log_says_when_it_began_and_ended(
    lab: labsim.Lab, role: str, preset: str, variant: str
) -> None:
    lab.vary(variant)
    before = len(lab.events())
    with lab.weakened(role, preset=preset):
        assert preset in lab.summary()
    lab.vary("base")
    said = [
        (event["name"], event["decision"], event["weakened"])
        for event in lab.events()[before:]
        if event["role"] == "operator"
    ]
    assert said == [(role, "weakened", preset), (role, "restored", "")]


def test_both_replicas_of_a_server_are_weakened(lab: labsim.Lab) -> None:
    lab.vary("replicas_shared")  # the attacker is sent to the second one
    lab.bind(CLIENT, "dpop")
    haul = lab.attacker.steal(CLIENT, by="log_line", at="orders")
    endings = []
    for weak in (False, True, False):
        with lab.weakened("orders", preset="binding_never_compared") if weak else nullcontext():
            frame = lab.attacker.replay(haul, by="own_proof", against="orders")
            endings += [(row["outcome"], row["verifier"]) for row in frame.to_dict("records")]
    lab.vary("base")
    good = ("rejected", "full")
    assert endings == [good, ("served", "binding_never_compared"), good]


def test_a_campaign_says_which_server_was_weakened(lab: labsim.Lab) -> None:
    lab.bind("ci-runner", "dpop")
    haul = lab.attacker.steal("ci-runner", by="log_line")
    with lab.weakened("deploy", preset="binding_never_compared"):
        frame = lab.attacker.campaign(haul).attempts
    served = frame[frame.outcome == "served"]
    assert set(zip(served.resource, served.verifier, strict=True)) == {
        ("deploy", "binding_never_compared")
    }
    assert set(frame[frame.resource != "deploy"].verifier) == {"full"}


def test_an_error_in_the_block_restores_the_role(lab: labsim.Lab) -> None:
    with pytest.raises(ZeroDivisionError), lab.weakened("orders", preset="no_replay_store"):
        _ = 1 / 0
    assert lab.estate.verifier("orders") == "full"
    with lab.weakened("orders", preset="no_replay_store"):
        assert lab.estate.verifier("orders") == "no_replay_store"


@pytest.mark.parametrize(
    ("role", "preset", "said"),
    [
        ("orders", "magic", "binding_never_compared, cnf_ignored_under_bearer"),
        ("nowhere", "no_replay_store", "for a resource server.*orders, payments, crm"),
        (AUTHORIZATION_SERVER, "no_replay_store", "for a resource server.*orders"),
        ("orders", "mtls_without_cnf", f"for the authorization server.*{AUTHORIZATION_SERVER}"),
        ("orders", "forged_header_passes", f"for the proxy that ends TLS.*{TERMINATOR}"),
        (TERMINATOR, "forged_header_passes", "in the variant base there is none.*proxy_strips"),
        ("orders", "stale_token_after_rotation", "for a client.*storefront"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(
    lab: labsim.Lab, role: str, preset: str, said: str
) -> None:
    with pytest.raises(LabError, match=said), lab.weakened(role, preset=preset):
        pytest.fail("it was weakened")
    assert {row["outcome"] for row in lab.work_rows(CLIENT)} == {"served"}


def test_without_a_with_nothing_is_weakened_and_that_is_said(lab: labsim.Lab) -> None:
    block = lab.weakened("orders", preset="no_replay_store")
    assert "Nothing is weakened" in repr(block)
    assert "WEAKENED" not in lab.summary()
    with block:
        assert "WEAKENED" in lab.summary()
    assert "WEAKENED" not in lab.summary()
    with pytest.raises(LabError, match="There is no preset called 'no_replay'"):
        lab.weakened("orders", preset="no_replay")


def test_one_mistake_at_a_time_and_no_other_variant_meanwhile(lab: labsim.Lab) -> None:
    with lab.weakened("orders", preset="no_replay_store"):
        for role in ("orders", "crm"):
            with (
                pytest.raises(LabError, match="weakened already: no_replay_store at orders"),
                lab.weakened(role, preset="binding_never_compared"),
            ):
                pytest.fail("it was weakened twice")
        with pytest.raises(LabError, match="before the `with`"):
            lab.vary("nonce")
        assert lab.estate.verifier("orders") == "no_replay_store"
    lab.vary("nonce")
    lab.vary("base")


def test_a_reset_in_the_block_leaves_a_good_lab(lab: labsim.Lab) -> None:
    with lab.weakened("orders", preset="no_replay_store"):
        lab.reset()
        assert "WEAKENED" not in lab.summary()
    assert lab.estate.verifier("orders") == "full"
    assert {row["outcome"] for row in lab.work_rows(CLIENT)} == {"served"}


def test_a_stop_in_the_block_is_no_error(lab: labsim.Lab) -> None:
    with lab.weakened("orders", preset="no_replay_store"):
        lab.stop()
    lab.begin()
    assert {row["outcome"] for row in lab.work_rows(CLIENT)} == {"served"}


def test_the_command_names_what_differs_and_ends_with_one(
    lab: labsim.Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.stop()
    out = tmp_path / "out"
    try:
        assert demo.main(["--weaken", "no_replay_store", "--out", str(out)]) == 1
    finally:
        lab.begin()
    said = capsys.readouterr().out
    assert "wiretap / file / dpop / request_as_is / base / same_resource: expected rejected" in said
    assert PRESETS["no_replay_store"].report in said
    assert PRESETS["no_replay_store"].fix in said
    rows = (out / "weakened" / "no_replay_store" / "attempts.csv").read_text().splitlines()
    assert [",no_replay_store," in row for row in rows] == [False, False, True, False]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--weaken", "magic"], "find_then_insert"), (["--weaken", "magic/.."], "find_then_insert")],
)
def test_the_command_refuses_a_preset_that_there_is_not(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    with pytest.raises(LabError, match=said):
        demo.main([*arguments, "--out", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []
