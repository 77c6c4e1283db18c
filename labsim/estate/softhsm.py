"""Where SoftHSM lies, and which signer a lab is to have: software, pkcs11 or pkcs11:MODULE."""

from __future__ import annotations

import importlib.util
import os

from labsim.errors import LabError
from labsim.rooms import rooms

SOFTWARE = "software"
PKCS11 = "pkcs11"
PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",  # Debian, Ubuntu
    "/usr/lib64/pkcs11/libsofthsm2.so",  # Fedora
    "/usr/lib/libsofthsm2.so",  # Arch
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)


def found() -> str:
    """Return the PKCS #11 module of the SoftHSM that is installed here, empty if there is none."""
    return next((place for place in PLACES if os.path.exists(place)), "")


def has_library() -> bool:
    """Tell whether this Python has the library for PKCS #11 modules."""
    return importlib.util.find_spec("pkcs11") is not None


def module_of(signer: str) -> str:
    """Return the PKCS #11 module that the signers' keys are to lie in; empty for `software`.

    Raises LabError for a signer that is not known, and if the module or its library is missing.
    """
    if signer == SOFTWARE:
        return ""
    kind, _, module = signer.partition(":") if isinstance(signer, str) else ("", "", "")
    if kind != PKCS11:
        raise LabError.unknown("signer", signer, [SOFTWARE, PKCS11, f"{PKCS11}:MODULE"])
    module = module or found()
    if not os.path.isfile(module):
        raise LabError(
            f"There is no PKCS #11 module at {module}." if module else "SoftHSM is not here.",
            "Nothing was started.",
            f'Install softhsm2, or say where its module is: signer="{PKCS11}:/…/libsofthsm2.so".',
        )
    if not has_library():
        raise LabError(
            "A PKCS #11 token cannot be used: the library python-pkcs11 is not installed.",
            "Nothing was started.",
            "pip install python-pkcs11, or use the software signer.",
        )
    return module


def refuse_tls(binding: str) -> None:
    """Refuse a binding that needs the key in a TLS handshake, which a token's is never in."""
    if rooms("labsim.bindings", "BINDING")[binding].asks_client_certificate:
        raise LabError(
            f"A key in a PKCS #11 token cannot serve {binding} here: Python's ssl takes no signing"
            " callback, so that it must be given the key itself.",
            "Nothing was changed.",
            "Use dpop or http_signature, or start the lab with the software signer.",
        )
