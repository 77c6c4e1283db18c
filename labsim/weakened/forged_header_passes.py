"""A proxy ends TLS, and lets through a header that only it may write."""

from __future__ import annotations

from labsim.preset import Preset, Role, Scene

PRESET = Preset(
    name="forged_header_passes",
    title="a client-certificate header that the client wrote itself reaches the server",
    report="openshift/router pull requests 797 to 807, CVE-2026-46579",
    missed="The header was set where there was a certificate, and left alone where there was none.",
    fix="Remove the header, its chain and its other spellings from every request, then set it.",
    row="MT-12b",
    source="RFC 9440 section 4",
    role=Role.PROXY,
    scene=Scene(
        binding="mtls",
        custody="memory",
        theft="container_files",
        replay="forged_certificate_header",
        variant="proxy_strips",
    ),
    stopped_by="certificate_is_shown",
    without=("forgeable_fields_are_removed",),
)
