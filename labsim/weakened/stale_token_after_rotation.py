"""A client has a new certificate and goes on presenting the token of the old one: an outage.

No server is wrong here, and nothing is let in. A key cache that does not know what the server
compares takes the service down until the token ends.
"""

from __future__ import annotations

from labsim.preset import Preset, Role, Scene

PRESET = Preset(
    name="stale_token_after_rotation",
    title="a client keeps the token of a certificate that it no longer shows",
    report="AzureAD/microsoft-authentication-library-for-dotnet issue 6117",
    missed="The token cache did not ask which certificate a token is bound to, nor heed a refusal.",
    fix="Key the cache by the certificate's thumbprint, and drop a token that was refused.",
    row="MT-05b",
    source="RFC 8705 section 6.3",
    role=Role.CLIENT,
    scene=Scene(binding="mtls", renews=True),
    stopped_by="certificate_is_the_bound_one",
    without=("refused_token_is_dropped",),
    too_strict=True,
)
