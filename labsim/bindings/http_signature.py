"""HTTP message signatures (RFC 9421): the client signs parts of each request with the token's key.

As a difference from DPoP: what is signed is the request itself, as far as the signature lists it,
and the key is in the token, never in the request. RFC 9421 leaves to a profile what must be listed.
This one follows draft-richer-oauth-httpsig-03; docs/http-signature-profile.md is the whole of it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from labsim.binding import Binding, Evidence, Presentation
from labsim.checks import Check
from labsim.http_message import Request
from labsim.jose import Malformed, b64url, b64url_decode
from labsim.keys import SIGNATURE_ALGORITHMS, PublicKey, key_of_octets, public_octets
from labsim.rejection import Reason, Rejected
from labsim.signature_base import signature_base
from labsim.structured_fields import (
    SignatureInput,
    byte_sequence,
    digests,
    signature_inputs,
    signatures,
)

TAG = "httpsig-oauth"
TOKEN_REQUEST_TAG = "httpsig-oauth-token-request"
WINDOW = 60.0  # lab seconds by which `created` may lie in the past or the future
LONGEST_NONCE = 256  # characters: a longer one is refused rather than remembered
_DIGESTS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
_DRAFT = "draft-richer-oauth-httpsig-03"
_KEY_PARAMETERS = frozenset({"alg", "keyid", "pub"})


class HttpSignature(NamedTuple):
    """Hold a well-formed signature, not yet checked: its parameters have the right types, no more.

    `base` is what was signed, put together from this request; `introduced` is the key that a token
    request brings, None where it brings none.
    """

    covered: frozenset[str]
    parameters: Mapping[str, Any]
    base: bytes
    signature: bytes
    created: int
    nonce: str
    introduced: PublicKey | None


# The client's face.


def attach(request: Request, presentation: Presentation) -> Request:
    """Put the token on the request and sign it, with a digest of its body if it has one."""
    holder = presentation.holder
    if holder is None:
        raise ValueError("an HTTP signature needs a holder of a key")
    if presentation.token is not None:
        request = request.adding("Authorization", f"HTTPSig {presentation.token}")
    if request.body:
        digest = byte_sequence(hashlib.sha256(request.body).digest())
        request = request.adding("Content-Digest", f"sha-256={digest}")
    covered = ["@method", "@target-uri"]
    covered += [n for n in ("authorization", "content-digest") if request.value(n) is not None]
    names = " ".join(f'"{name}"' for name in covered)
    parameters = f'({names});created={int(presentation.now)};nonce="{presentation.new_id()}"'
    if presentation.token is None:
        algorithm = SIGNATURE_ALGORITHMS[holder.algorithm]
        pub = byte_sequence(public_octets(holder.public_jwk))
        parameters += f';tag="{TOKEN_REQUEST_TAG}";alg="{algorithm}";pub={pub}'
    else:
        parameters += f';tag="{TAG}"'
    signature = holder.sign(signature_base(request, covered, parameters))
    request = request.adding("Signature-Input", f"sig={parameters}")
    return request.adding("Signature", f"sig={byte_sequence(signature)}")


# The authorization server's face.


def introduced(request: Request) -> bool:
    """Tell whether the token request is signed, be it badly."""
    return bool(request.values("Signature-Input") or request.values("Signature"))


def bind(proof: HttpSignature) -> dict[str, Any]:
    """Bind the token to the key that the request brought (the draft's `htsk` confirmation)."""
    key = proof.introduced
    if key is None:
        return {}
    algorithm = SIGNATURE_ALGORITHMS[key.algorithms[0]]
    return {"htsk": {"alg": algorithm, "pub": b64url(public_octets(key.jwk))}}


# Both servers' face: from bytes to a typed proof.


def parse(request: Request) -> HttpSignature:
    """Read the one signature with a tag of this profile; raises Rejected.

    Labels mean nothing (RFC 9421 section 7.2.5), and signatures for other uses are let alone.
    """
    inputs, values = request.values("Signature-Input"), request.values("Signature")
    if not inputs or not values:
        raise Rejected(Reason.PROOF_MISSING, "signature_is_there", "RFC 9421 section 4")
    try:
        members = signature_inputs(", ".join(inputs))
        by_label = signatures(", ".join(values))
    except Malformed as error:
        raise _malformed("fields_are_structured", "RFC 9421 section 4", str(error)) from None
    ours = [m for m in members if _tag(m) in (TAG, TOKEN_REQUEST_TAG)]
    if len(ours) != 1:
        where = "RFC 9421 sections 7.2.6 and 7.2.7"
        raise _malformed("one_signature_has_the_tag", where, f"{len(ours)} have it")
    if ours[0].label not in by_label:
        raise _malformed("label_has_its_signature", "RFC 9421 section 4.2")
    return _read(request, ours[0], by_label[ours[0].label])


def _malformed(check: str, source: str, detail: str = "") -> Rejected:
    return Rejected(Reason.PROOF_MALFORMED, check, source, detail)


def _tag(member: SignatureInput) -> str | None:
    tag = member.parameters.get("tag")
    return tag if type(tag) is str else None  # a token of the same characters is equal to it


def _read(request: Request, member: SignatureInput, signature: bytes) -> HttpSignature:
    created, nonce = member.parameters.get("created"), member.parameters.get("nonce")
    if type(created) is not int or type(nonce) is not str:
        raise _malformed("created_and_nonce_are_there", f"{_DRAFT}, Presenting")
    if not 0 < len(nonce) <= LONGEST_NONCE:
        raise _malformed("nonce_is_usable", "RFC 9421 section 7.2.2")
    try:
        base = signature_base(request, member.components, member.text)
    except Malformed as error:
        detail = str(error)
        raise _malformed("covered_components_are_there", "RFC 9421 section 2.5", detail) from None
    algorithm, pub = member.parameters.get("alg"), member.parameters.get("pub")
    key = None
    if type(algorithm) is str and type(pub) is bytes:
        try:
            key = key_of_octets(algorithm, pub)
        except Malformed as error:
            raise _malformed("brought_key_is_usable", f"{_DRAFT}, Embedding", str(error)) from None
    covered = frozenset(member.components)
    return HttpSignature(covered, member.parameters, base, signature, created, nonce, key)


def bound_key(evidence: Evidence) -> PublicKey | None:
    """Return the key that the token is bound to; None if its `cnf` names none that can be used."""
    named = evidence.confirmation.get("htsk")
    if not isinstance(named, dict):
        return None
    algorithm, pub = named.get("alg"), named.get("pub")
    if type(algorithm) is not str or type(pub) is not str:
        return None
    return _named_key(algorithm, pub)


@lru_cache(maxsize=1024)
def _named_key(algorithm: str, pub: str) -> PublicKey | None:
    # Cached: every request with one token names the same key.
    try:
        return key_of_octets(algorithm, b64url_decode(pub))
    except Malformed:
        return None


# The checks, one sentence each.


def method_is_covered(proof: HttpSignature, _evidence: Evidence) -> bool:
    """Without it, a signature for GET is as good for DELETE."""
    return "@method" in proof.covered


def target_is_covered(proof: HttpSignature, _evidence: Evidence) -> bool:
    """Cover the whole target URI, query included."""
    return "@target-uri" in proof.covered


def authorization_is_covered(proof: HttpSignature, evidence: Evidence) -> bool:
    """Where there is a token, or a client's secret, the signature is for it and no other."""
    return "authorization" in proof.covered or not evidence.request.values("Authorization")


def body_is_covered(proof: HttpSignature, evidence: Evidence) -> bool:
    """By its digest; without a body there is nothing to cover."""
    return "content-digest" in proof.covered or not evidence.request.body


def digest_is_the_bodys(proof: HttpSignature, evidence: Evidence) -> bool:
    """Each digest of a known algorithm is the body's, and there is one (RFC 9530 section 2)."""
    if "content-digest" not in proof.covered:
        return True
    try:
        given = digests(", ".join(evidence.request.values("Content-Digest")))
    except Malformed:
        return False
    known = [name for name in given if name in _DIGESTS]
    body = evidence.request.body
    return bool(known) and all(
        hmac.compare_digest(given[name], _DIGESTS[name](body).digest()) for name in known
    )


def created_is_recent(proof: HttpSignature, evidence: Evidence) -> bool:
    """Within the window on either side; neither an old signature nor one made ahead."""
    return abs(evidence.now - proof.created) <= WINDOW


def signature_is_not_expired(proof: HttpSignature, evidence: Evidence) -> bool:
    """`expires` need not be there; where it is, it counts, and lies after `created`."""
    end = proof.parameters.get("expires")
    return end is None or (type(end) is int and max(evidence.now, proof.created) < end)


def tag_is_for_a_token_request(proof: HttpSignature, _evidence: Evidence) -> bool:
    """Do not take a signature that presented a token for one that asks for a token."""
    return bool(proof.parameters.get("tag") == TOKEN_REQUEST_TAG)


def key_comes_by_value(proof: HttpSignature, _evidence: Evidence) -> bool:
    """Ask that the request brings the key itself, and does not name one as well."""
    return proof.introduced is not None and "keyid" not in proof.parameters


def signature_is_by_the_brought_key(proof: HttpSignature, _evidence: Evidence) -> bool:
    """Whoever asks for the token has the private half of the key it will be bound to."""
    key = proof.introduced
    return key is None or key.verifies(proof.signature, proof.base)


def tag_is_for_a_presentation(proof: HttpSignature, _evidence: Evidence) -> bool:
    """Do not take a signature that asked for a token for one that presents it."""
    return bool(proof.parameters.get("tag") == TAG)


def request_names_no_key(proof: HttpSignature, _evidence: Evidence) -> bool:
    """Key and algorithm are the token's to name: a request that names one is not even compared."""
    return _KEY_PARAMETERS.isdisjoint(proof.parameters)


def signature_is_by_the_bound_key(proof: HttpSignature, evidence: Evidence) -> bool:
    """Use the key in the token's `cnf`, with its own algorithm (RFC 9421 section 3.2 item 6)."""
    key = bound_key(evidence)
    return key is not None and key.verifies(proof.signature, proof.base)


def nonce_is_new(proof: HttpSignature, evidence: Evidence) -> bool:
    """Remember (key, nonce) for as long as the signature would be accepted."""
    if evidence.memory is None:
        return True
    key = bound_key(evidence) if evidence.token is not None else proof.introduced
    who = key.thumbprint if key else ""
    return evidence.memory.is_first((who, proof.nonce), proof.created + WINDOW, evidence.now)


BINDING = Binding(
    name="http_signature",
    source="RFC 9421",
    scheme="HTTPSig",
    confirmation="htsk",
    proof_error="invalid_token",
    registered_by=("httpsig_key_binding_method", "runtime"),
    attach=attach,
    introduced=introduced,
    bind=bind,
    parse=parse,
    proof_checks=(
        Check(method_is_covered, Reason.PROOF_METHOD_MISMATCH, "RFC 9421 section 7.4.2"),
        Check(target_is_covered, Reason.PROOF_TARGET_MISMATCH, "RFC 9421 section 7.2.2"),
        Check(authorization_is_covered, Reason.PROOF_TOKEN_MISMATCH, "RFC 9421 section 7.2.1"),
        Check(body_is_covered, Reason.PROOF_CONTENT_MISMATCH, "RFC 9421 section 7.2.8"),
        Check(digest_is_the_bodys, Reason.PROOF_CONTENT_MISMATCH, "RFC 9530 section 2"),
        Check(created_is_recent, Reason.PROOF_OUTSIDE_WINDOW, "RFC 9421 section 3.2.1"),
        Check(signature_is_not_expired, Reason.PROOF_OUTSIDE_WINDOW, "RFC 9421 section 3.2.1"),
    ),
    introduction_checks=(
        Check(tag_is_for_a_token_request, Reason.PROOF_MALFORMED, "RFC 9421 section 7.2.7"),
        Check(key_comes_by_value, Reason.PROOF_MALFORMED, f"{_DRAFT}, Token Request"),
        Check(
            signature_is_by_the_brought_key, Reason.PROOF_SIGNATURE_INVALID, "RFC 9421 section 3.2"
        ),
    ),
    binding_checks=(
        Check(tag_is_for_a_presentation, Reason.PROOF_MALFORMED, "RFC 9421 section 7.2.7"),
        Check(request_names_no_key, Reason.PROOF_MALFORMED, f"{_DRAFT}, Validating"),
        Check(signature_is_by_the_bound_key, Reason.BINDING_MISMATCH, "RFC 9421 section 3.2"),
    ),
    once_checks=(Check(nonce_is_new, Reason.PROOF_REPLAYED, "RFC 9421 section 7.2.2"),),
)
