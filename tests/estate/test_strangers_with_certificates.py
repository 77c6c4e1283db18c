"""httpx and curl, which nobody here wrote, get certificate-bound tokens and are served."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography import x509

from labsim.certificates import as_der, certificate_thumbprint
from tests.estate.outside import Pair, context_of, events_of, given, refusal_by_tls, written
from tests.estate.test_strangers import SECRET, up
from tests.own_certificates import AUTHORITY, FOR_ITSELF, of_version_1, registration, self_signed

BOUND = {"tls_client_certificate_bound_access_tokens": True}
NAMES = {
    "dn": ("tls_client_auth_subject_dn", "CN=stranger,OU=tests,O=Elsewhere\\, Inc."),
    "dns": ("tls_client_auth_san_dns", "stranger.test"),
    "uri": ("tls_client_auth_san_uri", "spiffe://elsewhere.test/stranger"),
    "ip": ("tls_client_auth_san_ip", "2001:db8::1"),
    "email": ("tls_client_auth_san_email", "stranger@elsewhere.test"),
}


class Outside:
    """An estate that `labsim up` runs, and every client's certificate and key."""

    def __init__(self, where: dict[str, Any], own: Pair) -> None:
        self.where = where
        self.pairs: dict[str, Pair] = {"own": own}
        self.pairs |= {client: given(where, client) for client in where["certificates"]}
        document = f"{where['issuer']}/.well-known/oauth-authorization-server"
        with self.client(None) as http:
            self.metadata = http.get(document).json()
        self.alias: str = self.metadata["mtls_endpoint_aliases"]["token_endpoint"]
        self.orders: dict[str, str] = where["resources"]["orders"]

    def client(self, pair: Pair | None) -> httpx.Client:
        return httpx.Client(verify=context_of(self.where["ca_file"], pair), trust_env=False)

    def ask(self, client: str, pair: Pair | None, url: str | None = None) -> httpx.Response:
        """Ask for a token as a client, at the alias or elsewhere, and show a certificate or none."""
        form = {"grant_type": "client_credentials", "resource": self.orders["audience"]}
        secret = (client, SECRET) if client in ("secret", "free") else None
        named = {} if secret else {"client_id": client}
        with self.client(pair) as http:
            return http.post(url or self.alias, data=form | named, auth=secret)

    def fetch(self, token: str, pair: Pair | None) -> int:
        with self.client(pair) as http:
            fields = {"Authorization": f"Bearer {token}"}
            return http.get(self.orders["url"], headers=fields).status_code


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    folder = tmp_path_factory.mktemp("strangers")
    own = self_signed(FOR_ITSELF)
    clients: list[dict[str, Any]] = [
        {"client_id": kind, "token_endpoint_auth_method": "tls_client_auth", member: value}
        for kind, (member, value) in NAMES.items()
    ]
    clients += [registration("own", [own])]
    clients += [{"client_id": "secret", "client_secret": SECRET, **BOUND}]
    clients += [{"client_id": "free", "client_secret": SECRET}]
    with up(folder, clients) as where:
        yield Outside(where, written(folder, "own", own))


CERTIFIED = [*NAMES, "own", "secret"]


def bound_to(answer: httpx.Response) -> str:
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    return str(claims["cnf"]["x5t#S256"])


@pytest.mark.parametrize("client", CERTIFIED)
def test_httpx_gets_a_bound_token_and_is_served(outside: Outside, client: str) -> None:
    pair = outside.pairs[client]
    answer = outside.ask(client, pair)
    assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")
    assert bound_to(answer) == certificate_thumbprint(as_der(Path(pair[0]).read_bytes()))
    token = answer.json()["access_token"]
    other = outside.pairs["dns" if client != "dns" else "uri"]
    assert [outside.fetch(token, shown) for shown in (pair, None, other, pair)] == [
        200, 401, 401, 200,
    ]  # fmt: skip


@pytest.mark.parametrize("client", CERTIFIED)
def test_at_the_plain_endpoint_no_bound_token_is_issued(outside: Outside, client: str) -> None:
    """MT-25: the metadata says where a certificate is asked for, and nowhere else it is."""
    plain = outside.metadata["token_endpoint"]
    assert plain != outside.alias
    refused = outside.ask(client, outside.pairs[client], plain)
    expected = (400, "invalid_request") if client == "secret" else (401, "invalid_client")
    assert (refused.status_code, refused.json()["error"]) == expected
    assert outside.ask(client, outside.pairs[client]).status_code == 200


