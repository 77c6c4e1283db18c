"""From which loopback addresses the estate's processes send, where an allow-list looks at them."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

from labsim.errors import LabError
from labsim.estate.names import ATTACKER, ATTACKERS_ADDRESS, CLIENTS_ADDRESS, INTERCEPTOR

if TYPE_CHECKING:
    from labsim.estate.running import Estate


def keep_apart(estate: Estate, on: bool) -> None:
    """Let clients and attacker send from an address each, and servers take requests from clients.

    An interceptor sends from the clients' address: it sits in their network. Without it, all send
    from wherever they like again. Raises LabError where this machine has no such addresses.
    """
    if on:
        _must_be_there(CLIENTS_ADDRESS, ATTACKERS_ADDRESS)
    clients, attacker = (CLIENTS_ADDRESS, ATTACKERS_ADDRESS) if on else ("", "")
    for name in (*estate.plan.clients, INTERCEPTOR):
        if estate.has(name):
            estate.process(name).call("send_from", address=clients)
    for signer in estate.signers():
        signer.call("send_from", address=clients)
    estate.process(ATTACKER).call("send_from", address=attacker)
    for name in estate.urls:
        estate.process(name).call("allow", addresses=[clients] if on else None)


def _must_be_there(*addresses: str) -> None:
    for address in addresses:
        try:
            with socket.socket() as sock:
                sock.bind((address, 0))
        except OSError as error:
            alias = f"sudo ifconfig lo0 alias {address} up"
            todo = f"Run `{alias}`, and try again." if sys.platform == "darwin" else ""
            raise LabError(
                f"This machine has no address {address} ({error.strerror}), from which to send.",
                "The variant was not changed.",
                todo or f"Add {address} to the loopback interface, and try again.",
            ) from error
