"""Put a running estate into another variant: what each difference means for its processes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from labsim.errors import LabError
from labsim.estate.addresses import keep_apart
from labsim.estate.names import (
    ATTACKER,
    AUTHORIZATION_SERVER,
    CERTIFICATE_FILE,
    COLLECTION,
    TERMINATOR,
)
from labsim.estate.processes import listening_socket
from labsim.estate.variants import Variant

if TYPE_CHECKING:
    from labsim.estate.running import Estate


def change(estate: Estate, before: Variant, wanted: Variant) -> None:
    """Change what differs between the two variants, and nothing else; LabError if it cannot be."""
    if estate.weakening is not None:
        raise LabError(
            f"The lab is weakened ({estate.weakening.called} at {estate.weakening.role}), and "
            "another variant would bring servers that are not.",
            "Nothing was changed.",
            "Call lab.vary() before the `with`, or after it.",
        )
    if wanted.allow_list != before.allow_list:
        keep_apart(estate, wanted.allow_list)
    if wanted.nonces != before.nonces:
        for server in (AUTHORIZATION_SERVER, *estate.urls):
            estate.process(server).call("require_nonce", on=wanted.nonces)
    if wanted.remembers != before.remembers:
        for server in estate.urls:
            estate.process(server).call("remember", on=wanted.remembers)
    if wanted.introspects != before.introspects:
        for server in estate.urls:
            estate.process(server).call("introspect", on=wanted.introspects)
    if wanted.stamps != before.stamps:
        for signer in estate.signers():
            signer.call("stamp", on=wanted.stamps)
    if wanted.careless_exchange != before.careless_exchange:
        careless = list(wanted.careless_exchange)
        estate.process(AUTHORIZATION_SERVER).call("exchange_without", checks=careless)
    if wanted.confirms_more != before.confirms_more:
        more = wanted.confirms_more
        estate.process(AUTHORIZATION_SERVER).call("confirm_more", on=more)
    if wanted.replicas != before.replicas:
        _replicate(estate, wanted.replicas)
    if wanted.proxy != before.proxy:
        _terminate(estate, wanted.proxy)


def _replicate(estate: Estate, replicas: str) -> None:
    """Start a second replica of each resource server, and send the attacker to those."""
    ports: dict[str, int] = {}
    for name, url in estate.urls.items():
        replica = f"{name}-replica"
        estate.end(replica)
        if replicas:
            server = listening_socket()
            ports[_authority(url)] = server.getsockname()[1]
            memory = name if replicas == "shared" else replica
            config = {"issuer": estate.issuer, "require_nonce": False}
            config |= estate.resource_server_config(name, memory)
            estate.fork(replica, "resource_server", config, [server])
    for name in estate.urls if replicas else ():
        estate.process(f"{name}-replica").wait_ready()
    estate.attackers_ports = ports
    estate.process(ATTACKER).call("route", ports=ports)


def _terminate(estate: Estate, proxy: str) -> None:
    """Put a proxy that ends TLS in front of the resource servers, or take it away."""
    estate.end(TERMINATOR)
    estate.reached_at = dict(estate.urls)
    certificate = ""
    if proxy:
        sockets = {name: listening_socket() for name in estate.urls}
        estate.reached_at = {name: origin(server) for name, server in sockets.items()}
        config = {"origins": list(estate.urls.values()), "strips": proxy == "strips"}
        estate.fork(TERMINATOR, "terminator", config, list(sockets.values()))
        estate.process(TERMINATOR).wait_ready()
        certificate = (estate.run_folder / TERMINATOR / CERTIFICATE_FILE).read_text()
    for server in estate.urls:
        estate.process(server).call("trust_proxy", certificate=certificate)
    urls = {name: at + COLLECTION for name, at in estate.reached_at.items()}
    for client in estate.started_clients():
        client.call("call_at", urls=urls)


def origin(sock: socket.socket) -> str:
    """Return the https origin of a listening socket."""
    return f"https://127.0.0.1:{sock.getsockname()[1]}"


def _authority(url: str) -> str:
    return url.partition("://")[2]
