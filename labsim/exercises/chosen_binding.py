"""What a learner's choice of binding does: seven requests run through the real role with it.

Four are holders' own: a bearer token, a DPoP token, an mTLS token (which comes under the Bearer
scheme), and a DPoP token whose `cnf` says one thing more. Three are a thief's, which has a token
and nothing else, and calls it a bearer token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from labsim.binding import Binding, Presentation
from labsim.bindings import bearer, dpop, mtls
from labsim.certificates import certificate_authority, client_leaf, client_uri
from labsim.exercises.exercise import NotAttempted
from labsim.http_message import Request
from labsim.jose import sign_token
from labsim.keys import PublicKey, SigningKey, public_key, thumbprint
from labsim.rejection import Reason, Rejected
from labsim.roles.resource_server import Credential, ResourceServer

NOW: Final = 1_800_000_000.0
ISSUER: Final = "https://issuer.test"
SERVER: Final = "https://deploy.test"
BINDINGS: Final = {"bearer": bearer.BINDING, "dpop": dpop.BINDING, "mtls": mtls.BINDING}

type Choice = Callable[[dict[str, Any], str], Any]

NOTHING_BACK: Final = (
    "It gives nothing back, for any token: a function without `return` returns None, which refuses "
    "everybody."
)
HOLDERS: Final = (
    "It shuts out the owner of a bearer token: nothing in it names a key, and nothing has to.",
    "It shuts out the owner of a DPoP token, whose proof is flawless.",
    (
        "It shuts out the owner of an mTLS token. Such a token comes under the scheme Bearer, as "
        "in 03; the connection is its proof."
    ),
    (
        "It shuts out an owner whose cnf says one thing more than jkt. What a server does not "
        "understand there it ignores (RFC 7800, section 3.1); a public library refused it "
        "(auth0/node-oauth2-jwt-bearer, issue 258)."
    ),
)
THIEVES: Final = (
    (
        "The thief was served: it sent a DPoP token without a proof and called it Bearer, as in "
        "case A. The scheme is the sender's word; the token is the issuer's."
    ),
    "The thief was served: it sent an mTLS token over a connection that showed no certificate.",
    (
        "The thief was served with a token whose cnf names a key in a way that this server does "
        "not know. It is bound to something; as a bearer token it is bound to nothing."
    ),
)


@dataclass(frozen=True, slots=True)
class _Keys:
    """Know the one issuer's key (see `credentials.IssuerKeys`)."""

    signing: SigningKey

    def key(self, kid: str) -> PublicKey | None:
        jwk = self.signing.public_jwk
        return public_key(jwk) if kid == thumbprint(jwk) else None


class _Records:
    """Hold one record (see `roles.records_api.Records`)."""

    def all(self) -> Sequence[Mapping[str, Any]]:
        return [{"id": "one"}]

    def one(self, record_id: str) -> Mapping[str, Any] | None:
        return {"id": record_id} if record_id == "one" else None

    def add(self, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return None


def effect(choice: Choice) -> str:
    """Let a learner's function choose the binding of seven tokens; return what is wrong.

    Returns an empty text if nothing is. Raises NotAttempted for one that answers `...`, and
    whatever it raises itself.
    """
    issuer = SigningKey.generate()
    holders, thieves = _holders(issuer), _thieves(issuer)
    raw = [choice(dict(cnf), _scheme(request)) for cnf, request in (*holders, *thieves)]
    if all(said is ... for said in raw):
        raise NotAttempted
    if all(said is None for said in raw):
        return NOTHING_BACK
    strange = [said for said in raw if said is not None and said not in tuple(BINDINGS)]
    if strange:
        return (
            f"It returned {strange[0]!r}. Return one of {', '.join(BINDINGS)}, or None to refuse."
        )
    server = _server(issuer, choice)
    for (_cnf, request), said in zip(thieves, THIEVES, strict=True):
        if _serves(server, request):
            return said
    for (_cnf, request), said in zip(holders, HOLDERS, strict=True):
        if not _serves(server, request):
            return said
    return ""


def _scheme(request: Request) -> str:
    return (request.value("Authorization") or "").partition(" ")[0].lower()


def _serves(server: ResourceServer, request: Request) -> bool:
    return server.handle(request)[0].status == 200


def _server(issuer: SigningKey, choice: Choice) -> ResourceServer:
    def select(
        claims: Mapping[str, Any], credential: Credential, _bindings: Sequence[Binding]
    ) -> Binding:
        said = choice(dict(claims.get("cnf", {})), credential.scheme.lower())
        if said is None:
            raise Rejected(Reason.BINDING_UNSUPPORTED, "the_learners_choice", "the learner's own")
        return BINDINGS[said]

    return ResourceServer(
        name="deploy",
        resource=SERVER,
        issuer=ISSUER,
        issuer_keys=_Keys(issuer),
        bindings=tuple(BINDINGS.values()),
        records=_Records(),
        clock=lambda: NOW,
        new_id=lambda: "a number",
        select=select,
    )


def _holders(issuer: SigningKey) -> list[tuple[dict[str, Any], Request]]:
    key = SigningKey.generate()
    authority = certificate_authority("exercise CA", datetime.fromtimestamp(NOW, UTC))
    now = datetime.fromtimestamp(NOW, UTC)
    leaf = client_leaf(authority, client_uri("runner"), "runner", now)
    shown = SigningKey(leaf.key, leaf.der)
    jkt = {"jkt": thumbprint(key.public_jwk)}
    x5t = dict(mtls.BINDING.bind(mtls.BINDING.parse(Request("GET", SERVER).showing(leaf.der))))
    more = {**jkt, "key-type": "runtime"}
    return [
        ({}, _sent(issuer, {}, "bearer", None)),
        (jkt, _sent(issuer, jkt, "dpop", key)),
        (x5t, _sent(issuer, x5t, "mtls", shown)),
        (more, _sent(issuer, more, "dpop", key)),
    ]


def _thieves(issuer: SigningKey) -> list[tuple[dict[str, Any], Request]]:
    cnfs = ({"jkt": "a" * 43}, {"x5t#S256": "a" * 43}, {"htsk": {"alg": "ed25519", "pub": "AAAA"}})
    return [(dict(cnf), _sent(issuer, dict(cnf), "bearer", None)) for cnf in cnfs]


def _sent(
    issuer: SigningKey, cnf: dict[str, Any], binding: str, holder: SigningKey | None
) -> Request:
    claims = {
        "iss": ISSUER,
        "sub": "runner",
        "aud": SERVER,
        "client_id": "runner",
        "scope": "deploy.read",
        "iat": int(NOW),
        "exp": int(NOW) + 600,
        "jti": "a token",
        **({"cnf": cnf} if cnf else {}),
    }
    header = {"typ": "at+jwt", "kid": thumbprint(issuer.public_jwk)}
    token = sign_token(header, claims, issuer.private, issuer.algorithm)
    presentation = Presentation(token, holder, NOW, lambda: "a new number")
    return BINDINGS[binding].attach(Request("GET", f"{SERVER}/records"), presentation)
