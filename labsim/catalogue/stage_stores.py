"""What the two servers of a stage keep: clients, one record, grants and issued tokens, in dicts."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from labsim.binding import Binding
from labsim.keys import PublicKey, SigningKey, public_key, thumbprint
from labsim.roles.client_authentication import PRIVATE_KEY_JWT, RegisteredClient, secret_hash
from labsim.roles.grants import CLIENT_CREDENTIALS, REFRESH_TOKEN, TOKEN_EXCHANGE, Grant
from labsim.roles.issued_tokens import Ended, Issued

KEYED, REFRESHING, CALLER, BYSTANDER = "keyed", "refreshing", "caller", "bystander"
"""The clients that do not go by the name of a binding: by what they are for."""
SECRET = "a client's own secret"
SCOPES = frozenset({"orders.read", "orders.write", "crm.read"})


class StageClients:
    """One client for each binding, of its name, which must use it, and some more.

    `KEYED` authenticates by an assertion, `REFRESHING` has a refresh token and must use DPoP,
    `CALLER` is the resource server and may exchange what it is sent, `BYSTANDER` may exchange too.
    """

    def __init__(self, bindings: Mapping[str, Binding], key: SigningKey, resource: str) -> None:
        secret: dict[str, Any] = {"secret_hash": secret_hash(SECRET), "scopes": SCOPES}
        found = [
            RegisteredClient(
                client_id=name, requires=None if binding.confirmation is None else name, **secret
            )
            for name, binding in bindings.items()
        ]
        found += [
            RegisteredClient(
                client_id=KEYED,
                method=PRIVATE_KEY_JWT,
                keys=(public_key(key.public_jwk),),
                scopes=SCOPES,
            ),
            RegisteredClient(
                client_id=REFRESHING,
                requires="dpop",
                grant_types=frozenset({CLIENT_CREDENTIALS, REFRESH_TOKEN}),
                **secret,
            ),
            RegisteredClient(
                client_id=CALLER,
                audience=resource,
                grant_types=frozenset({TOKEN_EXCHANGE}),
                secret_hash=secret_hash(SECRET),
                scopes=SCOPES | {"crm.write"},  # it may ask for more than it may get for a token
            ),
            RegisteredClient(
                client_id=BYSTANDER, grant_types=frozenset({TOKEN_EXCHANGE}), **secret
            ),
        ]
        self._registered = {client.client_id: client for client in found}

    def client(self, client_id: str) -> RegisteredClient | None:
        """Return the client with this id, or None."""
        return self._registered.get(client_id)


class OneKey:
    """The issuer's only key."""

    def __init__(self, key: SigningKey) -> None:
        self._keys = {thumbprint(key.public_jwk): public_key(key.public_jwk)}

    def key(self, kid: str) -> PublicKey | None:
        """Return the key with this `kid`, or None."""
        return self._keys.get(kid)


class OneRecord:
    """One record, which nobody adds to."""

    _ONE: Mapping[str, Any] = {"id": "o-1", "sensitivity": "internal"}

    def all(self) -> Sequence[Mapping[str, Any]]:
        """Return every record."""
        return [self._ONE]

    def one(self, record_id: str) -> Mapping[str, Any] | None:
        """Return the record with this id, or None."""
        return self._ONE if record_id == self._ONE["id"] else None

    def add(self, _record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Have no room."""
        return None


class StageGrants:
    """Refresh tokens' grants: what `roles.grants.Grants` says, and no more."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Grant, bool]] = {}
        self._lock = threading.Lock()

    def put(self, token_hash: str, grant: Grant) -> None:
        """Remember a grant by its refresh token."""
        self._held[token_hash] = (grant, False)

    def find(self, token_hash: str) -> tuple[Grant, bool] | None:
        """Return a grant, and whether its token was used."""
        return self._held.get(token_hash)

    def rotate(self, spent_hash: str, new_hash: str, grant: Grant) -> bool:
        """Spend one token for the next; False if it was spent already."""
        with self._lock:
            spent, used = self._held.get(spent_hash, (grant, True))
            if not used:
                self._held |= {spent_hash: (spent, True), new_hash: (grant, False)}
            return not used

    def end_family(self, family: str) -> None:
        """Forget every token of a family."""
        self._held = {key: held for key, held in self._held.items() if held[0].family != family}

    def end_all_of(self, client_id: str) -> None:
        """Forget every grant of a client."""
        kept = {key: held for key, held in self._held.items() if held[0].client_id != client_id}
        self._held = kept


class StageTokens:
    """Issued tokens, which nobody ends on a stage."""

    def __init__(self) -> None:
        self._issued: dict[str, Issued] = {}

    def record(self, issued: Issued, _now: float) -> bool:
        """Remember a token."""
        self._issued[issued.jti] = issued
        return True

    def find(self, jti: str) -> Issued | None:
        """Return what is remembered of a token."""
        return self._issued.get(jti)

    def is_ended(self, _jti: str) -> bool:
        """Say that no token was ended."""
        return False

    def end(self, _root: str, _until: float) -> list[Ended]:
        """End nothing."""
        return []

    def end_all_of(self, _client_id: str) -> list[Ended]:
        """End nothing."""
        return []
