"""Where a private key lies: in files, in answers, wherever there are bytes to look through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from labsim.jose import b64url_decode
from labsim.keys import public_octets

# 32 octets as a JWK, hexadecimal digits or PEM have them.
_BASE64URL = re.compile(rb"(?<![\w-])[\w-]{43}(?![\w-])")
_HEXADECIMAL = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_PEM = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL
)


def _candidates(data: bytes) -> Iterator[ec.EllipticCurvePrivateKey]:
    for block in _PEM.findall(data):
        key = load_pem_private_key(block, None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            yield key
    octets = [b64url_decode(text.decode()) for text in _canonical(_BASE64URL.findall(data))]
    octets += [bytes.fromhex(text.decode()) for text in _HEXADECIMAL.findall(data)]
    for each in set(octets):
        number = int.from_bytes(each)
        try:
            yield ec.derive_private_key(number, ec.SECP256R1())
        except ValueError:  # out of the curve's range
            continue


def _canonical(texts: list[bytes]) -> Iterator[bytes]:
    # The last character of 32 octets has two bits to spare, which are zero.
    return (text for text in texts if text[-1:] in b"AEIMQUYcgkosw048")


def gives_away(data: bytes, jwk: dict[str, Any]) -> bool:
    """Tell whether these bytes hold the private key of a public P-256 JWK."""
    wanted = public_octets(jwk)
    return any(
        key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) == wanted
        for key in _candidates(data)
    )


def files_with(folder: Path, jwk: dict[str, Any]) -> list[str]:
    """Return the files below a folder that hold the private key of a public P-256 JWK."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and gives_away(path.read_bytes(), jwk)
    )
