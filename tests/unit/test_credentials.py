"""Access tokens apart from their binding: the pieces that the tables of vectors do not show."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.checks import StorageUnavailable
from labsim.credentials import ACCESS_TOKEN, TokenEvidence, VerifiedTokens, scopes_in
from labsim.jose import parse_compact
from labsim.keys import PublicKey, SigningKey, public_key, thumbprint
from labsim.rejection import Reason, Rejected
from tests.jws import Change, Jws

KEY = SigningKey.generate()
KID = thumbprint(KEY.public_jwk)
NOW = 1_800_000_000.0
GOOD = Jws(
    {"typ": "at+jwt", "alg": "ES256", "kid": KID},
    {
        "iss": "https://as.test",
        "sub": "s",
        "aud": "https://rs.test",
        "client_id": "c",
        "iat": NOW,
        "exp": NOW + 600,
        "jti": "j",
    },
    KEY,
)


class Keys:
    """The issuer's keys, and how often they were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def key(self, kid: str) -> PublicKey | None:
        self.asked += 1
        return public_key(KEY.public_jwk) if kid == KID else None


def evidence(keys: Any, **more: Any) -> TokenEvidence:
    return TokenEvidence(more.pop("now", NOW), "https://as.test", "https://rs.test", keys, **more)


def test_a_good_token_yields_its_claims() -> None:
    assert ACCESS_TOKEN.verify(GOOD.text(Change()), evidence(Keys())) == GOOD.claims


def test_a_signature_is_verified_once_and_all_else_every_time() -> None:
    keys, verified = Keys(), VerifiedTokens()
    token = GOOD.text(Change())
    for _ in range(3):
        ACCESS_TOKEN.verify(token, evidence(keys, verified=verified))
    assert keys.asked == 1
    for seen, reason in (
        (evidence(keys, verified=verified, now=NOW + 600), Reason.TOKEN_EXPIRED),
        (
            evidence(keys, verified=verified, is_revoked=lambda jti: jti == "j"),
            Reason.TOKEN_REVOKED,
        ),
    ):
        with pytest.raises(Rejected) as refused:
            ACCESS_TOKEN.verify(token, seen)
        assert refused.value.reason is reason


def test_a_bad_signature_is_not_remembered() -> None:
    keys, verified = Keys(), VerifiedTokens()
    forged = GOOD.text(Change(key=SigningKey.generate()))
    for _ in range(2):
        with pytest.raises(Rejected) as refused:
            ACCESS_TOKEN.verify(forged, evidence(keys, verified=verified))
        assert refused.value.reason is Reason.TOKEN_SIGNATURE_INVALID
    assert keys.asked == 2
    assert verified.find(forged) is None


def test_the_signature_is_part_of_what_is_remembered() -> None:
    verified = VerifiedTokens()
    good = GOOD.text(Change())
    ACCESS_TOKEN.verify(good, evidence(Keys(), verified=verified))
    with pytest.raises(Rejected):
        ACCESS_TOKEN.verify(good.rpartition(".")[0] + ".AAAA", evidence(Keys(), verified=verified))


def test_the_memory_of_tokens_is_bounded() -> None:
    verified = VerifiedTokens(bound=2)
    tokens = [parse_compact(GOOD.text(Change(claims={"jti": jti}))) for jti in ("a", "b", "c")]
    for token in tokens:
        verified.add(token)
    assert [verified.find(token.text) for token in tokens] == [None, *tokens[1:]]


def test_keys_that_cannot_be_had_make_no_token_good() -> None:
    class Nobody:
        def key(self, _kid: str) -> PublicKey | None:
            raise StorageUnavailable("no answer")

    with pytest.raises(StorageUnavailable):
        ACCESS_TOKEN.verify(GOOD.text(Change()), evidence(Nobody()))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("a", {"a"}),
        ("b a b", {"a", "b"}),
        ("orders.read crm:*", {"orders.read", "crm:*"}),
        *((bad, set()) for bad in ("", " ", "a  b", " a", "a ", 'a"', "a\\b", "\u00e9", "a\tb")),
        *((bad, set()) for bad in (None, 1, ["a"], {"a": 1})),
    ],
)
def test_scopes_are_read_or_there_are_none(value: Any, found: set[str]) -> None:
    assert scopes_in(value) == found
