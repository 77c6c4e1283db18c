"""A client that nobody here wrote gets a bound token from `labsim up`, and is served."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from jwskate import Jwk
from requests_oauth2client import ClientSecretBasic, OAuth2Client, PrivateKeyJwt

SECRET = "made-up-for-this-test-0123456789"


@contextmanager
def up(folder: Path, clients: list[dict[str, Any]], *options: str) -> Iterator[dict[str, Any]]:
    """Run `labsim up` with these clients; give what it printed, and end it by closing its stdin."""
    file = folder / "clients.json"
    file.write_text(json.dumps(clients))
    command = [sys.executable, "-m", "labsim", "up", "--json", "--clients", str(file), *options]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        yield json.loads(line)
    finally:
        process.stdin.close()
        rest = process.stdout.read()
        process.stdout.close()
        assert process.wait() == 0
    assert rest == "", "one JSON line and nothing else"
    assert not Path(json.loads(line)["run_dir"]).exists()


@pytest.mark.parametrize("options", [(), ("--require-nonce",)], ids=["no nonce", "nonces"])
@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
@pytest.mark.parametrize("method", ["client_secret_basic", "private_key_jwt"])
def test_requests_oauth2client_is_served_with_a_bound_token(
    tmp_path: Path, method: str, algorithm: str, options: tuple[str, ...]
) -> None:
    key = Jwk.generate(alg="ES256").with_kid_thumbprint()
    client: dict[str, Any] = {"client_id": "stranger", "token_endpoint_auth_method": method}
    client |= {"dpop_bound_access_tokens": True, "client_name": "Stranger", "x_unknown": [1]}
    if method == "private_key_jwt":
        client["jwks"] = {"keys": [dict(key.public_jwk())]}
    else:
        client["client_secret"] = SECRET
    with up(tmp_path, [client], *options) as where, requests.Session() as session:
        session.verify, session.trust_env = where["ca_file"], False
        document = f"{where['issuer']}/.well-known/openid-configuration"
        metadata = session.get(document).json()
        proves = (
            PrivateKeyJwt("stranger", dict(key), aud=metadata["issuer"])
            if method == "private_key_jwt"
            else ClientSecretBasic("stranger", SECRET)
        )
        oauth = OAuth2Client(
            metadata["token_endpoint"],
            proves,
            session=session,
            dpop_bound_access_tokens=True,
            dpop_alg=algorithm,
        )
        resource = where["resources"]["orders"]
        token = oauth.client_credentials(resource=resource["audience"])
        assert token.token_type == "DPoP"
        for _ in range(2):
            assert session.get(resource["url"], auth=token).status_code == 200
        stolen = {"Authorization": f"DPoP {token.access_token}"}
        assert session.get(resource["url"], headers=stolen).status_code == 401


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "must hold a JSON array"),
        ("[", "is not JSON"),
        ('[{"client_id": ""}]', "client_id must be"),
        ('[{"client_id": "a", "token_endpoint_auth_method": "magic"}]', "must be one of"),
        ('[{"client_id": "storefront"}]', "this client_id is taken"),
        ('[{"client_id": "orders"}]', "this client_id is taken"),
        ('[{"client_id": "a", "scope": "moon.read"}]', "scope must be some of"),
    ],
)
def test_a_file_of_clients_that_cannot_be_used_is_answered_with_one_clear_line(
    tmp_path: Path, content: str, said: str
) -> None:
    file = tmp_path / "clients.json"
    file.write_text(content)
    command = [sys.executable, "-m", "labsim", "up", "--clients", str(file)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr
