"""The handshake that the parent does once, before it forks."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from labsim.certificates import certificate_authority, server_leaf
from labsim.errors import LabError
from labsim.estate.warm_up import shake_hands


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    now = datetime.datetime.now(datetime.UTC)
    authority = certificate_authority("ca", now)
    leaf = server_leaf(authority, ["127.0.0.1"], now)
    contents = (authority.certificate_pem, leaf.certificate_pem, leaf.key_pem)
    for name, content in zip(("ca", "certificate", "key"), contents, strict=True):
        (tmp_path / name).write_bytes(content)
    return [str(tmp_path / name) for name in ("ca", "certificate", "key")]


def test_a_whole_handshake_is_done(files: list[str]) -> None:
    shake_hands(*files)  # it ends with an octet that has come through


@pytest.mark.parametrize("missing", range(3))
def test_a_file_that_cannot_be_read_is_named(files: list[str], missing: int) -> None:
    Path(files[missing]).unlink()
    with pytest.raises(LabError, match=Path(files[missing]).name):
        shake_hands(*files)
