"""Mutations: each takes a good request, or what became of it, and makes one change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote_plus

import http_sf

from benchmarks._fuzzing.places import changed_jws
from benchmarks._fuzzing.values import (
    FIELDS,
    ODD,
    SPELLINGS,
    changed_member,
    compact,
    damaged,
    damaged_octets,
)
from benchmarks._fuzzing.world import PROXY, Good, World
from labsim.http_message import Request
from labsim.jose import Malformed
from labsim.signature_base import signature_base
from labsim.structured_fields import byte_sequence

type Mutation = Callable[[World, Good, Request], Request]


class NotHere(Exception):
    """Say that a mutation has nothing to change in this request."""


def _at(world: World, request: Request) -> int:
    if not request.fields:
        raise NotHere
    return world.rng.randrange(len(request.fields))


def _with_field(request: Request, where: int, *lines: tuple[str, str]) -> Request:
    return replace(request, fields=(*request.fields[:where], *lines, *request.fields[where + 1 :]))


def field_damaged(world: World, _good: Good, request: Request) -> Request:
    """Flip, cut, add or double characters of a field's value."""
    where = _at(world, request)
    name, value = request.fields[where]
    return _with_field(request, where, (name, damaged(world.rng, value)))


def field_odd(world: World, _good: Good, request: Request) -> Request:
    """Put something quite different into a field."""
    where, rng = _at(world, request), world.rng
    odd = (
        "",
        " ",
        '"',
        "()",
        ":",
        "Bearer",
        "DPoP ",
        "Basic",
        ",",
        "=" * 50,
        "\xff" * 30,
        "a" * 9000,
    )
    return _with_field(request, where, (request.fields[where][0], rng.choice(odd)))


