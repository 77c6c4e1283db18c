"""Why a mutant was served at the authorization server, or a notice was taken (see `explained`)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from benchmarks._fuzzing.explained import outward, proof, signature_difference, token_claims
from benchmarks._fuzzing.reading import (
    Jws,
    Unexplained,
    form_of,
    is_time,
    one_value,
    require,
    spelled,
    thumbprint_of,
)
from benchmarks._fuzzing.signed import verified_signature
from benchmarks._fuzzing.world import ASSERTION_TYPE, SECRET, Good, World
from labsim.http_message import Request, Response
from labsim.roles.revocation_notice import NOTICE_TYPE
from tests.wiring import CRM, ISSUER, ORDERS, OWN_CLIENT

_GRANT = "grant_type"


def at_authorization_server(
    world: World, good: Good, request: Request, response: Response
) -> set[str]:
    """Explain why the authorization server has answered 200; raises Unexplained."""
    form = form_of(request)
    client = _client(world, request, form)
    path = urlsplit(request.url).path
    if path == "/introspect":
        return _about(world, form, client, response)
    if path == "/revoke":
        return _ended(world, form, client)
    require(path == "/token", "no endpoint")
    issued = token_claims(world, response.json()["access_token"], None)
    require(issued["client_id"] == client, "a token for another client")
    require(issued.get("cnf", {}) == _brought(world, request), "bound to another key")
    required = [name for name, own in OWN_CLIENT.items() if own == client and name != "bearer"]
    require(not required or issued.get("cnf"), "its client must have a bound token")
    names = {ORDERS: "orders", CRM: "crm"}
    require(form.get("resource", issued["aud"]) == issued["aud"] in names, "another resource")
    scopes = set(issued["scope"].split(" "))
    own = {f"{names[issued['aud']]}.{verb}" for verb in ("read", "write")} - {"crm.write"}
    require(scopes and scopes <= own, "more scope than the client has")
    require("scope" not in form or scopes == set(form["scope"].split(" ")), "another scope")
    _require_grant(world, form, client, issued)
    return _differences(good.request, request)


def _client(world: World, request: Request, form: dict[str, str]) -> str:
    """Return who the client has shown to be."""
    assertion = form.get("client_assertion")
    fields = [name for name, _ in request.fields if name.lower() == "authorization"]
    require(len(fields) + (assertion is not None) == 1 and "client_secret" not in form, "two ways")
    if assertion is None:
        scheme, _, encoded = one_value(request, "Authorization").partition(" ")
        require(scheme.lower() == "basic", "another scheme")
        pair = base64.b64decode(encoded.strip(" "), validate=True).decode("ascii")
        client, _, secret = pair.partition(":")
        require(unquote_plus(secret) == SECRET, "another secret")
        client = unquote_plus(client)
    else:
        require(form.get("client_assertion_type") == ASSERTION_TYPE, "another type of assertion")
        jws, now = Jws.of(assertion), world.lab.clock()
        jws.require_signed_by(world.lab.client_key.public_jwk)
        claims, client = jws.claims, "keyed"
        require(claims.get("iss") == claims.get("sub") == client, "another client's")
        require(claims.get("aud") == ISSUER, "for another server")
        require(is_time(claims.get("exp")) and now < claims["exp"] <= now + 300, "not its time")
        require(str(jws.header.get("typ", "JWT")).lower() in _ASSERTION_TYPES, "no assertion")
        once = ("assertion", str(claims.get("jti")))
        require(isinstance(claims.get("jti"), str) and once not in world.spent, "spent")
        world.spent.add(once)
    require(form.get("client_id", client) == client, "two names")
    require(client in world.lab.clients, "a client that is not registered")
    return client


_ASSERTION_TYPES = ("jwt", "client-authentication+jwt")


def _brought(world: World, request: Request) -> dict[str, Any]:
    """Return the `cnf` of the key that the request brings and proves; empty for none."""
    names = {name.lower() for name, _ in request.fields}
    signed, shown = bool({"signature", "signature-input"} & names), request.peer_certificate
    require(("dpop" in names) + signed + (shown is not None) <= 1, "two keys")
    if "dpop" in names:
        return {"jkt": thumbprint_of(proof(world, request, None))}
    if signed:
        return {"htsk": dict(verified_signature(world, request, None))}
    if shown is not None:
        return {"x5t#S256": spelled(hashlib.sha256(shown).digest())}
    return {}


def _require_grant(world: World, form: dict[str, str], client: str, issued: dict[str, Any]) -> None:
    kind = form.get(_GRANT)
    if kind == "refresh_token":
        token = form.get("refresh_token", "")
        require(token.startswith("refresh-") and client == "free", "no such refresh token")
        require(("refresh", token) not in world.spent, "a refresh token was used twice")
        world.spent.add(("refresh", token))
    elif kind == "client_credentials":
        require(client not in ("orders", "crm"), "a grant that is not registered")
    else:
        subject = token_claims(world, form["subject_token"], None)
        require(client == "orders" and issued.get("act"), "no exchange of this client's")
        require(
            ORDERS in subject["aud"] or subject.get("may_act"), "a token that was not sent here"
        )
        require(issued.get("cnf") and issued["exp"] <= subject["exp"], "laundered")


def _differences(good: Request, request: Request) -> set[str]:
    found = outward(good, request, ("authorization", "dpop", "signature", "signature-input"))
    read = [
        (r.value("Authorization"), r.value("DPoP"), r.value("Signature")) for r in (good, request)
    ]
    if read[0] != read[1] or good.peer_certificate != request.peer_certificate:
        found.add("another good request")
    found |= signature_difference(good, request)
    if good.body != request.body:
        before, after = form_of(good), form_of(request)
        same = {k: before.get(k) for k in _KNOWN} == {k: after.get(k) for k in _KNOWN}
        found.add("form in another spelling" if same else "another good request")
    if good.url != request.url:
        found.add("target in another spelling")
    return found


_KNOWN = (_GRANT, "resource", "scope", "refresh_token", "subject_token", "client_assertion")


def _about(world: World, form: dict[str, str], client: str, response: Response) -> set[str]:
    answer = response.json()
    if answer.get("active") is not True:
        require(answer == {"active": False}, "tells of a token that is none")
        return {"a token that is none"}
    if form["token"].startswith("refresh-"):
        return {"another good request"}
    claims = token_claims(world, form["token"], None)
    audiences = {"orders": ORDERS, "crm": CRM}
    theirs = claims["client_id"] == client or audiences.get(client) in claims["aud"]
    require(theirs, "tells of another's token")
    return {"form in another spelling"}


def _ended(world: World, form: dict[str, str], client: str) -> set[str]:
    if not world.lab.told:
        return {"a token that is none"}
    told = [ended.jti for ended in world.lab.told]
    claims = Jws.of(form["token"])
    claims.require_signed_by(world.lab.issuer_key.public_jwk)
    require(told[0] == claims.claims["jti"], "ended another token")
    require(claims.claims["client_id"] == client, "ended another's token")
    return {"form in another spelling"}


def notice(world: World, request: Request) -> set[str]:
    """Explain why a resource server has believed a notice; raises Unexplained."""
    jws = Jws.of(request.body.decode("ascii"))
    jws.require_signed_by(world.lab.issuer_key.public_jwk)
    require(jws.header.get("typ") == "secevent+jwt", "no notice")
    aud = jws.claims.get("aud")
    require(ORDERS in (aud if isinstance(aud, list) else [aud]), "for another server")
    require(jws.claims.get("iss") == ISSUER, "by another issuer")
    made = jws.claims.get("iat")
    require(is_time(made) and abs(made - world.lab.clock()) <= 60, "not its time")
    require(isinstance(jws.claims.get("jti"), str), "no jti")
    require(
        one_value(request, "Content-Type").partition(";")[0].lower() == NOTICE_TYPE, "no notice"
    )
    return {"another good request"}


__all__ = ["Unexplained", "at_authorization_server", "notice"]
