"""A contractor's small access, which the thief has: tickets and chats may be read, nothing else.

What lies there is read by many who need it for their work. The access is a client of its own with
bearer tokens, which an estate has whenever one of its resource servers holds tickets or chats.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from labsim.binding import Presentation
from labsim.errors import LabError
from labsim.estate.names import ATTACKER, COLLECTION, CONTRACTOR, CONTRACTOR_FILE
from labsim.estate.plan import Plan
from labsim.estate.possible_thefts import ticket_service
from labsim.estate.private_file import new_private_json, read_json
from labsim.estate.serving import BINDINGS, new_id
from labsim.http_message import Request
from labsim.roles.client import Send, TokenRefused, obtain_token, present
from labsim.roles.client_authentication import BASIC, basic
from labsim.roles.grants import CLIENT_CREDENTIALS


def registered_contractor(run: Path, plan: Plan, urls: Mapping[str, str]) -> list[dict[str, Any]]:
    """Put the contractor's credential into the attacker's folder; return its metadata, if any.

    `urls` are where the resource servers' records are, by name.
    """
    service = ticket_service(plan.resources)
    if service is None:
        return []
    secret = secrets.token_urlsafe(32)
    credential = {"client_id": CONTRACTOR, "secret": secret, "url": urls[service]}
    new_private_json(run / ATTACKER / CONTRACTOR_FILE, credential)
    return [
        {
            "client_id": CONTRACTOR,
            "client_secret": secret,
            "token_endpoint_auth_method": BASIC,
            "grant_types": [CLIENT_CREDENTIALS],
            "scope": f"{service}.read",
        }
    ]


class Contractor:
    """Read tickets and chats as the contractor may; `folder` has its credential."""

    def __init__(
        self, folder: Path, token_endpoint: str, send: Send, clock: Callable[[], float]
    ) -> None:
        self._file = folder / CONTRACTOR_FILE
        self._token_endpoint = token_endpoint
        self._send = send
        self._clock = clock

    def records(self) -> Iterator[tuple[str, str]]:
        """Yield id and text of each record; LabError if there is no access, or no answer."""
        if not self._file.is_file():
            raise LabError("This estate has no service of tickets or chats, so nobody reads them.")
        credential = read_json(self._file)
        url, bearer = credential["url"], BINDINGS["bearer"]
        asked = {
            "grant_type": CLIENT_CREDENTIALS,
            "resource": url.removesuffix(COLLECTION),
        }
        authenticate = basic(credential["client_id"], credential["secret"])
        holder = Presentation(None, None, self._clock(), new_id)
        try:
            token = obtain_token(
                self._token_endpoint, asked, authenticate, bearer, holder, self._send
            )
        except TokenRefused as refused:
            raise _unread(url, str(refused)) from refused
        holder = Presentation(token.access_token, None, self._clock(), new_id)
        outcome = present(lambda: Request("GET", url), bearer, holder, self._send)
        if outcome.response is None or outcome.response.status != 200:
            raise _unread(url, outcome.detail or outcome.ending)
        for record in outcome.response.json()["records"]:
            yield record["id"], record["text"]


def _unread(url: str, why: str) -> LabError:
    return LabError(
        f"The thief's small access could not read {url}: {why}.",
        "Nothing was stolen.",
        "lab.work() says which servers answer; lab.reset() starts them afresh.",
    )