def field_doubled(world: World, _good: Good, request: Request) -> Request:
    """Let a field stand twice, as it is or in two halves."""
    where = _at(world, request)
    name, value = request.fields[where]
    middle = world.rng.choice((0, len(value) // 2, len(value)))
    lines = (
        ((name, value),) * 2 if middle == 0 else ((name, value[:middle]), (name, value[middle:]))
    )
    return _with_field(request, where, *lines)


def field_removed(world: World, _good: Good, request: Request) -> Request:
    """Take a field away."""
    return _with_field(request, _at(world, request))


def fields_swapped(world: World, _good: Good, request: Request) -> Request:
    """Give two fields one another's values, or places."""
    one, other = _at(world, request), _at(world, request)
    fields = list(request.fields)
    fields[one], fields[other] = fields[other], fields[one]
    if world.rng.random() < 0.5:
        (n1, v1), (n2, v2) = fields[one], fields[other]
        fields[one], fields[other] = (n2, v1), (n1, v2)
    return replace(request, fields=tuple(fields))


def field_renamed(world: World, _good: Good, request: Request) -> Request:
    """Spell a field's name in another way."""
    where = _at(world, request)
    name, value = request.fields[where]
    spelled = (
        name.upper(),
        name.lower(),
        name.replace("-", "_"),
        f"X-{name}",
        name[:-1],
        f"{name} ",
    )
    return _with_field(request, where, (world.rng.choice(spelled), value))


def field_spaced(world: World, _good: Good, request: Request) -> Request:
    """Put white space around a value, or more of it inside."""
    where, rng = _at(world, request), world.rng
    name, value = request.fields[where]
    spaced = (f" {value}\t", value.replace(" ", "  ", 1), value.replace(" ", "\t", 1), f"{value} ")
    return _with_field(request, where, (name, rng.choice(spaced)))


def field_added(world: World, _good: Good, request: Request) -> Request:
    """Add a field line, in front or at the end."""
    value = damaged(world.rng, world.rng.choice(("a", "1", 'sig=("@method")', "sha-256=:AA==:")))
    line = (world.rng.choice(FIELDS), value)
    fields = (line, *request.fields) if world.rng.random() < 0.5 else (*request.fields, line)
    return replace(request, fields=fields)


def field_of_another(world: World, _good: Good, request: Request) -> Request:
    """Use the thief's field in place of the holder's, or beside it."""
    theirs = world.others()
    name, value = theirs.fields[world.rng.randrange(len(theirs.fields))]
    if world.rng.random() < 0.7:
        request = request.without(name)
    return request.adding(name, value)


def method_changed(world: World, _good: Good, request: Request) -> Request:
    """Use another method, or none that there is."""
    odd = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", "Get", "GETT", "!", "X" * 99)
    return replace(request, method=world.rng.choice(odd))


def _split(url: str) -> tuple[str, str]:
    end = url.find("/", len("https://"))
    return (url[:end], url[end:]) if end >= 0 else (url, "/")


def url_changed(world: World, _good: Good, request: Request) -> Request:
    """Spell the target in another way, or go elsewhere on the same server."""
    rng = world.rng
    origin, path = _split(request.url)
    spelled: tuple[Callable[[], str], ...] = (
        lambda: origin.upper().replace("HTTPS", "https") + path,
        lambda: f"{origin}/x/..{path}",
        lambda: f"{origin}/.{path}",
        lambda: f"{origin}{path}/",
        lambda: f"{origin}/{path}",
        lambda: origin + path.replace("r", "%72", 1),
        lambda: origin + "/" + path[1:].replace("/", "%2F"),
        lambda: origin + path.upper(),
        lambda: f"{origin}{path}{'&' if '?' in path else '?'}access_token=a",
        lambda: f"{origin}{path}{'&' if '?' in path else '?'}x={rng.choice(('', '%', 'a' * 5000))}",
        lambda: origin + path.partition("?")[0] + "?",
        lambda: origin + "/" + "a/../" * 1500 + path[1:],
        lambda: origin + rng.choice(("/token", "/introspect", "/revoke", "/revocations", "/jwks")),
        lambda: origin + "/" + "".join(c for c in damaged(rng, path[1:]) if "!" <= c <= "~"),
    )
    return request.at(rng.choice(spelled)())


def body_changed(world: World, _good: Good, request: Request) -> Request:
    """Change octets of the body, take it away, or bring one."""
    rng = world.rng
    if rng.random() < 0.7 and request.body:
        return replace(request, body=damaged_octets(rng, request.body))
    odd = (b"", b"\xff", b"[" * 5000, b'{"title":' * 2000, b"a=1&" * 300, b'{"title":1,"title":2}')
    return replace(request, body=rng.choice(odd))


def json_body_changed(world: World, good: Good, request: Request) -> Request:
    """Change a member of a JSON body, or write it in another way."""
    if good.kind != "add":
        raise NotHere
    try:
        value = json.loads(request.body)
        if world.rng.random() < 0.5:
            body = world.rng.choice(list(SPELLINGS.values()))(value)
        else:
            body = compact(changed_member(world.rng, value))
    except (ValueError, AttributeError, TypeError):
        raise NotHere from None
    return replace(request, body=body)


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
        odd = (0, -1, 1.5, True, b"a", "", "a" * 300, "httpsig-oauth", rng.randrange(2 * 10**9))
        name = rng.choice([*parameters, "expires", "keyid", "alg", "pub", "x"])
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


MUTATIONS: tuple[tuple[int, Mutation], ...] = (
    (6, field_damaged),
    (2, field_odd),
    (3, field_doubled),
    (3, field_removed),
    (3, fields_swapped),
    (3, field_renamed),
    (2, field_spaced),
    (3, field_added),
    (3, field_of_another),
    (2, method_changed),
    (4, url_changed),
    (3, body_changed),
    (2, json_body_changed),
    (4, certificate_changed),
    (3, forwarded_certificate_changed),
    (14, jws_changed),
    (5, form_changed),
    (7, signature_changed),
    (2, digest_changed),
)
