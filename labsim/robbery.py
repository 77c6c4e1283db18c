"""How a theft comes about: the victim leaks while it works, and the thief takes what it was given.

What is given is the theft's own word (`Theft.gives`): a file, a folder, what passed an interceptor.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labsim.errors import LabError
from labsim.estate.calls import resources_for
from labsim.estate.names import (
    ATTACKER,
    AUTHORIZATION_SERVER,
    CAPTURED_FILE,
    COPIES,
    INTERCEPTOR,
    LOG_FILE,
    REPOSITORIES,
    STORES,
)
from labsim.estate.possible_thefts import ticket_service, why_not
from labsim.estate.run_folder import last_lines
from labsim.loot import Theft

if TYPE_CHECKING:
    from labsim.estate.processes import Child
    from labsim.lab import Lab

TENANTS = ("alder-foods", "birch-clinic", "cedar-press")
"""Who else, in the thefts from a vendor, has granted the integration access to its records."""

type Rows = list[dict[str, Any]]


def rob(
    lab: Lab, client: str, theft: Theft, doing: str = "read", at: str | None = None
) -> tuple[Rows, Rows]:
    """Let a client leak in the way of a theft while it works; let the attacker take what leaked.

    Returns the pieces of loot, and how the victim's own requests ended meanwhile. Where the
    interceptor holds requests back, that is one request, which has not ended: see `holding`. Raises
    LabError for a theft that cannot happen to this client, or in this estate.
    """
    _refuse_impossible(lab, client, theft)
    holding = lab.attacker.holding
    holding.release()
    asked = resources_for(lab.plan.client(client), doing, (at,) if at else ())
    victim = lab.estate.process(client)
    with_it = _BEFORE[theft.gives](lab, client, theft) if theft.gives in _BEFORE else {}
    try:
        victim.call("leak", theft=theft.name, **with_it)
        if lab.estate.variant.holds and theft.gives == "interceptor":
            worked = holding.begin(client, asked[0], doing)
        else:
            worked = lab.work_rows(client, *asked, doing=doing)
        if worked:
            victim.call("mend")
        given = [str(path) for path in _GIVEN[theft.gives](lab, client)]
        pieces = lab.estate.process(ATTACKER).call(
            "steal", theft=theft.name, client=client, given=given
        )
    finally:
        if theft.gives in _AFTER:
            _AFTER[theft.gives](lab, client)
    return pieces, worked


def _refuse_impossible(lab: Lab, client: str, theft: Theft) -> None:
    refused = why_not(lab.plan.client(client), lab.plan.clients, lab.plan.resources, theft.name)
    if refused is not None:
        why, todo = refused
        raise LabError(f"{why}.", "Nothing was stolen.", todo)


def _interceptor(lab: Lab, _client: str, _theft: Theft) -> dict[str, Any]:
    proxy = lab.estate.interceptor()
    lab.estate.process(INTERCEPTOR).call("forget")
    return {"proxy": proxy}


def interceptors_words(lab: Lab) -> str:
    """Return what the interceptor last wrote about errors, as a sentence; empty if nothing."""
    last = last_lines(lab.run_folder / INTERCEPTOR / "stderr.log")
    return f"The interceptor wrote:\n{last}\n" if last else ""


def _granted(lab: Lab, client: str, _theft: Theft) -> dict[str, Any]:
    server = lab.estate.process(AUTHORIZATION_SERVER)
    grants = {each: server.call("grant", client_id=client, subject=each) for each in TENANTS}
    return {"grants": grants}


def _servers(lab: Lab, client: str) -> list[Child]:
    """Return the resource server that the client calls first, and its replica if it has one."""
    return lab.estate.servers(lab.plan.client(client).calls[0])


def _keeping(lab: Lab, client: str, _theft: Theft) -> dict[str, Any]:
    for server in _servers(lab, client):
        server.call("keep", on=True)
    return {}


def _lured(lab: Lab, client: str, theft: Theft) -> dict[str, Any]:
    """File the thief's case where the agent reads first; it does what it reads."""
    address = lab.estate.process(ATTACKER).call("listen")
    if theft.lure is not None:
        _file(lab, lab.plan.client(client).calls[0], *theft.lure(address))
    return {}


# What is set up before the victim leaks, by what the theft gives.
_BEFORE: dict[str, Callable[[Lab, str, Theft], dict[str, Any]]] = {
    "inbox": _lured,
    "interceptor": _interceptor,
    "resource_server": _keeping,
    "store": _granted,
}


def _folder(lab: Lab, client: str) -> list[Path]:
    return [lab.run_folder / client]


def _log(lab: Lab, client: str) -> list[Path]:
    return [lab.run_folder / client / LOG_FILE]


def _captured(lab: Lab, _client: str) -> list[Path]:
    return [lab.run_folder / INTERCEPTOR / CAPTURED_FILE]


def _repository(lab: Lab, client: str) -> list[Path]:
    return [lab.run_folder / REPOSITORIES / client]


def _copies(lab: Lab, client: str) -> list[Path]:
    return [lab.run_folder / COPIES / client]


def _kept(lab: Lab, client: str) -> list[Path]:
    return [lab.run_folder / each.name / CAPTURED_FILE for each in _servers(lab, client)]


def _store(lab: Lab, client: str) -> list[Path]:
    return [lab.run_folder / STORES / client]


def _nothing(_lab: Lab, _client: str) -> list[Path]:
    return []


def _tickets_at(lab: Lab) -> str:
    service = ticket_service(lab.plan.resources)
    assert service is not None  # else nothing was stolen at all: see `_refuse_impossible`
    return service


def _nothing_but_tickets(lab: Lab, client: str) -> list[Path]:
    for title, text in lab.estate.process(client).call("pasted"):
        _file(lab, _tickets_at(lab), title, text)
    return []


# The files and folders that the thief may look into, during the theft, by what that gives.
_GIVEN: dict[str, Callable[[Lab, str], list[Path]]] = {
    "copies": _copies,
    "folder": _folder,
    "inbox": _nothing,
    "interceptor": _captured,
    "log": _log,
    "process": _folder,
    "repository": _repository,
    "resource_server": _kept,
    "store": _store,
    "tickets": _nothing_but_tickets,
}


def _file(lab: Lab, resource: str, title: str, text: str) -> None:
    """Put a text among the records of a resource server, as anybody can who uses its web page."""
    for server in lab.estate.servers(resource):
        server.call("file", title=title, text=text)


def _unfile(lab: Lab, resource: str) -> None:
    # Records are counted by the plan's, as those within reach are: one that the lab put there
    # itself is gone before anything is replayed, so that it is in nobody's count.
    for server in lab.estate.servers(resource):
        server.call("unfile")


def _remove_tickets(lab: Lab, _client: str) -> None:
    _unfile(lab, _tickets_at(lab))


def _remove_case(lab: Lab, client: str) -> None:
    _unfile(lab, lab.plan.client(client).calls[0])


def _keep_no_more(lab: Lab, client: str) -> None:
    for server in _servers(lab, client):
        server.call("keep", on=False)


# What is put back as it was after the theft, by what the theft gives.
_AFTER: dict[str, Callable[[Lab, str], None]] = {
    "inbox": _remove_case,
    "resource_server": _keep_no_more,
    "tickets": _remove_tickets,
}
