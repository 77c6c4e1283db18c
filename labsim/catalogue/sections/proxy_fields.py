"""What only a proxy may say, said by the client: another target, method or certificate.

A server behind a proxy learns from fields where its client went. One that believes them of anybody
compares a proof with what the sender of the request has written, and not with the request.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, urlsplit, urlunsplit

from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.presenting import refused
from labsim.catalogue.proof_changes import claims, rows, together
from labsim.catalogue.signature_changes import about, resigned
from labsim.catalogue.vector import Actor, Make, Section, Vector
from labsim.certificates import as_pem
from labsim.http_message import Request
from labsim.rejection import Reason

ELSEWHERE = "a proof made for a server of the attacker's is good here: a field says where it went"
OTHERWISE = "a proof for reading is one for writing: a field says what was asked"
HELD = "the certificate, which is public, stands for its key: a stolen token is good alone"
SOURCE = "9700 4.13"
THIEF = "thief.test"

type Change = Callable[[str], str]


def at_the_thiefs(url: str) -> str:
    """Name another host."""
    return urlunsplit(urlsplit(url)._replace(netloc=THIEF))


def by_http(url: str) -> str:
    """Name another scheme."""
    return f"http{url.removeprefix('https')}"


def at_port(url: str) -> str:
    """Name another port of the same host."""
    return urlunsplit(urlsplit(url)._replace(netloc=f"{urlsplit(url).hostname}:444"))


def below(url: str) -> str:
    """Put a segment before the path."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/thief{parts.path}"))


def at_another_path(url: str) -> str:
    """Name another path."""
    return urlunsplit(urlsplit(url)._replace(path="/another"))


TARGETS: tuple[tuple[str, str, Change], ...] = (
    ("X-Forwarded-Host", THIEF, at_the_thiefs),
    ("X-Host", THIEF, at_the_thiefs),
    ("X-Original-Host", THIEF, at_the_thiefs),
    ("Forwarded", f"host={THIEF};proto=https", at_the_thiefs),
    ("X-Forwarded-Proto", "http", by_http),
    ("Forwarded", "proto=http", by_http),
    ("X-Forwarded-Port", "444", at_port),
    ("X-Forwarded-Prefix", "/thief", below),
    ("X-Original-URL", "/another", at_another_path),
    ("X-Rewrite-URL", "/another", at_another_path),
)
METHODS = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")


def saying(make: Make, name: str, value: str) -> Make:
    """Add a field to the request that another change makes."""
    return lambda good: make(good).adding(name, value)


def targeted(name: str, value: str, change: Change) -> tuple[Vector, ...]:
    """Make a row about a proof for where the field says that the request went."""
    return rows(
        "DM-21",
        f"htu as {name} says: {value}",
        SOURCE,
        saying(claims(htu=change), name, value),
        check="htu_is_the_target_uri",
        reason=Reason.PROOF_TARGET_MISMATCH,
        gain=ELSEWHERE,
    )


def asked(name: str) -> tuple[Vector, ...]:
    """Make a row about a proof for the method that the field names."""
    return rows(
        "DM-22",
        f"htm as {name} says",
        SOURCE,
        saying(claims(htm="PUT"), name, "PUT"),
        check="htm_is_the_method",
        reason=Reason.PROOF_METHOD_MISMATCH,
        gain=OTHERWISE,
    )


def signed_at(change: Change) -> Make:
    """Sign for another URL, and send to the server's own."""

    def make(good: GoodRequest) -> Request:
        url = good.request.url
        return resigned(good, good.request.at(change(url))).at(url)

    return make


def signed_as_put(good: GoodRequest) -> Request:
    """Sign another method, and send with the request's own."""
    signed = resigned(good, replace(good.request, method="PUT"))
    return replace(signed, method=good.request.method)


forwarded = about(gain=ELSEWHERE)
overridden = about(gain=OTHERWISE)


def der(good: GoodRequest) -> bytes:
    """Return the holder's certificate."""
    if good.holder.certificate is None:
        raise CannotBeMade("the holder has no certificate")
    return good.holder.certificate


FORMS: dict[str, tuple[str, Callable[[bytes], str]]] = {
    "ssl-client-cert": ("escaped PEM", lambda der: quote(as_pem(der))),
    "X-Client-Cert": ("escaped PEM", lambda der: quote(as_pem(der))),
    "X-Amzn-Mtls-Clientcert": ("escaped PEM", lambda der: quote(as_pem(der), safe="+=/")),
    "X-Forwarded-Tls-Client-Cert": ("base64", lambda der: b64encode(der).decode()),
    "X-ARR-ClientCert": ("base64", lambda der: b64encode(der).decode()),
    "X-Client-Certificate": ("base64", lambda der: b64encode(der).decode()),
}
"""What vendors' proxies call the certificate that they have seen, and how they write it."""


def shown_in(name: str, write: Callable[[bytes], str]) -> Make:
    """Show no certificate, and say in a field that one was shown."""

    def make(good: GoodRequest) -> Request:
        return replace(good.request, peer_certificate=None).adding(name, write(der(good)))

    return make


def certificates() -> tuple[Vector, ...]:
    """Make the rows about a certificate that only a field has."""
    return tuple(
        refused(
            "MT-15c",
            f"in {name}, as {form}",
            "9440 4",
            shown_in(name, write),
            binding="mtls",
            actor=actor,
            status=400 if actor is Actor.AS else 401,
            error="invalid_request" if actor is Actor.AS else "invalid_token",
            check="certificate_is_shown",
            reason=Reason.PROOF_MISSING,
            gain=HELD,
        )
        for name, (form, write) in FORMS.items()
        for actor in Actor
    )


SECTION = Section(
    name="proxy_fields",
    number=9,
    title="What only a proxy may say",
    vectors=together(
        *(targeted(*each) for each in TARGETS),
        *(asked(name) for name in METHODS),
        *(
            forwarded(
                "HS-40", f"signed for where {n} says: {v}", SOURCE, saying(signed_at(c), n, v)
            )
            for n, v, c in TARGETS
        ),
        *(
            overridden(
                "HS-41",
                f"signed for the method in {name}",
                SOURCE,
                saying(signed_as_put, name, "PUT"),
            )
            for name in METHODS
        ),
        certificates(),
    ),
)
