"""DPoP (RFC 9449): every request carries a small JWT, signed with the key the token is bound to.

As a difference from bearer: the client adds a proof, the authorization server puts the key's
thumbprint into the token, the resource server compares the two. What the proof does not sign:
the body, the query, any header but the token (section 11.7).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from labsim.binding import Binding, Evidence, Presentation
from labsim.checks import Check
from labsim.http_message import Request, Response
from labsim.jose import (
    CompactJws,
    Malformed,
    b64url,
    is_number,
    parse_compact,
    parse_header,
    sign_compact,
)
from labsim.keys import PRIVATE_MEMBERS, PublicKey, public_key
from labsim.rejection import Reason, Rejected
from labsim.target_uri import comparable_target_uri

WINDOW = 60.0
"""Lab seconds by which `iat` may lie in the past or the future (RFC 9449 section 11.1)."""
LONGEST_JTI = 256
"""Characters: a longer one is refused rather than remembered."""
ALGORITHMS = ("ES256", "Ed25519", "EdDSA")
# RFC 9449 section 8.1: NQCHAR is printable ASCII without space, quote and backslash.
_NONCE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


class DpopProof(NamedTuple):
    """Hold a well-formed proof, not yet checked: its claims have the right types, no more."""

    jws: CompactJws
    key: PublicKey
    jti: str
    htm: str
    htu: str
    iat: float
    ath: str | None
    nonce: str | None


# The client's face.


def attach(request: Request, presentation: Presentation) -> Request:
    """Put token and a fresh proof on the request (RFC 9449 sections 4.1, 5 and 7.1)."""
    holder = presentation.holder
    if holder is None:
        raise ValueError("a DPoP proof needs a holder of a key")
    claims: dict[str, Any] = {
        "jti": presentation.new_id(),
        "htm": request.method,
        "htu": request.url.split("?")[0].split("#")[0],
        "iat": int(presentation.now),
    }
    if presentation.token is not None:
        claims["ath"] = token_hash(presentation.token)
        request = request.adding("Authorization", f"DPoP {presentation.token}")
    if presentation.nonce is not None:
        claims["nonce"] = presentation.nonce
    header = {"typ": "dpop+jwt", "alg": holder.algorithm, "jwk": holder.public_jwk}
    return request.adding("DPoP", sign_compact(header, claims, holder))


def retry(response: Response, presentation: Presentation) -> Presentation | None:
    """Answer a demand for a nonce, once: the same nonce again is not an answer (section 8)."""
    nonce = response.value("DPoP-Nonce")
    asked = response.status in (400, 401) and (
        any('error="use_dpop_nonce"' in value for value in response.values("WWW-Authenticate"))
        or b'"use_dpop_nonce"' in response.body
    )
    if not asked or nonce is None or nonce == presentation.nonce:
        return None
    return replace(presentation, nonce=nonce)


# The authorization server's face.


def introduced(request: Request) -> bool:
    """Tell whether the token request brings a proof, be it an empty one (RFC 9449 section 5)."""
    return bool(request.values("DPoP"))


def bind(proof: DpopProof) -> dict[str, Any]:
    """Bind the token to the proof's key by its thumbprint (RFC 9449 section 6.1)."""
    return {"jkt": proof.key.thumbprint}


# Both servers' face: from bytes to a typed proof.


def parse(request: Request) -> DpopProof:
    """Read the request's one proof; raises Rejected with PROOF_MISSING or PROOF_MALFORMED."""
    values = request.values("DPoP")
    if not values:
        raise Rejected(Reason.PROOF_MISSING, "proof_is_there", "RFC 9449 section 7.1")
    if len(values) > 1:
        raise _malformed("there_is_one_proof", "4.3 item 1")
    try:
        jws = parse_compact(values[0].strip(" \t"))
    except Malformed as error:
        raise _malformed("proof_is_a_jwt", "4.3 item 2", str(error)) from None
    return _with_claims(jws, _key(jws.protected))


