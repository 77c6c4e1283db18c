"""The plain parts of `labsim bench`: names, table, JSON. What it measures is no test's business."""

import json

import pytest

from labsim.commands import bench
from labsim.commands.bench import Figure, Measured
from labsim.errors import LabError


def figure(**more):
    return Figure(**{"what": "one proof", "value": 51.0, "unit": "µs", **more})


FOUND = {
    "proofs": Measured(
        "Proofs",
        [
            figure(best=49.5, against="raw verify", ratio=1.25, target=1.3),
            figure(what="another", against="raw verify", ratio=1.95, target=1.8),
        ],
    ),
    "start": Measured("Start", [figure(what="cold", value=0.25, unit="s", target=0.5)]),
    "memory": Measured("Memory", [], "There is no /proc."),
}


@pytest.fixture
def one_benchmark(monkeypatch):
    monkeypatch.setattr(bench, "names_in", lambda _folder: ["proofs"])
    monkeypatch.setattr(bench, "_measured", lambda name, _quick: FOUND[name])


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({}, ""),
        ({"target": 51.0}, "met"),
        ({"target": 50.0}, "missed"),
        # Where there is a ratio, the target is the ratio's.
        ({"ratio": 1.2, "target": 1.3}, "met"),
        ({"ratio": 1.4, "target": 1.3}, "missed"),
        ({"ratio": 1.4}, ""),
    ],
)
def test_a_target_is_met_or_missed(more, verdict):
    assert figure(**more).verdict == verdict


def test_the_table_says_what_was_measured_against_what_and_whether_it_will_do():
    lines = [line.split("  ") for line in bench.table(FOUND).splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert ["one proof", "51 µs", "49.5", "1.25 x raw verify", "at most 1.3 x", "met"] in cells
    assert ["another", "51 µs", "1.95 x raw verify", "at most 1.8 x", "missed"] in cells
    assert ["cold", "0.25 s", "at most 0.5 s", "met"] in cells
    assert ["not measured: There is no /proc."] in cells


def test_the_columns_of_the_table_stand_under_one_another():
    rows = [line for line in bench.table(FOUND).splitlines() if "at most" in line]
    assert len({row.index("at most") for row in rows}) == 1


def test_the_figures_are_written_with_the_machine_they_come_from(tmp_path):
    file = tmp_path / "new" / "bench.json"
    bench.write(file, bench.machine(), True, FOUND)
    found = json.loads(file.read_text())
    assert {"cores", "cpu", "date", "python", "cryptography"} <= found["machine"].keys()
    assert found["quick"] is True
    assert [f["verdict"] for f in found["benchmarks"]["proofs"]["figures"]] == ["met", "missed"]
    assert found["benchmarks"]["memory"]["failure"] == "There is no /proc."


def test_figures_that_cannot_be_written_are_an_error_that_names_the_file(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(LabError, match="taken"):
        bench.write(tmp_path / "taken" / "bench.json", {}, True, FOUND)


def test_an_unknown_name_is_answered_with_those_that_exist():
    with pytest.raises(LabError, match=r"'speed'.*There are: proofs, start"):
        bench.chosen_from(["proofs", "start"], ["speed"])


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [(None, ["proofs", "start"]), (["start"], ["start"]), (["start"] * 2, ["start"])],
)
def test_what_is_asked_for_is_run_and_once(wanted, chosen):
    assert bench.chosen_from(["proofs", "start"], wanted) == chosen


def test_every_file_of_the_folder_is_a_benchmark_but_its_helpers(tmp_path):
    for name in ("proofs.py", "_helper.py", "README.md"):
        (tmp_path / name).write_text("")
    assert bench.names_in(tmp_path) == ["proofs"]


def test_a_folder_without_benchmarks_is_an_error_that_says_where_they_are(tmp_path):
    with pytest.raises(LabError, match="checkout"):
        bench.names_in(tmp_path)


def test_a_missed_target_does_not_fail_the_run(one_benchmark, tmp_path, capsys):
    assert bench.main(["--out", str(tmp_path)]) == 0
    assert "1 targets met, 1 missed" in capsys.readouterr().out
    assert (tmp_path / "bench.json").exists()


def test_what_could_not_be_measured_does(one_benchmark, monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "_measured", lambda _name, _quick: FOUND["memory"])
    assert bench.main(["--out", str(tmp_path)]) == 1
