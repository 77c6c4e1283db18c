"""Signed requests, good and bad, and the library that others verify them with.

http-message-signatures is called with everything that it takes: the tag, the age, what has to be
covered, the body. It insists on a key's name, which the lab's profile forbids; the subclass of
`tests/vectors/test_second_opinion.py` gives it one, and is otherwise the library.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from http_message_signatures import HTTPMessageSignaturesException, MappingKeyResolver
from http_message_signatures.algorithms import ECDSA_P256_SHA256

from benchmarks._clients import BINDINGS
from benchmarks._peers.shape import Case, Shown, Verifier, the_lab
from labsim.binding import Presentation
from labsim.bindings.http_signature import TAG, TOKEN_REQUEST_TAG
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.signature_base import signature_base
from labsim.structured_fields import byte_sequence
from tests.vectors.test_second_opinion import COVERED, message_of
from tests.vectors.test_second_opinion import Verifier as Nameless

METHOD, URL = "POST", "https://orders.example/records?page=2"
BODY = b'{"title":"A record","text":"what was to be written"}'
_WITHIN = datetime.timedelta(seconds=60)
_ENDPOINT = "https://as.example/token"
_OTHER = SigningKey.generate()
ALL = (*COVERED, "content-digest")


def _cnf(key: SigningKey) -> dict[str, Any]:
    room = BINDINGS["http_signature"]
    introduction = Presentation(None, key, time.time(), lambda: secrets.token_urlsafe(16))
    return room.bind(room.parse(room.attach(Request("POST", _ENDPOINT), introduction)))


def shown(
    key: SigningKey,
    covered: tuple[str, ...] = ALL,
    more: str = "",
    signing: SigningKey | None = None,
    **changed: str,
) -> Shown:
    """Make a request that was signed just now; what is given is what is unusual in it."""
    token = secrets.token_urlsafe(480)
    request = Request(METHOD, URL, body=BODY).adding("Authorization", f"HTTPSig {token}")
    digest = byte_sequence(hashlib.sha256(BODY).digest())
    request = request.adding("Content-Digest", f"sha-256={digest}")
    parameters = {
        "created": str(int(time.time())),
        "nonce": f'"{secrets.token_urlsafe(16)}"',
        "tag": f'"{TAG}"',
    } | changed
    named = "".join(f";{name}={value}" for name, value in parameters.items() if value)
    names = " ".join(f'"{name}"' for name in covered)
    inputs = f"({names}){named}{more}"
    signature = (signing or key).sign(signature_base(request, list(covered), inputs))
    request = request.adding("Signature-Input", f"sig={inputs}")
    request = request.adding("Signature", f"sig={byte_sequence(signature)}")
    return Shown(request, token, _cnf(key), "", key.private.public_key())


# What others verify with.


def _by_the_library(each: Shown) -> None:
    keys = MappingKeyResolver(public_keys={"bound": each.key}, private_keys={})
    verifier = Nameless(signature_algorithm=ECDSA_P256_SHA256, key_resolver=keys)
    verifier.verify(
        message_of(each.request),
        max_age=_WITHIN,
        expect_tag=TAG,
        require_components=COVERED,
        body=each.request.body,
    )


VERIFIERS = (
    the_lab(BINDINGS["http_signature"]),
    Verifier(
        f"http-message-signatures {version('http-message-signatures')}",
        _by_the_library,
        (HTTPMessageSignaturesException,),
    ),
)


# What can be wrong with a signed request.


def _after(change: Callable[[Request], Request]) -> Callable[[SigningKey], Shown]:
    """Change a request that was signed already."""

    def make(key: SigningKey) -> Shown:
        good = shown(key)
        return replace(good, request=change(good.request))

    return make


def _without(name: str) -> Callable[[SigningKey], Shown]:
    return lambda key: shown(key, tuple(each for each in ALL if each != name))


def _with(**parameters: str) -> Callable[[SigningKey], Shown]:
    return lambda key: shown(key, **parameters)


def _other_token(request: Request) -> Request:
    fields = [(n, v) for n, v in request.fields if n != "Authorization"]
    return replace(request, fields=(("Authorization", "HTTPSig another"), *fields))


def _second(request: Request) -> Request:
    """Put the same signature there a second time, under another label."""
    inputs, signature = request.values("Signature-Input")[0], request.values("Signature")[0]
    fields = [(n, v) for n, v in request.fields if not n.startswith("Signature")]
    doubled = replace(request, fields=tuple(fields))
    doubled = doubled.adding(
        "Signature-Input", f"{inputs}, {(inputs or '').replace('sig=', 'two=', 1)}"
    )
    return doubled.adding(
        "Signature", f"{signature}, {(signature or '').replace('sig=', 'two=', 1)}"
    )


def _at(seconds: int) -> str:
    return str(int(time.time()) + seconds)


BAD = (
    Case("signed by another key than the token's", lambda key: shown(key, signing=_OTHER)),
    Case("another method", _after(lambda r: replace(r, method="PUT"))),
    Case("another path", _after(lambda r: replace(r, url=URL.replace("records", "others")))),
    Case("another query", _after(lambda r: replace(r, url=URL + "2"))),
    Case("another token", _after(_other_token)),
    Case("another body", _after(lambda r: replace(r, body=b"{}"))),
    Case("no body", _after(lambda r: replace(r, body=b""))),
    Case("the method not covered", _without("@method")),
    Case("the target not covered", _without("@target-uri")),
    Case("the token not covered", _without("authorization")),
    Case("the digest of the body not covered", _without("content-digest")),
    Case("created ten minutes ago", lambda key: shown(key, created=_at(-600))),
    Case("created in ten minutes", lambda key: shown(key, created=_at(600))),
    Case("not said when it was created", _with(created="")),
    Case("expired a minute ago", lambda key: shown(key, more=f";expires={_at(-60)}")),
    Case("no nonce", _with(nonce="")),
    Case("an empty nonce", _with(nonce='""')),
    Case("a nonce of 4,000 characters, to be remembered", _with(nonce='"' + "n" * 4000 + '"')),
    Case("no tag", _with(tag="")),
    Case("the tag of a token request", _with(tag=f'"{TOKEN_REQUEST_TAG}"')),
    Case("names a key, which the profile forbids", lambda key: shown(key, more=';keyid="mine"')),
    Case(
        "names the algorithm, which the profile forbids",
        lambda key: shown(key, more=';alg="ecdsa-p256-sha256"'),
    ),
    Case("two signatures", _after(_second)),
)
GOOD = (
    Case("a usual request", shown),
    Case("more covered than must be", lambda key: shown(key, (*ALL, "@authority"))),
)
