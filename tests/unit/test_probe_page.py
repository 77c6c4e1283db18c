"""docs/probe.md says what the configuration says, and its examples can be used."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

from labsim.certificates import certificate_authority, client_leaf
from labsim.commands._checkout import ROOT
from labsim.keys import SigningKey
from labsim.probing.configuration import KEY_MEANINGS, MEANINGS, TOKEN_MEANINGS, load

PAGE = (ROOT / "docs" / "probe.md").read_text()
EXAMPLES = dict(re.findall(r"```toml (\w+\.toml)\n(.*?)```", PAGE, re.DOTALL))
TABLE = re.search(r"^\| key \| meaning \|\n(.*?)\n\n", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_a_configuration(name: str, tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    leaf = client_leaf(certificate_authority("CA", now), "spiffe://a/b", "b", now)
    (tmp_path / "ca.pem").write_bytes(leaf.certificate_pem)
    (tmp_path / "certificate.pem").write_bytes(leaf.certificate_pem)
    (tmp_path / "key.pem").write_bytes(leaf.key_pem)
    (tmp_path / "client-key.pem").write_bytes(SigningKey.generate("Ed25519").pem)
    (tmp_path / "token.txt").write_text("a.b.c\n")
    (tmp_path / name).write_text(EXAMPLES[name])
    assert load(tmp_path / name).key.public_jwk == SigningKey(leaf.key).public_jwk


def test_each_key_has_its_row() -> None:
    assert TABLE is not None
    said = set(re.findall(r"`([a-z_.]+)`", "".join(r.split("|")[1] for r in TABLE[1].splitlines())))
    keys = set(MEANINGS) - {"key", "token"}
    keys |= {f"key.{name}" for name in KEY_MEANINGS} | {f"token.{name}" for name in TOKEN_MEANINGS}
    assert said == keys
