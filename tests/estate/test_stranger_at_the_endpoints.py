"""A client that nobody here wrote introspects, revokes and exchanges at a running estate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests_oauth2client import (
    ClientSecretBasic,
    DPoPToken,
    InvalidRequest,
    OAuth2Client,
    PublicApp,
)
from requests_oauth2client.dpop import MissingDPoPNonce

from tests.estate.test_strangers import SECRET, up


class Outside:
    """What stands outside of an estate that `labsim up` runs, with a session that trusts its CA."""

    def __init__(self, where: dict[str, Any], session: requests.Session) -> None:
        session.verify, session.trust_env = where["ca_file"], False
        self.where, self.session = where, session
        document = f"{where['issuer']}/.well-known/oauth-authorization-server"
        self.metadata = session.get(document).json()

    def client(self, proves: Any) -> OAuth2Client:
        return OAuth2Client(
            self.metadata["token_endpoint"],
            proves,
            session=self.session,
            introspection_endpoint=self.metadata["introspection_endpoint"],
            revocation_endpoint=self.metadata["revocation_endpoint"],
            dpop_bound_access_tokens=True,
            dpop_alg="ES256",
        )

    def resource_server(self, name: str) -> OAuth2Client:
        """Be a resource server, with the credential that lies in its folder."""
        own = json.loads((Path(self.where["run_dir"]) / name / "client.json").read_text())
        return self.client(ClientSecretBasic(own["client_id"], own["secret"]))

    def audience(self, name: str) -> str:
        return str(self.where["resources"][name]["audience"])

    def get(self, name: str, token: Any) -> int:
        try:
            return self.session.get(self.where["resources"][name]["url"], auth=token).status_code
        except MissingDPoPNonce as refused:  # how it takes any 401 under DPoP
            return int(refused.response.status_code)


CLIENTS: list[dict[str, Any]] = [
    {"client_id": "stranger", "client_secret": SECRET, "dpop_bound_access_tokens": True},
    {
        "client_id": "phone",
        "token_endpoint_auth_method": "none",
        "grant_types": ["refresh_token"],
        "dpop_bound_access_tokens": True,
    },
]


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    with up(tmp_path, CLIENTS) as where, requests.Session() as session:
        yield Outside(where, session)


def test_a_stranger_introspects_and_revokes(outside: Outside) -> None:
    stranger = outside.client(ClientSecretBasic("stranger", SECRET))
    token = stranger.client_credentials(resource=outside.audience("orders"))
    assert outside.get("orders", token) == 200
    for who in (stranger, outside.resource_server("orders")):
        said = who.introspect_token(token.access_token)
        assert (said["active"], said["token_type"], said["client_id"]) == (True, "DPoP", "stranger")
        assert "jkt" in said["cnf"]
    assert outside.resource_server("crm").introspect_token(token.access_token) == {"active": False}
    assert stranger.revoke_access_token(token.access_token) is True
    assert stranger.introspect_token(token.access_token) == {"active": False}
    assert outside.get("orders", token) == 401


def test_a_stranger_calls_on_by_exchange(outside: Outside) -> None:
    """`orders` was sent a token, and asks `payments` for whoever sent it."""
    stranger = outside.client(ClientSecretBasic("stranger", SECRET))
    token = stranger.client_credentials(resource=outside.audience("orders"), scope="orders.read")
    orders = outside.resource_server("orders")
    asked = {
        "subject_token": token.access_token,
        "subject_token_type": "access_token",
        "resource": outside.audience("payments"),
    }
    with pytest.raises(InvalidRequest):  # without a key there is nothing to bind to
        orders.token_exchange(**asked)
    exchanged = orders.token_exchange(**asked, dpop=True)
    assert isinstance(exchanged, DPoPToken)
    assert exchanged.scope == "payments.read"
    assert outside.get("payments", exchanged) == 200
    assert outside.get("orders", exchanged) == 401
    assert stranger.revoke_access_token(token.access_token) is True
    assert outside.get("payments", exchanged) == 401, "it ended with the token it came from"


def test_a_public_stranger_refreshes_with_its_key(outside: Outside) -> None:
    phone = outside.client(PublicApp("phone"))
    first = outside.where["refresh_tokens"]["phone"]
    token = phone.refresh_token(first, resource=outside.audience("crm"))
    assert isinstance(token, DPoPToken)
    assert outside.get("crm", token) == 200
    again = phone.refresh_token(token, resource=outside.audience("crm"))
    assert outside.get("crm", again) == 200
