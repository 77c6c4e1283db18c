"""Which binding a token request asks for: by the key that it introduces, or the client's own."""

from __future__ import annotations

from collections.abc import Sequence

from labsim.binding import Binding
from labsim.http_message import Request
from labsim.rejection import Reason, Rejected
from labsim.roles.client_authentication import RegisteredClient
from labsim.roles.tls_client_authentication import TLS_METHODS


def asked_binding(
    bindings: Sequence[Binding], request: Request, client: RegisteredClient
) -> Binding:
    """Return the binding whose key the request introduces, or the client's own; or Rejected.

    Without a key the client's registered binding is used, whose `parse` then says that the
    proof is missing; a client that registered none gets a bearer token.
    """
    brought = [each for each in bindings if each.introduced(request)]
    if _only_authenticates(bindings, client):
        brought = [each for each in brought if not each.asks_client_certificate]
    if len(brought) > 1:
        raise Rejected(Reason.REQUEST_MALFORMED, "one_key_is_introduced", "RFC 9449 section 5")
    registered = client.requires or "bearer"
    usable = brought or [each for each in bindings if each.name == registered]
    if not usable or client.requires not in (None, usable[0].name):
        raise Rejected(
            Reason.REQUEST_MALFORMED,
            "binding_is_the_registered_one",
            "RFC 9449 section 5.2",
        )
    return usable[0]


def _only_authenticates(bindings: Sequence[Binding], client: RegisteredClient) -> bool:
    """Tell whether the connection's certificate says who the client is and binds nothing.

    So it is for a client that authenticates by one and has registered another binding: RFC 8705
    section 2 and section 3 are two uses of a certificate, and either may be had alone.
    """
    by_certificate = {each.name for each in bindings if each.asks_client_certificate}
    return client.method in TLS_METHODS and client.requires not in (None, *by_certificate)
