"""The attacker at the token endpoint: with a stolen credential, or its own and a stolen token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labsim.attempt import Laundered, NotPossible, Target
from labsim.binding import Binding, Holder, Presentation
from labsim.certificates import as_der, as_pem
from labsim.http_message import Outcome
from labsim.keys import SigningKey
from labsim.loot import Loot
from labsim.roles.client import Send, TokenRefused, TokenSet, obtain_token
from labsim.roles.client_authentication import (
    PRIVATE_KEY_JWT,
    Authentication,
    basic,
    private_key_jwt,
)
from labsim.roles.grants import TOKEN_EXCHANGE
from labsim.roles.tls_client_authentication import TLS_CLIENT_AUTH, by_certificate
from labsim.roles.token_exchange import ACCESS_TOKEN_TYPE


class TokenRequests:
    """Ask for tokens with the attacker's own key; see `attacker.Attacker` for what it is given.

    `rotated` has the newest refresh token for each stolen one that was used, and `on_rotation` is
    called with both. `issued` has the newest token of each client, binding and resource, as loot.
    """

    def __init__(
        self,
        send: Send,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        bindings: Mapping[str, Binding],
        own_key: SigningKey,
        identify: Callable[[SigningKey], None],
        own_credential: Mapping[str, Any] | None,
    ) -> None:
        self._send = send
        self._clock = clock
        self._new_id = new_id
        self._bindings = bindings
        self._own_key = own_key
        self._identify = identify
        self._own_credential = own_credential
        self.rotated: dict[str, str] = {}
        self.issued: dict[tuple[str, str, str], Loot] = {}
        self.on_rotation: Callable[[str, str], None] = lambda _stolen, _newest: None

    def obtain(self, loot: Loot, binding: Binding, target: Target) -> str | Outcome:
        """Get a token for the attacker's own key with the loot's client credential.

        A refresh token that the loot has is used with it, and followed through its rotations: the
        second use of a spent one would end the family and warn its owner.
        """
        parameters = {"grant_type": "client_credentials", "resource": target.resource}
        if loot.refresh_token is not None:
            newest = self.rotated.get(loot.refresh_token, loot.refresh_token)
            parameters |= {"grant_type": "refresh_token", "refresh_token": newest}
        holder = self.new_holder(loot, binding)
        try:
            tokens = self._token(parameters, _credential(loot), binding, target, holder)
        except TokenRefused as refused:
            return refused.outcome
        if loot.refresh_token is not None and tokens.refresh_token is not None:
            self.rotated[loot.refresh_token] = tokens.refresh_token
            self.on_rotation(loot.refresh_token, tokens.refresh_token)
        self._keep(loot, binding, target, tokens.access_token, holder)
        return tokens.access_token

    def _keep(
        self, loot: Loot, binding: Binding, target: Target, token: str, holder: SigningKey
    ) -> None:
        """Keep a token that was issued to the attacker, with the key that it is bound to."""
        shown = holder.certificate if binding.asks_client_certificate else None
        self.issued[loot.client, binding.name, target.resource] = Loot(
            found_at="issued to the thief",
            theft=loot.theft,
            client=loot.client,
            taken_at=loot.taken_at,
            resource=target.resource,
            url=target.url,
            token=token,
            key=holder.private_jwk if binding.confirmation else None,
            certificate=as_pem(shown) if shown else None,
        )

    def exchange(self, loot: Loot, binding: Binding, target: Target) -> Laundered | Outcome:
        """Trade the loot's token for one of the attacker's own, for the target (RFC 8693).

        A token that is bound to nothing suits a thief best, so that it asks for one first; then for
        one bound to its own key, in the way of the stolen one, or else in the first way there is.
        """
        if self._own_credential is None:
            raise NotPossible("the attacker is no client of this authorization server")
        parameters = {
            "grant_type": TOKEN_EXCHANGE,
            "subject_token": str(loot.token),
            "subject_token_type": ACCESS_TOKEN_TYPE,
            "resource": target.resource,
            "scope": f"{target.name}.read",
        }
        unbound = next(b for b in self._bindings.values() if b.confirmation is None)
        bound = binding if binding.confirmation else self._first_bound()
        try:
            tokens = self._token(parameters, self._own_credential, unbound, target, self._own_key)
            return Laundered(tokens.access_token, unbound)
        except TokenRefused:
            pass  # a server that minds what it gives out
        try:
            tokens = self._token(parameters, self._own_credential, bound, target, self._own_key)
            return Laundered(tokens.access_token, bound)
        except TokenRefused as refused:
            return refused.outcome

    def _first_bound(self) -> Binding:
        return next(b for b in self._bindings.values() if b.confirmation is not None)

    def _token(
        self,
        parameters: dict[str, str],
        credential: Mapping[str, Any],
        binding: Binding,
        target: Target,
        holder: Holder,
    ) -> TokenSet:
        """Ask for a token, bound to the holder's key if the binding is to one."""
        authenticate = self._authentication(credential, target.issuer)
        shows = binding.asks_client_certificate or credential["method"] == TLS_CLIENT_AUTH
        return obtain_token(
            target.mtls_token_endpoint if shows else target.token_endpoint,
            parameters,
            authenticate,
            binding,
            Presentation(None, holder, self._clock(), self._new_id),
            self._send,
        )

    def new_holder(self, loot: Loot, binding: Binding) -> SigningKey:
        """Return whose key a new token is bound to: the attacker's own, wherever that can be.

        One connection shows one certificate: where it authenticates the client and the token is
        bound to it as well, the token is bound to the stolen key (RFC 8705 sections 2.1 and 3.1).
        """
        credential = _credential(loot)
        if binding.asks_client_certificate and credential.get("method") == TLS_CLIENT_AUTH:
            return self._stolen_identity(credential)
        return self._own_key

    def _stolen_identity(self, credential: Mapping[str, Any]) -> SigningKey:
        """Make a client's TLS identity of its credential; NotPossible if the key is not in it."""
        if "private_jwk" not in credential:
            raise NotPossible("the client authenticates by a certificate whose key was not found")
        key = SigningKey.from_jwk(credential["private_jwk"])
        key = key.certified(as_der(credential["certificate"].encode()))
        self._identify(key)
        return key

    def _authentication(self, credential: Mapping[str, Any], issuer: str) -> Authentication:
        if credential["method"] == TLS_CLIENT_AUTH:
            shown = self._stolen_identity(credential).certificate
            return by_certificate(credential["client_id"], shown or b"")
        if credential["method"] == PRIVATE_KEY_JWT:
            key = SigningKey.from_jwk(credential["private_jwk"])
            return private_key_jwt(credential["client_id"], key, issuer, self._clock, self._new_id)
        return basic(credential["client_id"], credential["secret"])


def _credential(loot: Loot) -> Mapping[str, Any]:
    """Return the loot's client credential; a key found elsewhere goes with its own certificate."""
    found = dict(loot.client_credential or {})
    its_own = loot.certificate is not None and found.get("certificate") == loot.certificate
    if its_own and loot.key is not None:
        found.setdefault("private_jwk", dict(loot.key))
    return found
