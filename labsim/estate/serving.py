"""What both kinds of server have as processes: a listener, an event log, and what they share.

What each decides is its role's business (`labsim.roles`); here it gets a socket and stores.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from labsim.binding import Binding, Nonces
from labsim.checks import StorageUnavailable
from labsim.estate.clock import Clock
from labsim.estate.events import EventLog
from labsim.estate.limits import Limits
from labsim.estate.listener import Listener
from labsim.estate.names import CLIENT_TRUST_FILE, EVENTS_FOLDER
from labsim.estate.process import Process
from labsim.estate.tls import server_context
from labsim.http_message import Request, Response
from labsim.nonces import RollingNonces
from labsim.roles.decision import Event
from labsim.rooms import rooms

type Handle = Callable[[Request], tuple[Response, Event | None]]

BINDINGS: Mapping[str, Binding] = rooms("labsim.bindings", "BINDING")


def new_id() -> str:
    """Return an identifier that was never used before: 128 random bits."""
    return secrets.token_urlsafe(16)


def nonces(asked_for: bool) -> Nonces | None:
    """Return a fresh issuer of nonces, or None where none are asked for."""
    return RollingNonces(secrets.token_bytes(32)) if asked_for else None


def event_log(process: Process) -> EventLog:
    """Return the event log of a process."""
    return EventLog(process.run_folder / EVENTS_FOLDER / f"{process.name}.jsonl")


def listen(
    process: Process,
    decide: Handle,
    clock: Clock,
    log: EventLog,
    folder: Path,
    port: int | None = None,
    limits: Limits | None = None,
) -> None:
    """Answer requests with `decide`; what cannot be written down is not served.

    Certificate and key lie in `folder`; `port` is the one that clients know, if it is another.
    """

    def handle(request: Request) -> Response:
        response, event = decide(request)
        if event is None:
            return response
        try:
            log.append(event)
        except StorageUnavailable:
            return Response.of_json(503, {"error": "temporarily_unavailable"})
        return response

    certificate, key = (str(folder / f"tls_{part}.pem") for part in ("certificate", "key"))
    asking = server_context(certificate, key, str(process.run_folder / CLIENT_TRUST_FILE))
    # The last socket asks for a certificate: at a resource server it is the only one, as that
    # cannot depend on a token that is still to come (RFC 8705 section 3).
    contexts = [*(server_context(certificate, key) for _ in process.sockets[1:]), asking]
    for socket, context in zip(process.sockets, contexts, strict=True):
        refused = _refused(process.name, clock, log)
        Listener(socket, context, handle, refused, limits, port).start()


def _refused(name: str, clock: Clock, log: EventLog) -> Callable[[str, str], None]:
    """Return what writes down a request, or a handshake, that never reached a role."""

    def refused(kind: str, reason: str) -> None:
        event = {
            "time": clock(),
            "role": "listener",
            "name": name,
            "decision": "refused_by_tls" if kind == "tls" else "refused",
            "reason": kind,
            "detail": reason,
        }
        with suppress(StorageUnavailable):  # it was refused already; there is nobody left to tell
            log.append(event)

    return refused
