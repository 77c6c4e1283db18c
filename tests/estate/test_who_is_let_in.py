"""Which certificates the listeners let in: the client authority's, and registered ones; no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import labsim
from labsim.certificates import KeyPair
from labsim.estate.listener import Listener
from labsim.estate.running import Estate
from labsim.estate.tls import server_context
from labsim.http_message import Response
from tests.estate.conftest import Files, listening
from tests.estate.outside import Running, connected, context_of, get, named, refusal_by_tls, written
from tests.own_certificates import (
    AUTHORITY,
    FOR_ITSELF,
    NETSCAPE_AUTHORITY,
    SIGNS_CERTIFICATES,
    of_version_1,
    registration,
    self_signed,
)

OWN = self_signed(FOR_ITSELF)

type Trusting = Callable[[KeyPair], str]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with labsim.start(clients=[registration("own", [OWN]), named("one")], quiet=True) as lab:
        yield Running(lab, tmp_path_factory.mktemp("certificates"), OWN)


def places(estate: Estate) -> dict[str, str]:
    return {"authorization-server": estate.mtls_alias, **estate.urls}


def test_every_listener_lets_the_registered_certificates_in(running: Running) -> None:
    for url in places(running.estate).values():
        for client in ("own", "one", None):
            with connected(url, running.context(client)) as peer:
                assert get(peer, "/nowhere").status in (401, 404)


def test_one_that_nobody_registered_is_refused_with_its_reason_in_the_event(
    running: Running, tmp_path: Path
) -> None:
    unknown = written(tmp_path, "unknown", self_signed(FOR_ITSELF))
    context = context_of(str(running.estate.ca_file), unknown)
    for name, url in places(running.estate).items():
        assert refusal_by_tls(url, context) == "TLSV1_ALERT_UNKNOWN_CA"
        event = running.last(name, "refused_by_tls")
        assert (event["role"], event["reason"]) == ("listener", "tls")
        assert event["detail"] == "CERTIFICATE_VERIFY_FAILED: self-signed certificate"


def test_a_registered_certificate_lets_in_nobody_that_it_has_signed(
    running: Running, tmp_path: Path
) -> None:
    issued = self_signed(FOR_ITSELF, subject="issued", by=OWN)
    alone = written(tmp_path, "issued", issued)
    Path(tmp_path / "chain.pem").write_bytes(issued.certificate_pem + OWN.certificate_pem)
    for pair in (alone, (str(tmp_path / "chain.pem"), alone[1])):
        refusal_by_tls(running.estate.urls["orders"], context_of(str(running.estate.ca_file), pair))
        event = running.last("orders", "refused_by_tls")
        assert event["detail"] == "CERTIFICATE_VERIFY_FAILED: invalid CA certificate"
    with connected(running.estate.urls["orders"], running.context("own")) as peer:
        assert get(peer, "/records").status == 401


@pytest.fixture
def trusting(files: Files, tmp_path: Path) -> Iterator[Trusting]:
    """Start a listener that trusts these certificates, as if they had been registered."""
    started: list[Listener] = []

    def start(pair: KeyPair) -> str:
        trust = tmp_path / "trust.pem"
        trust.write_bytes(Path(files.ca).read_bytes() + pair.certificate_pem)
        context = server_context(*files.server, str(trust))
        bound = listening()
        url = f"https://127.0.0.1:{bound.getsockname()[1]}"
        started.append(Listener(bound, context, lambda _: Response(200), lambda *_: None))
        started[-1].start()
        return url

    yield start
    for listener in started:
        listener.close()


AUTHORITIES = {
    "CA:TRUE": lambda: self_signed(AUTHORITY),
    "keyCertSign": lambda: self_signed(SIGNS_CERTIFICATES),
    "Netscape's type": lambda: self_signed(NETSCAPE_AUTHORITY),
    "version 1": of_version_1,
}


@pytest.mark.parametrize("make", AUTHORITIES.values(), ids=AUTHORITIES)
def test_what_registration_refuses_would_let_others_in(
    trusting: Trusting, files: Files, tmp_path: Path, make: Callable[[], KeyPair]
) -> None:
    """Why it does: OpenSSL takes each of these for an authority, once it is trusted."""
    registered = make()
    issued = written(tmp_path, "issued", self_signed(FOR_ITSELF, subject="issued", by=registered))
    with connected(trusting(registered), context_of(files.ca, issued)) as peer:
        assert get(peer, "/").status == 200


def test_what_registration_accepts_would_not(
    trusting: Trusting, files: Files, tmp_path: Path
) -> None:
    for registered in (self_signed(FOR_ITSELF), self_signed()):
        url = trusting(registered)
        own = written(tmp_path, "own", registered)
        issued = written(tmp_path, "issued", self_signed(FOR_ITSELF, by=registered))
        with connected(url, context_of(files.ca, own)) as peer:
            assert get(peer, "/").status == 200
        assert refusal_by_tls(url, context_of(files.ca, issued)) == "TLSV1_ALERT_UNKNOWN_CA"
