"""Every proof is verified, and nobody asks whether its key is the token's.

`ath` names the token, so that the proof looks bound to it. Anyone who has the token can write it.
"""

from __future__ import annotations

from labsim.preset import Preset, Role, Scene

PRESET = Preset(
    name="binding_never_compared",
    title="a DPoP proof by any key at all is good enough",
    report="giantswarm/mcp-oauth issue 384",
    missed="The proof's key was never compared with the token's cnf.jkt: ath was taken for it.",
    fix="Compare the thumbprint of the proof's key with cnf.jkt, after verifying the proof.",
    row="DB-06",
    source="RFC 9449 section 7.1",
    role=Role.RESOURCE_SERVER,
    scene=Scene(binding="dpop", theft="log_line", replay="own_proof"),
    stopped_by="proof_key_is_the_bound_one",
    without=("proof_key_is_the_bound_one",),
)
