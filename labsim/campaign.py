"""A campaign: from one piece of loot on, until nothing new is found.

The attacker tries each credential that it knows at each resource server that it can reach, reads
what it is served, and takes every credential that it finds there as new loot. What one wave of
credentials turns up is the next wave, so that `hop` is the least number of steps to a credential.

No socket, no file and no clock here: the attacker sends, and the journal keeps. A campaign is a
function of its loot, its targets, its seed and what it was answered, and the journal has the
answers. So a campaign whose attacker was killed is simply run again from its beginning: what the
journal knows the outcome of is not sent a second time.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from labsim.attacker import Attacker, records_in, token_claims
from labsim.attempt import Replay, Target
from labsim.binding import Binding
from labsim.campaign_journal import Journal, Known, Row
from labsim.http_message import Ending
from labsim.loot import Kind, Loot
from labsim.roles.client_authentication import BASIC
from labsim.secret_scanning import access_tokens, client_credentials

ORDER = (
    "signed_in_place",
    "stolen_key",
    "proofs_made_ahead",
    "token_as_is",
    "request_as_is",
    "new_token_for_own_key",
    "downgraded_scheme",
    "own_proof",
    "own_certificate",
    "forged_certificate_header",
    "unknown_certificate",
)
"""Replays as they are tried, what looks most like its owner first; others follow by their names."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Hold one piece of loot with a short name of its own, and how the attacker came by it.

    `led_by` is the record that it was found in and `found_with` the credential that was served
    that record, both empty for what the campaign began with; `hop` counts the steps from there.
    """

    name: str
    loot: Loot
    led_by: str = ""
    found_with: str = ""
    hop: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the credential as JSON values, its loot and all."""
        found = {"name": self.name, "led_by": self.led_by, "found_with": self.found_with}
        return {**found, "hop": self.hop, "loot": self.loot.to_json()}


