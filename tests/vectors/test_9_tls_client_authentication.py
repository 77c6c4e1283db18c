"""Section 9 of the catalogue: a client's registered subject or name (RFC 8705 section 2.1).

Each row is one way in which the connection's certificate is not the registered one, beside the
same request with the one that is.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from labsim.certificates import KeyPair, certificate_authority
from tests.exchange import assert_served
from tests.own_certificates import FOR_ITSELF, name, self_signed
from tests.vectors.certificate_rows import (
    DN,
    DNS,
    EMAIL,
    IP,
    NOW,
    URI,
    Names,
    add_client,
    asked,
    assert_not_the_client,
    certificate,
    dn,
    named,
)
from tests.wiring import CLIENT_AUTHORITY, Lab

LOOK_ALIKE = certificate_authority("client CA", NOW)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A registered subject or name, a certificate that has it, and one that only seems to."""

    id: str
    what: str
    member: str
    value: str
    good: bytes
    bad: bytes


def row(
    id: str, what: str, member: str, value: str, good: bytes | Names, bad: bytes | Names
) -> Row:
    good, bad = (
        each if isinstance(each, bytes) else certificate(name("a"), each) for each in (good, bad)
    )
    return Row(id=id, what=what, member=member, value=value, good=good, bad=bad)


def subject(id: str, what: str, value: str, bad: str | x509.Name, *names: x509.GeneralName) -> Row:
    other = dn(bad) if isinstance(bad, str) else bad
    return row(id, what, DN, value, certificate(dn(value)), certificate(other, names))


def attributes(*values: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in values])


A_TEST, AN_IP = x509.DNSName("a.test"), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))
AN_EMAIL, A_URI = x509.RFC822Name("a@a.test"), x509.UniformResourceIdentifier("spiffe://a.test/a")
CN = NameOID.COMMON_NAME
OTHER_NAME = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.8"), b"\x0c\x06a.test")
ROWS = (
    row("MT-07", "same subject, by a look-alike authority", DN, "CN=a", certificate(dn("CN=a")),
        certificate(dn("CN=a"), by=LOOK_ALIKE)),
    row("MT-07b", "same name, by a look-alike authority", DNS, "a.test", [A_TEST],
        certificate(name("a"), [A_TEST], LOOK_ALIKE)),
    row("MT-07c", "same subject, self-signed", DN, "CN=a", certificate(dn("CN=a")),
        self_signed(FOR_ITSELF, subject="a", at=NOW).der),
    row("MT-07d", "same subject, its issuer only called like the authority", DN, "CN=a", certificate(dn("CN=a")),
        self_signed(FOR_ITSELF, subject="a", at=NOW, by=KeyPair(CLIENT_AUTHORITY.certificate, LOOK_ALIKE.key)).der),
    subject("MT-08", "in reverse order", "CN=a,O=b", "O=b,CN=a"),
    subject("MT-08b", "one RDN of two attributes", "CN=a,O=b", "CN=a+O=b"),
    subject("MT-08c", "a comma in the value", "CN=a,O=b", "CN=a\\,O=b"),
    subject("MT-08d", "a comma that is no value's", "CN=a\\,O=b", "CN=a,O=b"),
    subject("MT-08e", "one attribute more, in front", "CN=a", "CN=a,O=b"),
    subject("MT-08f", "one attribute more, behind", "CN=a", "O=b,CN=a"),
    subject("MT-08g", "one attribute less", "CN=a,O=b", "CN=a"),
    subject("MT-08h", "twice", "CN=a", "CN=a,CN=a"),
    subject("MT-08i", "in another case", "CN=a", "CN=A"),
    subject("MT-08j", "a NUL behind", "CN=a", attributes((CN, "a\0"))),
    subject("MT-08k", "white space behind", "CN=a", attributes((CN, "a "))),
    subject("MT-08l", "another attribute of the same value", "CN=a", "O=a"),
    subject("MT-08m", "the text of the whole name as a value", "CN=a,O=b", attributes((CN, "CN=a,O=b"))),
    subject("MT-08n", "as an alternative name", "CN=a", "CN=b", x509.DirectoryName(dn("CN=a"))),
    subject("MT-08o", "as another alternative name", "CN=a", "CN=b", x509.DNSName("a")),
    subject("MT-08p", "a look-alike letter", "CN=a", attributes((CN, "\N{CYRILLIC SMALL LETTER A}"))),
    row("MT-08q", "CN instead of dNSName", DNS, "a.test", [A_TEST], certificate(name("a.test"))),
    row("MT-08r", "CN beside another dNSName", DNS, "a.test", [A_TEST],
        certificate(name("a.test"), [x509.DNSName("b.test")])),
    row("MT-08s", "URI instead of dNSName", DNS, "a.test", [A_TEST], [x509.UniformResourceIdentifier("a.test")]),
    row("MT-08t", "otherName instead of dNSName", DNS, "a.test", [A_TEST], [OTHER_NAME]),
    row("MT-08u", "a wildcard", DNS, "a.test", [A_TEST], [x509.DNSName("*.test")]),
    row("MT-08v", "a wildcard is a name like any other", DNS, "*.test", [x509.DNSName("*.test")], [A_TEST]),
    row("MT-08w", "a name below", DNS, "a.test", [A_TEST], [x509.DNSName("b.a.test")]),
    row("MT-08x", "a dot behind", DNS, "a.test", [A_TEST], [x509.DNSName("a.test.")]),
    row("MT-08y", "a URI that begins so", URI, "spiffe://a.test/a", [A_URI],
        [x509.UniformResourceIdentifier("spiffe://a.test/a/b")]),
    row("MT-08z", "a URI in another case", URI, "spiffe://a.test/a", [A_URI],
        [x509.UniformResourceIdentifier("spiffe://a.test/A")]),
    row("MT-08A", "a URI in another spelling", URI, "spiffe://a.test/a", [A_URI],
        [x509.UniformResourceIdentifier("spiffe://a.test/%61")]),
    row("MT-08B", "an address as dNSName", IP, "192.0.2.1", [AN_IP], [x509.DNSName("192.0.2.1")]),
    row("MT-08C", "an address in a network", IP, "192.0.2.1", [AN_IP],
        [x509.IPAddress(ipaddress.ip_address("192.0.2.2"))]),
    row("MT-08D", "the address within IPv6", IP, "192.0.2.1", [AN_IP],
        [x509.IPAddress(ipaddress.ip_address("::ffff:192.0.2.1"))]),
    row("MT-08E", "an e-mail address in the subject", EMAIL, "a@a.test", [AN_EMAIL],
        certificate(attributes((NameOID.EMAIL_ADDRESS, "a@a.test")))),
    row("MT-08F", "an e-mail address in another case", EMAIL, "a@a.test", [AN_EMAIL], [x509.RFC822Name("A@a.test")]),
    row("MT-08G", "no names at all", EMAIL, "a@a.test", [AN_EMAIL], []),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.id} {row.what}")
