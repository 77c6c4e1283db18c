"""How a theft comes about: who is told what, in which order, and what the thief is given."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labsim.robbery import rob
from labsim.rooms import rooms

THEFTS = rooms("labsim.thefts", "THEFT")
RUN = Path("/run-folder")
WORKED = [{"resource": "orders", "outcome": "served"}]
PIECES = [{"number": 0}]


class Lab:
    """A lab that writes down who is told what."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []
        self.run_folder = RUN
        self.estate = SimpleNamespace(
            process=self._process,
            interceptor=self._interceptor,
            variant=SimpleNamespace(holds=False),
        )
        self.attacker = SimpleNamespace(holding=SimpleNamespace(release=list))
        client = SimpleNamespace(name="app", calls=("orders",), scopes=("orders.read",))
        everything = {"clients": {"app": client}, "resources": {}}
        self.plan = SimpleNamespace(client=lambda _name: client, **everything)
        self.given: list[str] = []
        self.proxy: str | None = None

    def _process(self, name: str) -> Any:
        def call(operation: str, **arguments: Any) -> Any:
            self.told.append((name, operation))
            self.given = arguments.get("given", self.given)
            self.proxy = arguments.get("proxy", self.proxy)
            return PIECES if operation == "steal" else None

        return SimpleNamespace(call=call)

    def _interceptor(self) -> str:
        return "http://127.0.0.1:9"

    def work_rows(self, client: str, *_resources: str, doing: str) -> list[dict[str, Any]]:
        assert doing == "read"
        self.told.append((client, "work"))
        return WORKED


def robbed(theft: str) -> Lab:
    lab: Any = Lab()
    assert rob(lab, "app", THEFTS[theft]) == (PIECES, WORKED)
    return lab  # type: ignore[no-any-return]


@pytest.mark.parametrize("theft", ["container_code", "container_files", "log_line"])
def test_the_victim_leaks_while_it_works_and_is_mended_before_anything_is_used(theft: str) -> None:
    assert robbed(theft).told == [
        ("app", "leak"),
        ("app", "work"),
        ("app", "mend"),
        ("attacker", "steal"),
    ]


def test_a_wiretap_is_laid_first_and_has_forgotten_what_others_said() -> None:
    lab = robbed("wiretap")
    assert lab.told[:2] == [("interceptor", "forget"), ("app", "leak")]
    assert lab.proxy == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("theft", "given"),
    [
        ("container_code", "app"),
        ("container_files", "app"),
        ("log_line", "app/app.log"),
        ("wiretap", "interceptor/captured.jsonl"),
    ],
)
def test_the_thief_is_given_this_and_nothing_around_it(theft: str, given: str) -> None:
    assert robbed(theft).given == [str(RUN / given)]
