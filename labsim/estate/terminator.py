"""A proxy that ends TLS in front of resource servers and passes the client's certificate on.

It asks for a certificate, needs none, and says in Client-Cert which one it saw (RFC 9440), and in
Forwarded where the client reached it (RFC 7239). To the servers it shows a certificate of its own,
by which they know whom to believe.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from labsim.certificates import as_der
from labsim.checks import StorageUnavailable
from labsim.estate.clock import Clock
from labsim.estate.dialler import Dialler
from labsim.estate.events import EventLog
from labsim.estate.listener import Listener
from labsim.estate.names import (
    CA_FILE,
    CERTIFICATE_FILE,
    CLIENT_TRUST_FILE,
    CLOCK_FILE,
    EVENTS_FOLDER,
    KEY_FILE,
)
from labsim.estate.private_file import read_json
from labsim.estate.process import Process
from labsim.estate.tls import server_context
from labsim.estate.weakening import PRESETS, announced
from labsim.http_message import Request, Response
from labsim.keys import SigningKey
from labsim.roles import forwarded_address, forwarded_certificate
from labsim.structured_fields import byte_sequence

REMOVES = "forgeable_fields_are_removed"
"""What a preset calls that a proxy strips."""


def forwarded(request: Request, origin: str, *, strips: bool) -> Request:
    """Return the request as it goes on to the origin.

    A proxy that strips removes what only a proxy may say (RFC 9440 section 2.4); one that does not
    is the mistake that section 4 warns of. Both say last where they were reached.
    """
    forgeable = (*forwarded_certificate.FORGEABLE, *forwarded_address.FORGEABLE)
    sent = request.without(*forgeable) if strips else request
    sent = sent.adding(forwarded_address.FIELD, forwarded_address.element(request))
    if request.peer_certificate is not None:
        sent = sent.adding(forwarded_certificate.FIELD, byte_sequence(request.peer_certificate))
    url = request.url.partition("://")[2].partition("/")[2]
    return replace(sent.without("Connection"), url=f"{origin}/{url}", peer_certificate=None)


def run(process: Process) -> None:
    """Run the proxy; config: `origins` (the servers, in the order of the sockets), `strips`."""
    run_folder, folder, config = process.run_folder, process.folder, process.config
    key = SigningKey.from_jwk(read_json(folder / KEY_FILE))
    own = as_der((folder / CERTIFICATE_FILE).read_bytes())
    dialler = Dialler(str(run_folder / CA_FILE))
    dialler.identify(own, key.certified(own).pem)
    context = server_context(
        str(folder / "tls_certificate.pem"),
        str(folder / "tls_key.pem"),
        str(run_folder / CLIENT_TRUST_FILE),
    )
    clock = Clock(run_folder / CLOCK_FILE)
    log = EventLog(run_folder / EVENTS_FOLDER / f"{process.name}.jsonl")

    left_out: set[str] = set()

    def weaken(preset: str, _called: str) -> None:
        left_out.clear()
        left_out.update(PRESETS[preset].without if preset else ())

    def handler(origin: str) -> Callable[[Request], Response]:
        def handle(request: Request) -> Response:
            sent = forwarded(request, origin, strips=config["strips"] and REMOVES not in left_out)
            outcome = dialler(replace(sent, peer_certificate=own))
            if outcome.response is None:
                return Response.of_json(502, {"error": "bad_gateway"})
            return outcome.response

        return handle

    def refused(kind: str, reason: str) -> None:
        decision = "refused_by_tls" if kind == "tls" else "refused"
        event = {"time": clock(), "role": "terminator", "name": process.name, "decision": decision}
        with suppress(StorageUnavailable):  # it was refused already; there is nobody left to tell
            log.append({**event, "reason": kind, "detail": reason})

    for socket, origin in zip(process.sockets, config["origins"], strict=True):
        Listener(socket, context, handler(origin), refused).start()
    process.serve({"weaken": announced(weaken, process.name, clock, log)})
