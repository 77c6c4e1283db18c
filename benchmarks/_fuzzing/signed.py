"""A second opinion on HTTP message signatures (RFC 9421), for what was served."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import http_sf

from benchmarks._fuzzing.reading import Unexplained, require, require_signature, spelled
from benchmarks._fuzzing.world import World
from labsim.http_message import Request

TAGS = ("httpsig-oauth", "httpsig-oauth-token-request")


def _dictionary(request: Request, name: str) -> dict[str, Any]:
    values = [value for key, value in request.fields if key.lower() == name]
    twice: list[str] = []
    try:
        found: dict[str, Any] = http_sf.parse(  # type: ignore[assignment]
            ", ".join(values).encode("ascii"),
            tltype="dictionary",
            on_duplicate_key=lambda key, _where: twice.append(key),
        )
    except (http_sf.StructuredFieldError, ValueError):
        raise Unexplained(f"{name} is no structured field") from None
    require(not twice, f"{name} says something twice")
    return found


def verified_signature(
    world: World, request: Request, bound: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """Ask for one good signature of the profile, by the bound key or, if None, by a brought one.

    Returns the key as `cnf` names it; spends the nonce.
    """
    inputs, signatures = (_dictionary(request, n) for n in ("signature-input", "signature"))
    ours = [label for label, (_, more) in inputs.items() if more.get("tag") in TAGS]
    require(len(ours) == 1, "not one signature with a tag of the profile")
    items, parameters = inputs[ours[0]]
    require(parameters["tag"] == TAGS[bound is None], "the tag of the other use")
    names = [name for name, more in items if not more]
    require(len(names) == len(items) == len(set(names)), "components twice, or with parameters")
    _require_covered(request, names)
    _require_in_time(world, parameters)
    if bound is None:
        require({"alg", "pub"} <= set(parameters) and "keyid" not in parameters, "brings no key")
        bound = {"alg": parameters["alg"], "pub": spelled(parameters["pub"])}
    else:
        require(not {"alg", "pub", "keyid"} & set(parameters), "names a key")
    lines = [f'"{name}": {_value(request, name)}' for name in names]
    text = http_sf.ser({ours[0]: (items, parameters)})[len(ours[0]) + 1 :]
    lines.append(f'"@signature-params": {text}')
    require_signature(_jwk(bound), signatures[ours[0]][0], "\n".join(lines).encode("ascii"))
    once = (str(bound["pub"]), f"{request.url[:12]} {parameters['nonce']}")
    require(once not in world.spent, "served a second time")
    world.spent.add(once)
    return bound


def _require_covered(request: Request, names: list[str]) -> None:
    require({"@method", "@target-uri"} <= set(names), "method or target not covered")
    if request.value("Authorization") is not None:
        require("authorization" in names, "authorization not covered")
    if request.body:
        require("content-digest" in names, "body not covered")
    if "content-digest" in names:
        given = {name: value[0] for name, value in _dictionary(request, "content-digest").items()}
        known = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
        require(set(given) & set(known), "no digest of a known algorithm")
        for name in set(given) & set(known):
            require(given[name] == known[name](request.body).digest(), "another body's digest")


def _require_in_time(world: World, parameters: Mapping[str, Any]) -> None:
    now, created, end = world.lab.clock(), parameters["created"], parameters.get("expires")
    require(type(created) is int and abs(now - created) <= 60, "not its time")
    require(end is None or (type(end) is int and end > max(now, created)), "expired")
    nonce = parameters.get("nonce")
    require(type(nonce) is str and 0 < len(nonce) <= 256, "no usable nonce")


def _value(request: Request, name: str) -> str:
    scheme, _, rest = request.url.partition("#")[0].partition("://")
    hierarchy, mark, query = rest.partition("?")
    authority, slash, path = hierarchy.partition("/")
    path = slash + path
    derived = {
        "@method": request.method,
        "@target-uri": f"{scheme}://{authority}{path or '/'}{mark}{query}",
        "@authority": authority.lower(),
        "@scheme": scheme.lower(),
        "@request-target": f"{path or '/'}{mark}{query}",
        "@path": path or "/",
        "@query": f"?{query}",
    }
    if name.startswith("@"):
        require(name in derived, f"{name} is not known")
        return derived[name]
    values = [value.strip(" \t") for key, value in request.fields if key.lower() == name]
    require(values, f"there is no field {name}")
    return ", ".join(values)


def _jwk(bound: Mapping[str, Any]) -> dict[str, str]:
    octets = base64.urlsafe_b64decode(bound["pub"] + "==")
    if bound["alg"] == "ed25519":
        return {"kty": "OKP", "crv": "Ed25519", "x": spelled(octets)}
    require(bound["alg"] == "ecdsa-p256-sha256" and octets[:1] == b"\x04", "no such key")
    x, y = spelled(octets[1:33]), spelled(octets[33:])
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
