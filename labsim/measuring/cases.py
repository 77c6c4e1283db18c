"""Which incidents the main job follows, of an estate's own clients; each shows one end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from labsim.blast.incident import Incident
from labsim.blast.means import CERTIFICATE, KEPT_APART, Case, Countermeasures
from labsim.blast.predicted import Predictor
from labsim.charts.scales import duration
from labsim.estate.plan import Client, Plan
from labsim.roles.introspected_tokens import CACHE_SECONDS
from labsim.thefts.container_code import AHEAD_SECONDS

MOST_SERVERS: Final = 12
"""Resource servers of an estate up to which it is followed: a roll-out has a step for each."""
JUST_BEFORE: Final = 10.0
"""Lab seconds before something is done at which the thief tries once more, as it happens to."""
BOUND: Final = ("dpop", "mtls", "http_signature")


@dataclass(frozen=True, slots=True)
class Cast:
    """Name who is robbed: `client`, and `certified`, which authenticates by a certificate.

    `plan` is the estate's with that; either name is empty where no client fits.
    """

    plan: Plan
    client: str
    certified: str


def cast(plan: Plan) -> Cast:
    """Choose whom to rob: clients that ask for tokens by themselves, and lead to little else.

    A client's secret has to be one that can be replaced; the certified client is one that is so in
    the plan, or else one whose key becomes a certificate's: a secret that lies in records stays.
    """
    keys = [each for m in (CERTIFICATE, "private_key_jwt") for each in _by_what_follows(plan, (m,))]
    able = _by_what_follows(plan, ("client_secret_basic", "private_key_jwt"))
    for key in keys:
        others = [each for each in able if each.name != key.name]
        if others or not able:
            chosen = replace(key, authentication=CERTIFICATE)
            clients = MappingProxyType({**plan.clients, chosen.name: chosen})
            first = others[0].name if others else ""
            return Cast(replace(plan, clients=clients), first, chosen.name)
    return Cast(plan, able[0].name if able else "", "")


def _by_what_follows(plan: Plan, methods: Sequence[str]) -> list[Client]:
    predictor = Predictor(plan)
    told = {story.client for story in plan.stories.values()}

    def rank(client: Client) -> tuple[int, bool, int]:
        hops = predictor.followed(client.calls).hops
        return hops, client.name not in told, abs(len(client.calls) - 2)

    able = [c for c in plan.clients.values() if c.grant == "client_credentials"]
    return sorted((c for c in able if c.authentication in methods), key=rank)


def incidents(chosen: Cast) -> list[Incident]:
    """Return the incidents to follow; those come last that leave a client with a new credential."""
    plan, found = chosen.plan, list[Incident]()
    if chosen.certified:
        found += _of_a_certificate(plan, chosen.certified)
    if chosen.client:
        found = [*_of_tokens(plan, chosen.client), *_of_more(plan, chosen.client), *found]
    return found


def _times(plan: Plan) -> tuple[float, float, float]:
    life = float(plan.token_seconds)
    return life / 2, life / 2 - JUST_BEFORE, life


def _of_tokens(plan: Plan, client: str) -> Iterator[Incident]:
    half, before, life = _times(plan)
    bearer = Case(client, "log_line", "bearer", "none")
    bound = [Case(client, "log_line", binding, "file") for binding in BOUND]
    yield Incident(
        name="left_alone",
        title=f"Nothing is done: a token lives for {duration(life)}",
        cases=(bearer, bound[0]),
        moments=(0, half, life),
    )
    yield Incident(
        name="revoked_and_pushed",
        title=f"Tokens are revoked after {duration(half)}, and each server is told at once",
        cases=(bearer,),
        moments=(0, before, half, life),
        measures=Countermeasures(revoke_at=half),
    )
    yield Incident(
        name="revoked_and_asked_for",
        title=(
            f"Tokens are revoked after {duration(half)}; servers ask the issuer about a token, and "
            f"believe an answer for {duration(CACHE_SECONDS)}"
        ),
        cases=(bearer,),
        moments=(0, before, half + JUST_BEFORE, half + CACHE_SECONDS, life + JUST_BEFORE),
        measures=Countermeasures(revoke_at=half, told_after=CACHE_SECONDS),
        introspects=True,
    )
    yield Incident(
        name="enforced_midway",
        title=f"Servers begin to enforce bindings after {duration(half)}",
        cases=(bearer, *bound),
        moments=(0, half, life),
        measures=Countermeasures(enforce_at=half),
    )


def _of_more(plan: Plan, client: str) -> Iterator[Incident]:
    half, before, life = _times(plan)
    if life <= AHEAD_SECONDS:  # else proofs made ahead end before their token
        yield Incident(
            name="evicted",
            title=(
                f"Code in the container is thrown out after {duration(half)}; a signer has the "
                "key, and the client's credential is kept apart"
            ),
            cases=tuple(
                Case(client, "container_code", b, "signer", KEPT_APART) for b in ("dpop", "mtls")
            ),
            moments=(0, half, life),
            measures=Countermeasures(evict_at=half),
        )
    yield Incident(
        name="rotated",
        title=f"The client's credential, found in a repository, is replaced after {duration(half)}",
        cases=(
            Case(client, "commit", "bearer", "none"),
            Case(client, "commit", "dpop", "file"),
        ),
        moments=(0, before, half, life, life + half),
        measures=Countermeasures(rotate_at=half),
    )


def _of_a_certificate(plan: Plan, client: str) -> Iterator[Incident]:
    half, _, life = _times(plan)
    certificate = Case(client, "container_files", "mtls", "file", CERTIFICATE)
    yield Incident(
        name="key_copied",
        title=(
            "The key is copied from its file, and nothing is done; the credential of the client "
            "with DPoP is kept apart"
        ),
        cases=(Case(client, "container_files", "dpop", "file", KEPT_APART), certificate),
        moments=(0, half, life, 2 * life),
    )
    yield Incident(
        name="certificate_revoked",
        title=f"The same mTLS key; its certificate is revoked after {duration(life + half)}",
        cases=(certificate,),
        moments=(0, life, life + half),
        measures=Countermeasures(withdraw_at=life + half),
    )
