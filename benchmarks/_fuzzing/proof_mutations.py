"""Mutations of what proves something: certificates, JWS, signatures, digests, and forms."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote_plus

import http_sf

from benchmarks._fuzzing.places import changed_jws
from benchmarks._fuzzing.signed import TAGS
from benchmarks._fuzzing.values import (
    ODD,
    damaged_octets,
)
from benchmarks._fuzzing.world import PROXY, Good, NotHere, World
from labsim.http_message import Request
from labsim.jose import Malformed
from labsim.signature_base import signature_base
from labsim.structured_fields import byte_sequence
from tests.wiring import BINDINGS


def certificate_changed(world: World, _good: Good, request: Request) -> Request:
    """Show another certificate, a damaged one, or none."""
    rng, shown = world.rng, request.peer_certificate
    other = rng.choice((world.lab.thief.certificate, PROXY.certificate, None, b"", b"\x30\x80"))
    if shown is None or rng.random() < 0.4:
        return request.showing(other)
    return request.showing(damaged_octets(rng, shown))


def forwarded_certificate_changed(world: World, good: Good, request: Request) -> Request:
    """Let the proxy say another certificate, in octets or in its spelling."""
    value = request.value("Client-Cert")
    if good.kind != "behind a proxy" or value is None or not good.request.peer_certificate:
        raise NotHere
    rng, der = world.rng, world.holder.certificate or b""
    spelled = rng.choice(
        (value[:-2] + ":", value[1:], value + ";a=1", f"{value}, {value}", f" {value}")
    )
    octets = byte_sequence(damaged_octets(rng, der))
    return request.without("Client-Cert").adding("Client-Cert", rng.choice((spelled, octets)))


def proof_of_the_thief(world: World, good: Good, request: Request) -> Request:
    """Prove the thief's own key beside the holder's token."""
    value = request.value("Authorization")
    if good.kind not in ("read", "add") or value is None:
        raise NotHere
    bare = request.without(
        "Authorization", "DPoP", "Signature", "Signature-Input", "Content-Digest"
    )
    shown = world.lab.presentation(value.rpartition(" ")[2], world.lab.thief, world.nonce)
    try:
        return BINDINGS[world.binding].attach(bare, shown)
    except Malformed:
        raise NotHere from None  # an earlier change has left what nobody can sign


def jws_changed(world: World, good: Good, request: Request) -> Request:
    """Change a token, a proof, an assertion or a notice, and sign it again or not."""
    if not good.places:
        raise NotHere
    place = world.rng.choice(good.places)
    try:
        text = place.get(request)
        changed, _what = changed_jws(world.rng, text or "", place.key)
        return place.put(request, changed)
    except (
        ValueError,
        KeyError,
        IndexError,
        AttributeError,
        TypeError,
        OverflowError,
        RecursionError,
    ):
        raise NotHere from None  # an earlier change has left no JWS there


def form_changed(world: World, _good: Good, request: Request) -> Request:
    """Double, take away, rename, empty or respell a parameter of a form, or add one."""
    if b"=" not in request.body or request.body[:1] == b"{":
        raise NotHere
    rng = world.rng
    pairs = request.body.decode("latin-1").split("&")
    where = rng.randrange(len(pairs))
    name, _, value = pairs[where].partition("=")
    spelled = "".join(f"%{octet:02x}" for octet in value[:9].encode("latin-1", "replace"))
    odd = (
        f"{name}=",
        f"={value}",
        name,
        f"{name.upper()}={value}",
        f"{name}={value}%",
        f"{name}=%ff",
    )
    changed = (
        [*pairs, pairs[where]],
        pairs[:where] + pairs[where + 1 :],
        [*pairs[:where], rng.choice(odd), *pairs[where + 1 :]],
        [
            *pairs[:where],
            f"{name}={quote_plus(str(rng.choice(ODD)), errors='replace')}",
            *pairs[where + 1 :],
        ],
        [
            *pairs,
            rng.choice(("x=1", "resource=", "scope=", "client_id=free", "client_secret=a", "&")),
        ],
        [
            *pairs[:where],
            f"{name}={spelled}{value[9:]}" if "%" not in value[:9] else pairs[where],
            *pairs[where + 1 :],
        ],
        pairs[::-1],
    )
    return replace(request, body="&".join(rng.choice(changed)).encode("latin-1", "replace"))


def signature_changed(world: World, _good: Good, request: Request) -> Request:
    """Change a parameter or a component of a signature, and sign it again or not."""
    field = request.value("Signature-Input")
    if field is None:
        raise NotHere
    rng = world.rng
    try:
        (label, (items, parameters)), *_rest = http_sf.parse(
            field.encode(), tltype="dictionary"
        ).items()
        names = [name for name, _ in items]
    except (http_sf.StructuredFieldError, ValueError, TypeError):
        raise NotHere from None
    roll = rng.randrange(6)
    if roll < 3:
        odd = (0, -1, 1.5, True, b"a", "", "a" * 300, *TAGS, rng.randrange(2 * 10**9))
        name = rng.choice([*parameters, "tag", "expires", "keyid", "alg", "pub", "x"])
        is_time = name == "created" and type(parameters[name]) is int
        near = [parameters[name] + rng.choice((-59, 59, 61))] if is_time else []
        parameters = {**parameters, name: rng.choice((*odd, *near))}
    elif roll == 3:
        parameters = dict(list(parameters.items())[1:])
    elif roll == 4:
        names = [name for name in names if rng.random() < 0.7]
    else:
        more = (
            "@query",
            "@path",
            "@authority",
            "host",
            "@status",
            "@method",
            "content-type",
            "X",
            "",
        )
        names = [*names, rng.choice(more)]
    return _signed(
        world, request, rng.choice((label, label, "other", "*a.b-c_1")), names, parameters
    )


def _signed(
    world: World, request: Request, label: str, names: list[str], parameters: dict
) -> Request:  # type: ignore[type-arg]
    try:
        text = http_sf.ser({label: ([(name, {}) for name in names], parameters)})
        bare = request.without("Signature-Input")
        if world.rng.random() < 0.75:
            base = signature_base(bare.without("Signature"), names, text[len(label) + 1 :])
            value = f"{label}={byte_sequence(world.holder.sign(base))}"
            bare = bare.without("Signature").adding("Signature", value)
    except (http_sf.StructuredFieldError, Malformed, ValueError, TypeError, AttributeError):
        raise NotHere from None  # what cannot be written, or signed
    return bare.adding("Signature-Input", text)


def digest_changed(world: World, _good: Good, request: Request) -> Request:
    """Name another algorithm in Content-Digest, more of them, or none."""
    value = request.value("Content-Digest")
    if value is None:
        raise NotHere
    spelled = (
        value.replace("256", "512"),
        value.replace("sha", "SHA"),
        f"{value}, md5=:AAAA:",
        f"{value}, {value}",
        f"sha-512=:AA==:, {value}",
        f"{value};a=1",
        "",
        "sha-256=",
        value.replace(":", '"'),
    )
    return request.without("Content-Digest").adding("Content-Digest", world.rng.choice(spelled))
