"""Settings in a commit: taken out with the next one, and in the history for good.

The loot is what was committed, the token cache and the client's credential; a key was not among
the settings. The thief reads every commit there is, and no work tree would show any of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from labsim.loot import Access, Loot, Theft, Victim, credentials_in

_SETTINGS = ("client.json", "tokens.json")


def leak(victim: Victim) -> None:
    """Commit the settings once the work is done, and remove them in the next commit."""

    def commit() -> None:
        files = victim.credentials()
        settings = {name: files[name] for name in _SETTINGS if name in files}
        victim.commit("Make it run on my machine too", settings)
        victim.commit("Remove settings, they do not belong here", {})

    victim.when_done(commit)


def take(access: Access) -> Iterable[Loot]:
    """Go through the history, commit by commit; the last token for a resource wins."""
    commits: dict[str, list[tuple[str, bytes]]] = {}
    for commit_id, path, content in access.history():
        commits.setdefault(commit_id, []).append((path, content))
    found: dict[str, Loot] = {}
    for commit_id, files in commits.items():
        for loot in credentials_in(files):
            where = f"commit {commit_id[:10]}: {loot.found_at}"
            found[loot.resource] = replace(loot, found_at=where)
    return found.values()


THEFT = Theft(
    name="commit",
    source="OWASP NHI2:2025",
    title="settings in the history of a repository",
    gives="repository",
    leak=leak,
    take=take,
    custody_matters=False,
)
