"""A backup or a path traversal: whatever lies in the victim's folder, and nothing that does not.

The token cache is there, so is the file with the client's credential, and so is the key if its
custody is `file`. A key that only the process's memory holds is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from labsim.loot import Access, Loot, Theft, Victim


def leak(_victim: Victim) -> None:
    """Do nothing: what the victim keeps on its disk lies there already."""


def take(access: Access) -> Iterable[Loot]:
    """Read every file that was given and keep what is a credential."""
    documents: dict[str, Any] = {}
    certificate = None
    for name, content in access.files():
        if content.startswith(b"-----BEGIN CERTIFICATE-----"):
            certificate = content.decode()
        try:
            documents[name] = json.loads(content)
        except ValueError:
            continue  # no document of the client's: its log, say
    common = Loot(
        found_at=", ".join(sorted(documents)),
        key=documents.get("key.json"),
        certificate=certificate,
        client_credential=documents.get("client.json"),
        refresh_token=documents.get("refresh_token.json"),
    )
    cached = documents.get("tokens.json", {})
    return [
        replace(
            common,
            resource=entry["resource"],
            url=entry["url"],
            token=entry["access_token"],
        )
        for entry in cached.values()
    ]


THEFT = Theft(
    name="container_files",
    source="OWASP NHI2:2025",
    title="a copy of the container's files",
    gives="folder",
    leak=leak,
    take=take,
)
