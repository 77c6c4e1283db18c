"""The rows that are no change of one request, and that a scene of the museum shows.

Each is played on good servers by `probe --self`, and on weakened ones with `--weaken`. What they
are about in detail is proven by the tests that `Elsewhere` names under the same number.
"""

from __future__ import annotations

from labsim.catalogue.vector import Actor, Force, Played, Refusal
from labsim.rejection import Reason

_AGAIN = "a captured request is good again: a proof is no more than a second bearer token"
_SPENT = Refusal(
    status=401, error="invalid_dpop_proof", reason=Reason.PROOF_REPLAYED, check="jti_is_new"
)

PLAYED = (
    Played(
        id="DR-03",
        force=Force.MUST_STRICT,
        source="RFC 9449 section 11.1",
        binding="dpop",
        actor=Actor.RS,
        what="the same proof many times in parallel",
        gain="one captured request is as many requests as fit into the race",
        refusal=_SPENT,
        scene="find_then_insert",
    ),
    Played(
        id="DR-04",
        force=Force.MUST_STRICT,
        source="RFC 9449 section 11.1",
        binding="dpop",
        actor=Actor.RS,
        what="a spent proof late in its window",
        gain=_AGAIN,
        refusal=_SPENT,
        scene="entry_expires_first",
    ),
    Played(
        id="CR-14",
        force=Force.MUST,
        source="RFC 9449 section 5.2",
        binding="dpop",
        actor=Actor.AS,
        what="a refresh without a proof, by a client of bound tokens",
        gain="a stolen refresh token is worth bearer tokens: no key is needed from then on",
        refusal=Refusal(
            status=400,
            error="invalid_dpop_proof",
            reason=Reason.PROOF_MISSING,
            check="proof_is_there",
        ),
        scene="refresh_without_proof",
    ),
    Played(
        id="CR-19",
        force=Force.MUST,
        source="RFC 8693 section 4.4",
        binding="dpop",
        actor=Actor.AS,
        what="a bound token exchanged by somebody whom it was not sent to",
        gain="a stolen bound token is traded for one that is bound to nothing",
        refusal=Refusal(
            status=400,
            error="invalid_request",
            reason=Reason.REQUEST_MALFORMED,
            check="caller_may_use_the_subject_token",
        ),
        scene="exchange_strips_binding",
    ),
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
