"""A token in a chat: a colleague cannot get in, and is lent one.

The loot is the token of the first resource that the client calls, and nothing more: a proof is of
no use to a colleague. The thief reads chats with a small access of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from labsim.http_message import Request, Response
from labsim.loot import Access, Loot, Theft, Victim

_TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+")
_URL = re.compile(r"https://[\w.:/-]+\w")


def leak(victim: Victim) -> None:
    """Paste the token of the first request, with the address where it is good."""
    pasted: list[str] = []

    def paste(request: Request, _response: Response) -> None:
        _scheme, _, token = (request.value("Authorization") or "").partition(" ")
        if token and not pasted:
            pasted.append(token)
            text = f"For {request.url} take mine, it is good for an hour: {token} - not for long!"
            victim.paste("Chat, on call: I have no token", text)

    victim.observe(paste)


def take(access: Access) -> Iterable[Loot]:
    """Search the chats for tokens; where one is good, the text says."""
    found: dict[str, Loot] = {}
    for record_id, text in access.records():
        token, url = _TOKEN.search(text), _URL.search(text)
        if token and url:
            found[url[0]] = Loot(found_at=f"a chat, {record_id}", url=url[0], token=token[0])
    return found.values()


THEFT = Theft(
    name="chat",
    source="OWASP NHI2:2025",
    title="a token, pasted into a chat",
    gives="tickets",
    leak=leak,
    take=take,
    custody_matters=False,
)
