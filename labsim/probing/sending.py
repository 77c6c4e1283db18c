"""Send what the catalogue makes, to one server and nowhere else, and not faster than asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from cryptography import x509

from labsim.catalogue.running import Sender, at_once
from labsim.estate.dialler import Dialler
from labsim.http_message import Ending, Outcome, Request
from labsim.keys import SigningKey


class PacedSender:
    """Send requests to these origins only; a `Sender` for the catalogue.

    `pace` is how many requests a second there may be, 0 for no limit; `clock` returns seconds that
    only go forward and `wait` lets some pass. `keys` are those whose certificates may be shown:
    a row makes certificates, and never keys. The last nonce of each origin is kept in `nonces`.
    """

    def __init__(
        self,
        dialler: Dialler,
        origins: frozenset[str],
        *,
        keys: tuple[SigningKey, ...] = (),
        pace: float = 0.0,
        clock: Callable[[], float],
        wait: Callable[[float], None],
    ) -> None:
        self._dialler = dialler
        self._origins = origins
        self._keys = keys
        self._apart = 1 / pace if pace else 0.0
        self._clock, self._wait = clock, wait
        self._next = 0.0
        self._lock = threading.Lock()
        self.count = 0
        self.nonces: dict[str, str] = {}

    def __call__(self, request: Request) -> Outcome:
        """Send a request as it stands; NOT_POSSIBLE for another origin, and nothing is sent."""
        origin = origin_of(request.url)
        if origin not in self._origins:
            return Outcome(Ending.NOT_POSSIBLE, None, None, f"{origin} is not what is tested.")
        self._pause()
        return self._sent(origin, request)

    def at_once(self, _send: Sender, request: Request, times: int) -> list[Outcome]:
        """Send a request so many times at the same time, and wait afterwards for as long."""
        origin = origin_of(request.url)
        if origin not in self._origins:
            return [self(request)]
        self._pause()
        outcomes = at_once(lambda each: self._sent(origin, each), request, times)
        self._next += self._apart * (times - 1)
        return outcomes

    def _sent(self, origin: str, request: Request) -> Outcome:
        with self._lock:
            self._identify(request.peer_certificate)
            self.count += 1
        outcome = self._dialler(request)
        nonce = outcome.response.value("DPoP-Nonce") if outcome.response else None
        if nonce:
            self.nonces[origin] = nonce
        # A field that cannot be sent may be the token's, which has no place in a report.
        if outcome.ending is Ending.NOT_POSSIBLE and outcome.detail:
            return replace(outcome, detail=outcome.detail.partition(" b'")[0])
        return outcome

    def allow(self, *urls: str) -> None:
        """Let requests go to these origins as well."""
        self._origins |= {origin_of(url) for url in urls}

    def close(self) -> None:
        """Close the kept connections."""
        self._dialler.close()

    def _pause(self) -> None:
        now = self._clock()
        if now < self._next:
            self._wait(self._next - now)
        self._next = max(now, self._next) + self._apart

    def _identify(self, certificate: bytes | None) -> None:
        """Let the dialler show a certificate, if it is for one of the keys there are."""
        if not certificate:
            return
        try:
            public = x509.load_der_x509_certificate(certificate).public_key()
        except (ValueError, x509.InvalidVersion):
            return
        for key in self._keys:
            if key.private.public_key() == public:
                self._dialler.identify(certificate, key.certified(certificate).pem)


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, as one text."""
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}"
