"""The lab's certificates, as strict verifiers see them, in a real handshake."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from labsim.certificates import (
    REAL_LIFETIME,
    KeyPair,
    certificate_authority,
    certificate_thumbprint,
    client_certificate,
    client_leaf,
    client_leaf_for,
    renewed,
    server_leaf,
)

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
URI = "spiffe://lab.test/storefront"


@dataclass(frozen=True)
class Issued:
    authority: KeyPair
    server: KeyPair
    client: KeyPair


@pytest.fixture(scope="module")
def issued() -> Issued:
    authority = certificate_authority("lab CA", NOW)
    server = server_leaf(authority, ["127.0.0.1", "orders.test"], NOW)
    return Issued(authority, server, client_leaf(authority, URI, "storefront", NOW))


def policy(issued: Issued) -> PolicyBuilder:
    return PolicyBuilder().store(Store([issued.authority.certificate])).time(NOW)


@pytest.mark.parametrize(
    "name",
    [x509.DNSName("orders.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))],
)
def test_a_server_leaf_verifies_for_its_names(issued: Issued, name: x509.GeneralName) -> None:
    verifier = policy(issued).build_server_verifier(name)
    chain = verifier.verify(issued.server.certificate, [])
    assert chain == [issued.server.certificate, issued.authority.certificate]


def test_a_server_leaf_verifies_for_no_other_name(issued: Issued) -> None:
    with pytest.raises(VerificationError):
        policy(issued).build_server_verifier(x509.DNSName("crm.test")).verify(
            issued.server.certificate, []
        )


def test_a_client_leaf_verifies_and_names_its_client(issued: Issued) -> None:
    verified = policy(issued).build_client_verifier().verify(issued.client.certificate, [])
    assert verified.subjects == [x509.UniformResourceIdentifier(URI)]


def test_neither_leaf_can_stand_in_for_the_other(issued: Issued) -> None:
    with pytest.raises(VerificationError):
        policy(issued).build_client_verifier().verify(issued.server.certificate, [])
    server = policy(issued).build_server_verifier(x509.DNSName("orders.test"))
    with pytest.raises(VerificationError):
        server.verify(issued.client.certificate, [])


def test_a_leaf_issues_nothing(issued: Issued) -> None:
    forged = server_leaf(issued.server, ["orders.test"], NOW)
    verifier = policy(issued).build_server_verifier(x509.DNSName("orders.test"))
    with pytest.raises(VerificationError):
        verifier.verify(forged.certificate, [issued.server.certificate])


def test_another_authority_of_the_same_name_is_another(issued: Issued) -> None:
    look_alike = server_leaf(certificate_authority("lab CA", NOW), ["orders.test"], NOW)
    verifier = policy(issued).build_server_verifier(x509.DNSName("orders.test"))
    with pytest.raises(VerificationError):
        verifier.verify(look_alike.certificate, [])


def context(purpose: ssl.Purpose, issued: Issued, own: KeyPair, folder: Path) -> ssl.SSLContext:
    """Make one side's context; strict X.509 is what Python 3.13 does by itself."""
    pem = folder / f"{purpose.name}.pem"
    pem.write_bytes(own.certificate_pem + own.key_pem)
    made = ssl.create_default_context(purpose, cadata=issued.authority.certificate_pem.decode())
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_cert_chain(pem)
    return made


