"""DPoP proofs, good and bad, and what others verify them with.

Each peer is called as its own documentation says, with everything that it takes: method, target
and token. joserfc and PyJWT know no DPoP; used straight, they check a signature by the key in the
header and the registered claims, and leave the rest to whoever calls them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import jwt
import pydpop
from joserfc import errors, jws
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import import_key
from requests_oauth2client.dpop import InvalidDPoPProof, validate_dpop_proof

from benchmarks._clients import BINDINGS
from benchmarks._peers.shape import Case, Shown, Verifier, the_lab
from labsim.http_message import Request
from labsim.jose import b64url
from labsim.keys import SigningKey, thumbprint
from tests.jws import GONE, Change, Jws

METHOD, URL = "GET", "https://orders.example/records/orders-0001"
_OTHER = SigningKey.generate()


def shown(key: SigningKey, change: Change | None = None, url: str = URL) -> Shown:
    """Make a request with a proof that has just been made; `change` is what is unusual in it."""
    token = secrets.token_urlsafe(480)
    header = {"typ": "dpop+jwt", "alg": key.algorithm, "jwk": key.public_jwk}
    claims = {
        "jti": secrets.token_urlsafe(16),
        "htm": METHOD,
        "htu": URL,
        "iat": int(time.time()),
        "ath": b64url(hashlib.sha256(token.encode()).digest()),
    }
    text = Jws(header, claims, key).text(change or Change())
    request = Request(METHOD, url).adding("Authorization", f"DPoP {token}").adding("DPoP", text)
    cnf = {"jkt": thumbprint(key.public_jwk)}
    return Shown(request, token, cnf, text, key.private.public_key())


# What others verify with.


def _by_pydpop(each: Shown, store: pydpop.MemoryJtiStore | None = None) -> None:
    found = pydpop.verify_proof(
        proof=each.text,
        htm=each.request.method,
        htu=each.request.url,
        access_token=each.token,
        jti_store=store,
    )
    # It gives the thumbprint out for this comparison, as its documentation says.
    if found["jwk_thumbprint"] != each.cnf["jkt"]:
        raise pydpop.DPoPError("another key")


def _pydpop_remembering() -> Callable[[Shown], object]:
    store = pydpop.MemoryJtiStore()
    return lambda each: _by_pydpop(each, store)


def _by_requests_oauth2client(each: Shown) -> None:
    validate_dpop_proof(
        each.text,
        htm=each.request.method,
        htu=each.request.url,
        ath=b64url(hashlib.sha256(each.token.encode()).digest()),
        algs=("ES256",),
    )


def _by_joserfc(each: Shown) -> None:
    header = jws.extract_compact(each.text.encode()).headers()
    found = joserfc_jwt.decode(each.text, import_key(header["jwk"]), algorithms=["ES256"])
    joserfc_jwt.JWTClaimsRegistry().validate(found.claims)


def _by_pyjwt(each: Shown) -> None:
    header = jwt.get_unverified_header(each.text)
    jwt.decode(each.text, jwt.PyJWK(header["jwk"]), algorithms=["ES256"])


VERIFIERS = (
    the_lab(BINDINGS["dpop"]),
    Verifier(f"pydpop {version('pydpop')}", _by_pydpop, (pydpop.DPoPError,), _pydpop_remembering),
    Verifier(
        f"requests_oauth2client {version('requests_oauth2client')}",
        _by_requests_oauth2client,
        (InvalidDPoPProof, ValueError),
    ),
    Verifier(
        f"joserfc {version('joserfc')} (straight)",
        _by_joserfc,
        (errors.JoseError, ValueError, KeyError),
    ),
    Verifier(f"PyJWT {version('pyjwt')} (straight)", _by_pyjwt, (jwt.PyJWTError, KeyError)),
)


# What can be wrong with a proof.


def _claims(**changed: Any) -> Callable[[SigningKey], Shown]:
    return lambda key: shown(key, Change(claims=changed))


def _header(**changed: Any) -> Callable[[SigningKey], Shown]:
    return lambda key: shown(key, Change(header=changed))


def _ago(seconds: int) -> Callable[[Any], int]:
    return lambda _now: int(time.time()) - seconds


def _by_another_key(key: SigningKey) -> Shown:
    """Make a good proof by a thief's key, beside a token that is bound to the holder's."""
    mine = shown(_OTHER)
    return Shown(mine.request, mine.token, shown(key).cnf, mine.text, mine.key)


def _twice_named(claims: Any) -> bytes:
    return json.dumps(claims).encode().replace(b'"htm"', b'"htm": "POST", "htm"', 1)


def _rs256_named(key: SigningKey) -> Shown:
    return shown(key, Change(header={"alg": "RS256"}))


BAD = (
    Case("typ is missing", _header(typ=GONE)),
    Case("typ is JWT", _header(typ="JWT")),
    Case("alg is none", lambda key: shown(key, Change(header={"alg": "none"}, sign=lambda _: b""))),
    Case("alg is another than the key's", _rs256_named),
    Case("signed by another key than the one it names", lambda k: shown(k, Change(key=_OTHER))),
    Case("by a key that the token is not bound to", _by_another_key),
    Case("brings its private key", lambda k: shown(k, Change(header={"jwk": k.private_jwk}))),
    Case("crit names an extension that nobody knows", _header(crit=["x"], x=1)),
    Case("htm is another method", _claims(htm="POST")),
    Case("htm is missing", _claims(htm=GONE)),
    Case("htm in small letters", _claims(htm="get")),
    Case("htu has another path", _claims(htu=URL + "2")),
    Case("htu has another host", _claims(htu="https://crm.example/records/orders-0001")),
    Case("htu is missing", _claims(htu=GONE)),
    Case("iat lies ten minutes back", _claims(iat=_ago(600))),
    Case("iat lies ten minutes ahead", _claims(iat=_ago(-600))),
    Case("iat is missing", _claims(iat=GONE)),
    Case("exp is over", _claims(exp=_ago(60))),
    Case("nbf lies ten minutes ahead", _claims(nbf=_ago(-600))),
    Case("jti is missing", _claims(jti=GONE)),
    Case("jti is empty", _claims(jti="")),
    Case("jti is a number", _claims(jti=7)),
    Case("jti of 4,000 characters, to be remembered", _claims(jti="j" * 4000)),
    Case("ath is missing", _claims(ath=GONE)),
    Case("ath is another token's", _claims(ath=b64url(hashlib.sha256(b"another").digest()))),
    Case("two members of one name", lambda k: shown(k, Change(payload_bytes=_twice_named))),
    Case("base64 with padding", lambda k: shown(k, Change(text=lambda text: text + "=="))),
    Case("a line break in it", lambda k: shown(k, Change(text=lambda t: t[:-9] + "\n" + t[-9:]))),
)
GOOD = (
    Case("a usual proof", shown),
    Case("htu with the host in capitals", _claims(htu=URL.replace("orders.e", "ORDERS.E"))),
    Case("htu with the port that https has anyway", _claims(htu=URL.replace("le/", "le:443/"))),
    Case("a query in the URL, none in htu", lambda key: shown(key, url=f"{URL}?page=2")),
)
