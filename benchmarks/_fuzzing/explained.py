"""Why a mutant was served: the kinds of change that a server must accept, found by themselves.

Each served mutant is read a second time (`reading`). What the documents ask for must be there, or
it is `Unexplained`; what differs from the good request all the same is of a kind that must be, or
by policy may be, accepted: the names returned are the keys of `KINDS`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509

from benchmarks._fuzzing.reading import (
    Jws,
    is_time,
    object_of,
    octets_of,
    one_value,
    require,
    spelled,
    target,
    thumbprint_of,
)
from benchmarks._fuzzing.signed import verified_signature
from benchmarks._fuzzing.world import PROXY, Good, World
from labsim.binding import Binding
from labsim.http_message import Request
from tests.wiring import BINDINGS, ISSUER, ORDERS

KINDS: Mapping[str, str] = {
    "nothing that was changed was left": "a change undone by the next, or none at all",
    "field names in another case": "RFC 9110 section 5.1",
    "fields in another order": "RFC 9110 section 5.3",
    "white space around a value": "RFC 9110 section 5.5",
    "scheme in another case or more spaces": "RFC 9110 section 11.1, RFC 6750 section 2.1 (1*SP)",
    "fields that decide nothing": "no check reads them; no signature here covers them",
    "target in another spelling": "RFC 9449 section 4.3 item 9, RFC 3986 section 6.2.2",
    "what the binding does not cover": "RFC 9449 section 11.7; bearer and mTLS sign no request",
    "another good token": "signed by the issuer, for this server: its words count",
    "another good proof": "signed by the token's key, over this request, not spent",
    "another signature of the same": "ECDSA: (r, n - s) verifies, and was not spent",
    "structured field in another spelling": "RFC 9421 section 2.3, RFC 9651 section 4.2",
    "another signature beside it": "RFC 9421 sections 4.3 and 7.2.5: labels mean nothing",
    "unknown members": "RFC 7515 section 4, RFC 7519 section 4, RFC 7800 section 3.1",
    "certificate that decides nothing": "the token is bound to no certificate",
    "form in another spelling": "RFC 6749 appendix B, sections 3.1 and 3.2",
    "another good request": "what it asks for, its client may have",
    "a token that is none": "RFC 7662 section 2.2, RFC 7009 section 2.2: nothing told",
    "a document": "open to all: metadata and keys",
}
_TOKEN68 = re.compile(r"([!-~]+) +([A-Za-z0-9._~+/-]+=*)")


def at_resource_server(world: World, good: Good, request: Request) -> set[str]:
    """Explain why a resource server has served this; raises Unexplained."""
    found: set[str] = set()
    matched = _TOKEN68.fullmatch(one_value(request, "Authorization"))
    require(matched, "no credentials")
    assert matched is not None
    scheme, token = matched[1], matched[2]
    good_value = str(good.request.value("Authorization"))
    if token != good_value.rpartition(" ")[2]:
        found.add("another good token")
    elif one_value(request, "Authorization") != good_value:
        found.add("scheme in another case or more spaces")
    require("access_token" not in parse_qs(urlsplit(request.url).query, True), "two tokens")
    claims = token_claims(world, token, ORDERS)
    needed = "orders.read" if request.method in ("GET", "HEAD") else "orders.write"
    require(needed in str(claims.get("scope", "")).split(" "), "not in its scope")
    binding, cnf = _named_binding(claims)
    require(scheme.lower() == binding.scheme.lower(), "another scheme")
    found |= outward(good.request, request, _read_by(binding, request))
    if binding.name != "mtls" and good.request.peer_certificate != request.peer_certificate:
        found.add("certificate that decides nothing")
    if binding.name == "http_signature":
        verified_signature(world, request, cnf["htsk"])
        return found | signature_difference(good.request, request)
    found |= _uncovered(good.request, request)
    if binding.name == "dpop":
        key = proof(world, request, token)
        require(thumbprint_of(key) == cnf["jkt"], "another key than the token's")
        found |= _proof_difference(good.request, request)
    elif binding.name == "mtls":
        shown = hashlib.sha256(_certificate(request, world.lab.clock())).digest()
        require(spelled(shown) == cnf["x5t#S256"], "another certificate than the token's")
    return found


def _read_by(binding: Binding, request: Request) -> list[str]:
    """Return the fields that are judged by themselves, in lower case."""
    read = ["authorization"]
    if binding.name == "dpop":
        read.append("dpop")
    if binding.name == "http_signature":
        read += ["signature", "signature-input"]
        covers = '"content-digest"' in (request.value("Signature-Input") or "")
        read += ["content-digest"] * covers
    return read


def _named_binding(claims: Mapping[str, Any]) -> tuple[Binding, Mapping[str, Any]]:
    """Return the binding that a token names, and what it says of it."""
    cnf = claims.get("cnf", {})
    require(isinstance(cnf, dict) and bool(cnf) == ("cnf" in claims), "cnf says nothing")
    by_member = {binding.confirmation: binding for binding in BINDINGS.values()}
    known = [member for member in cnf if member in by_member] or [None] * (not cnf)
    require(len(known) == 1, "bound to two things, or to what nobody knows")
    return by_member[known[0]], cnf


def _certificate(request: Request, now: float) -> bytes:
    """Return the certificate that counts: of the connection, or as the proxy says it."""
    shown = request.peer_certificate
    if shown == PROXY.certificate:
        value = one_value(request, "Client-Cert")
        require(value[:1] == value[-1:] == ":", "no byte sequence")
        shown = base64.b64decode(value[1:-1], validate=True)
    require(shown is not None, "no certificate")
    assert shown is not None
    read = x509.load_der_x509_certificate(shown)
    start, end = read.not_valid_before_utc.timestamp(), read.not_valid_after_utc.timestamp()
    require(start <= now < end, "a certificate out of its time")
    return shown


def token_claims(world: World, token: str, audience: str | None) -> dict[str, Any]:
    """Return the claims of a good access token; of any audience if None is named."""
    jws = Jws.of(token)
    jws.require_signed_by(world.lab.issuer_key.public_jwk)
    kid = thumbprint_of(world.lab.issuer_key.public_jwk)
    require(jws.header.get("kid") == kid, "another key id")
    typ = str(jws.header.get("typ")).lower()
    require(typ in ("at+jwt", "application/at+jwt"), "no access token")
    claims, now = jws.claims, world.lab.clock()
    for name in ("sub", "client_id", "jti"):
        require(isinstance(claims.get(name), str) and claims[name], f"no {name}")
    require(claims.get("iss") == ISSUER, "another issuer")
    aud = claims.get("aud")
    require(isinstance(aud, str | list), "no audience")
    require(audience is None or audience in ([aud] if isinstance(aud, str) else aud), "audience")
    require(is_time(claims.get("iat")) and is_time(claims.get("exp")), "no times")
    require(claims["exp"] > now, "expired")
    start = claims.get("nbf", 0)
    require(is_time(start) and start <= now, "not yet")
    return claims


def proof(world: World, request: Request, token: str | None) -> Mapping[str, Any]:
    """Return the key of a good DPoP proof that was not spent before, and spend it."""
    jws = Jws.of(one_value(request, "DPoP"))
    key, claims, now = jws.header.get("jwk"), jws.claims, world.lab.clock()
    require(isinstance(key, dict) and jws.header.get("typ") == "dpop+jwt", "no proof")
    assert isinstance(key, dict)
    require(not {"d", "k", "p", "q"} & set(key), "a private key")
    jws.require_signed_by(key)
    require(claims.get("htm") == request.method, "another method")
    require(isinstance(claims.get("htu"), str), "no target")
    require(target(claims["htu"]) == target(request.url), "another target")
    require(is_time(claims.get("iat")) and abs(claims["iat"] - now) <= 60, "not its time")
    for name in ("exp", "nbf"):
        require(name not in claims or is_time(claims[name]), f"{name} is no time")
    end, start = claims.get("exp", now + 1), claims.get("nbf", 0)
    require(start <= now + 60 and now < end, "not its own time")
    require(world.nonce in (None, claims.get("nonce")), "not the server's nonce")
    if token is not None:
        ath = spelled(hashlib.sha256(token.encode("ascii")).digest())
        require(claims.get("ath") == ath, "for another token")
    jti = claims.get("jti")
    require(isinstance(jti, str) and 0 < len(jti) <= 256, "no usable jti")
    once = (thumbprint_of(key), f"{'as' if token is None else 'rs'} {jti}")
    require(once not in world.spent, "served a second time")
    world.spent.add(once)
    return key


def outward(good: Request, request: Request, read: Collection[str] = ()) -> set[str]:
    """Return what differs around what is verified; `read` are fields that are, in lower case."""
    found: set[str] = set()
    if [n for n, _ in good.fields] != [n for n, _ in request.fields]:
        lower = [[n.lower() for n, _ in each.fields] for each in (good, request)]
        if lower[0] == lower[1]:
            found.add("field names in another case")
        elif sorted(lower[0]) == sorted(lower[1]):
            found.add("fields in another order")
    if any(value != value.strip(" \t") for _, value in request.fields):
        found.add("white space around a value")
    left = [
        sorted((n.lower(), v.strip(" \t")) for n, v in each.fields if n.lower() not in read)
        for each in (good, request)
    ]
    if left[0] != left[1]:
        found.add("fields that decide nothing")
    return found


def _uncovered(good: Request, request: Request) -> set[str]:
    """Return what differs of a request that bearer, DPoP and mTLS do not sign."""
    found: set[str] = set()
    if good.method != request.method or good.body != request.body:
        found.add("what the binding does not cover")
    if good.url != request.url:
        same = target(good.url) == target(request.url)
        same &= urlsplit(good.url).query == urlsplit(request.url).query
        found.add("target in another spelling" if same else "what the binding does not cover")
    return found


def _proof_difference(good: Request, request: Request) -> set[str]:
    """Return what differs of a DPoP proof that was found good."""
    before, after = (one_value(each, "DPoP") for each in (good, request))
    if before == after:
        return set()
    if before.rpartition(".")[0] == after.rpartition(".")[0]:
        return {"another signature of the same"}
    claims = [object_of(octets_of(text.split(".")[1])) for text in (before, after)]
    known = [{name: each.get(name) for name in _PROOF_CLAIMS} for each in claims]
    return {"unknown members" if known[0] == known[1] else "another good proof"}


def signature_difference(good: Request, request: Request) -> set[str]:
    """Return what differs of an HTTP signature that was found good."""
    names, found = ("Signature-Input", "Signature"), set()
    before, after = ([each.values(name) for name in names] for each in (good, request))
    after = [[value.strip(" \t") for value in values] for values in after]
    if before == after:
        return found
    if any(len(values) > 1 for values in after):
        found.add("another signature beside it")
        after = [values[:1] for values in after]
    if before[0] != after[0] and before[1] == after[1]:
        found.add("structured field in another spelling")
    elif before != after:
        found.add("another good proof")
    return found


_PROOF_CLAIMS = ("jti", "htm", "htu", "iat", "ath", "nonce", "exp", "nbf")
