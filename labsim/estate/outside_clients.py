"""Clients from outside: their metadata is completed and checked before anything starts."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from labsim.errors import LabError
from labsim.estate.plan import Plan
from labsim.roles.client_authentication import BASIC
from labsim.roles.registration import registered
from labsim.rooms import rooms


def admitted(clients: Sequence[Mapping[str, Any]], plan: Plan) -> list[dict[str, Any]]:
    """Return the clients' metadata, each with an id, and a secret if it needs one (RFC 7591).

    Raises LabError that names the client, the member and what is wrong with it.
    """
    bindings = tuple(rooms("labsim.bindings", "BINDING").values())
    scopes = frozenset(scope for each in plan.resources.values() for scope in each.scopes)
    found = [_completed(client) for client in clients]
    taken = {*plan.clients, *plan.resources}
    for number, client in enumerate(found, 1):
        try:
            client_id = registered(client, scopes, bindings).client_id
        except ValueError as error:
            raise _refused(number, client, f"{error}") from None
        if client_id in taken:
            raise _refused(number, client, "this client_id is taken")
        taken.add(client_id)
    return found


def _completed(client: Mapping[str, Any]) -> dict[str, Any]:
    done = dict(client)
    done.setdefault("client_id", f"client-{secrets.token_hex(8)}")
    if done.get("token_endpoint_auth_method", BASIC) == BASIC:
        done.setdefault("client_secret", secrets.token_urlsafe(32))
    return done


def _refused(number: int, client: Mapping[str, Any], why: str) -> LabError:
    return LabError(
        f"Client {number} of the file ({client.get('client_id')!r}) cannot be registered: {why}.",
        "Nothing was started.",
        "Mend that entry.",
    )
