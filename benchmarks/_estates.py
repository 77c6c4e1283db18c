"""Write an estate of any size: the file that a user would write, only longer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

BINDINGS = ("bearer", "dpop", "mtls", "http_signature")
AUTHENTICATIONS = ("client_secret_basic", "private_key_jwt", "tls_client_auth")
CALLS = 3
RECORDS = 20
STORY = """
[stories.one]
title = "One token gets out"
sentence = "One client of many loses its token."
client = "client-000"
thefts = ["log_line"]
"""


def write(folder: Path, servers: int, clients: int) -> Path:
    """Write an estate of so many resource servers and clients; return its file.

    Each client calls three servers, or all if there are fewer; bindings, ways to authenticate and
    custodies take turns, and every tenth client lives from a refresh token.
    """
    names = [f"server-{number:02d}" for number in range(servers)]
    for name in names:
        records = [_record(f"{name}-{number:03d}") for number in range(RECORDS)]
        (folder / f"{name}.json").write_text(json.dumps(records), encoding="utf-8")
    tables = [
        'name = "big"\ntoken_seconds = 3600\n',
        *(_resource(name, number) for number, name in enumerate(names)),
        *(_client(number, names) for number in range(clients)),
        STORY,
    ]
    file = folder / "estate.toml"
    file.write_text("\n".join(tables), encoding="utf-8")
    return file


def _record(name: str) -> dict[str, str]:
    return {"id": name, "sensitivity": "internal", "title": f"Record {name}", "text": "Nothing."}


def _table(path: str, keys: dict[str, object]) -> str:
    lines = (f"{key} = {json.dumps(value)}" for key, value in keys.items())
    return "\n".join([f"[{path}]", *lines, ""])


def _resource(name: str, number: int) -> str:
    about = {"title": name, "zone": f"zone-{number % 5}", "stands_for": "one server of many"}
    return _table(f"resources.{name}", {**about, "records": f"{name}.json"})


def _called(number: int, servers: list[str]) -> Iterator[str]:
    for step in range(min(CALLS, len(servers))):
        yield servers[(number + step) % len(servers)]


def _client(number: int, servers: list[str]) -> str:
    calls = list(_called(number, servers))
    return _table(
        f"clients.client-{number:03d}",
        {
            "title": f"Client {number}",
            "kind": "workload",
            "stands_for": "one client of many",
            "calls": calls,
            "scopes": [f"{name}.read" for name in calls],
            "grant": "refresh_token" if number % 10 == 9 else "client_credentials",
            "authentication": AUTHENTICATIONS[number % 3],
            "binding": BINDINGS[number % 4],
            "custody": ("file", "memory")[number // 4 % 2],
        },
    )