def shake_hands(issued: Issued, server: KeyPair, client: KeyPair, folder: Path) -> bytes | None:
    """Do a mutual handshake in memory; return the client's certificate as the server got it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    served = context(ssl.Purpose.CLIENT_AUTH, issued, server, folder).wrap_bio(
        to_server, to_client, server_side=True
    )
    calling = context(ssl.Purpose.SERVER_AUTH, issued, client, folder).wrap_bio(
        to_client, to_server, server_hostname="orders.test"
    )
    for side in (calling, served) * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return served.getpeercert(binary_form=True)


def test_client_and_server_shake_hands_under_strict_rules(issued: Issued, tmp_path: Path) -> None:
    der = shake_hands(issued, issued.server, issued.client, tmp_path)
    assert der == issued.client.certificate.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("swapped", ["server", "client", "both"])
def test_a_leaf_of_the_other_usage_is_refused(issued: Issued, tmp_path: Path, swapped: str) -> None:
    named = client_leaf(issued.authority, URI, "orders.test", NOW)
    server = issued.server if swapped == "client" else named
    client = issued.client if swapped == "server" else issued.server
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(issued, server, client, tmp_path)


def test_certificates_outlive_the_labs_clock(issued: Issued) -> None:
    for pair in (issued.authority, issued.server, issued.client):
        assert pair.certificate.not_valid_after_utc - NOW == REAL_LIFETIME
        assert pair.certificate.not_valid_before_utc < NOW


def test_every_certificate_has_its_own_thumbprint(issued: Issued) -> None:
    again = client_leaf(issued.authority, URI, "storefront", NOW)
    prints = {
        certificate_thumbprint(pair.certificate.public_bytes(serialization.Encoding.DER))
        for pair in (issued.server, issued.client, again)
    }
    assert len(prints) == 3
    assert {len(value) for value in prints} == {43}


def test_a_client_certificate_is_for_the_clients_own_key(issued: Issued) -> None:
    hour = datetime.timedelta(hours=1)
    public = issued.client.key.public_key()
    made = client_certificate(issued.authority, public, URI, "storefront", NOW, hour)
    assert made.public_key() == public
    assert made.subject == issued.client.certificate.subject
    assert made.not_valid_after_utc - NOW == hour
    verified = policy(issued).build_client_verifier().verify(made, [])
    assert verified.subjects == [x509.UniformResourceIdentifier(URI)]


def test_the_same_key_certified_again_is_another_thumbprint(issued: Issued) -> None:
    """RFC 8705 section 6.3: a rotation."""
    public = issued.client.key.public_key()
    made = [client_certificate(issued.authority, public, URI, "storefront", NOW) for _ in range(3)]
    prints = {certificate_thumbprint(c.public_bytes(serialization.Encoding.DER)) for c in made}
    assert len(prints) == 3


def test_a_certificate_says_the_subject_and_names_it_was_asked_for(issued: Issued) -> None:
    subject = x509.Name.from_rfc4514_string("CN=a\\,b,OU=c+O=d,C=DE")
    names = [x509.RFC822Name("a@a.test"), x509.DNSName("*.a.test")]
    for some, is_critical in ((subject, False), (x509.Name([]), True)):
        made = client_leaf_for(issued.authority, some, names, NOW).certificate
        found = made.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert (made.subject, list(found.value), found.critical) == (some, names, is_critical)
    alone = client_leaf_for(issued.authority, subject, [], NOW).certificate
    with pytest.raises(x509.ExtensionNotFound):
        alone.extensions.get_extension_for_class(x509.SubjectAlternativeName)


@pytest.mark.parametrize("names", [[], [x509.DNSName("a.test")]])
def test_a_renewed_certificate_differs_in_nothing_but_itself(
    issued: Issued, names: list[x509.GeneralName]
) -> None:
    old = client_leaf_for(issued.authority, x509.Name.from_rfc4514_string("CN=a"), names, NOW)
    made = x509.load_pem_x509_certificate(
        renewed(issued.authority, old.certificate_pem.decode()).encode()
    )
    assert made.public_key() == old.key.public_key()
    assert made.subject == old.certificate.subject
    oids = [[e.oid for e in each.extensions] for each in (made, old.certificate)]
    assert oids[0] == oids[1]
    assert made.serial_number != old.certificate.serial_number
    made.verify_directly_issued_by(issued.authority.certificate)


def test_a_pair_says_its_der(issued: Issued) -> None:
    assert x509.load_der_x509_certificate(issued.client.der) == issued.client.certificate
    assert (
        x509.load_pem_x509_certificate(issued.client.certificate_pem).public_bytes(
            serialization.Encoding.DER
        )
        == issued.client.der
    )
