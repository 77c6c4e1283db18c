"""What a notebook is told that passes the wrong thing: what it was, and what there is instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import labsim
from labsim.errors import LabError


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


NO_NAMES: list[Any] = [3, None, "nobody", ["storefront"], {}, ("a", "b")]
BY_CLIENT: dict[str, Callable[[labsim.Lab, Any], object]] = {
    "steal": lambda lab, client: lab.attacker.steal(client, by="log_line"),
    "bind": lambda lab, client: lab.bind(client, "dpop"),
    "work": lambda lab, client: lab.work(client),
    "binding": lambda lab, client: lab.binding(client),
    "custody": lambda lab, client: lab.custody(client),
    "revoke": lambda lab, client: lab.revoke(client),
    "renew_certificate": lambda lab, client: lab.renew_certificate(client),
    "revoke_certificate": lambda lab, client: lab.revoke_certificate(client),
}
BY_NAME: dict[str, Callable[[labsim.Lab, Any], object]] = {
    "theft": lambda lab, name: lab.attacker.steal("storefront", by=name),
    "binding": lambda lab, name: lab.bind("storefront", name),
    "custody": lambda lab, name: lab.bind("storefront", "dpop", name),
    "variant": lambda lab, name: lab.vary(name),
    "resource server that storefront calls": lambda lab, name: lab.work("storefront", name),
}


@pytest.mark.parametrize("wrong", NO_NAMES, ids=str)
@pytest.mark.parametrize("verb", BY_CLIENT.values(), ids=BY_CLIENT)
def test_no_client_is_called_so(lab: labsim.Lab, verb: Callable[..., object], wrong: Any) -> None:
    with pytest.raises(LabError, match=r"no client called .*There are: storefront, "):
        verb(lab, wrong)


@pytest.mark.parametrize("wrong", NO_NAMES, ids=str)
@pytest.mark.parametrize("kind", BY_NAME)
def test_nothing_of_a_kind_is_called_so(lab: labsim.Lab, kind: str, wrong: Any) -> None:
    with pytest.raises(LabError, match=rf"no {kind} called .*There are: "):
        BY_NAME[kind](lab, wrong)
    assert (lab.binding("storefront"), lab.variant) == ("bearer", "base")


def test_what_is_no_loot_is_not_replayed(lab: labsim.Lab) -> None:
    haul: Any = lab.attacker.steal("storefront", by="log_line")
    before = len(lab.attempts())
    for wrong in (None, "x", {}, 3, [haul[0]], haul.rows()):
        for verb in (lab.attacker.replay, lab.attacker.campaign):
            with pytest.raises(LabError, match=r"is no loot\. Nothing was replayed"):
                verb(wrong)
    for wrong in (3, "nothing", ["token_as_is", "x"], {}):
        with pytest.raises(LabError, match="no replay called"):
            lab.attacker.replay(haul, by=wrong)
        with pytest.raises(LabError, match="no resource server called"):
            lab.attacker.replay(haul, by="token_as_is", against=wrong)
    assert len(lab.attempts()) == before
    assert len(lab.attacker.replay(haul, by="token_as_is", against="orders")) == 2
    assert len(lab.attacker.replay(haul[0], by="token_as_is", against="orders")) == 1


NO_TEXTS: list[Any] = [["a"], {}, {"a": 1}, 3, None, b"a", ([],)]


@pytest.mark.parametrize("wrong", NO_TEXTS, ids=str)
def test_a_request_is_known_by_a_text(lab: labsim.Lab, wrong: Any) -> None:
    haul = lab.attacker.steal("storefront", by="log_line")
    attempt = int(lab.attacker.replay(haul, by="token_as_is")["attempt"].iloc[0])
    with pytest.raises(LabError, match=r"is no Request-Id\. Nothing was looked up\..*lab\.work"):
        lab.event(wrong)
    with pytest.raises(LabError, match="is no Request-Id"):
        lab.attacker.beside(attempt, wrong)
    mine = lab.work_rows("storefront")[0]["request_id"]
    assert lab.event(mine)["request_id"] == mine
    assert lab.event("nobody's") == lab.event("") == {}
    assert len(lab.attacker.beside(attempt, mine)) > 3  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [[1], {}, "1", None, ([],), 10**6], ids=str)
def test_an_attempt_is_known_by_its_number(lab: labsim.Lab, wrong: Any) -> None:
    haul = lab.attacker.steal("storefront", by="log_line")
    lab.attacker.replay(haul, by="token_as_is")
    mine = lab.work_rows("storefront")[0]["request_id"]
    with pytest.raises(LabError, match=r"no attempt .*numbered from 1 to"):
        lab.attacker.beside(wrong, mine)
    with pytest.raises(LabError, match="There is no attempt"):
        lab.attacker.show(wrong)
    campaign = lab.attacker.campaign(haul)
    with pytest.raises(LabError, match="This campaign has no attempt"):
        campaign.show(wrong)
    assert campaign.show(1)
    assert lab.attacker.show(1)


def test_time_is_a_number_with_a_unit(lab: labsim.Lab) -> None:
    before = lab.now
    with pytest.raises(LabError, match=r"'x' has no unit\. Lab time was not advanced"):
        lab.advance("x")  # type: ignore[arg-type]
    for wrong in ("x", None, [1], 10**400):
        with pytest.raises(LabError, match="days must be a number"):
            lab.advance(days=wrong)  # type: ignore[arg-type]
    with pytest.raises(LabError, match="forward only"):
        lab.advance(days=1e9)
    assert lab.now - before < 3600
    lab.advance(hours=1)
    assert lab.now - before >= 3600
