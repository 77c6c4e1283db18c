"""A victim, a foothold and what a thief was given, for the tests of thefts: nothing is real here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from labsim.http_message import Request, Response
from labsim.loot import Loot
from labsim.rooms import rooms

THEFTS = rooms("labsim.thefts", "THEFT")
URL = "https://orders.test/records"


@dataclass
class Victim:
    """A victim that does what it is made to do, and writes it down."""

    log: list[str] = field(default_factory=list)
    trusting: bool = False
    inhabited: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[dict[str, bytes]] = field(default_factory=list)
    copies: dict[str, bytes] = field(default_factory=dict)
    store: dict[str, object] = field(default_factory=dict)
    readable: list[dict[str, str]] = field(default_factory=list)
    sent: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    at_the_end: list[Callable[[], None]] = field(default_factory=list)
    pasted: list[tuple[str, str]] = field(default_factory=list)
    observers: list[Callable[[Request, Response], None]] = field(default_factory=list)

    def observe(self, callback: Callable[[Request, Response], None]) -> None:
        self.observers.append(callback)

    def write_log(self, line: str) -> None:
        self.log.append(line)

    def paste(self, title: str, text: str) -> None:
        self.pasted.append((title, text))

    def trust_interceptor(self) -> None:
        self.trusting = True

    def when_done(self, callback: Callable[[], None]) -> None:
        self.at_the_end.append(callback)

    def credentials(self) -> Mapping[str, bytes]:
        return self.files

    def commit(self, message: str, files: Mapping[str, bytes]) -> None:
        assert message
        self.commits.append(dict(files))

    def copy_home(self, files: Mapping[str, bytes]) -> None:
        self.copies = dict(files)

    def tenants(self) -> list[dict[str, str]]:
        return [{**ENTRY, "tenant": name, "refresh_token": f"r-{name}"} for name in ("a", "b")]

    def write_store(self, document: Mapping[str, object]) -> None:
        self.store = dict(document)

    def readable_tokens(self) -> list[dict[str, str]]:
        return self.readable

    def deputise(self) -> dict[str, object]:
        calls = [{"url": ENTRY["url"], "resource": ENTRY["resource"]}]
        return {"deputy": "127.0.0.1:1/s", "binding": "dpop", "calls": calls}

    def post(self, address: str, document: Mapping[str, object]) -> None:
        self.sent.append((address, document))

    def let_in(self) -> None:
        self.inhabited = True

    def work(self, request: Request, response: Response) -> None:
        for observer in self.observers:
            observer(request, response)

    def end(self) -> None:
        for callback in self.at_the_end:
            callback()


@dataclass
class CodeInside:
    """A foothold in a process that has these keys in its memory."""

    keys: list[Mapping[str, str]] = field(default_factory=list)
    address: str = "127.0.0.1:1/s"

    def read_memory(self) -> list[Mapping[str, str]]:
        return self.keys

    def sign_ahead(self, url: str, times: Iterable[float]) -> list[tuple[float, Request]]:
        return [(at, request(url)) for at in times]


@dataclass
class Given:
    """What the thief was given."""

    contents: dict[str, bytes] = field(default_factory=dict)
    exchanges: list[tuple[Request, Response]] = field(default_factory=list)
    inside: CodeInside = field(default_factory=CodeInside)
    commits: list[dict[str, bytes]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    now: float = 1000.0

    def foothold(self) -> CodeInside:
        return self.inside

    def files(self) -> Iterable[tuple[str, bytes]]:
        return self.contents.items()

    def captured(self) -> Iterable[tuple[Request, Response]]:
        return self.exchanges

    def history(self) -> Iterable[tuple[str, str, bytes]]:
        for number, files in enumerate(self.commits):
            for path, content in files.items():
                yield f"{number:040x}", path, content

    def received(self) -> Iterable[bytes]:
        return self.sent

    def records(self) -> Iterable[tuple[str, str]]:
        return self.texts.items()


def took(name: str, given: Given) -> list[Loot]:
    return list(THEFTS[name].take(given))


def request(url: str = URL, token: str | None = "t") -> Request:
    fields = () if token is None else (("Authorization", f"DPoP {token}"), ("DPoP", "proof"))
    return Request("GET", url, fields)


SERVED = Response.of_json(200, {"records": [{"id": "o-1"}, {"id": "o-2"}]})


ENTRY = {"resource": "https://orders.test", "url": URL, "access_token": "t"}


def folder(**documents: object) -> Given:
    files = {f"{name}.json": json.dumps(value).encode() for name, value in documents.items()}
    return Given({**files, "client.log": b"INFO no JSON", "odd": b"\xff"})
