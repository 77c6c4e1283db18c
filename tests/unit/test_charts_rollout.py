"""The roll-out as a picture: its title tells the course, and nothing overlaps."""

from __future__ import annotations

from xml.etree import ElementTree

import pandas as pd
import pytest

from labsim.blast.predicted import Predictor
from labsim.blast.rollout import ROLLOUT_DTYPES, most_first, rollout
from labsim.charts import palette
from labsim.charts import rollout as chart
from labsim.errors import LabError
from tests.unit.small_plans import client, plan_of, resource, shop
from tests.unit.test_charts import assert_readable, texts


def two_orders() -> pd.DataFrame:
    predictor = Predictor(shop())
    return pd.concat(
        [
            rollout(predictor, name="as they stand"),
            rollout(predictor, most_first(predictor), name="most exposing first"),
        ]
    )


def servers(count: int, open_records: list[int]) -> pd.DataFrame:
    rows = [
        ("", k, count, k / count, f"server-{k}" if k else "", left, left, 100)
        for k, left in enumerate(open_records)
    ]
    return pd.DataFrame(rows, columns=list(ROLLOUT_DTYPES)).astype(ROLLOUT_DTYPES)


def test_the_title_tells_what_is_left_half_way_and_when_nothing_is() -> None:
    assert chart.picture(two_orders()).title == (
        "10 of 10 records are open while no server enforces; as they stand, 5 with 2 of 4 and none "
        "only with all 4; most exposing first, 6 with 2 of 4 and none only with all 4."
    )
    mine = chart.picture(rollout(Predictor(shop()), client="web"))
    assert mine.title == "10 of 10 records are open while no server enforces; none with 2."


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ([0, 0, 0], "The stolen tokens open no record, whichever servers enforce."),
        ([7, 7, 7], "7 of 100 records are open while no server enforces; 7 still with all 2."),
        ([7, 3, 0], "7 of 100 records are open while no server enforces; 3 with 1 of 2 and none"),
        ([7, 0], "7 of 100 records are open while no server enforces; none once it does."),
    ],
)
def test_all_equal_and_nothing_at_all_are_said_so(left: list[int], said: str) -> None:
    picture = chart.picture(servers(len(left) - 1, left))
    assert picture.title.startswith(said)
    assert_readable(picture.figure)


def test_each_step_is_a_row_with_its_server_and_both_kinds_of_open_records() -> None:
    backwards = ["vault", "payroll", "mail", "orders"]
    picture = chart.picture(rollout(Predictor(shop()), backwards))
    drawn = [text for text, _ in texts(picture.figure)]
    names = ["none yet", "+ vault", "+ payroll", "+ mail", "+ orders"]
    assert [text for text in drawn if text in names] == names
    assert [text for text in drawn if text.endswith(" of 10")] == [
        "10 of 10", "10 of 10", "10 of 10", "3 of 10", "0 of 10",
    ]  # fmt: skip
    # In two steps credentials lead on to servers that enforce; and the key has a hatched box.
    assert len([p for p in picture.figure.axes[0].patches if p.get_hatch()]) == 3
    assert "0 enforce: 10 open; 1 enforce: 10 open; 2 enforce: 10 open; 3 enforce" in picture.alt


def test_the_alt_text_of_a_long_roll_out_tells_the_steps_that_change_something() -> None:
    left = [90] * 20 + [50] * 20 + [0]
    picture = chart.picture(servers(40, left))
    assert picture.alt.endswith(
        "0 enforce: 90 open; 20 enforce: 50 open; 40 enforce: 0 open, of 40 servers."
    )


@pytest.mark.parametrize("most", [1, 1_000_000])
def test_nothing_overlaps_with_40_servers_of_long_names(most: int) -> None:
    resources = [resource(f"a-resource-server-with-a-long-name-{n}", "x") for n in range(40)]
    plan = plan_of(resources, [client("web", *(each.name for each in resources))])
    frame = rollout(Predictor(plan))
    frame["of"] = 40 * most
    frame["records"] = frame["by_token"] = frame["by_token"] * most
    picture = chart.picture(frame)
    assert_readable(picture.figure)
    assert len(picture.svg) < 160_000


def test_the_picture_is_said_in_words_and_always_the_same() -> None:
    first, second = chart.picture(two_orders()), chart.picture(two_orders())
    assert first.svg == second.svg
    root = ElementTree.fromstring(first.svg)
    assert root.findtext("{http://www.w3.org/2000/svg}desc") == first.alt
    assert_readable(first.figure)
    assert f"var(--served,{palette.LIGHT['served']})" in first.themed_svg


def test_nothing_to_draw_is_said_and_not_drawn() -> None:
    with pytest.raises(LabError, match="no roll-out to show"):
        chart.picture(pd.DataFrame(columns=list(ROLLOUT_DTYPES)))
