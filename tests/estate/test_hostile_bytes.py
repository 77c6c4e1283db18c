"""A live estate under hostile octets: each request is decided, and the next good one is served."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import labsim
from benchmarks._clients import REGISTRATION, Client
from labsim.http_message import Request
from labsim.lab import Lab
from tests.estate.outside import connected, context_of, events_of
from tests.hostile import damaged

BINDINGS = ("bearer", "dpop", "mtls", "http_signature")
DECIDED = (200, 201, 400, 401, 403, 404, 405, 413, 417, 421, 431, 501)
FIELDS = (
    *(
        b"Authorization",
        b"DPoP",
        b"Signature",
        b"Signature-Input",
        b"Content-Digest",
        b"Client-Cert",
    ),
    *(
        b"Content-Type",
        b"Cookie",
        b"Expect",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Connection",
    ),
)
KIB = 1024


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with labsim.start(quiet=True, clients=[REGISTRATION]) as lab:
        yield lab


@pytest.fixture(scope="module")
def holders(lab: Lab) -> dict[str, Client]:
    return {binding: Client(lab, binding, "ES256", "orders") for binding in BINDINGS}


def context(lab: Lab, holder: Client) -> ssl.SSLContext:
    pair = (holder.certificate_file,) * 2 if holder.certificate_file else None
    return context_of(str(lab.estate.ca_file), pair)


def good(lab: Lab, holder: Client, count: int = 1) -> list[bytes]:
    return holder.requests(f"{lab.estate.urls['orders']}/records/orders-0001", count)


def failures(lab: Lab, server: str) -> list[dict[str, Any]]:
    """Return what the listener of a server has written down of roles that raised."""
    return [e for e in events_of(lab.run_folder, server) if e["reason"] == "handler_failed"]


@pytest.mark.parametrize("binding", BINDINGS)
def test_any_octets_in_any_field_are_decided_and_harm_nobody(
    lab: Lab, holders: dict[str, Client], binding: str
) -> None:
    holder, url = holders[binding], lab.estate.urls["orders"]
    shown = context(lab, holder)
    octets = st.binary(max_size=60).map(lambda value: value.translate(None, b"\r\n"))

    @given(data=st.data())
    @settings(max_examples=60, derandomize=True)
    def one(data: st.DataObject) -> None:
        (request,) = good(lab, holder)
        head, *lines = request[:-4].split(b"\r\n")
        where = data.draw(st.integers(0, len(lines) - 1))
        name, _, value = lines[where].partition(b": ")
        text = damaged(value.decode("latin-1")).map(lambda t: t.encode("latin-1"))
        lines[where] = b"%b: %b" % (name, data.draw(st.one_of(text, octets)))
        added = data.draw(st.lists(st.tuples(st.sampled_from(FIELDS), octets), max_size=2))
        lines += [b"%b: %b" % pair for pair in added]
        with connected(url, shown) as peer:
            answer = peer.send(b"\r\n".join([head, *lines, b"", b""])).answer()
            assert answer.status in DECIDED

    one()
    with connected(url, shown) as peer:
        assert peer.send(good(lab, holder)[0]).answer().status == 200
    assert failures(lab, "orders") == []


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
def test_any_form_at_the_authorization_server_is_decided(lab: Lab, path: str) -> None:
    client = f"{REGISTRATION['client_id']}:{REGISTRATION['client_secret']}".encode()
    basic = b"Basic " + base64.b64encode(client)
    form = b"grant_type=client_credentials&scope=orders.read&token=a"
    url, ca = lab.estate.issuer, context_of(str(lab.estate.ca_file))

    def request(body: bytes, credentials: bytes = basic) -> bytes:
        lines = [b"POST %b HTTP/1.1" % path.encode(), b"@", b"Authorization: " + credentials]
        lines += [b"Content-Type: application/x-www-form-urlencoded"]
        lines += [b"Content-Length: %d" % len(body), b"", body]
        return b"\r\n".join(lines)

    bodies = st.one_of(
        st.binary(max_size=40), damaged(form.decode()).map(lambda t: t.encode("latin-1"))
    )

    @given(body=bodies, credentials=st.one_of(st.just(basic), damaged(basic.decode())))
    @settings(max_examples=60, derandomize=True)
    def one(body: bytes, credentials: Any) -> None:
        if isinstance(credentials, str):
            credentials = credentials.encode("latin-1")
        with connected(url, ca) as peer:
            answer = peer.send(request(body, credentials.translate(None, b"\r\n"))).answer()
            assert answer.status in DECIDED

    one()
    with connected(url, ca) as peer:
        assert peer.send(request(form)).answer().status == 200
    assert failures(lab, "authorization-server") == []


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_pipeline_of_good_and_bad_is_answered_in_order(
    lab: Lab, holders: dict[str, Client], binding: str
) -> None:
    """Sixty requests in one go, each second one bad: none takes another's place, proof or answer."""
    holder = holders[binding]
    requests = good(lab, holder, 30)
    bad = [each.replace(b"Authorization: ", b"Authorization: x", 1) for each in requests]
    stream = b"".join(one + other for one, other in zip(requests, bad, strict=True))
    with connected(lab.estate.urls["orders"], context(lab, holder)) as peer:
        peer.send(stream)
        assert [peer.answer().status for _ in range(60)] == [200, 401] * 30


