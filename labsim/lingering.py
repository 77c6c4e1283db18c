"""A thief that stays: now and again it tries all that it has, and all that this has brought it.

Each time is a campaign of its own, in which loot for one resource is tried there and nowhere else:
a token that goes astray is refused for its audience and gives the thief away. Credentials that were
found and tokens that were issued are loot from then on, so that a credential which was replaced
leaves the thief the last token that it got by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from labsim.attacker import Attacker
from labsim.attempt import Replay, Target
from labsim.campaign import Campaign
from labsim.campaign_journal import Unwritten
from labsim.loot import Loot

type Row = dict[str, Any]
_BYTES = ("sent", "answer")


class Lingering:
    """Hold what a thief has come to have. `kept_apart`: the theft took no client's credential."""

    def __init__(
        self,
        attacker: Attacker,
        replays: Mapping[str, Replay],
        loot: Iterable[Loot],
        kept_apart: bool = False,
    ) -> None:
        self._attacker, self._replays = attacker, replays
        self._known = [part for each in loot for part in self._parts(each, kept_apart)]
        attacker.tokens.issued.clear()

    def _parts(self, loot: Loot, kept_apart: bool) -> Iterator[Loot]:
        """Yield a credential apart from the token beside it: it is used while that one is good."""
        have = None if kept_apart else loot.client_credential
        if loot.token is None or have is None:
            yield replace(loot, client_credential=have)
            return
        yield replace(loot, client_credential=None)
        yield Loot(
            found_at=loot.found_at,
            theft=loot.theft,
            client=loot.client,
            taken_at=loot.taken_at,
            resource=loot.resource,
            url=loot.url,
            client_credential=have,
            refresh_token=loot.refresh_token,
            binding=self._attacker.binding_of(loot).name,
        )

    def again(self, targets: Sequence[Target]) -> Iterator[Row]:
        """Try all at these targets; yield each attempt as `Campaign.run` does, without its bytes.

        What comes of it is known the next time.
        """
        issued = self._attacker.tokens.issued
        loot = [*self._known, *issued.values()]
        campaign = Campaign(
            self._attacker, targets, self._replays, 0, Unwritten(), goes_elsewhere=False
        )
        for row in campaign.run(loot):
            yield {name: value for name, value in row.items() if name not in _BYTES}
        found = campaign.credentials.values()
        self._known += [each.loot for each in found if each.led_by]
