"""The first token was bound, and the next one is not, since nobody asked for a proof again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from labsim.attempt import Replay, Target, Thief
from labsim.binding import Binding
from labsim.bindings.bearer import BINDING as BEARER
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot
from labsim.preset import Preset, Role, Scene
from labsim.roles.authorization_server import AuthorizationServer
from labsim.roles.client_authentication import Clients, RegisteredClient
from labsim.roles.grants import REFRESH_TOKEN, Grant, Grants


@dataclass(frozen=True, slots=True)
class AsksOnce:
    """Hold the clients; of one that lives from refresh tokens no binding is required."""

    kept: Clients

    def client(self, client_id: str) -> RegisteredClient | None:
        """Return the client with this id, without what it has registered, or None."""
        found = self.kept.client(client_id)
        if found is None or REFRESH_TOKEN not in found.grant_types:
            return found
        return replace(found, requires=None)


@dataclass(frozen=True, slots=True)
class ForgetsTheBinding:
    """Store grants, and forget how the last token of each was bound."""

    kept: Grants

    def put(self, token_hash: str, grant: Grant) -> None:
        """Keep a new grant."""
        self.kept.put(token_hash, grant)

    def find(self, token_hash: str) -> tuple[Grant, bool] | None:
        """Return the grant, as if no token had come of it, and whether its token was used."""
        found = self.kept.find(token_hash)
        return found and (replace(found[0], binding=None), found[1])

    def rotate(self, spent_hash: str, new_hash: str, grant: Grant) -> bool:
        """Mark one token as used and keep the next; False if the first was used or is gone."""
        return self.kept.rotate(spent_hash, new_hash, grant)

    def end_family(self, family: str) -> None:
        """Forget every grant of a family."""
        self.kept.end_family(family)

    def end_all_of(self, client_id: str) -> None:
        """Forget every grant of a client."""
        self.kept.end_all_of(client_id)


def part(server: AuthorizationServer) -> AuthorizationServer:
    """Ask for a proof only of whoever brings one."""
    clients, grants = AsksOnce(server.clients), ForgetsTheBinding(server.grants)
    return replace(server, clients=clients, grants=grants)


def spend(loot: Loot, _binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Refresh without a proof, and present what comes back as a bearer token."""
    token = thief.obtain_token(loot, BEARER, target)
    if isinstance(token, Outcome):
        return token
    return thief.present(Request("GET", target.url), token, BEARER, thief.own_key)


PRESET = Preset(
    name="refresh_without_proof",
    title="a refresh that brings no proof gets a bearer token",
    report="keycloak/keycloak issue 36475",
    missed="A token that was first issued with a proof could be refreshed without one.",
    fix="Keep with the grant how its last token was bound, and refuse a refresh that brings less.",
    row="CR-14",
    source="RFC 9449 section 5",
    role=Role.AUTHORIZATION_SERVER,
    scene=Scene(
        client="lead-sync",
        at="crm",
        binding="dpop",
        theft="vendor_store",
        replay="refreshed_without_proof",
    ),
    stopped_by="proof_is_there",
    part=part,
    own=Replay(
        name="refreshed_without_proof",
        source="RFC 9449 section 5",
        title="refresh without a proof",
        needs=frozenset({Kind.REFRESH_TOKEN, Kind.CLIENT_CREDENTIAL}),
        spend=spend,
        needs_binding=False,
    ),
)
