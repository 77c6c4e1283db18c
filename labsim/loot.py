"""What a thief ends up with, and the shape of a theft: how it leaks, how it is taken.

A theft has two sides. `leak` runs in the victim's process and shows how the victim's side lets
the credential out; `take` runs in the attacker's process and sees only what it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
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


@dataclass(frozen=True, slots=True)
class Loot:
    """Hold what one theft yielded for one client at one resource, and where it was found.

    `resource` is the audience that the token was issued for (an absolute URI) and `url` where it
    was seen used; `key` is a private JWK and `certificate` is PEM; `client_credential` holds
    `client_id`, `method` (RFC 7591 token_endpoint_auth_method) and `secret` or `private_jwk`;
    `read_in_passing` are the ids of records that the thief saw while taking it; `taken_at` is in
    lab seconds.
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
    read_in_passing: tuple[str, ...] = ()

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
            "read_in_passing": list(self.read_in_passing),
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Loot:
        """Rebuild loot from what `to_json` returned; other members are left out."""
        names = {each.name for each in fields(Loot)}
        members = {name: member for name, member in value.items() if name in names}
        members["captured"] = members["captured"] and Request.from_json(members["captured"])
        members["read_in_passing"] = tuple(members["read_in_passing"])
        return Loot(**members)


class Victim(Protocol):
    """What the victim's side can be made to do in its own process, before it goes on working."""

    def observe(self, callback: Callable[[Request, Response], None]) -> None:
        """Call back after each request of the victim's, with the request as sent."""

    def write_log(self, line: str) -> None:
        """Append a line to the victim's log file, in its own folder."""

    def trust_interceptor(self) -> None:
        """Send what follows through the interceptor, and trust its certificate authority."""


class Access(Protocol):
    """What the thief was given: nothing else of the victim can be reached through it."""

    def files(self) -> Iterable[tuple[str, bytes]]:
        """Yield name and content of each file that was given."""

    def captured(self) -> Iterable[tuple[Request, Response]]:
        """Yield each exchange that passed through the interceptor, oldest first."""


@dataclass(frozen=True, slots=True)
class Theft:
    """One way for a credential to get out of its owner's hands.

    `gives` names what the attacker is given: `log` (the victim's log file), `folder` (all that
    lies in the victim's folder), `interceptor` (what passed through it). `take` returns one Loot
    per resource, without client and time, which the attacker fills in.
    """

    name: str
    source: str
    title: str
    gives: str
    leak: Callable[[Victim], None]
    take: Callable[[Access], Iterable[Loot]] = field(repr=False)
