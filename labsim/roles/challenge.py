"""How a resource server says no: status, WWW-Authenticate, and nothing that helps an attacker.

RFC 6750 section 3, RFC 9449 section 7.1, RFC 9728 section 5.1. The reason, the check and the
source stay in the server's own event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from labsim.binding import Binding
from labsim.http_message import Request, Response
from labsim.rejection import Reason, Rejected
from labsim.roles.records_api import needed_scope

if TYPE_CHECKING:
    from labsim.roles.resource_server import Credential, ResourceServer


def error_code(rejection: Rejected, binding: Binding | None, *, token_request: bool) -> str | None:
    """Return the OAuth error code: the reason's own, or the binding's for a bad proof."""
    if not rejection.reason.is_about_the_proof or binding is None:
        return rejection.reason.error
    if rejection.reason is Reason.NONCE_REQUIRED:
        return binding.nonce_error
    return binding.introduction_error if token_request else binding.proof_error


def challenge(
    server: ResourceServer,
    rejection: Rejected,
    credential: Credential | None,
    binding: Binding | None,
    now: float,
    request: Request,
) -> Response:
    """Make the response to a refused request.

    Each accepted scheme gets a challenge. The error code stands on the scheme that was used, or
    on all of them if it cannot be told which one that was (RFC 9449 section 7.2).
    """
    error = error_code(rejection, binding, token_request=False)
    body = {"error": error} if error else {}
    if rejection.reason is Reason.UNAVAILABLE:
        return Response.of_json(503, body, (("Retry-After", "1"),))
    if rejection.reason is Reason.ADDRESS_NOT_ALLOWED:
        return Response.of_json(rejection.reason.status, body)  # no credentials would help
    used = credential.scheme.lower() if credential else None
    fields = []
    # The scheme that was used comes first: some clients read no further (RFC 9110 section 11.6.1).
    for scheme, parameters in sorted(_schemes(server).items(), key=lambda s: s[0].lower() != used):
        if error and used in (None, scheme.lower()):
            parameters = {"error": error, **parameters}
        if rejection.reason is Reason.SCOPE_INSUFFICIENT:
            parameters = {**parameters, "scope": needed_scope(server.name, request)}
        fields.append(("WWW-Authenticate", _field(scheme, parameters)))
    if server.nonces and binding and binding.nonce_field:
        fields.append((binding.nonce_field, server.nonces.issue(now)))
    return Response.of_json(rejection.reason.status, body, fields)


def _schemes(server: ResourceServer) -> dict[str, dict[str, str]]:
    """Return the parameters of each accepted scheme; two bindings may share one."""
    origin = urlsplit(server.resource)
    where = f"{origin.scheme}://{origin.netloc}/.well-known/oauth-protected-resource"
    found: dict[str, dict[str, str]] = {}
    for binding in server.bindings:
        parameters = found.setdefault(binding.scheme, {})
        parameters |= {**binding.challenge, "resource_metadata": where}
    return found


def _field(scheme: str, parameters: dict[str, str]) -> str:
    if not parameters:
        return scheme
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())
