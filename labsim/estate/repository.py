"""A git repository of a victim's, as a code host has it: commits, their history, and no work tree.

It is a real one, so that what is found in it is found as in any other: what a commit removes is
there all the same, in the commit before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

_AUTHOR = b"Somebody in a hurry <hurry@shop.example>"
_BRANCH = b"main"
_FILE_MODE = 0o100644


def commit(folder: Path, message: str, files: Mapping[str, bytes], now: float) -> None:
    """Commit so that these files, and no others, are there; `now` is in lab seconds.

    A folder without a repository gets one.
    """
    # Here, as in `history`: few processes need it, and it takes a tenth of a second to import.
    from dulwich.objects import Blob, Commit, Tree
    from dulwich.refs import HEADREF
    from dulwich.repo import Repo

    is_new = not folder.is_dir()
    path = str(folder)
    # Its branch by name: else the configuration of whoever runs the lab would say it.
    opened = Repo.init_bare(path, mkdir=True, default_branch=_BRANCH) if is_new else Repo(path)
    with closing(opened) as repository:
        tree = Tree()
        for name, content in files.items():
            blob = Blob.from_string(content)
            repository.object_store.add_object(blob)
            tree.add(name.encode(), _FILE_MODE, blob.id)
        made = Commit()
        made.tree = tree.id
        made.parents = [] if is_new else [repository.head()]
        made.author = made.committer = _AUTHOR
        made.author_time = made.commit_time = int(now)
        made.author_timezone = made.commit_timezone = 0
        made.message = message.encode()
        repository.object_store.add_object(tree)
        repository.object_store.add_object(made)
        repository.refs[HEADREF] = made.id


def history(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield commit id, path and content of each file of each commit, the oldest commit first.

    Nothing if there is no repository in the folder.
    """
    from dulwich.object_store import iter_tree_contents
    from dulwich.repo import Repo

    if not folder.is_dir():
        return
    with closing(Repo(str(folder))) as repository:
        for step in repository.get_walker(include=[repository.head()], reverse=True):
            for entry in iter_tree_contents(repository.object_store, step.commit.tree):
                content = repository.object_store[entry.sha].as_raw_string()
                yield step.commit.id.decode(), entry.path.decode(), content
