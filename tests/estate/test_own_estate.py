"""An estate of the user's own: the page's example runs as it stands, and is judged by the oracle."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import labsim
from labsim.commands import demo
from labsim.errors import LabError
from labsim.estate import plan as plans
from labsim.rooms import names
from tests.own_estate import FILES, written


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "attempts.csv").open() as file:
        return list(csv.DictReader(file))


def run(folder: Path, estate: Path) -> tuple[int, Path]:
    return demo.main(["--out", str(folder / "out"), "--estate", str(estate)]), folder / "out"


def test_the_page_has_a_whole_estate() -> None:
    assert set(FILES) == {"estate.toml", "wiki.json", "billing.json"}


# Nothing there holds tickets or chats; one client of it is an agent, and one lives from grants.
_NOT_HERE = ("ticket", "chat", "vendor_store", "vendor_tokens", "prompt_injection")


def test_the_main_job_runs_on_the_pages_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = run(tmp_path, written(tmp_path))
    printed = capsys.readouterr().out
    assert status == 0, printed
    assert {row["client"] for row in rows(out)} == {"helper", "invoice-job"}
    assert "compared in one direction" in printed
    assert "Helper (DPoP, key in memory), after log line: 0 of 2" in printed
    assert "Invoice job (mTLS, key in a file), after container files: 4 of 4" in printed
    left_out = [
        row
        for row in rows(out)
        if (row["client"], row["binding"]) == ("invoice-job", "mtls")
        and row["replay"] == "new_token_for_own_key"
        and row["outcome"] == "not_possible"
        and "client_credential" in row["loot"]
    ]
    assert left_out
    assert f"{len(left_out)} attempts have no line there" in printed
    for name in demo.RESULTS:
        assert (out / name).stat().st_size > 0


def test_every_theft_from_every_client_of_it_has_its_line_in_the_oracle(tmp_path: Path) -> None:
    file = written(tmp_path)
    possible = [name for name in names("labsim.thefts") if name not in _NOT_HERE]
    thefts = json.dumps(possible)
    about = 'title = "T"\nsentence = "S"'
    stories = [
        f'[stories.{client}]\n{about}\nclient = "{client}"\nthefts = {thefts}\n'
        for client in plans.load(file).clients
    ]
    text = FILES["estate.toml"].partition("[stories.")[0] + "\n".join(stories)
    file.write_text(text, encoding="utf-8")
    status, out = run(tmp_path, file)
    assert status == 0
    assert len({(row["client"], row["theft"]) for row in rows(out)}) == 3 * len(possible)


def test_a_client_that_calls_many_is_tried_at_some_of_them(tmp_path: Path) -> None:
    file = written(tmp_path)
    text, record = FILES["estate.toml"], json.loads(FILES["billing.json"])[0]
    more = [f"more-{number}" for number in range(5)]
    for name in more:
        records = [{**record, "id": name}]
        (tmp_path / f"{name}.json").write_text(json.dumps(records), encoding="utf-8")
        text += f'[resources.{name}]\ntitle = "M"\nzone = "m"\nstands_for = "s"\n'
        text += f'records = "{name}.json"\n'
    text = text.replace('calls = ["wiki"]', f"calls = {json.dumps(['wiki', *more])}")
    scopes = json.dumps(["wiki.read", *(f"{name}.read" for name in more)])
    file.write_text(text.replace('["wiki.read"]', scopes), encoding="utf-8")
    status, out = run(tmp_path, file)
    assert status == 0
    bearer = [
        r
        for r in rows(out)
        if (r["client"], r["binding"], r["variant"]) == ("helper", "bearer", "base")
    ]
    replays = len(names("labsim.replays"))
    assert len(bearer) == 6 * 4 * replays
    same = [row for row in bearer if row["relation"] == "same_resource"]
    assert len(same) == 6 * replays


def test_a_cell_without_a_line_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(plans.DATA, tmp_path / "data")
    oracle = tmp_path / "data" / "expected_outcomes.csv"
    line = "log_line,none,bearer,token_as_is,base,same_resource,served,,\n"
    before = oracle.read_text()
    assert line in before
    oracle.write_text(before.replace(line, ""))
    monkeypatch.setattr(plans, "DATA", tmp_path / "data")
    status, _ = run(tmp_path, written(tmp_path))
    assert status == 1
    printed = capsys.readouterr().out
    assert "1 cells differ" in printed
    assert "nothing (no such line), measured served" in printed


def test_tokens_that_end_too_soon_are_refused_before_anything_is_removed(tmp_path: Path) -> None:
    file = written(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").write_text("an earlier run's")
    text = file.read_text().replace("token_seconds = 600", "token_seconds = 59")
    file.write_text(text)
    with pytest.raises(LabError, match=r"token_seconds: a token of 59 s") as refused:
        run(tmp_path, file)
    assert "60 or more" in refused.value.todo
    assert (tmp_path / "out" / "report.html").exists()


def test_a_pasted_credential_is_a_real_one(tmp_path: Path) -> None:
    with labsim.start(written(tmp_path), quiet=True) as lab:
        (row,) = (r for r in lab.work_rows("invoice-job") if r["resource"] == "wiki")
        secret = json.loads((lab.run_folder / "crm-sync" / "client.json").read_bytes())["secret"]
        assert (
            f"id crm-sync, secret {secret}, {lab.estate.urls['billing']}/records" in row["answer"]
        )
        for name, client in lab.plan.clients.items():
            assert (lab.binding(name), {r["outcome"] for r in lab.work_rows(name)}) == (
                client.binding,
                {"served"},
            )


def test_up_starts_it_for_clients_from_outside(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "labsim", "up", "--json", "--estate", str(written(tmp_path))]
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        where = json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait() == 0
    assert set(where["resources"]) == {"wiki", "billing"}
    assert where["resources"]["wiki"]["scopes"] == ["wiki.read", "wiki.write"]


def test_a_mistake_in_the_file_is_one_message_and_no_traceback(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.write_text(file.read_text().replace('kind = "agent"', 'kind = "robot"'))
    for command in ("demo", "up"):
        ran = subprocess.run(
            [sys.executable, "-m", "labsim", command, "--estate", str(file)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert ran.returncode == 1
        assert "estate.toml, clients.helper.kind: 'robot' is unknown" in ran.stderr
        assert "AI agent" in ran.stderr, "what the key means"
        assert "workload, agent" in ran.stderr, "what to write"
        assert "Traceback" not in ran.stderr
        assert ran.stdout == ""
