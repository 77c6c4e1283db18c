"""The client: gets a token, presents it, answers one challenge. No socket: `send` is passed in.

A workload and the attacker use the same functions; what differs is what each of them holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labsim.binding import Binding, Presentation
from labsim.http_message import Outcome, Request, Response
from labsim.roles.client_authentication import Authentication
from labsim.roles.form import form_request

_LONGEST_SHOWN = 200
"""Characters of what a server says of itself."""

type Send = Callable[[Request], Outcome]


@dataclass(frozen=True, slots=True)
class TokenSet:
    """Hold a token response; `expires` is in lab seconds, `binding` the name of the token's."""

    access_token: str
    binding: str
    resource: str
    scope: str
    expires: float
    refresh_token: str | None = None


class TokenRefused(Exception):
    """Say that no usable token came back; `outcome` is how the token request ended."""

    def __init__(self, outcome: Outcome, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome


def present(
    build: Callable[[], Request],
    binding: Binding,
    presentation: Presentation,
    send: Send,
) -> Outcome:
    """Send a request with token and proof, and answer at most one challenge.

    `build` makes the request anew for the second try, with a fresh proof and whatever else may be
    used once (RFC 9449 section 7.3).
    """
    outcome = send(binding.attach(build(), presentation))
    again = binding.retry(outcome.response, presentation) if outcome.response else None
    return outcome if again is None else send(binding.attach(build(), again))


def obtain_token(
    endpoint: str,
    parameters: dict[str, str],
    authenticate: Authentication,
    binding: Binding,
    presentation: Presentation,
    send: Send,
) -> TokenSet:
    """Ask the token endpoint for a token of this binding; raises TokenRefused.

    A token of another type than asked for is thrown away (RFC 9449 section 5): it would be used
    as if it were bound.
    """

    def build() -> Request:
        return authenticate(form_request(endpoint, parameters))

    outcome = present(build, binding, presentation, send)
    if outcome.response is None or outcome.response.status != 200:
        raise TokenRefused(outcome, _why(outcome))
    body = _token_response(outcome.response)
    if body is None:
        raise TokenRefused(outcome, "the token endpoint's answer is no token response")
    kind = _printable(body["token_type"])
    if kind.lower() != binding.scheme.lower():
        raise TokenRefused(outcome, f"asked for a {binding.scheme} token and was given {kind}")
    return TokenSet(
        body["access_token"],
        binding.name,
        parameters.get("resource", ""),
        body.get("scope", ""),
        presentation.now + float(body["expires_in"]),
        body.get("refresh_token"),
    )


def _token_response(response: Response) -> dict[str, Any] | None:
    """Return a token response's body (RFC 6749 section 5.1); None if it is none.

    Its texts are printable ASCII (appendix A): they go into fields and forms as they are.
    """
    try:
        body: Any = response.json()
        texts = [body["access_token"], body.get("scope", ""), body.get("refresh_token", "")]
        named, lasts = "token_type" in body, float(body["expires_in"])
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    usable = all(isinstance(t, str) and t.isascii() and t.isprintable() for t in texts)
    return body if usable and named and texts[0] and math.isfinite(lasts) else None


def _printable(text: object) -> str:
    """Return a text that can be shown to a person; empty for anything else, or one without end."""
    usable = isinstance(text, str) and len(text) <= _LONGEST_SHOWN and text.isprintable()
    return str(text) if usable else ""


def _why(outcome: Outcome) -> str:
    if outcome.response is None:
        return outcome.detail or "the token endpoint did not answer"
    try:
        error = outcome.response.json().get("error")
    except (ValueError, AttributeError):
        error = None
    return f"the token endpoint answered {outcome.response.status} {_printable(error)}".rstrip()
