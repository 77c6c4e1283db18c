"""Two spellings of one URI are equal when the proof is checked, and two when it is remembered.

What is lost is that one `jti` works once. Whoever can have the key sign gains by it, where a signer
counts what it signs, say; without the key there is nothing to respell.
"""

from __future__ import annotations

from dataclasses import replace

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding, Evidence
from labsim.bindings.dpop import WINDOW, DpopProof
from labsim.checks import Check
from labsim.http_message import Outcome, Request
from labsim.jose import parse_compact, sign_compact
from labsim.loot import Kind, Loot
from labsim.preset import Preset, Role, Scene
from labsim.rejection import Reason
from labsim.roles.resource_server import ResourceServer


def jti_is_new_in_this_spelling(proof: DpopProof, evidence: Evidence) -> bool:
    """Remember the proof by its `jti` and its `htu` as it was spelled."""
    if evidence.memory is None:
        return True
    who = (proof.key.thumbprint, f"{proof.htu} {proof.jti}")
    return evidence.memory.is_first(who, proof.iat + WINDOW, evidence.now)


_ONCE = (Check(jti_is_new_in_this_spelling, Reason.PROOF_REPLAYED, "RFC 9449 section 11.1"),)


def part(server: ResourceServer) -> ResourceServer:
    """Let DPoP proofs be remembered by another key."""
    dpop = (replace(b, once_checks=_ONCE) if b.name == "dpop" else b for b in server.bindings)
    return replace(server, bindings=tuple(dpop))


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Spend a proof, then send it again with `htu` spelled otherwise, signed with its key."""
    holder = thief.holder_of(loot)
    first = thief.present(Request("GET", target.url), str(loot.token), binding, holder)
    proof = first.request.value("DPoP") if first.request else None
    if first.request is None or proof is None:
        raise NotPossible("this token asks for no DPoP proof")
    jws = parse_compact(proof)
    claims = {**jws.payload, "htu": f"{jws.payload['htu']}?again"}
    again = sign_compact(dict(jws.header), claims, holder)
    return thief.send(first.request.without("DPoP").adding("DPoP", again))


PRESET = Preset(
    name="replay_key_from_raw_htu",
    title="one jti is good once for each spelling of the URI",
    report="better-auth pull request 10039",
    missed="htu was normalised to be compared, and the replay key was built from it as it came.",
    fix="Build the replay key from the key's thumbprint and jti, or from what was compared.",
    row="DR-02b",
    source="RFC 9449 section 11.1",
    role=Role.RESOURCE_SERVER,
    scene=Scene(binding="dpop", theft="container_files", replay="respelled_target"),
    stopped_by="jti_is_new",
    part=part,
    own=Replay(
        name="respelled_target",
        source="RFC 9449 section 11.1",
        title="use one jti again, with the URI spelled otherwise",
        needs=frozenset({Kind.TOKEN, Kind.KEY}),
        spend=spend,
    ),
)
