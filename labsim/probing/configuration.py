"""What a user says of the server to be probed: a TOML file, read key by key.

Files that it names are looked for beside it. `docs/probe.md` is the page about it.
"""

from __future__ import annotations

import ipaddress
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from labsim.errors import LabError
from labsim.estate.checked_table import Table, shown
from labsim.keys import SigningKey
from labsim.rooms import names
from labsim.target_uri import comparable_target_uri

ALLOWED = "I am allowed to test this server"
"""What the configuration has to say of a host that is not this machine."""
FASTEST = 1000
MEANINGS: Mapping[str, str] = {
    "url": "the https URL at which a GET with a good token is served",
    "binding": f"how the token is tied to its sender: {', '.join(names('labsim.bindings'))}",
    "ca_file": "the PEM file of the authorities that the server's certificate is trusted by",
    "pace": "how many requests are sent in a second at most; 20 if it is left out",
    "replay_memory": "false if the server takes a proof twice on purpose; true if left out",
    "host": "the host that may be tested although it is not this machine",
    "allowed": f'your word for it, in these words: "{ALLOWED}"',
    "key": "the table about the key that the token is bound to",
    "token": "the table that says which token to use, or how to get one",
}  # fmt: skip
KEY_MEANINGS: Mapping[str, str] = {
    "file": "the private key, as a JWK or as PEM: P-256 or Ed25519",
    "certificate_file": "the certificate of that key, as PEM; mtls needs it",
}
TOKEN_MEANINGS: Mapping[str, str] = {
    "given": "the token itself",
    "file": "the file in which the token stands",
    "endpoint": "the https URL of the token endpoint",
    "client_id": "the client that asks for the token",
    "secret": "its secret (client_secret_basic)",
    "secret_file": "the file in which its secret stands",
    "key_file": "its private key for private_key_jwt, as a JWK or as PEM",
    "audience": "whom a private_key_jwt assertion is for; the token endpoint if it is left out",
    "resource": "the resource to ask for (RFC 8707)",
    "scope": "the scope to ask for",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """Say how to get a token: by client credentials, with a secret or with a key."""

    endpoint: str
    client_id: str
    secret: str | None
    key: SigningKey | None
    audience: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Hold what is to be probed, and with what; `token` is the token or how to get one."""

    url: str
    binding: str
    ca_file: str
    pace: int
    replay_memory: bool
    key: SigningKey
    token: str | TokenRequest


def load(file: Path) -> Configuration:
    """Read a configuration; LabError that names file, key and meaning if it cannot be used."""
    raw = _read(file)
    table = Table(file, "", raw, MEANINGS)
    url = _https(table, "url")
    _must_be_allowed(table, raw, url)
    binding = table.one_of("binding", names("labsim.bindings"))
    pace = table.whole_number("pace", 1, FASTEST) if "pace" in raw else 20
    return Configuration(
        url=url,
        binding=binding,
        ca_file=_authorities(table),
        pace=pace,
        replay_memory=_yes(table, raw, "replay_memory"),
        key=_key(file, raw, binding),
        token=_token(file, raw),
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes().decode())
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        todo = "Name a TOML file: docs/probe.md has an example."
        raise LabError(f"{shown(file)} cannot be read: {why}.", "Nothing was sent.", todo) from None
    except (ValueError, RecursionError) as error:
        todo = "Mend that place; docs/probe.md has an example."
        raise LabError(f"{shown(file)} is no TOML: {error}.", "Nothing was sent.", todo) from None


def _https(table: Table, key: str) -> str:
    url = table.text(key)
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    # A URI as RFC 3986 has it: another could not be sent, or is read in two ways.
    if not usable or comparable_target_uri(url) is None or "#" in url:
        todo = "Write an https URL without a fragment: the probe speaks TLS and nothing else."
        raise table.refusal(key, f"{url!r} is no URL that can be asked", todo)
    return url


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name or address alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _must_be_allowed(table: Table, raw: Mapping[str, Any], url: str) -> None:
    host = urlsplit(url).hostname or ""
    if is_loopback(host):
        return
    named = table.text("host") if "host" in raw else ""
    if named.lower() != host.lower():
        todo = f'If you are allowed to test it, add host = "{host}" and allowed = "{ALLOWED}".'
        raise table.refusal("url", f"{host} is not this machine", todo)
    if "allowed" not in raw or table.text("allowed") != ALLOWED:
        todo = f'If it is so, write: allowed = "{ALLOWED}".'
        raise table.refusal("allowed", f"nobody has said that {host} may be tested", todo)


def _yes(table: Table, raw: Mapping[str, Any], key: str) -> bool:
    value = raw.get(key, True)
    if not isinstance(value, bool):
        raise table.refusal(key, f"{value!r} has the wrong type", "Write true or false.")
    return value


def _beside(table: Table, key: str) -> Path:
    """Return the file that a key names; LabError if it is not there."""
    path = table.file.parent / table.text(key)
    if not path.is_file():
        todo = f"Put it there, or name another file; it is looked for beside {shown(table.file)}."
        raise table.refusal(key, f"there is no file {shown(path)}", todo)
    return path


def _authorities(table: Table) -> str:
    """Return the file of authorities; LabError if there is no certificate in it."""
    try:
        found = x509.load_pem_x509_certificates(_bytes(table, "ca_file"))
    except ValueError as error:
        todo = "Write one or more certificates, as PEM."
        raise table.refusal("ca_file", f"it holds none: {error}", todo) from None
    assert found, "the library refuses a file without one"
    return str(_beside(table, "ca_file"))


def _bytes(table: Table, key: str) -> bytes:
    path = _beside(table, key)
    try:
        return path.read_bytes()
    except OSError as error:
        todo = "Make it readable for you."
        raise table.refusal(key, f"{path} cannot be read: {error.strerror}", todo) from None


def _key(file: Path, raw: Mapping[str, Any], binding: str) -> SigningKey:
    if binding == "bearer" and "key" not in raw:
        return SigningKey.generate()  # a bearer token is bound to none
    if "key" not in raw:
        table = Table(file, "", raw, MEANINGS)
        raise table.refusal("key", "the key is missing", 'Add [key] with file = "key.pem".')
    table = Table(file, "key", raw["key"], KEY_MEANINGS)
    key = _private_key(table, "file")
    if "certificate_file" not in raw["key"]:
        if binding == "mtls":
            todo = "Add it: the certificate that the token is bound to."
            raise table.refusal("certificate_file", "the key is missing", todo)
        return key
    return _certified(table, key)


def _private_key(table: Table, name: str) -> SigningKey:
    data = _bytes(table, name)
    try:
        if data.lstrip().startswith(b"{"):
            return SigningKey.from_jwk(json.loads(data))
        private = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError, RecursionError, UnsupportedAlgorithm) as error:
        todo = "Write a JWK with its private member, or PEM without a passphrase."
        raise table.refusal(name, f"it holds no usable private key: {error}", todo) from None
    is_p256 = isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name == "secp256r1"
    if is_p256 or isinstance(private, ed25519.Ed25519PrivateKey):
        return SigningKey(private)  # type: ignore[arg-type]
    raise table.refusal(name, "the key is of another kind", "Use a P-256 or an Ed25519 key.")


def _certified(table: Table, key: SigningKey) -> SigningKey:
    try:
        certificate = x509.load_pem_x509_certificate(_bytes(table, "certificate_file"))
    except ValueError as error:
        todo = "Write one certificate, as PEM."
        raise table.refusal("certificate_file", f"it holds none: {error}", todo) from None
    if certificate.public_key() != key.private.public_key():
        todo = "Name the certificate of the key in key.file."
        raise table.refusal("certificate_file", "it is for another key", todo)
    return key.certified(certificate.public_bytes(serialization.Encoding.DER))


def _token(file: Path, raw: Mapping[str, Any]) -> str | TokenRequest:
    table = Table(file, "", raw, MEANINGS)
    if "token" not in raw:
        todo = "Add [token] with given, file, or endpoint and client_id."
        raise table.refusal("token", "the key is missing", todo)
    table, have = Table(file, "token", raw["token"], TOKEN_MEANINGS), raw["token"]
    ways = [way for way in ("given", "file", "endpoint") if way in have]
    if len(ways) != 1:
        todo = "Write exactly one of: given, file, endpoint."
        raise table.refusal("given", f"there are {len(ways)} ways to a token", todo)
    if ways == ["endpoint"]:
        return _request(table, have)
    given = table.text("given") if ways == ["given"] else _line(table, "file")
    if not given or not given.isascii() or not given.isprintable() or " " in given:
        todo = "Write the access token alone, without its scheme."
        raise table.refusal(ways[0], "this is no token", todo)
    return given


def _line(table: Table, key: str) -> str:
    return _bytes(table, key).decode("utf-8", "replace").strip()


def _request(table: Table, have: Mapping[str, Any]) -> TokenRequest:
    endpoint = _https(table, "endpoint")
    ways = [way for way in ("secret", "secret_file", "key_file") if way in have]
    if len(ways) != 1:
        todo = "Write exactly one of: secret, secret_file, key_file."
        raise table.refusal("secret", f"there are {len(ways)} ways to authenticate", todo)
    secret = None
    if ways[0] != "key_file":
        secret = table.text("secret") if ways == ["secret"] else _line(table, "secret_file")
    asked = {key: table.text(key) for key in ("resource", "scope") if key in have}
    return TokenRequest(
        endpoint=endpoint,
        client_id=table.text("client_id"),
        secret=secret,
        key=_private_key(table, "key_file") if ways == ["key_file"] else None,
        audience=table.text("audience") if "audience" in have else endpoint,
        parameters={"grant_type": "client_credentials", **asked},
    )
