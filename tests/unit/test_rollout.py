"""The roll-out: what is left open, worked out by hand."""

from __future__ import annotations

import pytest

from labsim.blast.predicted import Predictor
from labsim.blast.rollout import ROLLOUT_DTYPES, most_first, rollout
from labsim.errors import LabError
from tests.unit.small_plans import client, plan_of, resource, shop


def left(order: list[str] | None = None, who: str | None = None) -> list[tuple[str, int, int]]:
    frame = rollout(Predictor(shop()), order, who)
    rows = frame[["server", "by_token", "records"]].to_dict("records")
    return [(row["server"], row["by_token"], row["records"]) for row in rows]


def test_one_client_s_tokens_open_less_with_each_server_that_enforces() -> None:
    # web calls orders (3 records) and mail (2, which leads to payroll's 2 and to vault's 3).
    assert left(who="web") == [
        ("", 5, 10),
        ("orders", 2, 7),
        ("mail", 0, 0),
        ("payroll", 0, 0),
        ("vault", 0, 0),
    ]


def test_the_order_makes_the_difference_on_the_way_and_none_at_the_end() -> None:
    assert left(["mail", "orders", "vault", "payroll"], "web") == [
        ("", 5, 10),
        ("mail", 3, 3),
        ("orders", 0, 0),
        ("vault", 0, 0),
        ("payroll", 0, 0),
    ]


def test_a_server_that_enforces_falls_all_the_same_to_a_credential_found_elsewhere() -> None:
    # Every client's tokens; vault enforces first, and payroll holds the credential that opens it.
    assert left(["vault", "payroll", "mail", "orders"]) == [
        ("", 10, 10),
        ("vault", 7, 10),
        ("payroll", 5, 10),  # mail leads to payroll, and so to vault
        ("mail", 3, 3),
        ("orders", 0, 0),
    ]


def test_the_table_is_typed_and_its_share_goes_from_none_to_all() -> None:
    frame = rollout(Predictor(shop()), name="by hand")
    assert frame.dtypes.astype(str).to_dict() == ROLLOUT_DTYPES
    assert list(frame["share"]) == [0, 0.25, 0.5, 0.75, 1]
    assert list(frame["enforcing"]) == [0, 1, 2, 3, 4]
    assert (set(frame["of_servers"]), set(frame["of"]), set(frame["order"])) == (
        {4},
        {10},
        {"by hand"},
    )


def test_a_token_that_may_not_read_leaves_nothing_open() -> None:
    writer = client("web", "a", scopes=("a.write",))
    plan = plan_of([resource("a", "x")], [writer, client("other", "a")])
    assert list(rollout(Predictor(plan), client="web")["records"]) == [0, 0]
    assert list(rollout(Predictor(plan))["records"]) == [1, 0]


def test_the_servers_from_which_most_follows_come_first() -> None:
    # mail leads to all but orders (7), payroll to vault (5), orders and vault to nothing more (3).
    assert most_first(Predictor(shop())) == ("mail", "payroll", "orders", "vault")


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (["orders", "mail", "payroll"], "names each resource server once. Missing: vault"),
        (["orders", "mail", "payroll", "vault", "mail"], "Take out what is there twice"),
        (["orders", "mail", "payroll", "mail"], "Missing: vault"),
        (["orders", "mail", "payroll", "vualt"], "no resource server called 'vualt'"),
        ([], "Missing: orders, mail, payroll, vault"),
    ],
)
def test_an_order_names_each_server_once(order: list[str], said: str) -> None:
    with pytest.raises(LabError, match=said):
        rollout(Predictor(shop()), order)


def test_an_unknown_client_is_refused() -> None:
    with pytest.raises(LabError, match="no client called 'nobody'"):
        rollout(Predictor(shop()), client="nobody")
