"""Files and lines of any octets: read, skipped where that is the rule, or refused in words."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labsim.errors import LabError
from labsim.estate import json_lines, plan
from labsim.estate.captured import Captured, exchanges
from labsim.estate.channel import Lines, frame
from labsim.estate.events import EventLog, EventReader
from labsim.http_message import Request, Response
from tests.hostile import JSON

DEEP = b"[" * 100_000
LINE = st.one_of(
    st.binary(max_size=30).map(lambda octets: octets.replace(b"\n", b"")),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(["time", "request", "response", "id"]), JSON, max_size=3).map(
        lambda value: json.dumps(value).encode()
    ),
    st.sampled_from([DEEP, b"9" * 5000, b"null", b"[]", b'{"time":"soon"}', b'{"time":NaN}']),
)
LINES = st.lists(LINE, max_size=4)


def test_events_are_read_around_lines_that_are_none(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    folder.mkdir()

    @given(lines=LINES)
    @example(lines=[DEEP])
    @example(lines=[b"null"])
    @example(lines=[b'{"time":[1]}'])
    @example(lines=[b'{"time":null}'])
    def one(lines: list[bytes]) -> None:
        for file in folder.iterdir():
            file.unlink()
        log = EventLog(folder / "a.jsonl")
        log.append({"time": 1.0, "name": "first"})
        with (folder / "a.jsonl").open("ab") as opened:
            opened.writelines(line + b"\n" for line in lines)
        log.append({"time": 2.0, "name": "last"})
        found = EventReader(folder).new()
        assert all(type(event) is dict for event in found)
        assert [e["name"] for e in found if e.get("name")] == ["first", "last"]

    one()


def test_captured_exchanges_are_read_around_lines_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "captured.jsonl"

    @given(lines=LINES)
    @example(lines=[DEEP])
    @example(lines=[b"null"])
    @example(lines=[b"{}"])
    @example(lines=[b'{"request":{},"response":{}}'])
    @example(lines=[b'{"request":{"method":1,"url":2,"fields":[["a"]],"body":"\\u0100"}}'])
    def one(lines: list[bytes]) -> None:
        file.unlink(missing_ok=True)
        captured = Captured(file)
        request, response = Request("GET", "https://a.test/"), Response(200)
        captured.append(request, response)
        with file.open("ab") as opened:
            opened.writelines(line + b"\n" for line in lines)
        captured.append(request, response)
        assert list(exchanges(file)) == [(request, response)] * 2

    one()


@given(lines=LINES, cut=st.integers(1, 7))
@example(lines=[DEEP], cut=7)
def test_a_channel_stays_in_step_whatever_comes_between(lines: list[bytes], cut: int) -> None:
    data = b"".join([frame({"id": 1}), *(b"\n" + line for line in lines), frame({"id": 2})])
    step = max(1, len(data) // cut)
    reader = Lines()
    found = [m for at in range(0, len(data), step) for m in reader.feed(data[at : at + step])]
    assert {"id": 1} in found
    assert {"id": 2} in found
    assert all(type(message) is dict for message in found)


def conversation(line: bytes) -> bytes:
    """Send a line to a server of lines and return all that it answers before it hangs up."""
    ours, theirs = socket.socketpair()
    with ours:
        ours.sendall(line + b"\n")
        ours.shutdown(socket.SHUT_WR)
        json_lines._converse(theirs, lambda asked: {"asked": asked})
        return b"".join(iter(lambda: ours.recv(65536), b""))


@given(line=LINE)
@example(line=DEEP)
@example(line=b'{"a":' * 20_000)
@example(line=b'{"a":"\\ud800"}')
def test_who_asks_by_lines_is_answered_or_hung_up_on(line: bytes) -> None:
    answer = conversation(line)
    assert answer == b"" or type(json.loads(answer)) is dict
    assert conversation(b'{"a":1}') == b'{"asked":{"a":1}}\n'


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    shutil.copytree(plan.DATA, folder / "data")
    return folder / "data"


ESTATE = (plan.DATA / "estate.toml").read_bytes()
ORDERS = (plan.DATA / "records" / "orders.json").read_bytes()
PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [
            b"[",
            b"]",
            b"{",
            b'"',
            b"'''",
            b"=",
            b"\n",
            b"1979-05-27",
            b"nan",
            b"inf",
            b"0x1",
            b"a.b=1",
        ]
    ),
    st.sampled_from(
        [b"true", b"[[a]]", b"\x00", b"\xff", b'""', b"9" * 5000, b"null", b"#", b"\\u0000"]
    ),
)


@st.composite
def changed(draw: st.DrawFn, good: bytes) -> bytes:
    found = bytearray(good)
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(found)))
        found[at : at + draw(st.integers(0, 6))] = draw(PIECES)
    return bytes(found)


def loaded(file: Path) -> plan.Plan | None:
    """Return the plan, or None where it was refused in words that name a file."""
    try:
        return plan.load(file)
    except LabError as error:
        text = str(error)
        assert file.parent.name in text, text
        return None


@pytest.mark.parametrize(
    ("name", "good"), [("estate.toml", ESTATE), ("records/orders.json", ORDERS)]
)
def test_an_estates_files_are_loaded_or_the_place_is_named(
    own: Path, name: str, good: bytes
) -> None:
    @given(octets=st.one_of(changed(good), st.binary(max_size=30)))
    @example(octets=b"a=" + b"[" * 5000)
    @example(octets=b"[" * 100_000)
    @example(octets=b"\xff")
    @example(octets=b"")
    @example(octets=b"null")
    @example(octets=b"x=nan")
    def one(octets: bytes) -> None:
        (own / name).write_bytes(octets)
        found = loaded(own / "estate.toml")
        assert found is None or found.resources

    try:
        one()
    finally:
        (own / name).write_bytes(good)
    assert loaded(own / "estate.toml") is not None


VALUES = st.one_of(
    st.sampled_from(["nan", "inf", "1979-05-27", "true", "[]", "{}", "0", "-1", '""', '"\\u0000"']),
    st.sampled_from(
        ["9" * 4000, '"' + "a" * 3000 + '"', '[["a"]]', '[{a="b"}]', '["orders", 1]', "1e400"]
    ),
)


def test_a_value_of_any_type_is_refused_by_its_key(own: Path) -> None:
    lines = ESTATE.decode().splitlines()
    places = [number for number, line in enumerate(lines) if " = " in line and '"""' not in line]

    @given(place=st.sampled_from(places), value=VALUES)
    def one(place: int, value: str) -> None:
        key = lines[place].split("=")[0].strip()
        odd = [*lines[:place], f"{key} = {value}", *lines[place + 1 :]]
        (own / "estate.toml").write_text("\n".join(odd))
        try:
            plan.load(own / "estate.toml")
        except LabError as error:
            text = str(error)
            assert key in text or "no valid TOML" in text or "missing" in text, text

    try:
        one()
    finally:
        (own / "estate.toml").write_bytes(ESTATE)
