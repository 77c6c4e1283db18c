"""DPoP's checks, and for each the one change of a good request that it alone stops.

The servers ask for nonces here, so that each check there is can be shown at work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labsim.http_message import Request
from labsim.jose import b64url
from tests.exchange import Fields, good_request, one_field, with_proof
from tests.jws import GONE, Change
from tests.wiring import NONCES, Lab

type Attack = Callable[[Lab, Request], Request]


def good(lab: Lab, actor: str) -> Request:
    """Make the request that every attack is a change of."""
    lab.ask_for_nonces()
    return good_request(lab, actor, nonce=NONCES.issue(lab.clock()))


def change(change: Change, fields: Fields = one_field) -> Attack:
    """Make a fresh proof with this change; the token and all else stay."""

    def attack(lab: Lab, request: Request) -> Request:
        fresh = with_proof(lab, request, Change(claims={"jti": lab.new_id()}))
        return with_proof(lab, fresh, change, fields)

    return attack


def header(**changes: Any) -> Attack:
    return change(Change(header=changes))


def claims(**changes: Any) -> Attack:
    return change(Change(claims=changes))


def signed_by_the_thief(lab: Lab, request: Request) -> Request:
    """Sign under the holder's public key with another one."""
    return change(Change(key=lab.thief))(lab, request)


def thiefs_own_proof(lab: Lab, request: Request) -> Request:
    """Make a proof that is good in every way but one: it is by the thief's key."""
    own = Change(header={"jwk": lab.thief.public_jwk}, key=lab.thief)
    return change(own)(lab, request)


def sent_again(_lab: Lab, request: Request) -> Request:
    """Change nothing: the good request was served already."""
    return request


ATTACKS: Mapping[str, Attack] = {
    "typ_is_dpop_jwt": header(typ="JWT"),
    "key_is_public": header(jwk=lambda jwk: {**jwk, "d": "AQ"}),
    "no_critical_extension": header(crit=["b64"]),
    "signature_is_by_the_proof_key": signed_by_the_thief,
    "htm_is_the_method": claims(htm="PATCH"),
    "htu_is_the_target_uri": claims(htu="https://elsewhere.test/records/o-1"),
    "iat_is_recent": claims(iat=lambda iat: iat - 3600),
    "proof_is_in_its_own_time": claims(exp=1),
    "nonce_is_the_servers": claims(nonce=GONE),
    "ath_is_this_token": claims(ath="A" * 43),
    "proof_key_is_the_bound_one": thiefs_own_proof,
    "jti_is_new": sent_again,
}

OTHER_CURVE = {"kty": "EC", "crv": "P-384", "x": b64url(bytes(48)), "y": b64url(bytes(48))}
MALFORMED: Mapping[str, tuple[Attack, ...]] = {
    "proof_is_there": (change(Change(), lambda _: ()),),
    "there_is_one_proof": (change(Change(), lambda p: (p, p)), change(Change(), lambda p: ("", p))),
    "proof_is_a_jwt": (change(Change(), lambda p: (f"{p}.",)), change(Change(), lambda _: ("",))),
    "algorithm_is_asymmetric_and_offered": (header(alg="none"), header(alg="HS256")),
    "required_members_are_there": (
        header(jwk=GONE),
        *(claims(**{name: GONE}) for name in ("jti", "htm", "htu", "iat")),
    ),
    "key_is_usable": (header(jwk=OTHER_CURVE), header(jwk=lambda jwk: {**jwk, "y": jwk["x"]})),
    "algorithm_is_the_keys": (header(alg="Ed25519"),),
    "jti_is_usable": (claims(jti=""), claims(jti="j" * 257)),
    "ath_is_text": (claims(ath=1),),
    "nonce_is_text": (claims(nonce=1), claims(nonce="")),
}
