"""A ticket with a pasted curl line: somebody wants help, and shows a whole request that fails.

The loot is what the line holds, token and proof: the request of the first resource that the client
calls, which the server has had. The thief reads tickets with a small access of its own.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from labsim.http_message import Request, Response
from labsim.loot import Access, Loot, Theft, Victim

_SENT_TOKEN = re.compile(r"\S+ (?P<token>[\w-]+\.[\w-]+\.[\w-]+)")
"""An Authorization value with a token in it; many lines have a variable there instead."""


def leak(victim: Victim) -> None:
    """Paste the first request, as a line that anybody can try."""
    pasted: list[Request] = []

    def paste(request: Request, _response: Response) -> None:
        if not pasted:
            pasted.append(request)
            line = "\n".join(["This is what I send, try it yourself:", _curl_line(request)])
            victim.paste("Ticket: the list comes back, but the page stays empty", line)

    victim.observe(paste)


def take(access: Access) -> Iterable[Loot]:
    """Search the tickets for curl lines with a token, and take them apart; the last one wins."""
    found: dict[str, Loot] = {}
    for record_id, text in access.records():
        for request in map(_request, text.splitlines()):
            sent = _SENT_TOKEN.fullmatch((request and request.value("Authorization")) or "")
            if request and sent:
                found[request.url] = Loot(
                    found_at=f"a ticket, {record_id}",
                    url=request.url,
                    token=sent["token"],
                    captured=request,
                    spent=True,
                )
    return found.values()


def _curl_line(request: Request) -> str:
    words = ["curl", "-X", request.method]
    for name, value in request.fields:
        words += ["-H", f"{name}: {value}"]
    return shlex.join([*words, request.url])


def _request(line: str) -> Request | None:
    """Read a curl line back into the request that it sends; None if it is no such line."""
    try:
        words = shlex.split(line)
    except ValueError:  # a quotation that does not end: prose
        return None
    if words[:1] != ["curl"] or len(words) < 2:
        return None
    options = list(zip(words[1:-1:2], words[2:-1:2], strict=False))
    fields = [value.partition(": ") for option, value in options if option == "-H"]
    method = next((value for option, value in options if option == "-X"), "GET")
    return Request(method, words[-1], tuple((name, value) for name, _, value in fields))


THEFT = Theft(
    name="ticket",
    source="OWASP NHI2:2025",
    title="a curl line, pasted into a ticket",
    gives="tickets",
    leak=leak,
    take=take,
    custody_matters=False,
)
