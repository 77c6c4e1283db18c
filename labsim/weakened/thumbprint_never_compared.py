"""The token names a certificate, the connection shows one, and nobody compares the two."""

from __future__ import annotations

from labsim.preset import Preset, Role, Scene

PRESET = Preset(
    name="thumbprint_never_compared",
    title="any client certificate that TLS accepts is good enough",
    report="Abblix/Oidc.Server pull request 159",
    missed="The authorization server stamped cnf.x5t#S256, and one endpoint never compared it.",
    fix="Compare the SHA-256 of the connection's certificate with cnf.x5t#S256, at each endpoint.",
    row="MT-03",
    source="RFC 8705 section 3",
    role=Role.RESOURCE_SERVER,
    scene=Scene(binding="mtls", theft="log_line", replay="own_certificate"),
    stopped_by="certificate_is_the_bound_one",
    without=("certificate_is_the_bound_one",),
)
