"""A small resource server that nobody of the lab wrote: http.server, ssl and PyJWT, and DPoP.

It is what a careful developer writes from RFC 9449. `lacking` leaves one of its checks out.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt

from labsim.certificates import certificate_authority, server_leaf

ISSUER, AUDIENCE, SECRET = "https://issuer.test", "https://plain.test", "x" * 48
SEGMENT = re.compile(r"[A-Za-z0-9_-]+")


class Refused(Exception):
    """Say no, with an OAuth error code."""


def thumbprint(jwk: dict[str, Any]) -> str:
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def token_for(jwk: dict[str, Any]) -> str:
    """Issue a token as the server's own authorization server would."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 600}
    return jwt.encode({**claims, "cnf": {"jkt": thumbprint(jwk)}}, SECRET, "HS256")


def strict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("twice")
    return dict(pairs)


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


class PlainServer(ThreadingHTTPServer):
    """Serve one URL to whoever has a token and its key."""

    def __init__(self, lacking: str = "", status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lacking, self.status = lacking, status
        self.spent: set[tuple[str, str]] = set()
        self.lock = threading.Lock()
        self.asked: list[str] = []
        self.url = f"https://127.0.0.1:{self.server_port}/orders/o-1"

    def decide(self, method: str, path: str, fields: Any) -> None:
        """Raise Refused unless the request may be served."""
        credentials = fields.get_all("Authorization") or []
        if len(credentials) != 1 or "access_token" in path:
            raise Refused("invalid_request" if credentials else "")
        found = re.fullmatch(r"(?i:dpop) +([A-Za-z0-9._~+/-]+=*)", credentials[0].strip())
        if found is None:
            raise Refused("invalid_token")
        try:
            options = {"require": ["exp", "aud", "iss", "cnf"]}
            token: Any = jwt.decode(
                found[1], SECRET, ["HS256"], options, audience=AUDIENCE, issuer=ISSUER
            )
        except (jwt.PyJWTError, UnicodeError) as error:
            raise Refused("invalid_token") from error
        proof, key = self.proof(fields.get_all("DPoP") or [])
        self.compare(proof, method, urlsplit(path).path, found[1])
        if self.lacking != "key" and key != token["cnf"].get("jkt"):
            raise Refused("invalid_token")
        with self.lock:
            if self.lacking != "replay" and (key, proof["jti"]) in self.spent:
                raise Refused("invalid_dpop_proof")
            self.spent.add((key, proof["jti"]))

    def proof(self, values: list[str]) -> tuple[dict[str, Any], str]:
        """Return the proof's claims and its key's thumbprint."""
        try:
            (text,) = values
            segments = text.split(".")
            if len(segments) != 3 or not all(SEGMENT.fullmatch(each) for each in segments):
                raise ValueError("no compact JWS")
            for each in segments[:2]:
                raw = base64.urlsafe_b64decode(each + "==")
                json.loads(raw.decode(), object_pairs_hook=strict)
            header = jwt.get_unverified_header(text)
            jwk = header["jwk"]
            if header["typ"] != "dpop+jwt" or set(jwk) & {"d", "p", "q", "k"} or "crit" in header:
                raise ValueError("the header is no proof's")
            if set(map(len, (jwk["x"], jwk["y"]))) != {43} or jwk["crv"] != "P-256":
                raise ValueError("the key is of another kind")
            key = jwt.PyJWK(jwk, "ES256").key
            checked = {"verify_aud": False, "verify_iat": False}
            if self.lacking == "signature":
                checked["verify_signature"] = False
            claims = jwt.decode(text, key, ["ES256"], checked)
            return claims, thumbprint(jwk)
        except (jwt.PyJWTError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise Refused("invalid_dpop_proof") from error

    def compare(self, proof: dict[str, Any], method: str, path: str, token: str) -> None:
        """Compare the proof's claims with the request."""
        jti, iat = proof.get("jti"), proof.get("iat")
        ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=")
        checks = {
            "jti": isinstance(jti, str) and 0 < len(jti) <= 300,
            "times": all(number(proof.get(name, 0)) for name in ("exp", "nbf")),
            "iat": number(iat) and abs(time.time() - float(str(iat))) <= 60,
            "htm": proof.get("htm") == method,
            "htu": self.lacking == "htu" or self.same_target(proof.get("htu"), path),
            "ath": self.lacking == "ath" or proof.get("ath") == ath.decode(),
            "nonce": proof.get("nonce", "n") not in ("", None)
            and bool(re.fullmatch(r"[!#-\[\]-~]+", str(proof.get("nonce", "n"))))
            and isinstance(proof.get("nonce", "n"), str),
        }
        if not all(checks.values()):
            raise Refused("invalid_dpop_proof")

    def same_target(self, htu: Any, path: str) -> bool:
        if not isinstance(htu, str) or re.search(r"[\s\\]|%(?![0-9A-Fa-f]{2})|[^ -~]", htu):
            return False
        parts = urlsplit(htu)
        here = f"127.0.0.1:{self.server_port}"
        return (parts.scheme.lower(), parts.netloc.lower(), parts.path) == ("https", here, path)


class Handler(BaseHTTPRequestHandler):
    """Answer as a resource server does."""

    protocol_version = "HTTP/1.1"
    server: PlainServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        try:
            if b"access" in body:
                raise Refused("invalid_request")
            self.server.decide(self.command, self.path, self.headers)
        except Refused as refusal:
            return self.answer(401, [("WWW-Authenticate", f'DPoP error="{refusal}"')])
        if self.server.status != 200:
            return self.answer(self.server.status, [("Location", "https://elsewhere.test/")])
        return self.answer(200, [])

    def answer(self, status: int, fields: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write no log."""


@contextmanager
def serving(folder: Path, lacking: str = "", status: int = 200) -> Iterator[PlainServer]:
    """Run a server with a certificate of its own; `folder` gets its authority as ca.pem."""
    now = datetime.datetime.now(datetime.UTC)
    authority = certificate_authority("plain CA", now)
    leaf = server_leaf(authority, ["127.0.0.1", "localhost"], now)
    (folder / "ca.pem").write_bytes(authority.certificate_pem)
    (folder / "server.pem").write_bytes(leaf.certificate_pem + leaf.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server = PlainServer(lacking, status)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
