"""The TLS contexts of the estate, a server's and a client's, and OpenSSL's words for a failure."""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from labsim.errors import LabError


def server_context(
    certificate_file: str, key_file: str, client_ca_file: str | None = None
) -> ssl.SSLContext:
    """Make a server's TLS context; LabError if a file cannot be read.

    TLS 1.3 and nothing older. It has no renegotiation, and Python asks for no certificate after the
    handshake unless told to, so a connection's client certificate never changes. Its handshake is
    encrypted, so that a wiretap does not see the certificate. There are no session tickets: a
    resumed session would keep a certificate that has been revoked since.

    With `client_ca_file` a certificate is asked for and its absence accepted (RFC 8705 section 2),
    as clients of other bindings come to the same port. One that this CA did not sign is refused by
    TLS. The files may also be /proc/self/fd paths.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    # A client that half-closes without a close_notify is still answered; HTTP's own framing tells
    # whether its request was whole (RFC 9112 section 9.8).
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    _load_pair(context, (certificate_file, key_file))
    if client_ca_file is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        _load_authority(context, client_ca_file)
    return context


def client_context(
    ca_file: str, proxy_ca_file: str | None = None, certificate: tuple[str, str] | None = None
) -> ssl.SSLContext:
    """Make a client's TLS context; LabError if a file cannot be read.

    It trusts `ca_file` and nothing else, not even the system's authorities; with `proxy_ca_file`
    also an interceptor's CA, as a client that goes through a corporate proxy does. `certificate`
    is (certificate file, key file), shown to every server that asks for one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Python 3.13 sets these in its default context; set here, the lab is as strict on 3.12.
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols(["http/1.1"])
    _load_authority(context, ca_file)
    if proxy_ca_file is not None:
        _load_authority(context, proxy_ca_file)
    if certificate is not None:
        _load_pair(context, certificate)
    return context


@lru_cache(maxsize=2)
def plain_client_context(ca_file: str) -> ssl.SSLContext:
    """Return the TLS context of a client that trusts this CA alone and shows no certificate.

    One for a process and for all that it forks: nothing in it is a secret, and nobody changes it.
    """
    return client_context(ca_file)


@contextmanager
def file_of_memory(data: bytes) -> Iterator[str]:
    """Give a file that lies in memory, for OpenSSL reads keys from files only.

    Where there is no such thing (macOS), it is a private file that is gone after the reading.
    """
    if sys.platform == "linux":
        descriptor = os.memfd_create("labsim-key")
        try:
            os.write(descriptor, data)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            yield file.name


def tls_reason(error: OSError) -> str:
    """Return OpenSSL's name for a TLS failure, with the verifier's own words if it has any."""
    if not isinstance(error, ssl.SSLError):
        return "HANDSHAKE_TIMED_OUT" if isinstance(error, TimeoutError) else "CONNECTION_LOST"
    reason = error.reason or type(error).__name__
    words = getattr(error, "verify_message", "")
    return f"{reason}: {words}" if words else reason


def _load_pair(context: ssl.SSLContext, pair: tuple[str, str]) -> None:
    try:
        context.load_cert_chain(*pair)
    except OSError as error:
        raise _unusable(f"certificate {pair[0]} with key {pair[1]}", error) from error


def _load_authority(context: ssl.SSLContext, ca_file: str) -> None:
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:
        raise _unusable(f"CA certificate {ca_file}", error) from error


def _unusable(what: str, error: OSError) -> LabError:
    why = error.strerror or str(error)
    return LabError(f"The {what} cannot be used: {why}.", todo="Start the lab again for new ones.")
