"""Section 6 of the catalogue: DPoP's token, key, number of fields, scheme and downgrade."""

from __future__ import annotations

from typing import Any

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.jws import GONE, Change
from labsim.catalogue.presenting import proofless, refused, served, under, with_token
from labsim.catalogue.proof_changes import claims, proof, rows, together
from labsim.catalogue.vector import (
    Actor,
    Elsewhere,
    Force,
    Make,
    Needs,
    Section,
    Vector,
)
from labsim.http_message import Request
from labsim.jose import b64url_decode
from labsim.keys import thumbprint
from labsim.rejection import Reason

RS = (Actor.RS,)
ALL = ("DPoP", "Bearer", "HTTPSig")
OTHER_TOKEN = "a proof that was made for one token is good for another of the same key"
STOLEN = "a stolen token works with the thief's own key: the binding binds nothing"
DOWNGRADED = "a stolen token works as a bearer token"
TWO_READERS = "what one reader checks is not what the next one uses"
ONE, JWT = "there_is_one_proof", "proof_is_a_jwt"


def ath(id: str, what: str, source: str, value: Any, **more: Any) -> tuple[Vector, ...]:
    """Make a row about the token's hash."""
    how = {"check": "ath_is_this_token", "reason": Reason.PROOF_TOKEN_MISMATCH, "actors": RS}
    return rows(id, what, source, claims(ath=value), gain=OTHER_TOKEN, **how | more)


def fields(id: str, what: str, source: str, *values: str, check: str = ONE) -> tuple[Vector, ...]:
    """Make a row about the fields that the proof comes in; {} stands for the good proof."""
    make = proof(Change(), lambda text: tuple(value.replace("{}", text) for value in values))
    return rows(id, what, source, make, check=check, gain=TWO_READERS)


def with_another_key(good: GoodRequest) -> Request:
    """Present the token with a good proof by the thief's key."""
    return good.presenting(good.token, good.stranger)


def token_of_another_client(good: GoodRequest) -> Request:
    """Present a token that is bound to another key with the holder's good proof."""
    cnf = {"jkt": thumbprint(good.stranger.public_jwk)}
    return with_token(Change(claims={"cnf": cnf}))(good)


SCHEME: Any = {"reason": Reason.SCHEME_MISMATCH, "check": "scheme_is_the_bindings"}
AS_BEARER: Any = {**SCHEME, "on": ("Bearer",), "gain": DOWNGRADED}
KEY: Any = {
    "reason": Reason.BINDING_MISMATCH,
    "check": "proof_key_is_the_bound_one",
    "gain": STOLEN,
}
BAD: Any = {"status": 400, "error": "invalid_request", "on": ALL}
MALFORMED: Any = {"reason": Reason.CREDENTIALS_MALFORMED, "check": "credentials_are_a_token", **BAD}
ONE_WAY: Any = {"reason": Reason.CREDENTIALS_MALFORMED, "check": "token_comes_one_way", **BAD}
MISSING: Any = {
    "reason": Reason.PROOF_MISSING,
    "check": "proof_is_there",
    "error": "invalid_dpop_proof",
}
JUNK: Any = {**MALFORMED, "gain": TWO_READERS}


def in_another_case(good: GoodRequest) -> Request:
    """Bring the proof twice, in fields whose names differ by their case alone."""
    return good.request.adding("dpop", str(good.request.value("DPoP")))


def another_token_hash(ath: str) -> str:
    """Return the hash of no token that there is."""
    return "A" * len(ath)


def ignored_ath(value: Any) -> Make:
    """Bring an `ath` where there is no token."""
    return claims(ath=value)


VECTORS = (
    *together(
        ath("DB-01", "ath missing", "9449 4.3-12", GONE),
        ath("DB-01b", "ath null", "9449 4.3-12", None),
        ath("DB-02", "ath of another token", "9449 7", another_token_hash),
        ath("DB-02b", "ath the token's own, shortened", "9449 4.2", lambda ath: ath[:-1]),
        ath("DB-02c", "ath in hexadecimal", "9449 4.2", lambda ath: b64url_decode(ath).hex()),
        ath("DB-02d", "ath in another case", "9449 4.2", str.swapcase),
        ath("DB-04", "ath padded", "9449 4.2", lambda ath: f"{ath}="),
        ath("DB-04b", "ath a number", "9449 4.2", 1, check="ath_is_text", reason=Reason.PROOF_MALFORMED),
        rows("DB-08c", "an ath that is a number", "9449 4.2", claims(ath=1), check="ath_is_text", force=Force.POLICY, gain="none: there is no token", actors=(Actor.AS,)),
        fields("DB-09", "two fields", "9449 4.3-1", "{}", "{}"),
        rows("DB-09b", "two fields, in another case", "9110 5.1", in_another_case, check=ONE, gain=TWO_READERS),
        fields("DB-10", "garbage first", "9449 4.3-1", "a", "{}"),
        fields("DB-10b", "garbage last", "9449 4.3-1", "{}", ""),
        fields("DB-11", "a comma", "9449 4.3-2", "{}, {}", check=JWT),
    ),
    served("DB-08", "an ath that nobody needs", "9449 4.2", ignored_ath("A" * 43), actor=Actor.AS, force=Force.POLICY),
    served("DB-08b", "an ath that is null", "9449 4.2", ignored_ath(None), actor=Actor.AS, force=Force.POLICY),
    refused("DB-06", "a stolen token with the thief's proof", "9449 7.1", with_another_key, **KEY),
    refused("DB-07", "another client's token", "9449 7.1", token_of_another_client, needs=Needs.ISSUER, **KEY),
    refused("DB-12", "no proof", "9449 7.1", proofless("DPoP {}"), gain=STOLEN, **MISSING),
    refused("DB-13", "under Bearer", "9449 7.2", proofless("Bearer {}"), **AS_BEARER),
    refused("DB-14", "under BeArEr", "9110 11.1", proofless("BeArEr {}"), **AS_BEARER),
    refused("DB-15", "under Bearer with a proof", "9449 7.2", under("Bearer {}"), **AS_BEARER),
    refused("DB-16", "an unbound token under DPoP", "9449 7.1", with_token(Change(claims={"cnf": GONE})), needs=Needs.ISSUER, gain="a token that somebody else's binding was stripped from works", **SCHEME),
    refused("DB-17", "two schemes at once", "9449 7.2", under("Bearer {}", "DPoP {}"), gain=TWO_READERS, **ONE_WAY),
    refused("DB-21c", "two in one field", "9449 7.1", under("Bearer {}, DPoP {}"), **JUNK),
)  # fmt: skip

IN_A_TEST = "tests/vectors/test_6_token_and_proof.py"
SECTION = Section(
    name="token_and_scheme",
    number=6,
    title="DPoP: ath, key binding, header multiplicity, scheme, downgrade",
    vectors=VECTORS,
    elsewhere=(
        Elsewhere(
            id="DB-22",
            what="the challenge itself",
            source="RFC 9449 section 7.1",
            why="it is about the answer, not about a request",
            proven=IN_A_TEST,
        ),
        Elsewhere(
            id="DB-23",
            what="token_type Bearer for a client that asked for DPoP",
            source="RFC 9449 section 5",
            why="it is the client that has to refuse",
            proven="tests/vectors/test_11_client_and_limits.py",
        ),
        Elsewhere(
            id="DB-24",
            what="a bound token at a server that knows only bearer",
            source="RFC 9449 section 7.2",
            why="it takes a server with another list of bindings",
            proven=IN_A_TEST,
        ),
    ),
)
