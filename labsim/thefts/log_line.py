"""A token in a log line: the client notes the header it sends, somebody else reads the log.

What lies in the log is the token and nothing more: no proof, no key, no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from labsim.http_message import Request, Response
from labsim.loot import Access, Loot, Theft, Victim

_LINE = re.compile(
    r"[A-Z]+ (?P<url>https://\S+) status=\d+ authorization=(?P<scheme>\S+) (?P<token>\S+)"
)


def leak(victim: Victim) -> None:
    """Make the victim note each request at debug level, with its Authorization field."""

    def note(request: Request, response: Response) -> None:
        authorization = request.value("Authorization")
        victim.write_log(
            f"DEBUG http: {request.method} {request.url} status={response.status} "
            f"authorization={authorization}"
        )

    victim.observe(note)


def take(access: Access) -> Iterable[Loot]:
    """Search the log that was given for tokens; the last one for a URL wins."""
    found: dict[str, Loot] = {}
    for name, content in access.files():
        for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
            match = _LINE.search(line)
            if match:
                found[match["url"]] = Loot(
                    found_at=f"{name}, line {number}",
                    url=match["url"],
                    token=match["token"],
                )
    return found.values()


THEFT = Theft(
    name="log_line",
    source="CWE-532",
    title="a debug log holds the Authorization header",
    gives="log",
    leak=leak,
    take=take,
)