def test_a_pipelined_proof_is_spent_by_the_first_of_its_copies(
    lab: Lab, holders: dict[str, Client]
) -> None:
    for binding in ("dpop", "http_signature"):
        (request,) = good(lab, holders[binding])
        with connected(lab.estate.urls["orders"], context(lab, holders[binding])) as peer:
            statuses = [peer.send(request * 20).answer().status]
            statuses += [peer.answer().status for _ in range(19)]
        assert statuses == [200] + [401] * 19


@pytest.mark.parametrize("binding", BINDINGS)
def test_who_sends_octet_by_octet_is_served(
    lab: Lab, holders: dict[str, Client], binding: str
) -> None:
    """Slow, but in time: each octet in a TLS record of its own."""
    (request,) = good(lab, holders[binding])
    with connected(lab.estate.urls["orders"], context(lab, holders[binding])) as peer:
        for octet in request:
            peer.tls.sendall(bytes([octet]))
        assert peer.answer().status == 200


def test_who_has_said_all_and_closed_its_side_gets_every_answer(
    lab: Lab, holders: dict[str, Client]
) -> None:
    requests = good(lab, holders["dpop"], 20)
    with connected(lab.estate.urls["orders"], context(lab, holders["dpop"])) as peer:
        peer.send(b"".join(requests) + requests[0][:50])
        socket.socket.shutdown(peer.tls, socket.SHUT_WR)
        statuses = [peer.answer().status for _ in range(21)]
    assert statuses == [200] * 20 + [400], "the last one is half a request"


OVERSIZED: dict[str, tuple[bytes, bytes, int]] = {
    "method": (b"GET /a", b"G" * 17 * KIB + b" /a", 431),
    "target": (b"GET /%b" % (b"a" * 8 * KIB), b"GET /%b" % (b"a" * 17 * KIB), 431),
    "query": (b"GET /a?%b" % (b"a&" * 4 * KIB), b"GET /a?%b" % (b"a&" * 9 * KIB), 431),
    "version": (b"GET /a", b"GET /a %b" % (b"H" * 17 * KIB), 431),
}
LINES: dict[str, tuple[bytes, bytes, int]] = {
    "field name": (b"N" * 8 * KIB + b": 1", b"N" * 17 * KIB + b": 1", 431),
    "field value": (b"X: " + b"v" * 8 * KIB, b"X: " + b"v" * 17 * KIB, 431),
    "fields": (b"\r\n".join([b"a: b"] * 2000), b"\r\n".join([b"a: b"] * 4000), 431),
    "proof": (b"DPoP: " + b"a" * 8 * KIB, b"DPoP: " + b"a" * 60 * KIB, 431),
    "proofs": (b"\r\n".join([b"DPoP: a.b.c"] * 1000), b"\r\n".join([b"DPoP: a.b.c"] * 2000), 431),
    "signatures": (
        b"Signature-Input: " + b", ".join(b"k%d=()" % n for n in range(800)),
        b"Signature-Input: " + b", ".join(b"k%d=()" % n for n in range(2000)),
        431,
    ),
    "length": (b"Content-Length: 0", b"Content-Length: " + b"9" * 19, 413),
    "length without end": (b"Content-Length: 0", b"Content-Length: " + b"9" * 5000, 400),
}


@pytest.mark.parametrize("what", [*OVERSIZED, *LINES])
def test_what_is_oversized_is_refused_and_what_is_large_is_decided(lab: Lab, what: str) -> None:
    if what in OVERSIZED:
        start, over, status = OVERSIZED[what]
        requests = [b"%b HTTP/1.1\r\n@\r\n\r\n" % each for each in (start, over)]
    else:
        line, over, status = LINES[what]
        requests = [b"GET /records HTTP/1.1\r\n@\r\n%b\r\n\r\n" % each for each in (line, over)]
    url, ca = lab.estate.urls["orders"], context_of(str(lab.estate.ca_file))
    with connected(url, ca) as peer:
        assert peer.send(requests[0]).answer().status in (400, 401)
        assert peer.send(Request("GET", f"{url}/records").wire()).answer().status == 401
    with connected(url, ca) as peer:
        assert peer.send(requests[1]).answer().status == status
        assert peer.is_at_end()
    assert failures(lab, "orders") == []
