"""The server hands out nonces and looks each one up, and does not look at what it was told."""

from __future__ import annotations

from labsim.preset import Preset, Role, Scene

PRESET = Preset(
    name="nonce_answer_ignored",
    title="a nonce is asked for, and a proof with an old one is served all the same",
    report="wso2/financial-services-accelerator pull request 958",
    missed="The nonce check returned false, and nobody read what it returned.",
    fix="Refuse with use_dpop_nonce unless the check says yes; better, let the check raise.",
    row="DN-04",
    source="RFC 9449 section 9",
    role=Role.RESOURCE_SERVER,
    scene=Scene(
        binding="dpop",
        custody="signer",
        theft="container_code",
        replay="proofs_made_ahead",
        variant="nonce",
    ),
    stopped_by="nonce_is_the_servers",
    without=("nonce_is_the_servers",),
)