def _malformed(check: str, item: str, detail: str = "") -> Rejected:
    return Rejected(Reason.PROOF_MALFORMED, check, f"RFC 9449 section {item}", detail)


@lru_cache(maxsize=1024)
def _key(protected: str) -> PublicKey:
    # Cached: a point is checked to lie on the curve once per key, not once per request.
    header = parse_header(protected)
    jwk, algorithm = header.get("jwk"), header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise _malformed("algorithm_is_asymmetric_and_offered", "4.3 item 5")
    if not isinstance(jwk, dict):
        raise _malformed("required_members_are_there", "4.3 item 3", "no jwk")
    try:
        key = public_key(jwk)
    except Malformed as error:
        raise _malformed("key_is_usable", "4.2", str(error)) from None
    if algorithm not in key.algorithms:
        raise _malformed("algorithm_is_the_keys", "4.3 item 6")
    return key


def _with_claims(jws: CompactJws, key: PublicKey) -> DpopProof:
    claims = jws.payload
    found = claims.get
    jti, htm, htu, iat = found("jti"), found("htm"), found("htu"), found("iat")
    ath, nonce = found("ath"), found("nonce")
    texts = isinstance(jti, str) and isinstance(htm, str) and isinstance(htu, str)
    if not texts or not is_number(iat):
        raise _malformed("required_members_are_there", "4.3 item 3")
    if not 0 < len(str(jti)) <= LONGEST_JTI:
        raise _malformed("jti_is_usable", "4.2")
    if ath is not None and not isinstance(ath, str):
        raise _malformed("ath_is_text", "4.2")
    if "nonce" in claims and not (isinstance(nonce, str) and _NONCE.fullmatch(nonce)):
        raise _malformed("nonce_is_text", "8.1")
    return DpopProof(jws, key, jti, htm, htu, iat, ath, nonce)  # type: ignore[arg-type]


# The checks, one sentence each.


def typ_is_dpop_jwt(proof: DpopProof, _evidence: Evidence) -> bool:
    """Another JWT that the same key signed is no proof (RFC 9449 section 11.5)."""
    return bool(proof.jws.header.get("typ") == "dpop+jwt")


def key_is_public(proof: DpopProof, _evidence: Evidence) -> bool:
    """Refuse a proof that carries its private key: whoever saw it can make the next."""
    return PRIVATE_MEMBERS.isdisjoint(proof.jws.header["jwk"])


def no_critical_extension(proof: DpopProof, _evidence: Evidence) -> bool:
    """`crit` lists what must be understood; this verifier understands no extension."""
    return "crit" not in proof.jws.header


def signature_is_by_the_proof_key(proof: DpopProof, _evidence: Evidence) -> bool:
    """Whoever made the proof has the private half of the key it names."""
    return proof.key.verifies(proof.jws.signature, proof.jws.signing_input)


def htm_is_the_method(proof: DpopProof, evidence: Evidence) -> bool:
    """Methods are case-sensitive (RFC 9110 section 9.1)."""
    return proof.htm == evidence.request.method


def htu_is_the_target_uri(proof: DpopProof, evidence: Evidence) -> bool:
    """Both normalised as RFC 3986 sections 6.2.2 and 6.2.3 say, without query and fragment."""
    wanted = comparable_target_uri(evidence.request.url)
    return wanted is not None and comparable_target_uri(proof.htu) == wanted


def iat_is_recent(proof: DpopProof, evidence: Evidence) -> bool:
    """Within the window on either side; neither an old proof nor one made ahead (section 11.2)."""
    return abs(evidence.now - proof.iat) <= WINDOW


def proof_is_in_its_own_time(proof: DpopProof, evidence: Evidence) -> bool:
    """`exp` and `nbf` need not be in a proof; where they are, they count."""
    start, end = (
        proof.jws.payload.get("nbf", 0),
        proof.jws.payload.get("exp", evidence.now + 1),
    )
    return (
        is_number(start)
        and is_number(end)
        and start <= evidence.now + WINDOW
        and evidence.now < end
    )


