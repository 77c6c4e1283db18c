"""Primer: four questions, and what they are about, shown with the lab's own code and no server."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from labsim.certificates import as_der as der_of
from labsim.certificates import certificate_authority, certificate_thumbprint, certified, client_uri
from labsim.charts import cards
from labsim.errors import LabError
from labsim.exercises.exercise import Choice, Wrong
from labsim.jose import CompactJws, b64url, parse_compact, sign_compact
from labsim.keys import SigningKey, public_key, thumbprint

NAME = "ci-runner"


@dataclass(frozen=True, slots=True)
class Told:
    """Hold a few rows for showing: what is looked at, and what is there."""

    headline: str
    rows: tuple[Mapping[str, str], ...]

    def __repr__(self) -> str:
        """Say it as text, a line a row."""
        lines = [": ".join(row.values()) for row in self.rows]
        return "\n".join([self.headline, *lines])

    def _repr_html_(self) -> str:
        return cards.card("→", self.headline, cards.table(self.rows), cards.LINE)


@cache
def _issuer() -> SigningKey:
    return SigningKey.generate()


@cache
def _own() -> SigningKey:
    return SigningKey.generate()


def token() -> str:
    """Make a JWT as an issuer of tokens does: three parts with a dot between them."""
    claims = {"client_id": NAME, "scope": "deploy.read", "exp": 1_800_000_000}
    return sign_compact({"typ": "JWT", "alg": "ES256"}, claims, _issuer())


def read(text: str) -> Told:
    """Read a JWT with no key at all, and say whether the issuer's public key fits its signature.

    Raises LabError for a text that is no JWT.
    """
    parsed = _parsed(text)
    good = public_key(_issuer().public_jwk).verifies(parsed.signature, parsed.signing_input)
    said = "good: the issuer wrote exactly this" if good else "not good: this was changed"
    rows = [("header", parsed.header), ("payload", parsed.payload)]
    told = [{"part": part, "says": json.dumps(value)} for part, value in rows]
    return Told("Read without a key", (*told, {"part": "signature", "says": said}))


def changed(text: str) -> str:
    """Write another name into a JWT and leave its signature as it is; LabError if it is none."""
    claims = dict(_parsed(text).payload) | {"client_id": "mallory"}
    head, _, signature = text.split(".")
    return f"{head}.{b64url(json.dumps(claims).encode())}.{signature}"


def _parsed(text: object) -> CompactJws:
    try:
        return parse_compact(text if isinstance(text, str) else "")
    except ValueError as error:
        raise LabError(f"This is no JWT: {error}.", todo="Take ex.token().") from None


def thumbprints() -> Told:
    """Show a public key and its thumbprint, twice, and that of another key."""
    mine, other = _own().public_jwk, SigningKey.generate().public_jwk
    rows = (("your key", mine), ("your key again", mine), ("another key", other))
    told = [{"": name, "thumbprint": thumbprint(jwk)} for name, jwk in rows]
    return Told(f"A public key has {len(json.dumps(mine))} characters, its thumbprint 43", (*told,))


def certificate() -> Told:
    """Make a client certificate for a key, and another one for the same key; show both."""
    now = datetime.datetime.now(datetime.UTC)
    authority = certificate_authority("The lab's authority", now)
    jwk = _own().public_jwk
    made = [der_of(certified(authority, NAME, jwk).encode()) for _ in range(2)]
    first, second = map(certificate_thumbprint, made)
    rows = {
        "names": client_uri(NAME),
        "signed by": "The lab's authority",
        "public key in it, thumbprint": thumbprint(jwk),
        "private key in it": "none: it stays with the client",
        "the certificate's own thumbprint": first,
        "of a new certificate for the same key": second,
    }
    told = [{"": name, "in the certificate": said} for name, said in rows.items()]
    return Told("A client certificate", tuple(told))


who_reads_it = Choice(
    "primer.who_reads_it",
    "A JWT is signed by its issuer. Who can read what is in it? Options: anybody, the_issuer_only, "
    "whoever_has_the_public_key.",
    reference="anybody",
    solved="It is written in base64url, an alphabet and no lock. A signature hides nothing.",
    wrong=(
        Wrong("the_issuer_only", "A server must read it too, and so can you: it is only encoded."),
        Wrong(
            "whoever_has_the_public_key",
            "That key tells whether the text was changed. Reading takes no key.",
        ),
    ),
    hints=(
        "Look at the three parts, and at what ex.read() needed to read them.",
        "To sign is to vouch for a text, and not to hide it.",
        "Did reading it take a key?",
    ),
)

what_a_signature_does = Choice(
    "primer.what_a_signature_does",
    "You change one field of a signed token. What happens? Options: nobody_notices, "
    "it_cannot_be_changed, the_signature_fits_no_more.",
    reference="the_signature_fits_no_more",
    solved=(
        "The public key shows that this is not what was signed. Only the private key could have "
        "signed it."
    ),
    wrong=(
        Wrong("nobody_notices", "A server that checks the signature does. That is what it is for."),
        Wrong(
            "it_cannot_be_changed",
            "It is a text, and anybody can change a text. The question is who will believe it.",
        ),
    ),
    hints=(
        "Look at the last row for the changed token.",
        "A signature is over exactly these characters.",
        "You changed the text and could not sign it anew. Do both still fit?",
    ),
)

what_a_thumbprint_is = Choice(
    "primer.what_a_thumbprint_is",
    "A token has the thumbprint of a key in it. What can a thief do with the thumbprint? Options: "
    "sign_with_it, recognise_the_key, compute_the_key.",
    reference="recognise_the_key",
    solved="A thumbprint is a hash of the public key: good for comparing, and for nothing else.",
    wrong=(
        Wrong("sign_with_it", "To sign takes the private key. This is a hash of the public one."),
        Wrong(
            "compute_the_key",
            "A hash cannot be run backwards, and the public key would be no secret anyway.",
        ),
    ),
    hints=(
        "Compare the three thumbprints above.",
        "The same key has the same thumbprint, another key another.",
        "A hash tells you whether this is the one. What else does it tell?",
    ),
)

what_a_certificate_takes = Choice(
    "primer.what_a_certificate_takes",
    "You have a copy of somebody's client certificate. What does it take to show it as your own? "
    "Options: nothing_more, its_private_key, the_authoritys_key.",
    reference="its_private_key",
    solved=(
        "A certificate is public. To show it in a connection, the client signs the beginning of "
        "that connection with the private key that fits."
    ),
    wrong=(
        Wrong(
            "nothing_more",
            "Then every server that you ever visited could show the certificate that you showed.",
        ),
        Wrong(
            "the_authoritys_key",
            "That one makes new certificates. To show this one you need what is not in it.",
        ),
    ),
    hints=(
        "Look at the row for the private key.",
        "A certificate ties a name to a public key. Who can sign for a public key?",
        "Which key fits the one in the certificate, and is not in it?",
    ),
)
