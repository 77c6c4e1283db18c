"""Bind a client's tokens at both ends: at the authorization server, and in the client's process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.errors import LabError
from labsim.estate.names import AUTHORIZATION_SERVER
from labsim.estate.plan import Client
from labsim.estate.softhsm import refuse_tls

if TYPE_CHECKING:
    from labsim.estate.running import Estate


# With a dot, which no name of a plan has.
SIGNER_SUFFIX = ".signer"


def bind(estate: Estate, client: Client, binding: str, custody: str) -> None:
    """Let a client's process, which runs, start over with a fresh key and this binding."""
    server, workload = estate.process(AUTHORIZATION_SERVER), estate.process(client.name)
    if custody == "signer" and estate.module:
        refuse_tls(binding)
    estate.end(client.name + SIGNER_SUFFIX)
    signer = _signer(estate, client.name, binding) if custody == "signer" else None
    server.call("require", client_id=client.name, binding=binding)
    grant = None
    if client.grant == "refresh_token":
        # A delegated grant, provisioned as if its owner had just consented.
        grant = server.call("grant", client_id=client.name)
    jwk = workload.call(
        "bind", binding=binding, custody=custody, refresh_token=grant, signer=signer
    )
    if jwk is not None:
        certificate = server.call("certify", client_id=client.name, jwk=jwk)
        workload.call("certified", pem=certificate)


def _signer(estate: Estate, client: str, binding: str) -> str | None:
    """Start a signer with a fresh key for a client; None for bearer, which has none."""
    if binding == "bearer":
        return None
    name = client + SIGNER_SUFFIX
    config = {"binding": binding, "stamps": estate.variant.stamps, "module": estate.module}
    estate.fork(name, "signer", config | {"address": estate.clients_address})
    try:
        estate.process(name).call("begin")
    except LabError:
        estate.end(name)
        raise
    return name
