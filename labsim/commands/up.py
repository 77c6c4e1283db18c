"""Start the estate for clients that nobody here wrote, and stay until told to end.

Prints exactly one JSON line to standard output: issuer, resources, ca_file, run_dir, pid.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from labsim.errors import LabError
from labsim.estate.names import AUTHORIZATION_SERVER, COLLECTION
from labsim.estate.outside_clients import certificate_files, is_given_a_certificate
from labsim.lab import Lab
from labsim.starting import start

LOOK_SECONDS = 1.0
SUMMARY = "Start the estate for outside clients; one JSON line says where it is."

_EPILOG = """
FILE is a JSON array of client metadata (RFC 7591 section 2): client_id with client_secret or, with
token_endpoint_auth_method private_key_jwt, jwks. An id or a secret that is left out is chosen and
printed. Members that are not known are ignored; no scope means every scope. A client that lists
the grant type refresh_token is given a refresh token, as if somebody had consented. Certificates
(RFC 8705): a client with self_signed_tls_client_auth brings its own, as x5c in jwks; one with
tls_client_auth, or with tls_client_certificate_bound_access_tokens, is given one with its key, and
their files are printed as certificates. They count at the mtls_endpoint_aliases of the metadata.
"""


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="labsim up", description=SUMMARY, epilog=_EPILOG)
    parser.add_argument(
        "--estate", metavar="FILE", help="an estate of your own: see docs/estate-format.md"
    )
    parser.add_argument("--clients", metavar="FILE", help="register the clients of this file")
    parser.add_argument(
        "--require-nonce", action="store_true", help="ask for a nonce in every DPoP proof"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the JSON line and nothing for people"
    )
    options = parser.parse_args(arguments)
    clients = _clients(Path(options.clients)) if options.clients else []
    signal.signal(signal.SIGTERM, _interrupted)
    with start(
        options.estate,
        clients=clients,
        require_nonce=options.require_nonce,
        idle_minutes=None,
        quiet=True,
    ) as lab:
        print(json.dumps({**where(lab), **_given(lab, clients)}), flush=True)
        if not options.json:
            print("The estate runs until standard input closes, or Ctrl-C.", file=sys.stderr)
        return _wait_for_end(lab)


def where(lab: Lab) -> dict[str, Any]:
    """Return what an outside client needs to know.

    `resources` has url (an authorised plain GET of it answers 200), audience (the value of
    `resource` in a token request, RFC 8707) and scopes for each resource server.
    """
    estate = lab.estate
    return {
        "issuer": estate.issuer,
        "resources": {
            name: {
                "url": url + COLLECTION,
                "audience": url,
                "scopes": list(lab.plan.resource(name).scopes),
            }
            for name, url in estate.urls.items()
        },
        "ca_file": str(estate.ca_file),
        "run_dir": str(lab.run_folder),
        "pid": os.getpid(),
    }


def _given(lab: Lab, clients: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the file left open and the lab has chosen: ids, secrets, certificates, tokens.

    A client that registers refresh_token gets one, as if a resource owner had consented.
    """
    found: dict[str, Any] = {}
    both = zip(clients, lab.clients_from_outside, strict=True)
    for number, (asked, got) in enumerate(both, 1):
        new = {n: got[n] for n in ("client_id", "client_secret") if n in got and n not in asked}
        if new:
            found.setdefault("clients", []).append({"client_id": got["client_id"], **new})
        if is_given_a_certificate(got):
            files = certificate_files(lab.run_folder, number)
            names = ("certificate_file", "key_file")
            given = dict(zip(names, map(str, files), strict=True))
            found.setdefault("certificates", {})[got["client_id"]] = given
        if "refresh_token" in asked.get("grant_types", ()):
            token = lab.estate.process(AUTHORIZATION_SERVER).call(
                "grant", client_id=got["client_id"]
            )
            found.setdefault("refresh_tokens", {})[got["client_id"]] = token
    return found


def _clients(file: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise LabError(
            f"The clients cannot be read: {file}: {error.strerror}.",
            "Nothing was started.",
            "Name a JSON file with an array of client metadata (RFC 7591 section 2).",
        ) from error
    except (ValueError, RecursionError) as error:
        raise LabError(
            f"{file} is not JSON: {error}.", "Nothing was started.", "Mend it."
        ) from None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise LabError(
            f"{file} must hold a JSON array of objects, one for each client.",
            "Nothing was started.",
            'For example: [{"client_id": "me", "client_secret": "a long random text"}]',
        )
    return found


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _wait_for_end(lab: Lab) -> int:
    """Wait for the end of standard input or an interrupt: 0; or for the end of a process: 1."""
    if sys.stdin is None:
        return 0
    try:
        while True:
            ready, _, _ = select.select([sys.stdin], [], [], LOOK_SECONDS)
            if ready and not os.read(sys.stdin.fileno(), 4096):
                return 0
            ended = lab.estate.ended()
            if ended:
                what = f"{len(ended)} processes of the estate have ended: {', '.join(ended)}."
                print(f"{what} It is stopped.", file=sys.stderr)
                return 1
    except KeyboardInterrupt:
        return 0