def test_at_the_plain_endpoint_a_token_is_a_bearer_token(outside: Outside) -> None:
    """MT-25: for a client that has not asked for bound ones; at the alias it would have one."""
    plain, pair = outside.metadata["token_endpoint"], outside.pairs["secret"]
    token = outside.ask("free", pair, plain).json()["access_token"]
    assert "cnf" not in jwt.decode(token, options={"verify_signature": False})
    assert outside.fetch(token, None) == 200
    bound = outside.ask("free", pair)
    assert bound_to(bound) == certificate_thumbprint(as_der(Path(pair[0]).read_bytes()))
    assert outside.fetch(bound.json()["access_token"], None) == 401


@pytest.mark.parametrize("client", [*NAMES, "own"])
def test_another_clients_certificate_does_not_authenticate(outside: Outside, client: str) -> None:
    for shown in (None, outside.pairs["secret"]):
        refused = outside.ask(client, shown)
        assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})
    assert outside.ask(client, outside.pairs[client]).status_code == 200


def test_a_given_certificate_says_what_was_registered_and_no_more(outside: Outside) -> None:
    assert set(outside.where["certificates"]) == {*NAMES, "secret"}
    for client, (certificate_file, key_file) in outside.pairs.items():
        if client == "own":
            continue
        for file in (certificate_file, key_file):
            assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600
            assert Path(file).is_relative_to(outside.where["run_dir"])
        certificate = x509.load_pem_x509_certificate(Path(certificate_file).read_bytes())
        assert certificate.subject.rfc4514_string() == (NAMES["dn"][1] if client == "dn" else "")


def test_a_certificate_that_nobody_registered_is_refused_by_tls(
    outside: Outside, tmp_path: Path
) -> None:
    """Whatever the binding: it never comes to a request, and the reason stays in the event."""
    unknown = written(tmp_path, "unknown", self_signed(FOR_ITSELF))
    context = context_of(outside.where["ca_file"], unknown)
    run = Path(outside.where["run_dir"])
    for process, url in (
        ("orders", outside.orders["url"]),
        ("authorization-server", outside.alias),
    ):
        assert refusal_by_tls(url, context) == "TLSV1_ALERT_UNKNOWN_CA"
        refused = [e for e in events_of(run, process) if e["decision"] == "refused_by_tls"]
        assert refused[-1]["detail"] == "CERTIFICATE_VERIFY_FAILED: self-signed certificate"
    with pytest.raises(httpx.TransportError):
        outside.ask("own", unknown)
    # Where no certificate is asked for, none is looked at.
    plain = outside.metadata["token_endpoint"]
    assert outside.ask("free", unknown, plain).status_code == 200


def curl(outside: Outside, url: str, pair: Pair | None, *more: str) -> tuple[int, str]:
    """Return the status and the body, as curl says them."""
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert"]
    command += [outside.where["ca_file"], "--write-out", "\n%{http_code}", *more]
    command += ["--cert", pair[0], "--key", pair[1]] if pair else []
    done = subprocess.run([*command, url], capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


@pytest.mark.needs_curl
@pytest.mark.parametrize("client", ["dn", "own", "secret"])
def test_curl_gets_a_bound_token_and_is_served(outside: Outside, client: str) -> None:
    pair, other = outside.pairs[client], outside.pairs["email"]
    form = {"grant_type": "client_credentials", "resource": outside.orders["audience"]}
    more = ["--user", f"secret:{SECRET}"] if client == "secret" else []
    if client != "secret":
        form["client_id"] = client
    for name, value in form.items():
        more += ["--data-urlencode", f"{name}={value}"]
    status, body = curl(outside, outside.alias, pair, *more)
    assert status == 200
    token = ["--header", f"Authorization: Bearer {json.loads(body)['access_token']}"]
    url = outside.orders["url"]
    found = [curl(outside, url, shown, *token)[0] for shown in (pair, None, other, pair)]
    assert found == [200, 401, 401, 200]
    assert curl(outside, outside.metadata["token_endpoint"], pair, *more)[0] in (400, 401)


@pytest.mark.parametrize("pair", [self_signed(AUTHORITY), of_version_1()], ids=["CA:TRUE", "v1"])
def test_a_certificate_that_could_sign_others_is_refused_at_registration(
    tmp_path: Path, pair: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from labsim.__main__ import main

    file = tmp_path / "clients.json"
    file.write_text(json.dumps([registration("own", [pair])]))
    assert main(["up", "--clients", str(file)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "may sign others (CA:TRUE)" in shown.err
    assert "CA:FALSE" in shown.err
    assert "Nothing was started" in shown.err
