"""Do once, before the forks, what each process of the estate would do at its first request.

OpenSSL sets up a good deal at the first handshake of a process, and Python imports late what an
IDNA host name needs. Servers have stores, which are empty alike. Done in the parent, the children
share it: less memory, and a quicker start.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401  (imported late otherwise, by each process for itself)
import ssl
from contextlib import suppress

from labsim.estate.issued_tokens import ISSUED_SCHEMA, REVOKED_SCHEMA
from labsim.estate.replay_memory import SPENT_PAGE, SPENT_SCHEMA
from labsim.estate.storage import GRANT_SCHEMA, PAGE, empty_store
from labsim.estate.tls import plain_client_context, server_context

_TURNS = 4
"""Turns that a TLS 1.3 handshake takes, and one to spare."""


def shake_hands(ca_file: str, certificate_file: str, key_file: str) -> None:
    """Do one TLS handshake in memory; raises LabError if a file cannot be read."""
    server = server_context(certificate_file, key_file)
    client = plain_client_context(ca_file)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1"),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(_TURNS):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    ends[0].write(b"x")
    ends[1].read(1)


def lay_out_stores() -> None:
    """Work out what the file of each kind of empty store holds."""
    for schema in (GRANT_SCHEMA, ISSUED_SCHEMA, REVOKED_SCHEMA):
        empty_store(schema, PAGE)
    empty_store(SPENT_SCHEMA, SPENT_PAGE)
