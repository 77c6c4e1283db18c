"""What an estate lost as its file has it, from attempts that a test made up."""

from __future__ import annotations

from pathlib import Path

from labsim.estate import plan as plans
from labsim.stories.as_written import as_written_text
from tests.own_estate import written


def test_only_the_files_own_binding_and_custody_count_and_each_record_once(tmp_path: Path) -> None:
    plan = plans.load(written(tmp_path))
    common = {"theft": "container_files", "variant": "base", "outcome": "served"}
    job = {**common, "client": "invoice-job", "binding": "mtls", "custody": "file"}
    helper = {**common, "client": "helper", "binding": "dpop", "custody": "memory"}
    rows = [
        {**job, "attempt": 1},
        {**job, "attempt": 2},
        {**job, "attempt": 3, "custody": "memory"},
        {**job, "attempt": 4, "variant": "nonce"},
        {**job, "attempt": 5, "outcome": "rejected"},
        {**helper, "attempt": 6, "theft": "log_line", "outcome": "rejected"},
    ]
    exposed = {1: ("bill-1",), 2: ("bill-1", "wiki-1"), 3: ("wiki-2",), 4: ("wiki-2",)}
    text = as_written_text(plan, rows, exposed)
    assert "Invoice job (mTLS, key in a file), after container files: 2 of 4" in text
    assert "Helper (DPoP, key in memory), after log line: 0 of 2" in text
    assert len(text.splitlines()) == 3
    narrow = as_written_text(plan, rows, exposed, width=72)
    assert max(map(len, narrow.splitlines())) <= 72
