"""Bind a client's tokens at both ends: at the authorization server, and in the client's process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.estate.names import AUTHORIZATION_SERVER
from labsim.estate.plan import Client

if TYPE_CHECKING:
    from labsim.estate.running import Estate


def bind(estate: Estate, client: Client, binding: str, custody: str) -> None:
    """Let a client's process, which runs, start over with a fresh key and this binding."""
    server, workload = estate.process(AUTHORIZATION_SERVER), estate.process(client.name)
    server.call("require", client_id=client.name, binding=binding)
    grant = None
    if client.grant == "refresh_token":
        # A delegated grant, provisioned as if its owner had just consented.
        grant = server.call("grant", client_id=client.name)
    signer = _signer(estate, client.name, binding) if custody == "signer" else None
    jwk = workload.call(
        "bind", binding=binding, custody=custody, refresh_token=grant, signer=signer
    )
    if jwk is not None:
        certificate = server.call("certify", client_id=client.name, jwk=jwk)
        workload.call("certified", pem=certificate)


def _signer(estate: Estate, client: str, binding: str) -> str | None:
    """Start a signer with a fresh key for a client; None for bearer, which has none."""
    name = f"{client}-signer"
    estate.end(name)
    if binding == "bearer":
        return None
    config = {"binding": binding, "stamps": estate.variant.stamps}
    estate.fork(name, "signer", config | {"address": estate.clients_address})
    estate.process(name).wait_ready()
    return name
