"""Server nonces that need no store: rolling, authenticated, a key per server (RFC 9449 section 8).

A nonce is the number of its period and a MAC over it. Who sees one learns when it was made, and
nothing with which to make the next (`negative-tests` row DN-11: a nonce must not be predictable).
"""

from __future__ import annotations

import hashlib
import hmac

from labsim.jose import b64url

PERIOD = 60.0
"""Lab seconds after which a new nonce is given out; each is accepted for its own and the next."""


class RollingNonces:
    """Issue and recognise nonces; `key` is 32 random bytes that no other server has."""

    def __init__(self, key: bytes, period: float = PERIOD) -> None:
        self._key = key
        self._period = period

    def issue(self, now: float) -> str:
        """Return the nonce of the period that `now` (lab seconds) falls into."""
        return self._of(int(now // self._period))

    def accepts(self, nonce: str, now: float) -> bool:
        """Tell whether `nonce` is that of this period or the one before."""
        period = int(now // self._period)
        return nonce.isascii() and any(
            hmac.compare_digest(nonce, self._of(p)) for p in (period, period - 1)
        )

    def _of(self, period: int) -> str:
        number = period.to_bytes(8)
        return b64url(number + hmac.digest(self._key, number, hashlib.sha256)[:16])
