"""A configuration that cannot be used is answered with file, key, meaning and the next step."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from labsim.certificates import certificate_authority
from labsim.commands import probe
from labsim.errors import LabError
from labsim.keys import SigningKey
from labsim.probing.configuration import ALLOWED, TokenRequest, is_loopback, load

GOOD: dict[str, Any] = {"url": "https://127.0.0.1:8443/a", "binding": "dpop", "ca_file": "ca.pem"}
KEY, TOKEN = {"file": "key.json"}, {"given": "a.b.c"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    now = datetime.datetime.now(datetime.UTC)
    (tmp_path / "ca.pem").write_bytes(certificate_authority("CA", now).certificate_pem)
    (tmp_path / "text.pem").write_text("no certificate")
    (tmp_path / "key.json").write_text(json.dumps(SigningKey.generate().private_jwk))
    return tmp_path


def written(folder: Path, key: Any = KEY, token: Any = TOKEN, **more: Any) -> Path:
    lines = [f"{n} = {json.dumps(v)}" for n, v in {**GOOD, **more}.items() if v is not None]
    for name, table in (("key", key), ("token", token)):
        if table is not None:
            lines += [f"[{name}]", *(f"{n} = {json.dumps(v)}" for n, v in table.items())]
    file = folder / "probe.toml"
    file.write_text("\n".join(lines))
    return file


def test_what_is_left_out_has_a_value(folder: Path) -> None:
    found = load(written(folder))
    assert (found.pace, found.replay_memory, found.token) == (20, True, "a.b.c")
    assert found.ca_file == str(folder / "ca.pem")


def test_a_bearer_token_needs_no_key(folder: Path) -> None:
    assert load(written(folder, key=None, binding="bearer")).token == "a.b.c"


def test_a_token_and_a_secret_may_stand_in_files(folder: Path) -> None:
    (folder / "token.txt").write_text("x.y.z\n")
    (folder / "secret.txt").write_text("top secret\n")
    assert load(written(folder, token={"file": "token.txt"})).token == "x.y.z"
    asked = {"endpoint": "https://as.test/t", "client_id": "me", "secret_file": "secret.txt"}
    token = load(written(folder, token={**asked, "scope": "a b"})).token
    assert isinstance(token, TokenRequest)
    assert (token.secret, token.audience) == ("top secret", "https://as.test/t")
    assert token.parameters == {"grant_type": "client_credentials", "scope": "a b"}


def test_a_key_may_be_pem(folder: Path) -> None:
    for algorithm in ("ES256", "Ed25519"):
        key = SigningKey.generate(algorithm)
        (folder / "key.pem").write_bytes(key.pem)
        assert load(written(folder, key={"file": "key.pem"})).key.public_jwk == key.public_jwk


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LocalHost"])
def test_this_machine_may_always_be_tested(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "0.0.0.0", "localhost.test", "127.0.0.1.test", "2130706433", ""]
)
def test_nothing_else_is_this_machine(host: str) -> None:
    assert not is_loopback(host)


def test_another_host_has_to_be_named_and_allowed(folder: Path) -> None:
    elsewhere = {"url": "https://api.example.com/a"}
    for more in ({}, {"host": "example.com", "allowed": ALLOWED}, {"host": "api.example.com"}):
        with pytest.raises(LabError, match=r"not this machine|nobody has said"):
            load(written(folder, **elsewhere, **more))
    with pytest.raises(LabError, match="nobody has said"):
        load(written(folder, **elsewhere, host="api.example.com", allowed="yes"))
    allowed = {"host": "API.example.com", "allowed": ALLOWED}
    assert load(written(folder, **elsewhere, **allowed)).url == elsewhere["url"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": None}, r"url: the key is missing.*at which a GET with a good token is served"),
    ({"url": "http://127.0.0.1/a"}, "no URL that can be asked"),
    ({"url": "https://user@127.0.0.1/a"}, "no URL that can be asked"),
    ({"url": "https://127.0.0.1:99999/a"}, "no URL that can be asked"),
    ({"url": "https://127.0.0.1/a#b"}, "no URL that can be asked"),
    ({"url": "https://127.0.0.1/a b"}, "no URL that can be asked"),
    ({"url": "https://127.0.0.1/%"}, "no URL that can be asked"),
    ({"url": "https://[::1%25eth0]/a"}, "no URL that can be asked"),
    ({"binding": "magic"}, r"binding: 'magic' is unknown.*bearer, dpop"),
    ({"ca_file": "none.pem"}, r"ca_file: there is no file .*none.pem"),
    ({"ca_file": "text.pem"}, "ca_file: it holds none"),
    ({"pace": 0}, "pace: 0 is out of range"),
    ({"pace": True}, "pace: True has the wrong type"),
    ({"replay_memory": "no"}, "replay_memory: 'no' has the wrong type"),
    ({"speed": 1}, "speed: there is no such key"),
    ({"key": None}, r"key: the key is missing.*\[key\]"),
    ({"key": {"file": "none.json"}}, "key.file: there is no file"),
    ({"key": {"file": "ca.pem"}}, "key.file: it holds no usable private key"),
    ({"key": {"file": "rsa.pem"}}, "key.file: the key is of another kind"),
    ({"key": {"file": "p384.pem"}}, "key.file: the key is of another kind"),
    ({"key": {"file": "public.json"}}, "key.file: it holds no usable private key"),
    ({"key": {"file": "deep.json"}}, "key.file: it holds no usable private key"),
    ({"key": {"file": "halves.json"}}, "key.file: it holds no usable private key.*another key's"),
    ({"key": {"file": "key.json", "name": "x"}}, "key.name: there is no such key"),
    ({"binding": "mtls"}, "key.certificate_file: the key is missing"),
    ({"key": {"file": "key.json", "certificate_file": "text.pem"}}, "certificate_file: it holds none"),
    ({"key": {"file": "key.json", "certificate_file": "ca.pem"}}, "certificate_file: it is for another key"),
    ({"token": None}, r"token: the key is missing.*\[token\]"),
    ({"token": {}}, "there are 0 ways to a token"),
    ({"token": {"given": "a", "file": "b"}}, "there are 2 ways to a token"),
    ({"token": {"file": "nothing.txt"}}, "token.file: this is no token"),
    ({"token": {"given": "Bearer abc"}}, "token.given: this is no token"),
    ({"token": {"endpoint": "https://a.test"}}, "there are 0 ways to authenticate"),
    ({"token": {"endpoint": "https://a.test", "secret": "s"}}, "token.client_id: the key is missing"),
    ({"token": {"endpoint": "http://a.test", "secret": "s"}}, "token.endpoint: .* no URL"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), WRONG, ids=str)
def test_what_is_wrong_is_named(folder: Path, change: dict[str, Any], said: str) -> None:
    encoding = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    others = {"rsa": rsa.generate_private_key(65537, 2048), "p384": ec.generate_private_key(ec.SECP384R1())}  # fmt: skip
    for name, key in others.items():
        (folder / f"{name}.pem").write_bytes(key.private_bytes(*encoding))
    (folder / "public.json").write_text(json.dumps(SigningKey.generate().public_jwk))
    halves = SigningKey.generate().private_jwk | SigningKey.generate().public_jwk
    (folder / "halves.json").write_text(json.dumps(halves))
    (folder / "deep.json").write_text('{"d":' * 100_000)
    (folder / "nothing.txt").write_text("\n")
    with pytest.raises(LabError, match=said) as raised:
        load(written(folder, **change))
    assert str(raised.value).count("\n") == 0
    assert raised.value.todo


@pytest.mark.parametrize(
    ("content", "said"), [(b"url = ", "is no TOML"), (b"url = " + b"[" * 100_000, "is no TOML"), (b"\xff", "cannot be read"), (None, "cannot be read")]
)  # fmt: skip
def test_a_file_that_is_none_is_named(folder: Path, content: bytes | None, said: str) -> None:
    file = folder / "broken.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LabError, match=f"broken.toml {said}.*Nothing was sent"):
        load(file)


def test_results_that_would_have_nowhere_to_go_are_refused_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe.main([str(written(folder)), "--json", str(folder / "none" / "found.json")]) == 2
    assert "There is no folder for" in capsys.readouterr().err


def test_a_configuration_that_cannot_be_used_is_no_finding(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1 would say that the server has a fault."""
    assert probe.main([str(written(folder, binding="magic"))]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


@pytest.mark.parametrize("arguments", [[], ["--self", "a.toml"], ["a.toml", "--weaken", "x"]])
def test_one_thing_is_probed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        probe.main(arguments)
    assert "name a CONFIG, or give --self" in capsys.readouterr().err


def test_the_catalogue_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main(["--list"]) == 0
    said = capsys.readouterr().out
    for text in (" 2. DPoP proof: JOSE header: ", "RFC 9421 ", "HS-20: RSA", "; not applicable"):
        assert text in said
