"""Clients from outside: what they must say, and what they are given."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from labsim.certificates import certificate_authority
from labsim.errors import LabError
from labsim.estate import plan as plans
from labsim.estate.outside_clients import (
    admitted,
    certificate_files,
    given_certificate,
    is_given_a_certificate,
    own_certificates,
)
from labsim.roles.tls_client_authentication import SUBJECT_MEMBERS
from tests.own_certificates import AUTHORITY, FOR_ITSELF, registration, self_signed

NOW = datetime.datetime.now(datetime.UTC)
AUTHORITY_OF_CLIENTS = certificate_authority("client CA", NOW)
BOUND = {"tls_client_certificate_bound_access_tokens": True}
OWN = self_signed(FOR_ITSELF)
VALUES = {
    "tls_client_auth_subject_dn": "CN=a,OU=b+O=c,C=DE",
    "tls_client_auth_san_dns": "*.a.test",
    "tls_client_auth_san_uri": "spiffe://a.test/a",
    "tls_client_auth_san_ip": "192.0.2.1",
    "tls_client_auth_san_email": "a@a.test",
}


def named(member: str) -> dict[str, Any]:
    method = {"token_endpoint_auth_method": "tls_client_auth"}
    return {"client_id": "c", **method, member: VALUES[member]}


@pytest.mark.parametrize("member", VALUES)
def test_the_given_certificate_is_what_was_registered(member: str) -> None:
    given = given_certificate(AUTHORITY_OF_CLIENTS, named(member), NOW)
    assert given is not None
    values, read = SUBJECT_MEMBERS[member]
    assert values(given.certificate) == [read(VALUES[member])]
    others = [m for m in VALUES if m != member and m != "tls_client_auth_subject_dn"]
    assert [SUBJECT_MEMBERS[other][0](given.certificate) for other in others] == [[]] * len(others)
    given.certificate.verify_directly_issued_by(AUTHORITY_OF_CLIENTS.certificate)
    assert given.key.public_key() == given.certificate.public_key()


@pytest.mark.parametrize("client_id", ["a", "a b/../c", "\u00e9" * 100, "x" * 1000])
def test_any_clients_id_can_stand_in_its_certificate(client_id: str) -> None:
    client = {"client_id": client_id, "client_secret": "s", **BOUND}
    given = given_certificate(AUTHORITY_OF_CLIENTS, client, NOW)
    assert given is not None
    usage = given.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    names = given.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.critical, "RFC 5280 section 4.1.2.6: the subject is empty"
    (uri,) = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    assert uri.startswith("spiffe://lab.test/")
    assert uri.count("/") == 3


@pytest.mark.parametrize(
    ("client", "is_given"),
    [
        ({"client_id": "c", "client_secret": "s"}, False),
        ({"client_id": "c", "client_secret": "s", **BOUND}, True),
        ({"client_id": "c", "token_endpoint_auth_method": "none", **BOUND}, True),
        (named("tls_client_auth_san_dns"), True),
        (registration("c", [OWN]), False),
        ({**registration("c", [OWN]), **BOUND}, False),
    ],
)
def test_who_needs_a_certificate_and_has_none_is_given_one(
    client: dict[str, Any], is_given: bool
) -> None:
    assert is_given_a_certificate(client) is is_given
    assert (given_certificate(AUTHORITY_OF_CLIENTS, client, NOW) is not None) is is_given


def test_own_certificates_are_those_that_authenticate() -> None:
    """A certificate beside another method's key lets nobody in."""
    beside = {**registration("d", [self_signed(FOR_ITSELF)]), "client_secret": "s"}
    beside["token_endpoint_auth_method"] = "client_secret_basic"
    clients = [registration("c", [OWN]), beside, named("tls_client_auth_san_dns")]
    assert own_certificates(clients) == [OWN.certificate_pem]


def test_files_are_named_by_number_whatever_the_id() -> None:
    run = Path("/run/x")
    files = [file for number in (1, 2) for file in certificate_files(run, number)]
    assert len(set(files)) == 4
    assert {file.parent.parent for file in files} == {run}


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (registration("c", [self_signed(AUTHORITY)]), "may sign others"),
        ({**named("tls_client_auth_san_dns"), "tls_client_auth_san_ip": "::1"}, "exactly one of"),
        ({**named("tls_client_auth_san_dns"), "dpop_bound_access_tokens": 1}, "must be true"),
    ],
)
def test_a_client_that_cannot_be_registered_starts_nothing(
    client: dict[str, Any], said: str
) -> None:
    plan = plans.load()
    admitted(
        [registration("c", [OWN]), named("tls_client_auth_san_dns") | {"client_id": "d"}], plan
    )
    with pytest.raises(LabError, match=said) as refused:
        admitted([client], plan)
    assert "Nothing was started" in str(refused.value)
