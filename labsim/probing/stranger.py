"""A server of the user's as what is probed: good requests as its configuration says."""

from __future__ import annotations

import datetime
import math
import secrets
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from labsim.binding import Presentation
from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.vector import Vector
from labsim.certificates import certificate_authority, client_certificate, client_uri
from labsim.errors import LabError
from labsim.estate.dialler import Dialler
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.probing.configuration import Configuration, TokenRequest
from labsim.probing.sending import PacedSender, origin_of
from labsim.roles.client import TokenRefused, obtain_token
from labsim.roles.client_authentication import Authentication, basic, private_key_jwt
from labsim.rooms import rooms

_SPARE_SECONDS = 30.0
"""A token that ends sooner is not used for another row, if it lasts for twice as long at all."""
_SHORTEST = 4.0
"""Seconds: a token that lasts for less would have to be asked for with nearly every row."""


class Stranger:
    """Make good requests for the server that a configuration names, and send to it alone.

    The token is fetched here, and again before it ends: that is all that is sent elsewhere.
    LabError if there is none to be had.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._binding = rooms("labsim.bindings", "BINDING")[configuration.binding]
        self._stranger = _self_certified()
        self.send = PacedSender(
            Dialler(configuration.ca_file),
            frozenset({origin_of(configuration.url)}),
            keys=(configuration.key, self._stranger),
            pace=configuration.pace,
            clock=time.monotonic,
            wait=time.sleep,
        )
        self._given = configuration.token
        self._token, self._until = self._fetched()

    def good_for(self, _vector: Vector | None = None) -> GoodRequest:
        """Make a request that the server must serve."""
        if time.time() > self._until:
            self._token, self._until = self._fetched()
        nonce = self.send.nonces.get(origin_of(self._configuration.url))
        presentation = self._presentation(self._token, nonce)
        plain = Request("GET", self._configuration.url)
        return GoodRequest.of(plain, self._binding, presentation, stranger=self._stranger)

    def close(self) -> None:
        """Close the connections to the server."""
        self.send.close()

    def _presentation(self, token: str | None, nonce: str | None = None) -> Presentation:
        return Presentation(token, self._configuration.key, time.time(), _new_id, nonce)

    def _fetched(self) -> tuple[str, float]:
        """Return a token, and until when to use it; the one that was given has no known end."""
        asked = self._given
        if isinstance(asked, str):
            return asked, math.inf
        elsewhere = Dialler(self._configuration.ca_file)
        key = self._configuration.key
        if key.certificate is not None:
            elsewhere.identify(key.certificate, key.pem)
        try:
            token = obtain_token(
                asked.endpoint,
                dict(asked.parameters),
                _authentication(asked),
                self._binding,
                self._presentation(None),
                elsewhere,
            )
        except TokenRefused as error:
            raise LabError(
                f"{asked.endpoint} gave no token: {error}.",
                "The server was sent no more.",
                "Look at the table [token] of the configuration, and at that server's own log.",
            ) from None
        finally:
            elsewhere.close()
        return token.access_token, _usable_until(token.expires, asked.endpoint)


def _usable_until(expires: float, endpoint: str) -> float:
    """Return until when a token is used, in seconds since 1970; LabError if it hardly lasts."""
    now = time.time()
    lasts = expires - now
    if lasts < _SHORTEST:
        raise LabError(
            f"The token that {endpoint} gave lasts for less than {_SHORTEST:g} seconds.",
            "The server was sent no more.",
            "Let it issue tokens for the probe that last for some minutes.",
        )
    return now + lasts - min(_SPARE_SECONDS, lasts / 2)


def _authentication(asked: TokenRequest) -> Authentication:
    if asked.key is not None:
        return private_key_jwt(asked.client_id, asked.key, asked.audience, time.time, _new_id)
    return basic(asked.client_id, asked.secret or "")


def _self_certified() -> SigningKey:
    """Make the attacker's key, with a certificate by an authority that nobody knows."""
    now = datetime.datetime.now(datetime.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    authority = certificate_authority("an authority of the attacker's", now)
    made = client_certificate(authority, key.public_key(), client_uri("stranger"), "stranger", now)
    return SigningKey(key, made.public_bytes(serialization.Encoding.DER))


def _new_id() -> str:
    return secrets.token_urlsafe(12)
