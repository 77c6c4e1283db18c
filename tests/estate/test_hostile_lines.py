"""Whatever a stranger sends to a signer or a foothold: a refusal or an end, and both live on."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

import labsim
from labsim.estate.json_lines import LONGEST_LINE, MOST_CONNECTIONS, Asking, serve
from tests.estate.conftest import PATIENCE
from tests.private_keys import gives_away

CLIENT = "ops-console"
REQUEST = {"method": "GET", "url": "https://127.0.0.1:1/", "fields": [], "body": ""}

type Place = tuple[labsim.Lab, str, Callable[[], socket.socket], dict[str, Any]]


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        started.bind(CLIENT, "dpop", custody="signer")
        started.attacker.steal(CLIENT, by="container_code")
        yield started


@pytest.fixture(params=["signer", "foothold"])
def place(
    request: pytest.FixtureRequest, lab: labsim.Lab, monkeypatch: pytest.MonkeyPatch
) -> Place:
    """Give the lab, a process, what connects to it, and what has to be said there each time."""
    if request.param == "signer":
        # Relative, as the client has it: a path to a Unix socket may not be long.
        monkeypatch.chdir(lab.run_folder)

        def connect() -> socket.socket:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(PATIENCE)
            sock.connect(f"{CLIENT}.signer/signer.sock")
            return sock

        return lab, f"{CLIENT}.signer", connect, {}
    where = json.loads((lab.run_folder / CLIENT / "foothold.json").read_text())
    authority, _, secret = where.partition("/")
    port = int(authority.partition(":")[2])

    def dial() -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), PATIENCE)

    return lab, CLIENT, dial, {"secret": secret}


def answers(place: Place, data: bytes) -> bytes:
    """Send bytes, end there, and return what came back before the other side hung up."""
    received = b""
    with place[2]() as sock, suppress(ConnectionError):
        # It may hang up in the middle of what it will not read.
        with suppress(BrokenPipeError):
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        while chunk := sock.recv(65536):
            received += chunk
    return received


def lives_on(place: Place) -> bool:
    lab, name, _, more = place
    asked = {"do": "memory" if more else "hello", **more}
    answer = json.loads(answers(place, json.dumps(asked).encode() + b"\n"))
    assert set(answer) in ({"keys"}, {"jwk", "algorithm", "stamps"})
    assert lab.estate.process(name).alive
    assert lab.work_rows(CLIENT)[0]["outcome"] == "served"
    # No traceback: what a stranger sends is nothing that could surprise it.
    return (lab.run_folder / name / "stderr.log").read_text() == ""


NO_OBJECT = [
    b"",
    b"\n",
    b"no JSON\n",
    b"\xff\xfe\x00\n",
    b"[]\n",
    b"5\n",
    b"null\n",
    b'"do"\n',
    b'{"do": "hello"',
    b'{"do": "hello"}',  # no whole line
    b'{"do": "hel\nlo"}\n',
    b"[" * 100_000 + b"\n",
    b'{"a":' * 100_000 + b"\n",
    b"1" * 10_000 + b"\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


@pytest.mark.parametrize("data", NO_OBJECT, ids=range(len(NO_OBJECT)))
def test_what_is_no_object_on_a_line_ends_the_connection(place: Place, data: bytes) -> None:
    assert answers(place, data) == b""
    assert lives_on(place)


@pytest.mark.parametrize("filler", [b" ", b"a"])
def test_a_line_that_is_too_long_ends_the_connection(place: Place, filler: bytes) -> None:
    more = place[3]
    asked = json.dumps({"do": "memory" if more else "hello", **more}).encode()
    assert answers(place, asked + filler * LONGEST_LINE + b"\n") == b""
    assert lives_on(place)


UNUSABLE: list[dict[str, Any]] = [
    {},
    {"do": None},
    {"do": 5},
    {"do": []},
    {"do": "give_the_key"},
    {"do": "__init__"},
    {"do": "hello", "more": 1},
    {"do": "memory", "more": 1},
    {"do": "sign"},
    {"do": "sign", "message": 5},
    {"do": "sign", "message": "no base64"},
    {"do": "sign", "message": "QQ==", "algorithm": "none"},
    {"do": "sign", "message": "\ud800"},
    {"do": "certified", "pem": 5},
    {"do": "certified", "pem": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"},
    {"do": "attach"},
    {"do": "attach", "request": REQUEST},
    {"do": "attach", "request": None, "token": None, "nonce": None},
    {"do": "attach", "request": {}, "token": None, "nonce": None},
    {"do": "attach", "request": {**REQUEST, "fields": 5}, "token": None, "nonce": None},
    {"do": "attach", "request": {**REQUEST, "body": "\u20ac"}, "token": None, "nonce": None},
    {"do": "dial", "request": REQUEST, "proxy": ""},
    {"do": "dial", "request": REQUEST, "proxy": 5},
    {"do": "ahead"},
    {"do": "ahead", "url": 5, "times": [1]},
    {"do": "ahead", "url": "https://127.0.0.1:1/", "times": 5},
    {"do": "ahead", "url": "https://127.0.0.1:1/", "times": ["now"]},
    {"do": "ahead", "url": "https://127.0.0.1:1/", "times": [float("nan")]},
    {"do": "ahead", "url": "https://127.0.0.1:1/", "times": [float("inf")]},
    {"do": "ahead", "url": "https://127.0.0.1:1/", "times": [[1]]},
    {"do": "send"},
    {"do": "send", "request": None},
    {"do": "send", "request": {}},
    {"do": "send", "request": {**REQUEST, "method": 5}},
    {"do": "send", "request": {**REQUEST, "fields": [["a"]]}},
    {"do": "send", "request": REQUEST, "self": 5},
]


@pytest.mark.parametrize("asked", UNUSABLE, ids=range(len(UNUSABLE)))
def test_what_is_no_operation_is_refused_on_a_connection_that_stays(
    place: Place, asked: dict[str, Any]
) -> None:
    more = place[3]
    good = {"do": "memory" if more else "hello"}
    lines = [json.dumps({**each, **more}).encode() + b"\n" for each in (asked, good)]
    refused, served = map(json.loads, answers(place, b"".join(lines)).splitlines())
    assert set(refused) == {"refused"}
    assert "refused" not in served
    assert lives_on(place)


ODD_REQUESTS = [
    {"method": "G T\r\nX: y"},
    {"method": ""},
    {"url": "http://["},
    {"url": "{url}/records\r\nX: y"},
    {"url": "{url}/\xe9"},
    {"url": "{url}/?" + "a" * 100_000},
    {"fields": [["X", "a\r\nY: b"]]},
    {"fields": [["", ""]]},
    {"fields": [["Content-Length", "-1"], ["Transfer-Encoding", "chunked"]]},
    {"fields": [["Host", "elsewhere.test"]]},
    {"body": "\x00" * 100_000},
]


@pytest.mark.parametrize("odd", ODD_REQUESTS, ids=range(len(ODD_REQUESTS)))
@pytest.mark.parametrize("operation", ["send", "attach", "ahead"])
def test_a_request_that_nobody_would_send_is_answered_all_the_same(
    place: Place, odd: dict[str, Any], operation: str
) -> None:
    lab, _, _, more = place
    request = {**REQUEST, "url": lab.estate.urls["admin"] + "/records", **odd}
    request["url"] = request["url"].replace("{url}", lab.estate.urls["admin"])
    asked: dict[str, Any] = {"do": operation, **more}
    if operation == "ahead":
        asked |= {"url": request["url"], "times": [-1e18, 0, 1e18]}
    elif operation == "attach":
        asked |= {"request": request, "token": "t\r\n", "nonce": "\u20ac"}
    else:
        asked |= {"request": request}
    (answer,) = answers(place, json.dumps(asked).encode() + b"\n").splitlines()
    assert isinstance(json.loads(answer), dict)
    assert lives_on(place)


@pytest.mark.parametrize("secret", ["", "wrong", None, 5, ["a"], "\ud800", "\u20ac"])
def test_a_foothold_tells_nothing_to_who_does_not_know_the_secret(
    lab: labsim.Lab, secret: Any
) -> None:
    where = json.loads((lab.run_folder / CLIENT / "foothold.json").read_text())
    port = int(where.partition("/")[0].partition(":")[2])
    for asked in ({"do": "memory"}, {"do": "send", "request": REQUEST}, {}, {"do": "no such"}):
        ask = Asking(socket.AF_INET, ("127.0.0.1", port))
        assert ask(**asked, secret=secret) == {"gone": True}
        assert ask(**asked) == {"gone": True}
        ask.close()
    assert (lab.run_folder / CLIENT / "stderr.log").read_text() == ""


def test_no_answer_of_a_signer_gives_the_key_away(lab: labsim.Lab, place: Place) -> None:
    asked = [{"do": name} for name in ("hello", "key", "jwk", "pem", "private_jwk", "memory")]
    asked += [*UNUSABLE, {"do": "sign", "message": "QQ=="}]
    lines = [json.dumps({**each, **place[3]}).encode() + b"\n" for each in asked]
    heard = answers(place, b"".join(lines))
    assert len(heard.splitlines()) == len(lines)
    sock = Asking(socket.AF_UNIX, str(lab.run_folder / f"{CLIENT}.signer" / "signer.sock"))
    jwk = sock(do="hello")["jwk"]
    sock.close()
    assert not gives_away(heard, jwk)


def test_who_comes_in_crowds_is_waited_for_and_then_the_next_is_served(place: Place) -> None:
    line = json.dumps({"do": "no such", **place[3]}).encode() + b"\n"
    with ExitStack() as opened:
        crowd = [opened.enter_context(place[2]()) for _ in range(MOST_CONNECTIONS + 5)]
        for sock in crowd:
            sock.sendall(line)
        assert b"refused" in crowd[0].recv(65536)
        for sock in crowd[:-5]:
            sock.close()
        for sock in crowd[-5:]:  # there was no room for these
            assert b"refused" in sock.recv(65536)
    assert lives_on(place)


def test_who_hangs_up_before_the_answer_leaves_no_trace(place: Place) -> None:
    _, _, connect, more = place
    line = json.dumps({"do": "memory" if more else "hello", **more}).encode() + b"\n"
    for _ in range(20):
        with connect() as sock:
            sock.sendall(line * 50)
    assert lives_on(place)


def test_a_socket_that_is_closed_lets_nobody_in_any_more(tmp_path: Path) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    serve(listening, lambda asked: {"heard": asked}, "test")
    ask = Asking(socket.AF_INET, address)
    assert ask(a=1) == {"heard": {"a": 1}}
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    with pytest.raises(ConnectionRefusedError):
        Asking(socket.AF_INET, address)
    assert ask(a=2) == {"heard": {"a": 2}}
    ask.close()
