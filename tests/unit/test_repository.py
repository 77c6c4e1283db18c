"""A real git repository: what a commit removes is in its history all the same."""

from __future__ import annotations

from pathlib import Path

from dulwich.repo import Repo

from labsim.estate.repository import commit, history


def test_what_the_next_commit_removes_stays_in_the_history(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    commit(folder, "Add", {"a.json": b"1", "b.json": b"\xff2"}, 1000.0)
    commit(folder, "Remove", {}, 1000.5)
    commit(folder, "Add again", {"a.json": b"3"}, 2000.0)
    found = list(history(folder))
    assert [(path, content) for _, path, content in found] == [
        ("a.json", b"1"),
        ("b.json", b"\xff2"),
        ("a.json", b"3"),
    ]
    assert found[0][0] == found[1][0] != found[2][0]


def test_it_is_a_repository_that_others_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    commit(folder, "Add", {"a.json": b"1"}, 1000.0)
    commit(folder, "Remove", {}, 2000.0)
    with Repo(str(folder)) as repository:
        head = repository[repository.head()]
        assert (head.message, head.commit_time) == (b"Remove", 2000)
        assert list(repository[head.tree].items()) == []
        (parent,) = head.parents
        assert [entry.path for entry in repository[repository[parent].tree].items()] == [b"a.json"]


def test_without_a_repository_there_is_no_history(tmp_path: Path) -> None:
    assert list(history(tmp_path / "repository")) == []
