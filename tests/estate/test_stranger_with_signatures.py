"""http-message-signatures, which nobody here wrote, signs by the profile and is served.

From docs/http-signature-profile.md alone: the library signs what requests sends over real TLS, and
verifies what a client of the lab has sent. It signs as it comes, by its interface for keys that others
hold; `Verifier` is a subclass, since the library's own asks each signature for the key's name, which
the profile forbids (`tests/vectors/test_second_opinion.py`).
"""

from __future__ import annotations

import base64
import datetime
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from http_message_signatures import InvalidSignature, MappingKeyResolver
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519
from http_message_signatures.structures import CaseInsensitiveDict

import labsim
from labsim.keys import key_of_octets
from tests.estate.test_strangers import SECRET, up
from tests.vectors.test_second_opinion import Verifier, sign_nameless

ALGORITHMS = {"ecdsa-p256-sha256": ECDSA_P256_SHA256, "ed25519": ED25519}
COVERED = ("@method", "@target-uri", "authorization")


class Key:
    """A key of the stranger's own, and its octets as the profile's `pub` has them."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        raw, point = serialization.PublicFormat.Raw, serialization.PublicFormat.UncompressedPoint
        if algorithm == "ed25519":
            self.private: Any = ed25519.Ed25519PrivateKey.generate()
            encoding, form = serialization.Encoding.Raw, raw
        else:
            self.private = ec.generate_private_key(ec.SECP256R1())
            encoding, form = serialization.Encoding.X962, point
        self.octets: bytes = self.private.public_key().public_bytes(encoding, form)

    def sign(self, request: requests.PreparedRequest, tag: str, pub: bytes | None = None) -> None:
        """Sign a request in place, as the profile's section "The client" says."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        sign_nameless(
            ALGORITHMS[self.algorithm],
            self.private,
            request,
            pub,
            created=datetime.datetime.now(datetime.UTC),
            nonce=secrets.token_urlsafe(16),
            tag=tag,
            include_alg=pub is not None,
            covered_component_ids=COVERED,
            body=body or None,
        )


class Stranger:
    """A client with a secret, which signs its requests with a key that nobody knew before."""

    def __init__(self, where: dict[str, Any], session: requests.Session, key: Key) -> None:
        session.verify, session.trust_env = where["ca_file"], False
        self.where, self.session, self.key = where, session, key
        self.orders = where["resources"]["orders"]
        document = f"{where['issuer']}/.well-known/oauth-authorization-server"
        self.metadata = session.get(document).json()

    def ask(self, key: Key | None = None, pub: bytes | None = None) -> requests.Response:
        """Ask for a token; the request is signed by `key` and brings `pub`, both its own."""
        signing = key or self.key
        form = {"grant_type": "client_credentials", "resource": self.orders["audience"]}
        request = requests.Request(
            "POST", self.metadata["token_endpoint"], data=form, auth=("signing", SECRET)
        ).prepare()
        signing.sign(request, "httpsig-oauth-token-request", pub=pub or signing.octets)
        return self.session.send(request)

    def fetch(self, token: str, key: Key, method: str = "GET", body: bytes = b"") -> int:
        headers = {"Authorization": f"HTTPSig {token}", "Content-Type": "application/json"}
        url = self.orders["url"]
        request = requests.Request(method, url, headers=headers, data=body or None).prepare()
        key.sign(request, "httpsig-oauth")
        return self.session.send(request).status_code


@pytest.fixture(params=ALGORITHMS)
def stranger(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stranger]:
    client = {"client_id": "signing", "client_secret": SECRET}
    client["httpsig_key_binding_method"] = "runtime"
    with up(tmp_path, [client]) as where, requests.Session() as session:
        yield Stranger(where, session, Key(request.param))


def test_the_library_gets_a_bound_token_and_is_served(stranger: Stranger) -> None:
    answer = stranger.ask()
    assert (answer.status_code, answer.json()["token_type"].lower()) == (200, "httpsig")
    token = answer.json()["access_token"]
    htsk = jwt.decode(token, options={"verify_signature": False})["cnf"]["htsk"]
    pub = base64.urlsafe_b64encode(stranger.key.octets).rstrip(b"=").decode()
    assert htsk == {"alg": stranger.key.algorithm, "pub": pub}
    for _ in range(2):
        assert stranger.fetch(token, stranger.key) == 200
    assert stranger.fetch(token, stranger.key, "POST", b'{"a": 1}') == 201
    assert stranger.fetch(token, Key(stranger.key.algorithm)) == 401
    stolen = {"Authorization": f"HTTPSig {token}"}
    assert stranger.session.get(stranger.orders["url"], headers=stolen).status_code == 401


def test_the_token_request_is_signed_by_the_key_that_it_brings(stranger: Stranger) -> None:
    other = Key(stranger.key.algorithm)
    refused = stranger.ask(other, pub=stranger.key.octets)
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_request"})
    assert stranger.ask(other).status_code == 200


def test_the_library_accepts_what_a_client_of_the_lab_has_sent() -> None:
    """Its bytes as they were on the wire, with the key that its token names."""
    with labsim.start(quiet=True) as lab:
        lab.bind("storefront", "http_signature")
        (row, *_) = lab.work_rows("storefront")
        assert row["outcome"] == "served"
        url = lab.estate.urls["orders"]
    head, *fields = row["sent"].partition("\r\n\r\n")[0].split("\r\n")
    method, target, _ = head.split(" ")
    headers = CaseInsensitiveDict(dict(field.split(": ", 1) for field in fields))
    token = headers["Authorization"].removeprefix("HTTPSig ")
    htsk = jwt.decode(token, options={"verify_signature": False})["cnf"]["htsk"]
    pub = base64.urlsafe_b64decode(htsk["pub"] + "=" * (-len(htsk["pub"]) % 4))
    bound = key_of_octets(htsk["alg"], pub).key
    keys = MappingKeyResolver(public_keys={"bound": bound}, private_keys={})
    verifier = Verifier(signature_algorithm=ALGORITHMS[htsk["alg"]], key_resolver=keys)

    def verified(target: str) -> Any:
        return verifier.verify(
            SimpleNamespace(method=method, url=f"{url}{target}", headers=headers),
            expect_tag="httpsig-oauth",
            require_components=COVERED,
            max_age=datetime.timedelta(seconds=60),
        )

    (result,) = verified(target)
    assert result.parameters["tag"] == "httpsig-oauth"
    with pytest.raises(InvalidSignature):
        verified(f"{target}?a=1")
