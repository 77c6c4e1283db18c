"""What a client's process is told when it is forked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labsim.estate.names import COLLECTION
from labsim.estate.plan import Client


def client_config(
    client: Client,
    issuer: str,
    mtls_alias: str,
    urls: Mapping[str, str],
    reached_at: Mapping[str, str],
) -> dict[str, Any]:
    """Return a workload's config: where tokens are had, and each resource's URL and audience.

    `urls` are the resource servers' own origins by name, `reached_at` those at which they answer.
    """
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/token",
        "mtls_token_endpoint": f"{mtls_alias}/token",
        "resources": {
            name: {"url": reached_at[name] + COLLECTION, "audience": urls[name]}
            for name in client.calls
        },
        "grant": client.grant,
    }
