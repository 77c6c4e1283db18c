"""The shape of a binding: what ties a token to its sender, as one value with three faces.

A room in `bindings/` fills this shape in: `attach` and `retry` are the client's face, `introduced`,
`introduction_checks` and `bind` the authorization server's, `parse` and the other checks the
resource server's. Checks are
data, run in order; each names its reason and its source, and a lesson can take one out by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from labsim import checks
from labsim.checks import Checks
from labsim.credentials import ACCESS_TOKEN, CredentialKind
from labsim.http_message import Request, Response


class Holder(Protocol):
    """Whoever can use a key. Where the key lies (its custody) is the holder's own business."""

    @property
    def public_jwk(self) -> dict[str, str]:
        """Return the public key as a JWK (RFC 7517), required members only."""

    @property
    def algorithm(self) -> str:
        """Return the JWS algorithm the key signs with: ES256 or Ed25519."""

    @property
    def certificate(self) -> bytes | None:
        """Return the key's X.509 certificate (DER), if it has one."""

    def sign(self, message: bytes) -> bytes:
        """Return the raw JWS signature (RFC 7518 section 3.4, RFC 8037 section 3.1)."""


class ReplayMemory(Protocol):
    """Remember which proofs were spent."""

    def is_first(self, key: tuple[str, str], until: float, now: float) -> bool:
        """Record `key` and say whether it is new, in one atomic step.

        `key` is (who, what): the thumbprint and the `jti`, say. The record is kept until `until`
        (lab seconds), which is as long as the proof could still be accepted; requests may come
        with their clocks out of order, since some wait between clock and memory. Raises
        StorageUnavailable when it is full or cannot be reached: never a guess.
        """


class Nonces(Protocol):
    """Issue and recognise a server's nonces (RFC 9449 sections 8 and 9)."""

    def issue(self, now: float) -> str:
        """Return the nonce that the server gives out at `now`."""

    def accepts(self, nonce: str, now: float) -> bool:
        """Tell whether `nonce` was issued by this server recently enough."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a client has in hand when it sends a request: its token, its holder, time, a nonce.

    `token` is None at the token endpoint, where there is none yet. `new_id` makes identifiers
    that were never used before.
    """

    token: str | None
    holder: Holder | None
    now: float
    new_id: Callable[[], str]
    nonce: str | None = None


class Evidence(NamedTuple):
    """What a server knows besides the proof: the request, the time, its memory, the token.

    `token` and `claims` are None and empty at the token endpoint. `memory` is None where a
    server keeps none (the minimal profile), `nonces` where it asks for none. `is_revoked` tells of
    a key or certificate, by its thumbprint, whether it was withdrawn, as far as the server knows.
    """

    request: Request
    now: float
    memory: ReplayMemory | None = None
    nonces: Nonces | None = None
    token: str | None = None
    claims: Mapping[str, Any] = MappingProxyType({})
    is_revoked: Callable[[str], bool] = lambda _thumbprint: False

    @property
    def confirmation(self) -> Mapping[str, Any]:
        """Return the token's `cnf` claim (RFC 7800), empty if it has none."""
        found = self.claims.get("cnf")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One way to tie a token to its sender. See the module's docstring for the three faces."""

    name: str
    source: str
    scheme: str
    """The Authorization scheme, as `token_type` says it too."""
    confirmation: str | None
    """The member of `cnf` that names the key; None for a token that is bound to nothing."""
    proof_error: str
    """The OAuth error code for a bad proof."""
    introduction_error: str = "invalid_request"
    """The same at the token endpoint, which knows no `invalid_token` (RFC 6749 section 5.2)."""
    nonce_error: str = ""
    """The OAuth error code for a missing or stale nonce; empty if the binding has no nonce."""
    nonce_field: str = ""
    """The response field that carries a nonce to the client."""
    challenge: Mapping[str, str] = field(default_factory=dict)
    """Parameters that the binding adds to its WWW-Authenticate challenge."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What authorization server and resource server say of the binding in their metadata."""
    registered_by: tuple[str, object] = ("", True)
    """The client metadata member, and its value, that ask for this binding always."""
    credential: CredentialKind = ACCESS_TOKEN
    asks_client_certificate: bool = False
    """Whether the listener must ask for a certificate before it can see the token."""
    attach: Callable[[Request, Presentation], Request]
    """Client: put token and proof on a request."""
    retry: Callable[[Response, Presentation], Presentation | None] = lambda _r, _p: None
    """Client: what to present after this answer, or None if there is nothing to try again."""
    introduced: Callable[[Request], bool]
    """Authorization server: does this token request bring a key of this kind?"""
    bind: Callable[[Any], dict[str, Any]]
    """Authorization server: the token's `cnf` for a checked proof."""
    parse: Callable[[Request], Any]
    """Both servers: any bytes to a typed proof, or Rejected."""
    proof_checks: Checks = ()
    """Both servers: is the proof good?"""
    introduction_checks: Checks = ()
    """Authorization server: does the proof show the key that it brings?"""
    binding_checks: Checks = ()
    """Resource server: is it this token's?"""
    once_checks: Checks = ()
    """Both servers, after all others: is it spent? Last, so that a bad proof burns nothing."""

    @property
    def checks(self) -> Checks:
        """Return every check; a server leaves out those that are the other's."""
        return self.proof_checks + self.introduction_checks + self.binding_checks + self.once_checks

    def verify(self, proof: Any, evidence: Evidence) -> None:
        """Check a proof against the token that it came with; raises Rejected."""
        checks.run_checks(self.proof_checks, proof, evidence)
        checks.run_checks(self.binding_checks, proof, evidence)
        checks.run_checks(self.once_checks, proof, evidence)

    def verify_introduction(self, proof: Any, evidence: Evidence) -> None:
        """Check what came with a token request, all but whether it is spent; raises Rejected."""
        checks.run_checks(self.proof_checks, proof, evidence)
        checks.run_checks(self.introduction_checks, proof, evidence)

    def without(self, *names: str) -> Binding:
        """Return this binding with named checks taken out: a lesson's verifier, never a real one.

        Raises KeyError that lists the checks there are, if a name is none of them.
        """
        unknown = set(names) - {check.name for check in self.checks}
        if unknown:
            have = ", ".join(check.name for check in self.checks) or "none"
            raise KeyError(f"{self.name} has no check {', '.join(sorted(unknown))}; it has: {have}")

        dropped = frozenset(names)
        return replace(
            self,
            proof_checks=checks.without(self.proof_checks, dropped),
            introduction_checks=checks.without(self.introduction_checks, dropped),
            binding_checks=checks.without(self.binding_checks, dropped),
            once_checks=checks.without(self.once_checks, dropped),
        )
