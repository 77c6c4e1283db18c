"""The request that must be served, and that every row of the catalogue is a change of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from labsim.binding import Binding, Presentation
from labsim.certificates import KeyPair
from labsim.http_message import Request
from labsim.keys import SigningKey


class CannotBeMade(Exception):
    """Say why this row cannot be made of this good request: nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedClient:
    """Hold a client that authenticates by its own key (RFC 7523), and what an assertion names.

    `issuer` is the audience, `jti` an identifier that was never used.
    """

    client_id: str
    key: SigningKey
    issuer: str
    jti: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodRequest:
    """Hold one request that a server must serve, with all that it was made from.

    `plain` is the request before token and proof were put on it (at the token endpoint: with the
    client's own authentication), `request` is the whole. `presentation` has the token (None at the
    token endpoint), the holder of the key, the time in seconds since 1970, a maker of fresh
    identifiers, and the nonce that the server asked for. `stranger` is a key of the attacker's.

    Not everybody has the rest: `issuer` is the authorization server's own key, `stale_nonce` one
    that was the server's and is no more, `authority` the one whose certificates the server lets in.
    Each certificate that a row makes with it is for the holder's or the stranger's key.
    `keyed` is a client that may ask for the same token with an assertion.
    `is_in_process` says that no connection is between, which could not carry some rows.
    """

    plain: Request
    binding: Binding
    presentation: Presentation
    holder: SigningKey
    stranger: SigningKey
    request: Request
    issuer: SigningKey | None = None
    stale_nonce: str = ""
    authority: KeyPair | None = None
    keyed: KeyedClient | None = None
    is_in_process: bool = False

    @staticmethod
    def of(
        plain: Request,
        binding: Binding,
        presentation: Presentation,
        *,
        stranger: SigningKey,
        issuer: SigningKey | None = None,
        stale_nonce: str = "",
        authority: KeyPair | None = None,
        keyed: KeyedClient | None = None,
        is_in_process: bool = False,
    ) -> GoodRequest:
        """Put token and proof on a plain request; the holder must be a key in memory."""
        holder = presentation.holder
        if not isinstance(holder, SigningKey):
            raise TypeError("a row changes what the holder has signed, and signs it again")
        return GoodRequest(
            plain=plain,
            binding=binding,
            presentation=presentation,
            holder=holder,
            stranger=stranger,
            request=binding.attach(plain, presentation),
            issuer=issuer,
            stale_nonce=stale_nonce,
            authority=authority,
            keyed=keyed,
            is_in_process=is_in_process,
        )

    @property
    def now(self) -> int:
        """Return the whole second at which the request was made."""
        return int(self.presentation.now)

    @property
    def token(self) -> str:
        """Return the access token; raises CannotBeMade at the token endpoint, which has none."""
        if self.presentation.token is None:
            raise CannotBeMade("there is no token at the token endpoint")
        return self.presentation.token

    @property
    def issuers_key(self) -> SigningKey:
        """Return the authorization server's key; raises CannotBeMade for whoever lacks it."""
        if self.issuer is None:
            raise CannotBeMade("it takes the authorization server's own key")
        return self.issuer

    @property
    def clients_authority(self) -> KeyPair:
        """Return the authority for clients' certificates; raises CannotBeMade for who lacks it."""
        if self.authority is None:
            raise CannotBeMade("it takes the key of the authority for clients' certificates")
        return self.authority

    @property
    def keyed_client(self) -> KeyedClient:
        """Return the client that has a key; raises CannotBeMade for whoever has registered none."""
        if self.keyed is None:
            raise CannotBeMade("it takes a client that authenticates by its own key")
        return self.keyed

    def presenting(self, token: str, holder: SigningKey | None = None) -> Request:
        """Make the request anew with another token, or another holder's proof."""
        presented = replace(self.presentation, token=token, holder=holder or self.holder)
        return self.binding.attach(self.plain, presented)