class Campaign:
    """Run one campaign; `credentials` and `records` grow with it.

    `seed` decides the order in which a wave's pairs of credential and target are tried; loot for
    one resource is tried at others as well, if it `goes_elsewhere`. `records` are those that were
    served, by id, with the resource server's name as `resource`.
    Raises ValueError if the journal is of another campaign.
    """

    def __init__(
        self,
        attacker: Attacker,
        targets: Sequence[Target],
        replays: Mapping[str, Replay],
        seed: int,
        journal: Journal,
        goes_elsewhere: bool = True,
    ) -> None:
        self._attacker, self._targets = attacker, tuple(targets)
        self._seed, self._known, self._elsewhere = seed, Known(journal), goes_elsewhere
        attacker.tokens.rotated |= self._known.rotated
        known = [name for name in ORDER if name in replays]
        self._replays = [replays[n] for n in [*known, *sorted(set(replays) - set(known))]]
        self._by_resource = {target.resource: target.name for target in targets}
        # The authorization server's ways to say that it wants another key, or any.
        self._other_key = {"invalid_request"}
        self._other_key |= {b.introduction_error for b in attacker.bindings.values()}
        self._right_binding: dict[str, str] = {}
        self.credentials: dict[str, Credential] = {}
        self.records: dict[str, Mapping[str, Any]] = {}

    def run(self, loot: Iterable[Loot]) -> Iterator[Row]:
        """Go on until nothing is new; yield each attempt, those that the journal knows included.

        A row has the fields of `Attempt`, with an empty `relation` for loot that is tied to no
        resource, and besides: `credential` (its name), `led_by` and `hop` as `Credential` has
        them, and `again`, whether the attacker died between intent and outcome, so that the
        server may have seen this attempt before.
        """
        wave = [self._named(piece) for piece in loot]
        self._begin()
        tokens, hop = self._attacker.tokens, 0
        before, tokens.on_rotation = tokens.on_rotation, self._known.rotates
        try:
            while wave:
                found: list[Credential] = []
                for credential, target in self._pairs(wave, hop):
                    for row in self._try(credential, target):
                        yield row
                        found += self._read(credential, target, row)
                wave, hop = found, hop + 1
        finally:
            # What the attacker does afterwards is not this journal's business, which may be closed.
            tokens.on_rotation = before

    def _begin(self) -> None:
        of = {"seed": self._seed, "targets": [target.name for target in self._targets]}
        of |= {"credentials": list(self.credentials), "replays": [r.name for r in self._replays]}
        self._known.begins(of, self._attacker.tokens.rotated)

    def _pairs(self, wave: list[Credential], hop: int) -> list[tuple[Credential, Target]]:
        """Return each credential with each target, in an order that depends on seed and hop alone.

        A stream of random numbers that runs through the campaign would stand somewhere else after
        a restart.
        """
        pairs = [(c, target) for c in wave for target in self._targets if self._goes(c, target)]
        random.Random(f"{self._seed} {hop}").shuffle(pairs)  # noqa: S311  # an order, not a secret
        return pairs

    def _goes(self, credential: Credential, target: Target) -> bool:
        return self._elsewhere or credential.loot.resource in ("", target.resource)

    # One credential at one target.

    def _try(self, credential: Credential, target: Target) -> Iterator[Row]:
        """Try one replay after another until records are served; yield what was attempted."""
        for each in self._replays:
            for binding in self._usable(each, credential):
                row = self._attempt(credential, target, each, binding)
                if row is None:
                    continue
                yield row
                if row["outcome"] == Ending.SERVED and row["records"]:
                    return
                if row["error"] not in self._other_key:
                    break

    def _usable(self, replay: Replay, credential: Credential) -> list[Binding]:
        """Return the bindings that a replay can be tried with; none if the loot is not enough.

        A token says its own. For a client credential only the authorization server knows, so all
        are tried: first the one that it gave a token for, else the loot's token's or bearer.
        """
        loot, every = credential.loot, self._attacker.bindings
        if replay.needs - loot.kinds:
            return []
        likely = self._attacker.binding_of(loot)
        if not _asks_for_a_token(replay):
            impossible = replay.needs_binding and likely.confirmation is None
            return [] if impossible else [likely]
        likely = every[self._right_binding.get(credential.name, likely.name)]
        return [likely, *(binding for binding in every.values() if binding is not likely)]

    def _attempt(
        self, credential: Credential, target: Target, replay: Replay, binding: Binding
    ) -> Row | None:
        """Return how an attempt ended, from the journal if it knows; None if it is not possible."""
        key = (credential.name, target.name, replay.name, binding.name)
        if key not in self._known.outcomes:
            loot, proof = self._with_one_proof(credential, target, replay)
            again = self._known.intends(key, proof)
            attempt = self._attacker.replay(replay, loot, target, binding)
            row: Row | None = None
            if attempt.outcome != Ending.NOT_POSSIBLE:
                row = {**attempt.to_json(), "records": list(attempt.records), "again": again}
                row |= {"credential": credential.name, "led_by": credential.led_by}
                row |= {"hop": credential.hop}
                row["relation"] = attempt.relation if credential.loot.resource else ""
            self._known.ends(key, row)
        known = self._known.outcomes[key]
        if known and _asks_for_a_token(replay) and self._took_the_key(known):
            self._right_binding[credential.name] = binding.name
        return known

    def _with_one_proof(
        self, credential: Credential, target: Target, replay: Replay
    ) -> tuple[Loot, float | None]:
        """Choose the proof made ahead that is used up; return loot with that one, and its time.

        A proof is good once, at its own server. What an attacker meant to send before it died may
        have been sent: a second time, it would be refused and warn its owner. So the nearest of
        the others is used, unless there are none. Loot for other replays and servers is unchanged.
        """
        loot, now = credential.loot, self._attacker.now
        if Kind.PROOFS_AHEAD not in replay.needs or target.resource != loot.resource:
            return loot, None
        left = [made for made in loot.ahead if not self._known.is_used(credential.name, made[0])]
        nearest = min(left or loot.ahead, key=lambda made: abs(made[0] - now))
        return replace(loot, ahead=(nearest,)), nearest[0]

    def _took_the_key(self, row: Row) -> bool:
        return row["status"] is not None and row["error"] not in self._other_key

    # What was served.

    def _read(self, credential: Credential, target: Target, row: Row) -> list[Credential]:
        """Keep the records of an answer, and return the new credentials that stand in them."""
        if row["outcome"] != Ending.SERVED:
            return []
        found: list[Credential] = []
        for record in records_in(row["answer"].encode("latin-1").partition(b"\r\n\r\n")[2]):
            place = str(record["id"])
            self.records.setdefault(place, {**record, "resource": target.name})
            for loot in _scanned(record):
                if not self._is_new(loot):
                    continue
                mine = credential.loot
                loot = replace(loot, theft=mine.theft, taken_at=mine.taken_at)
                more = [loot, *self._refreshable(loot)]
                found += [self._named(each, credential, place) for each in more]
        return found

    def _is_new(self, loot: Loot) -> bool:
        """Tell whether nothing that is known already holds this client credential or token."""
        known = [credential.loot for credential in self.credentials.values()]
        if loot.token is not None:
            return all(loot.token != other.token for other in known)
        return all(_pair(loot) != _pair(other) for other in known)

    def _refreshable(self, found: Loot) -> Iterator[Loot]:
        """Yield stolen refresh tokens that the client credential just found makes usable."""
        have = found.client_credential
        for loot in {c.loot.refresh_token: c.loot for c in self.credentials.values()}.values():
            whose = token_claims(loot.token).get("client_id", loot.client)
            if have and loot.refresh_token and not loot.client_credential and whose == found.client:
                yield replace(found, refresh_token=loot.refresh_token)

    def _named(
        self, loot: Loot, found_with: Credential | None = None, led_by: str = ""
    ) -> Credential:
        """Give loot a name, note it if it was found, and know it from now on."""
        where = self._by_resource.get(loot.resource, "")
        name = f"{loot.client}/{where}" if where else loot.client
        name += " refreshed" if led_by and loot.refresh_token else ""
        name += f" in {led_by}" if led_by else f" by {loot.theft}"
        alike = sum(each.partition(" #")[0] == name for each in self.credentials)
        name += f" #{alike + 1}" if alike else ""
        new = Credential(name, loot)
        if found_with is not None:
            new = Credential(name, loot, led_by, found_with.name, found_with.hop + 1)
            self._known.finds(new.to_json())
        self.credentials[name] = new
        return new


def _scanned(record: Mapping[str, Any]) -> Iterator[Loot]:
    text = f"{record.get('title', '')}\n{record.get('text', '')}"
    place = str(record["id"])
    for pair in client_credentials(text):
        have = {"client_id": pair.client_id, "method": BASIC, "secret": pair.secret}
        yield Loot(found_at=place, client=pair.client_id, client_credential=have)
    for token in access_tokens(text):
        claims = token_claims(token)
        whose, where = str(claims.get("client_id", "")), str(claims.get("aud", ""))
        yield Loot(found_at=place, client=whose, resource=where, token=token)


def _pair(loot: Loot) -> tuple[Any, Any] | None:
    have = loot.client_credential or {}
    return (have["client_id"], have["secret"]) if "secret" in have else None


def _asks_for_a_token(replay: Replay) -> bool:
    return Kind.CLIENT_CREDENTIAL in replay.needs and Kind.TOKEN not in replay.needs
