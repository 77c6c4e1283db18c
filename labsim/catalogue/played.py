"""The rows that are no change of one request, and that a scene of the museum shows.

Each is played on good servers by `probe --self`, and on weakened ones with `--weaken`. What they
are about in detail is proven by the tests that `Elsewhere` names under the same number.
"""

from __future__ import annotations

from labsim.catalogue.vector import Actor, Force, Played, Refusal
from labsim.rejection import Reason

PLAYED = (
    Played(
        id="MT-12b",
        force=Force.MUST,
        source="RFC 9440 section 4",
        binding="mtls",
        actor=Actor.RS,
        what="the holder's certificate in Client-Cert, through a proxy that ends TLS",
        gain="the certificate, which is public, stands for the key: a stolen token is good alone",
        refusal=Refusal(
            status=401,
            error="invalid_token",
            reason=Reason.PROOF_MISSING,
            check="certificate_is_shown",
        ),
        scene="forged_header_passes",
    ),
    Played(
        id="MT-05b",
        force=Force.MUST_ACCEPT,
        source="RFC 8705 section 6.3",
        binding="mtls",
        actor=Actor.RS,
        what="a client's second request after its certificate was issued anew",
        gain="",
        refusal=None,
        scene="stale_token_after_rotation",
    ),
)
