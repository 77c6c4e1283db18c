"""What a thief ends up with, and the shape of a theft: how it leaks, how it is taken.

A theft has two sides. `leak` runs in the victim's process and shows how the victim's side lets
the credential out; `take` runs in the attacker's process and sees only what it was given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Protocol

from labsim.http_message import Request, Response


class Kind(StrEnum):
    """Name a kind of loot, as a replay's `needs` and the column `loot` say it."""

    TOKEN = "token"
    CAPTURED_REQUEST = "captured_request"
    KEY = "key"
    CERTIFICATE = "certificate"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIAL = "client_credential"
    FOOTHOLD = "foothold"
    PROOFS_AHEAD = "proofs_ahead"


@dataclass(frozen=True, slots=True)
class Loot:
    """Hold what one theft yielded for one client at one resource, and where it was found.

    `resource` is the audience that the token was issued for (an absolute URI) and `url` where it
    was seen used; `key` is a private JWK and `certificate` is PEM; `client_credential` holds
    `client_id`, `method` (RFC 7591 token_endpoint_auth_method) and `secret` or `private_jwk`;
    `foothold` is the address of a way into the holder's process, while it lasts; `ahead` are
    requests that were signed for later, each with the lab seconds that its proof names;
    `read_in_passing` are the ids of records that the thief saw while taking it; `taken_at` is in
    lab seconds. `binding` is known only where there is no token that says it.
    """

    found_at: str
    theft: str = ""
    client: str = ""
    taken_at: float = 0.0
    resource: str = ""
    url: str = ""
    token: str | None = None
    captured: Request | None = None
    spent: bool = True
    key: Mapping[str, str] | None = None
    certificate: str | None = None
    refresh_token: str | None = None
    client_credential: Mapping[str, Any] | None = None
    foothold: str | None = None
    ahead: tuple[tuple[float, Request], ...] = ()
    read_in_passing: tuple[str, ...] = ()
    binding: str = ""

    @property
    def kinds(self) -> frozenset[Kind]:
        """Return which kinds of loot this is."""
        have = {
            Kind.TOKEN: self.token,
            Kind.CAPTURED_REQUEST: self.captured,
            Kind.KEY: self.key,
            Kind.CERTIFICATE: self.certificate,
            Kind.REFRESH_TOKEN: self.refresh_token,
            Kind.CLIENT_CREDENTIAL: self.client_credential,
            Kind.FOOTHOLD: self.foothold,
            Kind.PROOFS_AHEAD: self.ahead or None,
        }
        return frozenset(kind for kind, value in have.items() if value is not None)

    def to_json(self) -> dict[str, Any]:
        """Return the loot as JSON values."""
        return {
            "theft": self.theft,
            "client": self.client,
            "found_at": self.found_at,
            "taken_at": self.taken_at,
            "resource": self.resource,
            "url": self.url,
            "kinds": sorted(self.kinds),
            "token": self.token,
            "captured": self.captured.to_json() if self.captured else None,
            "spent": self.spent,
            "key": dict(self.key) if self.key else None,
            "certificate": self.certificate,
            "refresh_token": self.refresh_token,
            "client_credential": dict(self.client_credential) if self.client_credential else None,
            "foothold": self.foothold,
            "ahead": [[at, request.to_json()] for at, request in self.ahead],
            "read_in_passing": list(self.read_in_passing),
            "binding": self.binding,
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Loot:
        """Rebuild a piece of loot from what `to_json` returned; other members are ignored."""
        plain = {field.name: value[field.name] for field in fields(Loot) if field.name in value}
        captured = value["captured"]
        plain |= {
            "captured": Request.from_json(captured) if captured else None,
            "ahead": tuple((float(at), Request.from_json(r)) for at, r in value["ahead"]),
            "read_in_passing": tuple(value["read_in_passing"]),
        }
        return Loot(**plain)


class Victim(Protocol):
    """What the victim's side can be made to do in its own process, before it goes on working."""

    def observe(self, callback: Callable[[Request, Response], None]) -> None:
        """Call back after each request of the victim's, with the request as sent."""

    def write_log(self, line: str) -> None:
        """Append a line to the victim's log file, in its own folder."""

    def paste(self, title: str, text: str) -> None:
        """Put a text among the estate's tickets and chats, as those who run the victim may."""

    def trust_interceptor(self) -> None:
        """Send what follows through the interceptor, and trust its certificate authority."""

    def when_done(self, callback: Callable[[], None]) -> None:
        """Call back when the victim has done its work, before it stops leaking."""

    def credentials(self) -> Mapping[str, bytes]:
        """Return name and content of each file of the victim's that is a credential, or has one."""

    def commit(self, message: str, files: Mapping[str, bytes]) -> None:
        """Commit to the victim's repository, so that these files and no others are there."""

    def copy_home(self, files: Mapping[str, bytes]) -> None:
        """Let somebody who works on the victim have copies of files, outside its folder."""

    def tenants(self) -> list[dict[str, str]]:
        """Return what an integration has of each tenant that granted it access.

        Members: tenant (who), url and resource (where), access_token, refresh_token.
        """

    def write_store(self, document: Mapping[str, Any]) -> None:
        """Write the store of an integration, which lies outside the victim's folder, as JSON."""

    def readable_tokens(self) -> list[dict[str, str]]:
        """Return what an agent can read of its own tokens: url, resource and token of each.

        Empty where a signer has the key: its runtime then keeps token and key from the agent.
        """

    def deputise(self) -> dict[str, Any]:
        """Let an agent make a stranger's requests, and do nothing else for it, from now on.

        Returns deputy (the address where it is asked), binding (of its tokens) and calls (url and
        resource of each server it calls).
        """

    def post(self, address: str, document: Mapping[str, Any]) -> None:
        """Send a JSON document to an address, whoever has it."""

    def let_in(self) -> None:
        """Let a stranger's code run in the victim's process from now on: a foothold."""


class Foothold(Protocol):
    """What code that runs in the victim's process can do there, while it does."""

    @property
    def address(self) -> str:
        """Return where the foothold is reached, as `Loot.foothold` keeps it."""

    def read_memory(self) -> list[Mapping[str, str]]:
        """Return each private key that lies in the process's memory, as a JWK."""

    def sign_ahead(self, url: str, times: Iterable[float]) -> list[tuple[float, Request]]:
        """Let the holder sign a GET of this URL as if it were these lab seconds, one each.

        Returns each signed request with the time asked for; empty where a binding has no proofs.
        """


class Access(Protocol):
    """What the thief was given: nothing else of the victim can be reached through it."""

    @property
    def now(self) -> float:
        """Return the time of the theft, in lab seconds."""

    def foothold(self) -> Foothold:
        """Return the way into the victim's process that its code was let in by."""

    def files(self) -> Iterable[tuple[str, bytes]]:
        """Yield name and content of each file that was given."""

    def captured(self) -> Iterable[tuple[Request, Response | None]]:
        """Yield each exchange that an interceptor or a server has kept, oldest first.

        There is no response where the request is held back: the server has not had it.
        """

    def history(self) -> Iterable[tuple[str, str, bytes]]:
        """Yield commit id, path and content of each file in a repository's history, in order."""

    def received(self) -> Iterable[bytes]:
        """Yield each document that was sent to the thief's own address."""

    def records(self) -> Iterable[tuple[str, str]]:
        """Yield id and text of each ticket and chat, read with a small access of its own."""


@dataclass(frozen=True, slots=True)
class Theft:
    """One way for a credential to get out of its owner's hands.

    `gives` names what the attacker is given: `log` (the victim's log file), `folder` (all that
    lies in the victim's folder), `interceptor` (what passed through it), `process` (the folder, and
    code that runs in the process), `tickets` (nothing: many may read them), `repository` (the
    victim's, with its history), `copies` (files that somebody has copied home), `store` (an
    integration's, outside the folder), `resource_server` (what the first one that the victim calls
    has kept), `inbox` (what was sent to the thief's own address). `take` returns one Loot per
    resource, or more, without client and time, which the attacker fills in. `custody_matters`
    says whether it may yield something else where the key lies elsewhere. `used_after` says how
    many lab seconds pass before the main job uses it, where a token lives for so many. `lure`
    makes title and text of a record that the thief files for the victim to read, from that address.
    """

    name: str
    source: str
    title: str
    gives: str
    leak: Callable[[Victim], None]
    take: Callable[[Access], Iterable[Loot]] = field(repr=False)
    used_after: Callable[[float], float] = field(default=lambda _token_seconds: 0.0, repr=False)
    custody_matters: bool = True
    lure: Callable[[str], tuple[str, str]] | None = field(default=None, repr=False)


def copied_files(access: Access) -> list[Loot]:
    """Keep of the files given whatever is a credential: one Loot for each cached token."""
    return credentials_in(access.files())


def credentials_in(files: Iterable[tuple[str, bytes]]) -> list[Loot]:
    """Keep of files, by name and content, what is a credential: one Loot for each cached token."""
    documents: dict[str, Any] = {}
    certificate = None
    for name, content in files:
        if content.startswith(b"-----BEGIN CERTIFICATE-----"):
            certificate = content.decode()
        try:
            documents[name] = json.loads(content)
        except ValueError:
            continue  # no document of the client's: its log, say
    common = Loot(
        found_at=", ".join(sorted(documents)),
        key=documents.get("key.json"),
        certificate=certificate,
        client_credential=documents.get("client.json"),
        refresh_token=documents.get("refresh_token.json"),
    )
    return [
        replace(common, resource=each["resource"], url=each["url"], token=each["access_token"])
        for each in documents.get("tokens.json", {}).values()
    ]


def stored_grants(access: Access) -> list[Loot]:
    """Make one Loot for each tenant in a store, with the vendor's credential if it is there."""
    found = []
    for name, content in access.files():
        store = json.loads(content)
        for each in store.get("tenants", []):
            found.append(
                Loot(
                    found_at=f"{name}, tenant {each['tenant']}",
                    resource=each["resource"],
                    url=each["url"],
                    token=each["access_token"],
                    refresh_token=each["refresh_token"],
                    client_credential=store.get("client"),
                )
            )
    return found
