"""Mutations: each takes a good request, or what became of it, and makes one change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from benchmarks._fuzzing.proof_mutations import (
    certificate_changed,
    digest_changed,
    form_changed,
    forwarded_certificate_changed,
    jws_changed,
    proof_of_the_thief,
    signature_changed,
)
from benchmarks._fuzzing.values import (
    FIELDS,
    SPELLINGS,
    changed_member,
    compact,
    damaged,
    damaged_octets,
)
from benchmarks._fuzzing.world import Good, NotHere, World
from labsim.http_message import Request

type Mutation = Callable[[World, Good, Request], Request]


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
    (1, proof_of_the_thief),
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
