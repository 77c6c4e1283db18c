"""The documents' own examples, byte for byte: what they show must verify here too."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pytest

from labsim.binding import Evidence
from labsim.bindings.dpop import token_hash
from labsim.certificates import certificate_thumbprint
from labsim.checks import run_checks
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.http_message import Request
from labsim.jose import b64url_decode
from labsim.keys import SigningKey, public_key, thumbprint
from labsim.rejection import Reason, Rejected
from tests.exchange import DPOP

HEADER = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo"
    "UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW"
    "clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
TOKEN_CLAIMS = (
    "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUu"
    "Y29tL3Rva2VuIiwiaWF0IjoxNTYyMj"
)
RESOURCE_CLAIMS = (
    "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxl"
    "Lm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0Ji"
    "MHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9"
)
ACCESS_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
ATH = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
JKT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


@dataclass(frozen=True)
class Figure:
    """A proof of RFC 9449, with the time and the request for which it was made."""

    number: str
    proof: str
    method: str
    url: str
    now: float


FIGURES = (
    Figure(
        "figures 2 and 5",
        f"{HEADER}.{TOKEN_CLAIMS}YyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOS"
        "sX0x7NVY-FNyJK70nfbV37xRZT3Lg",
        "POST",
        "https://server.example.com/token",
        1562262616,
    ),
    Figure(
        "figure 7",
        f"{HEADER}.{TOKEN_CLAIMS}Y1Mjk2fQ.pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X62"
        "0BxqhvYC8ynrrvZLTk41mSRroapUA",
        "POST",
        "https://server.example.com/token",
        1562265296,
    ),
    Figure(
        "figure 13",
        f"{HEADER}.{RESOURCE_CLAIMS}.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmc"
        "w6Fy1dqd-jfxSYoMxhAJpLjA",
        "GET",
        "https://resource.example.org/protectedresource",
        1562262618,
    ),
)


def requested(figure: Figure) -> Request:
    return Request(figure.method, figure.url, (("DPoP", figure.proof),))


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.number)
def test_a_proof_of_rfc_9449_is_good_at_its_time(figure: Figure) -> None:
    request = requested(figure)
    proof = DPOP.parse(request)
    run_checks(DPOP.proof_checks, proof, Evidence(request, figure.now))
    assert DPOP.bind(proof) == {"jkt": JKT}  # figure 10
    with pytest.raises(Rejected) as late:
        run_checks(DPOP.proof_checks, proof, Evidence(request, figure.now + 61))
    assert late.value.reason is Reason.PROOF_OUTSIDE_WINDOW


def test_the_protected_resource_request_of_rfc_9449_is_served_once() -> None:
    """Section 7.1, figure 13: proof, token and binding together."""
    figure, claims = FIGURES[2], {"cnf": {"jkt": JKT}}
    request = requested(figure)
    memory = InProcessReplayMemory()
    evidence = Evidence(request, figure.now, memory, None, ACCESS_TOKEN, claims)
    DPOP.verify(DPOP.parse(request), evidence)
    with pytest.raises(Rejected) as again:
        DPOP.verify(DPOP.parse(request), evidence)
    assert again.value.reason is Reason.PROOF_REPLAYED
    assert token_hash(ACCESS_TOKEN) == ATH


def test_two_figures_with_one_jti_are_half_an_hour_apart() -> None:
    """Figures 5 and 7: by the time of the second, the first could not be accepted any more."""
    memory = InProcessReplayMemory()
    for figure in FIGURES[:2]:
        request = requested(figure)
        evidence = Evidence(request, figure.now, memory)
        run_checks(DPOP.once_checks, DPOP.parse(request), evidence)


def test_the_thumbprint_of_rfc_7638() -> None:
    """Section 3.1: members that are not required do not count."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
        "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
        "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
        "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    jwk = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert thumbprint(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert public_key(jwk).thumbprint == thumbprint(jwk)


ED25519 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def test_the_ed25519_key_and_signature_of_rfc_8037() -> None:
    """Appendix A: the key, its thumbprint, and a signature that is always the same."""
    key = SigningKey.from_jwk({**ED25519, "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"})
    message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    signature = b64url_decode(
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )
    assert key.public_jwk == ED25519
    assert key.sign(message) == signature
    assert public_key(ED25519).verifies(signature, message)
    assert thumbprint(ED25519) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


P256 = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


def test_the_es256_key_and_signature_of_rfc_7515() -> None:
    """Appendix A.3."""
    message = (
        b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
        b"LmNvbS9pc19yb290Ijp0cnVlfQ"
    )
    signature = b64url_decode(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    assert public_key(P256).verifies(signature, message)
    private = SigningKey.from_jwk({**P256, "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})
    assert private.public_jwk == P256


def test_the_certificate_of_rfc_8705() -> None:
    """Appendix A."""
    der = base64.b64decode(
        "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcw"
        "OVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9Oyl"
        "MbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD"
        "/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY="
    )
    assert certificate_thumbprint(der) == "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