def nonce_is_the_servers(proof: DpopProof, evidence: Evidence) -> bool:
    """Where this server asks for nonces, the proof has one of its recent ones."""
    if evidence.nonces is None:
        return True
    return proof.nonce is not None and evidence.nonces.accepts(proof.nonce, evidence.now)


def ath_is_this_token(proof: DpopProof, evidence: Evidence) -> bool:
    """Ask that the proof was made for this token and no other."""
    return evidence.token is not None and proof.ath == token_hash(evidence.token)


def proof_key_is_the_bound_one(proof: DpopProof, evidence: Evidence) -> bool:
    """Compare the proof's key with the token's: without this, anyone's key would do."""
    return bool(proof.key.thumbprint == evidence.confirmation.get("jkt"))


def jti_is_new(proof: DpopProof, evidence: Evidence) -> bool:
    """Spent once. Kept by (key, jti), never by the proof's bytes, which have more than one form."""
    if evidence.memory is None:
        return True
    who = (proof.key.thumbprint, proof.jti)
    return evidence.memory.is_first(who, proof.iat + WINDOW, evidence.now)


@lru_cache(maxsize=256)
def token_hash(token: str) -> str:
    """Return `ath`: base64url of the SHA-256 of the token's ASCII (RFC 9449 section 4.2)."""
    return b64url(hashlib.sha256(token.encode("ascii", "replace")).digest())


BINDING = Binding(
    name="dpop",
    source="RFC 9449",
    scheme="DPoP",
    confirmation="jkt",
    proof_error="invalid_dpop_proof",
    introduction_error="invalid_dpop_proof",
    nonce_error="use_dpop_nonce",
    nonce_field="DPoP-Nonce",
    challenge={"algs": " ".join(ALGORITHMS)},
    registered_by=("dpop_bound_access_tokens", True),
    metadata={"dpop_signing_alg_values_supported": list(ALGORITHMS)},
    attach=attach,
    retry=retry,
    introduced=introduced,
    bind=bind,
    parse=parse,
    proof_checks=(
        Check(typ_is_dpop_jwt, Reason.PROOF_MALFORMED, "RFC 9449 section 4.3 item 4"),
        Check(key_is_public, Reason.PROOF_MALFORMED, "RFC 9449 section 4.3 item 7"),
        Check(no_critical_extension, Reason.PROOF_MALFORMED, "RFC 7515 section 4.1.11"),
        Check(
            signature_is_by_the_proof_key,
            Reason.PROOF_SIGNATURE_INVALID,
            "RFC 9449 section 4.3 item 6",
        ),
        Check(
            htm_is_the_method,
            Reason.PROOF_METHOD_MISMATCH,
            "RFC 9449 section 4.3 item 8",
        ),
        Check(
            htu_is_the_target_uri,
            Reason.PROOF_TARGET_MISMATCH,
            "RFC 9449 section 4.3 item 9",
        ),
        Check(iat_is_recent, Reason.PROOF_OUTSIDE_WINDOW, "RFC 9449 section 4.3 item 11"),
        Check(
            proof_is_in_its_own_time,
            Reason.PROOF_OUTSIDE_WINDOW,
            "RFC 7519 section 4.1.4",
        ),
        Check(nonce_is_the_servers, Reason.NONCE_REQUIRED, "RFC 9449 section 4.3 item 10"),
    ),
    binding_checks=(
        Check(
            ath_is_this_token,
            Reason.PROOF_TOKEN_MISMATCH,
            "RFC 9449 section 4.3 item 12",
        ),
        Check(
            proof_key_is_the_bound_one,
            Reason.BINDING_MISMATCH,
            "RFC 9449 section 4.3 item 12, section 7.1",
        ),
    ),
    once_checks=(Check(jti_is_new, Reason.PROOF_REPLAYED, "RFC 9449 section 11.1"),),
)
