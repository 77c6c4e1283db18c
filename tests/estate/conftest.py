"""Certificates, a running listener and a client that sends raw bytes: all real, on loopback."""

from __future__ import annotations

import datetime
import ipaddress
import queue
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from labsim.estate.limits import Limits
from labsim.estate.listener import Listener, server_context
from labsim.http_message import Request, Response

PATIENCE = 30.0  # Only a broken test waits this long.


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the tests, with strict X.509 in mind (Python 3.13)."""

    folder: Path
    name: str
    is_strict: bool = True
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def file(self) -> str:
        """Return the file of the CA's own certificate, made at the first use."""
        path = self.folder / f"{self.name}.pem"
        if not path.exists():
            usage = x509.KeyUsage(*[False] * 5, True, True, False, False)
            builder = self._builder(self.name, self.key).add_extension(
                x509.BasicConstraints(ca=True, path_length=0), critical=True
            )
            if self.is_strict:
                builder = builder.add_extension(usage, critical=True)
            certificate = builder.sign(self.key, hashes.SHA256())
            path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return str(path)

    def leaf(self, name: str, usage: x509.ObjectIdentifier) -> tuple[str, str]:
        """Issue a leaf and return its certificate file and its key file."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (
            self._builder(name, key)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        files = self.folder / f"{name}-{self.name}.pem", self.folder / f"{name}-{self.name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return str(files[0]), str(files[1])

    def _builder(self, name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(issuer, critical=False)
        )


@dataclass(frozen=True)
class Files:
    """The certificate files of one test run; pairs are certificate and key."""

    ca: str
    other_ca: str
    server: tuple[str, str]
    client: tuple[str, str]
    stranger: tuple[str, str]
    impostor: tuple[str, str]
    lax_ca: str
    lax_server: tuple[str, str]

    def server_context(self, *, asks: bool = False) -> ssl.SSLContext:
        """Make a server's context; one that `asks` accepts certificates of `ca`."""
        return server_context(*self.server, self.ca if asks else None)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Issue everything once."""
    folder = tmp_path_factory.mktemp("certificates")
    ours, other = Authority(folder, "ours"), Authority(folder, "other")
    lax = Authority(folder, "lax", is_strict=False)
    client = ExtendedKeyUsageOID.CLIENT_AUTH
    return Files(
        ours.file,
        other.file,
        ours.leaf("server", ExtendedKeyUsageOID.SERVER_AUTH),
        ours.leaf("client", client),
        other.leaf("client", client),
        other.leaf("server", ExtendedKeyUsageOID.SERVER_AUTH),
        lax.file,
        lax.leaf("server", ExtendedKeyUsageOID.SERVER_AUTH),
    )


@dataclass
class Served:
    """A running listener, what reached its role and what it refused."""

    port: int
    listener: Listener
    requests: list[Request]
    refusals: queue.Queue[tuple[str, str]]

    def refusal(self) -> tuple[str, str]:
        """Return the next thing refused, waiting for it if need be."""
        return self.refusals.get(timeout=PATIENCE)


def listening() -> socket.socket:
    """Return a socket that listens on a loopback port of the system's choice."""
    return socket.create_server(("127.0.0.1", 0), backlog=128)


def echo(request: Request) -> Response:
    """Answer with the method, the URL and the body that arrived."""
    return Response.of_json(200, [request.method, request.url, request.body.decode("latin-1")])


Serve = Callable[..., Served]


@pytest.fixture
def serve(files: Files) -> Iterator[Serve]:
    """Start listeners with serve(handle, limits, asks=False, log=None); close them after."""
    started: list[Listener] = []

    def start(
        handle: Callable[[Request], Response] = echo,
        limits: Limits | None = None,
        *,
        asks: bool = False,
        log: Callable[[str, str], None] | None = None,
    ) -> Served:
        bound = listening()
        requests: list[Request] = []
        refusals: queue.Queue[tuple[str, str]] = queue.Queue()

        def keep_and_handle(request: Request) -> Response:
            requests.append(request)
            return handle(request)

        def refused(kind: str, text: str) -> None:
            refusals.put((kind, text))

        port = bound.getsockname()[1]
        context = files.server_context(asks=asks)
        listener = Listener(bound, context, keep_and_handle, log or refused, limits or Limits())
        started.append(listener)
        listener.start()
        return Served(port, listener, requests, refusals)

    yield start
    for listener in started:
        listener.close()


@dataclass(frozen=True)
class Answer:
    """One response as it stood on the wire; field names in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes


class Peer:
    """A TLS client that sends exactly the bytes it is given."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        raw = socket.create_connection(("127.0.0.1", port), PATIENCE)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # An end of the stream without close_notify is then an error, not an end.
        self.tls = context.wrap_socket(raw, server_hostname="127.0.0.1", suppress_ragged_eofs=False)
        self.host = f"Host: 127.0.0.1:{port}".encode()
        self._unread = b""

    def send(self, data: bytes) -> Peer:
        """Send bytes; `@` alone on a line stands for the listener's Host field."""
        self.tls.sendall(data.replace(b"\r\n@\r\n", b"\r\n" + self.host + b"\r\n"))
        return self

    def answer(self, *, bodiless: bool = False) -> Answer:
        """Read one whole response off the connection."""
        while b"\r\n\r\n" not in self._unread:
            self._read_more()
        head, _, rest = self._unread.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 ")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        fields = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines)}
        size = 0 if bodiless else int(fields.get("content-length", 0))
        while len(rest) < size:
            self._unread = b""
            self._read_more()
            rest += self._unread
        self._unread = rest[size:]
        return Answer(int(status_line.split(" ")[1]), fields, rest[:size])

    def is_at_end(self) -> bool:
        """Wait for the server's next move; True if that is the end of the stream."""
        try:
            return not self._unread and self.tls.recv(1) == b""
        except ssl.SSLZeroReturnError:  # So it is called when this side has ended its own stream.
            return True

    def _read_more(self) -> None:
        data = self.tls.recv(65536)
        assert data, f"the stream ended after {self._unread!r}"
        self._unread += data


Connect = Callable[..., Peer]


@pytest.fixture
def connect(files: Files) -> Iterator[Connect]:
    """Open connections: connect(served, certificate=None); all are closed at the end."""
    opened: list[Peer] = []

    def open_one(served: Served, certificate: tuple[str, str] | None = None) -> Peer:
        context = ssl.create_default_context(cafile=files.ca)
        if certificate:
            context.load_cert_chain(*certificate)
        peer = Peer(served.port, context)
        opened.append(peer)
        return peer

    yield open_one
    for peer in opened:
        peer.tls.close()
