"""One request held back on its way, until it is let go: two threads meet here.

The event loop that carries requests asks whether one is to be held, and waits; the thread that is
told what to do arms the hold, waits for a request, and lets it go.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Final

HELD_SECONDS: Final = 60.0
"""Real seconds for which a request is held at most: a proof is no older when it is good."""
PATIENCE_SECONDS: Final = HELD_SECONDS + 10
"""Real seconds that a client waits for an answer through the interceptor: longer than that."""
CATCH_SECONDS: Final = 10.0
"""Real seconds to wait for a request that is to be held: whoever sends it has begun already."""


class Hold:
    """Hold back the next request after `arm`, and no other, for `seconds` at most."""

    def __init__(self, seconds: float = HELD_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._armed = False
        self._caught = threading.Event()
        self._letting_go: Future[None] | None = None

    def arm(self) -> None:
        """Hold the next request; let go of one that is held."""
        self._turn(armed=True)

    def release(self) -> None:
        """Hold nothing any more: let go of what is held."""
        self._turn(armed=False)

    def _turn(self, armed: bool) -> None:
        with self._lock:
            self._armed = armed
            self._caught.clear()
            if self._letting_go is not None:
                self._letting_go.set_result(None)
                self._letting_go = None

    def caught(self, seconds: float = CATCH_SECONDS) -> bool:
        """Wait until a request is held, at most so long; tell whether one is."""
        return self._caught.wait(seconds)

    def take(self) -> Future[None] | None:
        """Take on the request that is just passing if it is to be held: see `keep`; else None."""
        with self._lock:
            if not self._armed:
                return None
            self._armed = False
            self._letting_go = Future()
            self._letting_go.set_running_or_notify_cancel()  # only `_turn` ends it
            return self._letting_go

    async def keep(self, taken: Future[None]) -> bool:
        """Say that it is held, and wait until it is let go; False if nobody does in time."""
        with self._lock:
            if taken is self._letting_go:
                self._caught.set()
        try:
            await asyncio.wait_for(asyncio.wrap_future(taken), self._seconds)
        except TimeoutError:
            with self._lock:
                if taken is self._letting_go:
                    self._letting_go = None
                    self._caught.clear()
            return False
        return True
