"""A recorded attempt as a sequence diagram: the theft, then the replay, and where it is refused.

Nothing is drawn that was not recorded: the holder's own request, what was taken, each request of
the attempt with its answer, and what the server's own event says of the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from labsim.charts import words
from labsim.charts.sequence import Message, Note, Sequence
from labsim.loot import Kind
from labsim.rooms import rooms
from labsim.stories.difference import NOTHING, difference
from labsim.stories.exchange import visible

ATTACKER: Final = "attacker"
ISSUER: Final = "authorization server"
INTERCEPTOR: Final = "interceptor"
PROXY: Final = "proxy"
_LATER: Final = 60
"""Lab seconds from theft to replay above which the diagram says so."""


def attack_sequence(row: Mapping[str, Any], exchange: Mapping[str, Any]) -> Sequence:
    """Make the diagram of an attempt: its row of the table, and what went over the wire.

    `exchange` has what `seen_attempt.SeenAttempt` says.
    """
    story = _Story(row, exchange)
    steps = tuple(story.steps())
    used = {step.at for step in steps if isinstance(step, Note)}
    used |= {p for step in steps if isinstance(step, Message) for p in (step.sender, step.receiver)}
    every = (
        (story.holder, story.held),
        (INTERCEPTOR, "between client and server"),
        (ATTACKER, "another process"),
        (ISSUER, "issues tokens"),
        (PROXY, "ends TLS"),
        (story.resource, "resource server"),
    )
    return Sequence(story.title, tuple(each for each in every if each[0] in used), steps)


class _Story:
    """Tell one attempt, step by step."""

    def __init__(self, row: Mapping[str, Any], exchange: Mapping[str, Any]) -> None:
        self._row = dict(row)
        self._exchange = exchange
        self.holder, self.resource = str(row["client"]), str(row["resource"])
        self._theft = rooms("labsim.thefts", "THEFT").get(str(row["theft"]))
        self._replay = rooms("labsim.replays", "REPLAY").get(str(row["replay"]))
        self._sent = str(exchange.get("request") or "")

    @property
    def held(self) -> str:
        """Say how the holder's tokens are bound, and where the key lies."""
        binding, custody = str(self._row["binding"]), str(self._row["custody"])
        said = words.binding(binding)
        return said if custody in ("none", "") else f"{said}, {words.custody(custody)}"

    @property
    def title(self) -> str:
        """Say what was tried and how it ended."""
        what = words.capital(words.replay(str(self._row["replay"])))
        ended = str(self._row["outcome"]).replace("_", " ").replace("tls", "TLS")
        if self._row["outcome"] == "rejected" and self._row["check"]:
            ended = f"rejected, {words.why(str(self._row['reason']), str(self._row['check']))}"
        return visible(f"{what}, at {self.resource}: {ended}")

    def steps(self) -> Iterator[Message | Note]:
        """Yield what happened, in order."""
        yield from self._use()
        yield from self._loss()
        if self._row["outcome"] == "not_possible":
            yield Note(ATTACKER, f"nothing is sent: {visible(str(self._row['reason']))}")
            return
        yield from self._earlier()
        yield from self._last()
        yield from self._victims()

    # The holder at its work, and the theft.

    def _use(self) -> Iterator[Message | Note]:
        own = self._exchange.get("holder") or {}
        if not own.get("sent"):
            return
        text = f"{_line(own['sent'])}, {_carries(own['sent'], str(self._row['binding']))}"
        then = own["variant"]
        if self._gives != "interceptor":
            yield from self._sending(self.holder, self.resource, text, then)
        else:
            yield Message(self.holder, INTERCEPTOR, text)
            if own["status"] is None:
                yield Note(INTERCEPTOR, "the request is held back")
                return
            yield from self._sending(
                INTERCEPTOR, self.resource, "the same, passed on", own["variant"]
            )
        yield (
            Message(self.resource, self.holder, f"{own['status']}, {own['outcome']}", "answer")
            if own["status"]
            else Note(self.holder, visible(str(own["outcome"])))
        )

    @property
    def _gives(self) -> str:
        return self._theft.gives if self._theft else ""

    def _loss(self) -> Iterator[Message | Note]:
        places = {"interceptor": INTERCEPTOR, "resource_server": self.resource}
        taken = ", ".join(words.plain(kind) for kind in str(self._row["loot"]).split("+") if kind)
        text = f"theft by {words.theft(str(self._row['theft']))}: {taken}"
        yield Message(places.get(self._gives, self.holder), ATTACKER, text, "theft")
        if int(self._row["seconds"]) > _LATER:
            yield Note(ATTACKER, f"{int(self._row['seconds'])} lab seconds later")

    # The replay.

    def _earlier(self) -> Iterator[Message | Note]:
        for each in self._exchange.get("earlier") or ():
            at = self._at(str(each["url"]).partition("://")[2].partition("/")[2])
            yield from self._sending(ATTACKER, at, f"{each['method']} {self._asked(at)}")
            said = visible(f"{each['status'] or 'no answer'} {each['error']}".strip())
            yield Message(at, ATTACKER, said, "answer")

    def _at(self, path: str) -> str:
        return ISSUER if path.lstrip("/").startswith("token") else self.resource

    def _asked(self, at: str) -> str:
        return "/token, for a token of its own" if at == ISSUER else "/records, first try"

    def _last(self) -> Iterator[Message | Note]:
        line = _line(self._sent)
        at = self._at(line.partition(" ")[2])
        carries = "for a token"
        if at == self.resource:
            carries = _carries(self._sent, str(self._row["binding"]), self._by_another_key)
        sender = ATTACKER
        if self._replay is not None and Kind.FOOTHOLD in self._replay.needs:
            yield Message(ATTACKER, self.holder, "send this for me, as you would your own")
            sender = self.holder
        yield from self._sending(sender, at, f"{line}, {carries}")
        yield from self._end(sender, at)
        if sender != ATTACKER and self._row["status"]:
            yield Message(sender, ATTACKER, "what the server answered", "answer")

    @property
    def _by_another_key(self) -> bool:
        own = self._exchange.get("holder") or {}
        rows = difference(own.get("sent") or "", self._sent).rows
        return any(name == "proof: jwk" and NOTHING not in both for name, *both in rows)

    def _end(self, sender: str, at: str) -> Iterator[Message | Note]:
        row, event = self._row, self._exchange.get("event") or {}
        status = f"{row['status']} {row['error'] or ''}".strip()
        if row["outcome"] == "served":
            yield Message(at, sender, f"{status}, {row['records']} records", "answer")
        elif row["outcome"] == "rejected":
            check, source = event.get("check"), event.get("source")
            said = [str(part) for part in (check, source) if part]
            yield Note(at, visible(f"refused by {', '.join(said) or 'an unknown check'}"))
            yield Message(at, sender, visible(status), "refused")
        else:
            why = words.alert(str(row["reason"])) or str(row["reason"]).rstrip(".")
            yield Note(at, "no request is read, so that no check is asked")
            yield Message(at, sender, visible(f"no connection: {why}"), "refused")

    def _sending(
        self, sender: str, receiver: str, text: str, variant: str = ""
    ) -> Iterator[Message]:
        variant = variant or str(self._row["variant"])
        through = variant.startswith("proxy") and receiver == self.resource
        yield Message(sender, PROXY if through else receiver, visible(text))
        if through:
            yield Message(PROXY, receiver, "the same, on a connection of its own")

    def _victims(self) -> Iterator[Message | Note]:
        for own in self._exchange.get("victim") or ():
            yield from self._sending(INTERCEPTOR, self.resource, "the held request, let go")
            if own["check"]:
                yield Note(self.resource, f"refused by {own['check']}, {own['source']}")
            kind: Any = "answer" if own["outcome"] == "served" else "refused"
            yield Message(self.resource, self.holder, f"{own['status']}, {own['outcome']}", kind)


def _line(wire: str) -> str:
    method, _, target = wire.partition(" HTTP/1.1")[0].partition(" ")
    return visible(f"{method} {target}")


def _carries(wire: str, binding: str, by_another_key: bool = False) -> str:
    """Say what a request carries beside its line: a token, and what proves the sender."""
    names = {line.partition(":")[0].lower() for line in wire.partition("\r\n\r\n")[0].split("\r\n")}
    found = ["token"] if "authorization" in names else ["no token"]
    proof = "a proof by another key" if by_another_key else "proof"
    found += [proof] if "dpop" in names else []
    found += ["signature"] if "signature" in names else []
    found += ["certificate in a header"] if "client-cert" in names else []
    said = words.listed([f"with {found[0]}", *found[1:]])
    return f"{said}, over TLS that asks for a certificate" if binding == "mtls" else said
