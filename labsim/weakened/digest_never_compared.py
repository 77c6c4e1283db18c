"""The signature covers the body's digest, and nobody computes the body's digest again."""

from __future__ import annotations

from labsim.preset import Preset, Role, Scene

PRESET = Preset(
    name="digest_never_compared",
    title="a signed digest goes with any body",
    report="interledger/rafiki issue 655",
    missed="content-digest was signed and verified as a field, and never compared with the body.",
    fix="Compute each known digest over the body as received, and compare it with the field.",
    row="HS-08",
    source="RFC 9530 section 2",
    role=Role.RESOURCE_SERVER,
    scene=Scene(
        binding="http_signature",
        theft="wiretap",
        replay="changed_body",
        variant="unspent",
        doing="write",
    ),
    stopped_by="digest_is_the_bodys",
    without=("digest_is_the_bodys",),
)
