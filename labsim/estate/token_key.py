"""A key in a PKCS #11 token: made there, used there, and never seen by the process that uses it.

An extra (`pip install labsim[pkcs11]`): nothing else imports the client library. The token is made
anew, with a PIN that only this process knows, in SoftHSM and nowhere else: another module's may
hold keys that somebody needs, and to make a token is to erase them. One in a process.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import secrets
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labsim.errors import LabError
from labsim.jose import b64url

if TYPE_CHECKING:
    import pkcs11

_LABEL = "labsim"
_CONFIGURATION = """\
directories.tokendir = {folder}
objectstore.backend = file
log.level = ERROR
"""
_TODO = "Use the software signer, or name SoftHSM's module (softhsm2 on Debian)."


class TokenKey:
    """Be the holder of a P-256 key in a fresh token; `folder` is where SoftHSM keeps that.

    Raises LabError if the module is none, is not SoftHSM's, or gives no token.
    """

    certificate: bytes | None = None

    def __init__(self, module: str, folder: Path) -> None:
        import pkcs11
        from pkcs11 import Attribute

        try:
            pin = _made_token(module, folder)
            token = pkcs11.lib(module).get_token(token_label=_LABEL)
            public, self._private = _made_key(token.open(rw=True, user_pin=pin))
            point = bytes(public[Attribute.EC_POINT])[-64:]  # DER and SEC 1 put octets in front
        except pkcs11.PKCS11Error as error:
            why = f"{type(error).__name__} {error}".strip()
            raise LabError(f"{module} gives no key: {why}.", todo=_TODO) from error
        self._jwk = {"kty": "EC", "crv": "P-256", "x": b64url(point[:32]), "y": b64url(point[32:])}
        self._lock = threading.Lock()

    @property
    def public_jwk(self) -> dict[str, str]:
        """Return the public key as a JWK, required members only."""
        return dict(self._jwk)

    @property
    def algorithm(self) -> str:
        """Return the JWS algorithm."""
        return "ES256"

    def sign(self, message: bytes) -> bytes:
        """Return the raw JWS signature: what CKM_ECDSA makes is R and S already."""
        from pkcs11 import Mechanism

        digest = hashlib.sha256(message).digest()
        with self._lock:  # a session does one thing at a time
            return bytes(self._private.sign(digest, mechanism=Mechanism.ECDSA))


def _made_token(module: str, folder: Path) -> str:
    """Let SoftHSM make a token in a folder; return the PIN of its user. Raises PKCS11Error."""
    import pkcs11

    tokens = folder / "tokens"
    if tokens.exists():  # of the signer before this one
        shutil.rmtree(tokens)
    tokens.mkdir(mode=0o700)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(_CONFIGURATION.format(folder=tokens))
    os.environ["SOFTHSM2_CONF"] = str(configuration)  # read when the module is loaded
    library = pkcs11.lib(module)
    if library.manufacturer_id != "SoftHSM":
        raise LabError(f"{module} is {library.manufacturer_id}'s, not SoftHSM's.", todo=_TODO)
    officer, pin = secrets.token_hex(16), secrets.token_hex(16)
    # The client library has no call for this one; the module is loaded, and is the same for both.
    made = ctypes.CDLL(module).C_InitToken(
        ctypes.c_ulong(library.get_slots()[0].slot_id),
        officer.encode(),
        ctypes.c_ulong(len(officer)),
        _LABEL.encode().ljust(32),
    )
    if made != 0:
        raise LabError(f"{module} makes no token: it answers {made:#x}.", todo=_TODO)
    with library.get_token(token_label=_LABEL).open(rw=True, so_pin=officer) as session:
        session.init_pin(pin)
    return pin


def _made_key(session: pkcs11.Session) -> tuple[Any, Any]:
    """Make a key that the token uses and never gives out, not even wrapped."""
    from pkcs11 import Attribute, KeyType
    from pkcs11.util.ec import encode_named_curve_parameters

    curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
    secret = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    return parameters.generate_keypair(store=True, label=_LABEL, private_template=secret)
