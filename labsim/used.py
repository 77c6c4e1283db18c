"""The map of what a lab's user has used so far: few boxes at first, and one more with each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from labsim.charts.estate_map import EstateMap
    from labsim.lab import Lab

_AT_THE_ISSUER: Final = ("new_token_for_own_key", "laundered_by_exchange")
"""Replays that go to the authorization server first: after one, it is on the map."""


def estate_map(lab: Lab, everything: bool) -> EstateMap:
    """Draw the clients that worked or were robbed, and the servers that anybody asked so far.

    Before anything was used, and with `everything`, that is the whole estate.
    """
    from labsim.charts import estate_map as drawn

    attacker = lab.attacker
    tried = {row["replay"] for row in attacker.rows if row["outcome"] != "not_possible"}
    used = {client for client, *_ in lab.worked} | attacker.stolen_from
    used |= {row["resource"] for *_, row in lab.worked}
    used |= {row["resource"] for row in attacker.rows}
    whole = everything or not used
    return drawn.estate_map(
        lab.plan,
        bindings={name: lab.binding(name) for name in lab.plan.clients},
        custodies={name: lab.custody(name) for name in lab.plan.clients},
        stolen=attacker.stolen_from,
        served=attacker.served_by,
        only=None if whole else used,
        issuer=whole or not tried.isdisjoint(_AT_THE_ISSUER),
    )
