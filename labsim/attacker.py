"""The attacker: steals and replays. It sees only what it was given and what it was answered.

No socket and no file here: `send` and the access it is given come from its process in the estate.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace as changed
from typing import Any

from labsim.attackers_tokens import TokenRequests
from labsim.attempt import Attempt, Earlier, Laundered, NotPossible, Replay, Target, Thief
from labsim.binding import Binding, Holder, Presentation
from labsim.certificates import as_der
from labsim.http_message import Ending, Outcome, Request, Response
from labsim.jose import Malformed, parse_compact
from labsim.keys import SigningKey
from labsim.loot import Access, Loot, Theft
from labsim.roles.client import Send, present
from labsim.roles.records_api import READING


class Attacker:
    """Hold the attacker's own key and what it needs to send; every replay gets this as its thief.

    `send` is a dialler, `clock` returns lab seconds, `new_id` identifiers never used before;
    `identify` lets the dialler show the certificate of a key, `reach` sends from a foothold;
    `own_credential` is what it is a client of the authorization server by, if it is one.
    """

    def __init__(
        self,
        send: Send,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        bindings: Mapping[str, Binding],
        own_key: SigningKey,
        unknown_key: SigningKey,
        identify: Callable[[SigningKey], None],
        reach: Callable[[str, Request], Outcome],
        own_credential: Mapping[str, Any] | None = None,
    ) -> None:
        self._made: list[Outcome] = []
        self._send = send = self._noting(send)
        self._identify = identify
        self._reach = reach
        self._clock = clock
        self._new_id = new_id
        self._bindings = bindings
        self._own_key, self._unknown_key = own_key, unknown_key
        identify(own_key)
        identify(unknown_key)
        self.tokens = TokenRequests(
            send, clock, new_id, bindings, own_key, identify, own_credential
        )

    def _noting(self, send: Send) -> Send:
        """Keep how each request of the attempt under way ended, in the order of sending."""

        def sending(request: Request) -> Outcome:
            outcome = send(request)
            self._made.append(outcome)
            return outcome

        return sending

    # What a replay can do (attempt.Thief).

    @property
    def own_key(self) -> Holder:
        """Return the attacker's own key."""
        return self._own_key

    @property
    def unknown_key(self) -> Holder:
        """Return a key of the attacker's whose certificate is by an authority of its own making."""
        return self._unknown_key

    @property
    def now(self) -> float:
        """Return lab seconds."""
        return self._clock()

    def send(self, request: Request) -> Outcome:
        """Send a request as it stands."""
        return self._send(request)

    def in_place(self, foothold: str, request: Request) -> Outcome:
        """Let the holder's own process send a request, with its token, key and connection."""
        return self._reach(foothold, request)

    def present(self, request: Request, token: str, binding: Binding, holder: Holder) -> Outcome:
        """Send a request with a token and a fresh proof by `holder`, as an honest client would."""
        presentation = Presentation(token, holder, self._clock(), self._new_id)
        return present(lambda: request, binding, presentation, self._send)

    def holder_of(self, loot: Loot) -> Holder:
        """Make a holder of a stolen private key, with its certificate if that was stolen too."""
        key = SigningKey.from_jwk(loot.key or {})
        if loot.certificate is not None:
            key = key.certified(as_der(loot.certificate.encode()))
            self._identify(key)
        return key

    def obtain_token(self, loot: Loot, binding: Binding, target: Target) -> str | Outcome:
        """Get a token for the attacker's own key with the loot's client credential."""
        return self.tokens.obtain(loot, binding, target)

    def exchange(self, loot: Loot, binding: Binding, target: Target) -> Laundered | Outcome:
        """Trade the loot's token for one of the attacker's own, for the target (RFC 8693)."""
        return self.tokens.exchange(loot, binding, target)

    def new_holder(self, loot: Loot, binding: Binding) -> Holder:
        """Return whose key a new token is bound to: the attacker's own, wherever that can be."""
        return self.tokens.new_holder(loot, binding)

    # What the lab asks of it.

    def steal(self, theft: Theft, client: str, access: Access) -> list[Loot]:
        """Take what the access yields, and look into each token for whom it is meant."""
        now = self._clock()
        return [
            changed(
                loot,
                theft=theft.name,
                client=client,
                taken_at=now,
                resource=str(token_claims(loot.token).get("aud", loot.resource)),
            )
            for loot in theft.take(access)
        ]

    def replay(
        self, replay: Replay, loot: Loot, target: Target, binding: Binding | None = None
    ) -> Attempt:
        """Try one replay of one loot against one resource, and write down how it ended.

        `binding` is what the loot's token names, unless it is given.
        """
        binding = binding or self.binding_of(loot)
        self._made.clear()
        try:
            outcome = spend(replay, loot, binding, target, self)
        except NotPossible as impossible:
            outcome = Outcome(Ending.NOT_POSSIBLE, detail=str(impossible))
        answer = outcome.response
        return Attempt(
            theft=loot.theft,
            client=loot.client,
            loot="+".join(sorted(loot.kinds)),
            binding=binding.name,
            replay=replay.name,
            resource=target.name,
            relation="same_resource" if target.resource == loot.resource else "other_resource",
            outcome=outcome.ending,
            status=answer.status if answer else None,
            error=wire_error(answer) if answer else "",
            why=outcome.detail,
            seconds=self._clock() - loot.taken_at,
            records=_records_read(outcome),
            request_id=(answer.value("Request-Id") or "") if answer else "",
            sent=outcome.request.wire().decode("latin-1") if outcome.request else "",
            answer=answer.wire().decode("latin-1") if answer else "",
            earlier=tuple(_earlier(made) for made in self._made if made is not outcome),
        )

    @property
    def bindings(self) -> Mapping[str, Binding]:
        """Return the bindings that the attacker knows, by name."""
        return self._bindings

    def binding_of(self, loot: Loot) -> Binding:
        """Return the binding that the loot's token names in its `cnf`, bearer if it names none."""
        if loot.token is None and loot.binding:
            return self._bindings[loot.binding]
        cnf = token_claims(loot.token).get("cnf")
        members = cnf if isinstance(cnf, dict) else {}
        named = (b for b in self._bindings.values() if b.confirmation in members)
        return next(named, self._bindings["bearer"])