def test_a_certificate_that_only_seems_to_be_the_clients_is_refused(lab: Lab, row: Row) -> None:
    client = named(lab, row.member, row.value)
    assert_served(lab, asked(client, row.good))
    check = (
        "certificate_is_by_the_client_authority"
        if row.id.startswith("MT-07")
        else "subject_is_the_registered_one"
    )
    assert_not_the_client(lab, asked(client, row.bad), check)
    assert_served(lab, asked(client, row.good))


ACCEPTED: dict[str, tuple[str, str, bytes | Names]] = {
    "another spelling of the attribute": (DN, "2.5.4.3=a", certificate(dn("CN=a"))),
    "a sharp sign that is the value's": (DN, "CN=\\#61", certificate(name("#61"))),
    "escaped octets": (DN, "CN=\\C3\\A9", certificate(dn("CN=\u00e9"))),
    "an RDN of two attributes": (DN, "CN=a+O=b", certificate(dn("O=b+CN=a"))),
    "a subject and names beside it": (DN, "CN=a", certificate(dn("CN=a"), [A_TEST])),
    "one name of several": (DNS, "a.test", [x509.DNSName("b.test"), AN_IP, A_TEST]),
    "an IPv6 address in another spelling": (
        IP,
        "2001:DB8:0::1",
        [x509.IPAddress(ipaddress.ip_address("2001:db8::1"))],
    ),
}


@pytest.mark.parametrize(("member", "value", "shown"), ACCEPTED.values(), ids=ACCEPTED)
def test_the_registered_name_in_whatever_certificate_has_it_is_served(
    lab: Lab, member: str, value: str, shown: bytes | Names
) -> None:
    """MT-08, must accept."""
    good = shown if isinstance(shown, bytes) else certificate(name("any"), shown)
    assert_served(lab, asked(named(lab, member, value), good))


@pytest.mark.parametrize("others", [(DNS,), (DNS, URI), (IP, EMAIL)])
def test_two_subject_members_are_refused_at_registration(lab: Lab, others: tuple[str, ...]) -> None:
    """MT-08: RFC 8705 section 2.1.2, "exactly one of"."""
    values = {DN: "CN=a", DNS: "a.test", URI: "a:b", IP: "192.0.2.1", EMAIL: "a@a.test"}
    metadata = {"client_id": "named", "token_endpoint_auth_method": "tls_client_auth"}
    for members in ((DN,), (DN, *others), ()):
        if len(members) == 1:
            add_client(lab, metadata | {m: values[m] for m in members})
        else:
            with pytest.raises(ValueError, match="exactly one of"):
                add_client(lab, metadata | {m: values[m] for m in members})
