"""RFC 9421 appendix B.2, byte for byte: what was signed there is what is put together here.

B.2.1, B.2.3: signed with rsa-pss-sha512, which the profile does not offer; the signature base is
the lab's, and the document's signature over it is verified by `cryptography` itself.
B.2.2: covers `@query-param`, a component with a parameter, which the profile does not understand:
refused, and so not verified.
B.2.4: signs a response, of which the lab has no signature base; its fields' lines are the lab's, the
line of `@status` is the document's, and key and signature are verified as everywhere here.
B.2.5: hmac-sha256, not offered either; the base is the lab's, the code is Python's own.
B.2.6: ed25519 over a request, with the lab's own functions from end to end.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from labsim.http_message import Request
from labsim.jose import Malformed, b64url
from labsim.keys import SigningKey, key_of_octets, public_octets
from labsim.signature_base import signature_base
from labsim.structured_fields import byte_sequence, digests, signature_inputs, signatures

# Section B.2: the request (POST /foo?param=Value&Pet=dog) and the response.
BODY, ANSWER = b'{"hello": "world"}', b'{"message": "good dog"}'
SHA_512 = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
ANSWER_SHA_512 = "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:"
REQUEST = Request(
    "POST",
    "https://example.com/foo?param=Value&Pet=dog",
    (
        ("Host", "example.com"),
        ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("Content-Type", "application/json"),
        ("Content-Digest", SHA_512),
        ("Content-Length", "18"),
    ),
    BODY,
)
# Sections B.1.2, B.1.3, B.1.4 and B.1.5.
RSA_PSS = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2G"
    "XHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq"
    "gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ"
    "7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI"
    "2wIDAQAB"
)
ECC_P256 = (
    "BKiFWGVSwqz2Rxh4z9ewk1tP/g/S38NBJI6he8QeBYrwMc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0="
)
ED25519 = {"kty": "OKP", "crv": "Ed25519", "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}
ED25519_PRIVATE = "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"
SHARED_SECRET = (
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)

B21_INPUT = 'sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"'
B21_SIGNATURE = (
    "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbt"
    "Rxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJ"
    "zsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v"
    "6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:"
)
B22_INPUT = (
    'sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473'
    ';keyid="test-key-rsa-pss";tag="header-example"'
)
B23_INPUT = (
    'sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" '
    '"content-length");created=1618884473;keyid="test-key-rsa-pss"'
)
B23_SIGNATURE = (
    "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qR"
    "pRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/a"
    "YA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF6"
    "1ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:"
)
B24_INPUT = (
    'sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473'
    ';keyid="test-key-ecc-p256"'
)
B24_SIGNATURE = "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:"
B25_INPUT = (
    'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
)
B25_SIGNATURE = "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"
B26_INPUT = (
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)
B26_SIGNATURE = "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
B23_BASE = f""""date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@query": ?param=Value&Pet=dog
"@authority": example.com
"content-type": application/json
"content-digest": {SHA_512}
"content-length": 18
"@signature-params": {B23_INPUT.removeprefix("sig-b23=")}"""


def base_of(input_: str, request: Request = REQUEST) -> bytes:
    (member,) = signature_inputs(input_)
    return signature_base(request, member.components, member.text)


def signature_of(field: str) -> bytes:
    ((_, value),) = signatures(field).items()
    return value


@pytest.mark.parametrize(
    ("input_", "signature"), [(B21_INPUT, B21_SIGNATURE), (B23_INPUT, B23_SIGNATURE)]
)
def test_what_rsa_pss_signed_is_the_same_base(input_: str, signature: str) -> None:
    key = load_der_public_key(b64decode(RSA_PSS))
    assert isinstance(key, rsa.RSAPublicKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA512()), 64)
    key.verify(signature_of(signature), base_of(input_), pss, hashes.SHA512())
    with pytest.raises(InvalidSignature):
        key.verify(signature_of(signature), base_of(input_) + b" ", pss, hashes.SHA512())


def test_the_base_of_full_coverage_is_the_documents() -> None:
    """Section B.2.3 prints it."""
    assert base_of(B23_INPUT).decode() == B23_BASE


def test_a_component_with_a_parameter_is_not_understood() -> None:
    """Section B.2.2."""
    (member,) = signature_inputs(B22_INPUT)
    assert member.components == ("@authority", "content-digest", '@query-param;name="Pet"')
    with pytest.raises(Malformed, match="@query-param"):
        signature_base(REQUEST, member.components, member.text)


def test_the_response_signed_with_ecdsa_p256() -> None:
    """Section B.2.4."""
    fields = (
        ("Date", "Tue, 20 Apr 2021 02:07:56 GMT"),
        ("Content-Type", "application/json"),
        ("Content-Digest", ANSWER_SHA_512),
        ("Content-Length", "23"),
    )
    (member,) = signature_inputs(B24_INPUT)
    covered = member.components[1:]
    lines = signature_base(Request("", "", fields), covered, member.text)
    base = b'"@status": 200\n' + lines
    key = key_of_octets("ecdsa-p256-sha256", b64decode(ECC_P256))
    assert key.verifies(signature_of(B24_SIGNATURE), base)
    assert not key.verifies(signature_of(B24_SIGNATURE), lines)


def test_the_request_signed_with_a_shared_secret() -> None:
    """Section B.2.5: no key of the lab's, since whoever verifies could sign as well."""
    code = hmac.digest(b64decode(SHARED_SECRET), base_of(B25_INPUT), hashlib.sha256)
    assert f"sig-b25={byte_sequence(code)}" == B25_SIGNATURE
    with pytest.raises(Malformed):
        key_of_octets("hmac-sha256", b64decode(SHARED_SECRET))


def test_the_request_signed_with_ed25519() -> None:
    """Section B.2.6: a signature that is always the same."""
    private = SigningKey.from_jwk({**ED25519, "d": ED25519_PRIVATE})
    assert private.public_jwk == ED25519
    assert f"sig-b26={byte_sequence(private.sign(base_of(B26_INPUT)))}" == B26_SIGNATURE
    key = key_of_octets("ed25519", public_octets(ED25519))
    assert key.verifies(signature_of(B26_SIGNATURE), base_of(B26_INPUT))
    assert key.thumbprint == "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"
    other = base_of(B26_INPUT, REQUEST.at("https://example.com/bar"))
    assert not key.verifies(signature_of(B26_SIGNATURE), other)


def test_the_digests_are_the_bodies() -> None:
    """Section B.2, and RFC 9530 appendix B for the same body by sha-256."""
    assert digests(SHA_512) == {"sha-512": hashlib.sha512(BODY).digest()}
    assert digests(ANSWER_SHA_512) == {"sha-512": hashlib.sha512(ANSWER).digest()}
    sha_256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    assert digests(sha_256) == {"sha-256": hashlib.sha256(BODY).digest()}
    assert b64url(public_octets(ED25519)) == ED25519["x"]
