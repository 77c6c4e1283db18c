"""The attacker as a process: a folder of its own, and a fence that keeps it to its rights."""

from __future__ import annotations

import datetime
from collections.abc import Generator
from typing import Any

from labsim.attacker import Attacker
from labsim.attempt import Replay, Target
from labsim.campaign import Campaign
from labsim.certificates import as_der, certificate_authority, client_leaf, client_uri
from labsim.errors import LabError
from labsim.estate.clock import Clock
from labsim.estate.contractor import Contractor
from labsim.estate.dialler import Dialler
from labsim.estate.fence import Fence
from labsim.estate.foothold import RemoteFoothold
from labsim.estate.given import Given
from labsim.estate.inbox import Inbox
from labsim.estate.journal import JournalFile
from labsim.estate.names import CA_FILE, CERTIFICATE_FILE, CLOCK_FILE, CREDENTIAL_FILE, KEY_FILE
from labsim.estate.private_file import read_json, write_private_json
from labsim.estate.process import Process
from labsim.estate.serving import BINDINGS, new_id
from labsim.estate.victim import THEFTS
from labsim.http_message import Outcome, Request
from labsim.keys import SigningKey
from labsim.lingering import Lingering
from labsim.loot import Loot
from labsim.preset import own_replays
from labsim.rooms import rooms

REPLAYS: dict[str, Replay] = dict(rooms("labsim.replays", "REPLAY"))
_ALL = {**REPLAYS, **own_replays()}


class AttackerProcess:
    """Steal and replay on demand, and keep the loot in the attacker's folder."""

    def __init__(self, process: Process) -> None:
        run_folder = process.run_folder
        self._folder = process.folder
        self._clock = clock = Clock(run_folder / CLOCK_FILE)
        self._dialler = dialler = Dialler(str(run_folder / CA_FILE))
        own = SigningKey.from_jwk(read_json(self._folder / KEY_FILE))
        own = own.certified(as_der((self._folder / CERTIFICATE_FILE).read_bytes()))

        def identify(key: SigningKey) -> None:
            if key.certificate is not None:
                dialler.identify(key.certificate, key.pem)

        self._attacker = Attacker(
            dialler,
            clock,
            new_id,
            BINDINGS,
            own,
            _unknown(),
            identify,
            _reach,
            read_json(self._folder / CREDENTIAL_FILE),
        )
        endpoint = process.config["token_endpoint"]
        self._contractor = Contractor(self._folder, endpoint, dialler, clock)
        self._inbox = Inbox(self._folder)
        # What an attacker of this folder had stolen before it died.
        files = sorted(self._folder.glob("loot-*.json"))
        self._loot = [Loot.from_json(read_json(file)) for file in files]
        self._lingering: list[Lingering] = []
        self._fence = Fence(self._folder)
        self._fence.begin()

    def route(self, ports: dict[str, int]) -> None:
        """Reach authorities (host:port) at other ports, as a load balancer may decide."""
        self._dialler.route(ports)

    def send_from(self, address: str) -> None:
        """Connect from this local address from now on, empty for any."""
        self._dialler.send_from(address)

    def steal(self, theft: str, client: str, given: list[str]) -> list[dict[str, Any]]:
        """Take what the given paths yield; return each piece of loot with its number."""
        with self._fence.giving(given):
            found = self._attacker.steal(THEFTS[theft], client, self._given(given))
        first = len(self._loot)
        self._loot += found
        rows = [{**loot.to_json(), "number": first + i} for i, loot in enumerate(found)]
        for row in rows:
            write_private_json(self._folder / f"loot-{row['number']:04d}.json", row)
        return rows

    def listen(self) -> str:
        """Take what is sent to the attacker's own address, from now on; return that address."""
        return self._inbox.open()

    def look(self, path: str) -> list[str]:
        """Try to look at a path that was not given: for the test of the fence, and for lessons."""
        return [name for name, _content in self._given([path]).files()]

    def _given(self, paths: list[str]) -> Given:
        return Given(paths, self._clock(), self._contractor, self._inbox)

    def replay(self, loot: int, replays: list[str], target: dict[str, str]) -> list[dict[str, Any]]:
        """Try replays of one piece of loot against one resource; return each attempt."""
        if not 0 <= loot < len(self._loot):
            raise LabError(f"There is no loot number {loot}.", todo="Steal something first.")
        where = Target(**target)
        return [
            self._attacker.replay(_ALL[name], self._loot[loot], where).to_json() for name in replays
        ]

    def campaign(
        self, number: int, loot: list[int], seed: int, targets: list[dict[str, str]]
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        """Run a campaign, or go on with the one of this number; yield each of its attempts.

        Those that were made before the attacker died are yielded again. Its journal lies in the
        attacker's folder. Returns what was found, as `credentials` and `records`.
        """
        journal = JournalFile(self._folder / f"campaign-{number:04d}.jsonl")
        where = [Target(**target) for target in targets]
        campaign = Campaign(self._attacker, where, REPLAYS, seed, journal)
        try:
            yield from campaign.run(self._loot[n] for n in loot)
        finally:
            journal.close()
        credentials = [each.to_json() for each in campaign.credentials.values()]
        return {"credentials": credentials, "records": list(campaign.records.values())}

    def linger(self, loot: list[int], kept_apart: bool, replays: list[str]) -> int:
        """Stay with these pieces of loot; return a number to say `try_again` with."""
        pieces, ways = [self._loot[n] for n in loot], {name: REPLAYS[name] for name in replays}
        self._lingering.append(Lingering(self._attacker, ways, pieces, kept_apart))
        return len(self._lingering) - 1

    def try_again(
        self, number: int, targets: list[dict[str, str]]
    ) -> Generator[dict[str, Any], None, None]:
        """Try all that is known by now at these targets; yield each attempt."""
        yield from self._lingering[number].again([Target(**target) for target in targets])


def _reach(foothold: str, request: Request) -> Outcome:
    return RemoteFoothold(foothold).send(request)


def _unknown() -> SigningKey:
    """Make a key with a certificate that looks like the lab's and is not."""
    now = datetime.datetime.now(datetime.UTC)
    leaf = client_leaf(certificate_authority("labsim client CA", now), client_uri("x"), "x", now)
    return SigningKey(leaf.key, leaf.der)


def run(process: Process) -> None:
    """Run the attacker; config: token_endpoint. All it has is its folder and the network."""
    attacker = AttackerProcess(process)
    process.serve(
        {
            "listen": attacker.listen,
            "steal": attacker.steal,
            "look": attacker.look,
            "replay": attacker.replay,
            "campaign": attacker.campaign,
            "linger": attacker.linger,
            "try_again": attacker.try_again,
            "route": attacker.route,
            "send_from": attacker.send_from,
        }
    )
