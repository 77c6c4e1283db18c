"""Carry the news of a revocation to the resource servers, over TLS, until each has heard it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from labsim.http_message import Request
from labsim.roles.client import Send
from labsim.roles.issued_tokens import Ended

_REST_SECONDS = 1.0
"""How long (in real time) the courier rests before it knocks again where nobody answered."""

type MakeNotice = Callable[[str, Sequence[Ended]], Request]


class RevocationCourier:
    """Tell each resource server which of its tokens are good no more (RFC 8935).

    `dial` waits for an answer no longer than whoever revokes should; `make_notice` makes the
    signed request to one audience. `missed` is called with the audience, the tokens and the reason
    when one could not be told at once; it is told later, as long as the tokens would be good.
    """

    def __init__(
        self,
        dial: Send,
        make_notice: MakeNotice,
        clock: Callable[[], float],
        missed: Callable[[str, Sequence[Ended], str], None],
    ) -> None:
        self._dial = dial
        self._make_notice = make_notice
        self._clock = clock
        self._missed = missed
        self._waiting: dict[str, dict[str, Ended]] = {}
        self._lock = threading.Lock()
        self._knocking = False

    def tell(self, ended: Sequence[Ended]) -> None:
        """Tell whom it concerns, each once now; who does not answer is told later."""
        with self._lock:
            for each in ended:
                self._waiting.setdefault(each.audience, {})[each.jti] = each
            for audience, why in self._deliver().items():
                self._missed(audience, list(self._waiting[audience].values()), why)
            if self._waiting and not self._knocking:
                self._knocking = True
                threading.Thread(target=self._knock, name="courier", daemon=True).start()

    def has_told(self, audience: str) -> bool:
        """Tell whether a resource server has heard all there was to tell."""
        return audience not in self._waiting

    def _deliver(self) -> dict[str, str]:
        """Try each resource server once; return why, for each that could not be told."""
        failed: dict[str, str] = {}
        now = self._clock()
        for audience, ended in list(self._waiting.items()):
            current = [each for each in ended.values() if each.expires > now]
            outcome = self._dial(self._make_notice(audience, current)) if current else None
            answer = outcome.response if outcome else None
            if outcome is None or (answer is not None and answer.status == 202):
                del self._waiting[audience]
            else:
                failed[audience] = outcome.detail or f"it answered {answer and answer.status}"
        return failed

    def _knock(self) -> None:
        rest = threading.Event()
        while True:
            rest.wait(_REST_SECONDS)
            with self._lock:
                self._deliver()
                if not self._waiting:
                    self._knocking = False
                    return
