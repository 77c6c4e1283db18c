"""How much of a server one client may use, in bytes, seconds and connections."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound what one connection may cost; beyond it the client is answered and let go.

    `request_seconds` runs from the first byte of a request to its last, however slowly the bytes
    come, and again for writing the answer; the first request of a connection must also begin
    within it. `idle_seconds` is what a kept connection may wait between two requests.
    `linger_seconds` and `linger_bytes` bound what is read and thrown away after the last answer,
    so that a reset does not destroy it on its way (RFC 9112 section 9.6).
    """

    header_bytes: int = 16 * 1024
    body_bytes: int = 1024 * 1024
    request_seconds: float = 10.0
    idle_seconds: float = 30.0
    handshake_seconds: float = 5.0
    connections: int = 256
    linger_seconds: float = 2.0
    linger_bytes: int = 16 * 1024 * 1024
