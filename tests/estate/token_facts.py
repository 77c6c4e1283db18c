"""A key in a token, asked for what it would not give: `token_facts.py MODULE FOLDER`, prints JSON.

A process of its own: a module is loaded once in a process, and reads its configuration then.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

import pkcs11
from pkcs11 import Attribute

from labsim.errors import LabError
from labsim.estate.token_key import TokenKey


def facts(module: str, folder: Path) -> dict[str, object]:
    key = TokenKey(module, folder)
    private = key._private
    flags = {
        flag.name: private[flag]
        for flag in (
            Attribute.EXTRACTABLE,
            Attribute.SENSITIVE,
            Attribute.NEVER_EXTRACTABLE,
            Attribute.ALWAYS_SENSITIVE,
        )
    }
    try:
        private[Attribute.VALUE]
        value = "given"
    except pkcs11.AttributeSensitive:
        value = "sensitive"
    signatures = [base64.b64encode(key.sign(b"octets")).decode() for _ in range(20)]
    return {
        "jwk": key.public_jwk,
        "flags": flags,
        "value": value,
        "signatures": signatures,
    }


def main() -> None:
    os.umask(0o077)
    try:
        print(json.dumps(facts(sys.argv[1], Path(sys.argv[2]))), flush=True)
    except LabError as error:
        print(json.dumps({"error": str(error)}), flush=True)
    os._exit(
        0
    )  # as a process of the estate ends: SoftHSM and OpenSSL do not tear down well together


if __name__ == "__main__":
    main()