def spend(replay: Replay, loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Use loot in the way of a replay; raises NotPossible where it cannot be built, and why."""
    missing = replay.needs - loot.kinds
    if missing:
        raise NotPossible(f"this loot holds no {' and no '.join(sorted(missing))}")
    if replay.needs_binding and binding.confirmation is None:
        raise NotPossible(f"a {binding.name} token asks for no proof")
    return replay.spend(loot, binding, target, thief)


def token_claims(token: str | None) -> Mapping[str, Any]:
    """Read a token's claims without verifying them: whoever holds a JWT can."""
    try:
        return parse_compact(token or "").payload
    except Malformed:
        return {}


def wire_error(response: Response) -> str:
    """Return the OAuth error code of a refusal's body, empty if there is none."""
    try:
        body = response.json() if response.body else {}
    except ValueError:
        return ""
    return str(body.get("error", "")) if isinstance(body, dict) else ""


def _earlier(made: Outcome) -> Earlier:
    request, answer = made.request or Request("", ""), made.response
    error = wire_error(answer) if answer else ""
    return Earlier(request.method, request.url, answer.status if answer else None, error)


def _records_read(outcome: Outcome) -> tuple[str, ...]:
    """Return the ids of the records that were read: what a thief wrote itself is not exposed."""
    request, answer = outcome.request, outcome.response
    wrote = request is not None and request.method not in READING
    if outcome.ending is not Ending.SERVED or answer is None or wrote:
        return ()
    return tuple(record_ids(answer))


def record_ids(response: Response) -> list[str]:
    """Return the ids of the records in an answer: a list of them, or a single one."""
    return [str(record["id"]) for record in records_in(response.body)]


def records_in(body: bytes) -> list[Mapping[str, Any]]:
    """Return the records in an answer's body: a list of them, or a single one; each has an `id`."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: nested thousands deep
        return []
    found = document.get("records", [document]) if isinstance(document, dict) else []
    records = found if isinstance(found, list) else []
    return [record for record in records if isinstance(record, dict) and "id" in record]
