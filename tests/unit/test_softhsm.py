"""Which signer a lab is asked for, and what is said where it cannot be had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labsim.errors import LabError
from labsim.estate import softhsm
from labsim.estate.running import Estate
from labsim.estate.softhsm import module_of, refuse_tls
from labsim.rooms import rooms


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the one place where SoftHSM may lie, and let something lie there."""
    file = tmp_path / "libsofthsm2.so"
    file.write_bytes(b"")
    monkeypatch.setattr(softhsm, "PLACES", (str(tmp_path / "elsewhere.so"), str(file)))
    monkeypatch.setattr(softhsm, "has_library", lambda: True)
    return str(file)


def test_the_software_signer_needs_no_module() -> None:
    assert module_of("software") == ""


def test_the_module_is_found_or_named(module: str) -> None:
    assert softhsm.found() == module
    assert module_of("pkcs11") == module
    assert module_of(f"pkcs11:{module}") == module


@pytest.mark.parametrize(
    "signer", ["hsm", "", "PKCS11", "/usr/lib/softhsm/libsofthsm2.so", None, 3]
)
def test_an_unknown_signer_is_answered_with_those_that_exist(signer: Any) -> None:
    with pytest.raises(LabError, match="There are: software, pkcs11, pkcs11:MODULE"):
        module_of(signer)


def test_a_module_that_is_missing_is_named(module: str) -> None:
    with pytest.raises(LabError, match=r"no PKCS #11 module at /no/such\.so\. Nothing was started"):
        module_of("pkcs11:/no/such.so")
    Path(module).unlink()
    with pytest.raises(LabError, match=r"SoftHSM is not here.*Install softhsm2"):
        module_of("pkcs11")


def test_a_library_that_is_missing_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(softhsm, "has_library", lambda: False)
    with pytest.raises(LabError, match=r"python-pkcs11 is not installed.*pip install"):
        module_of("pkcs11")


def test_an_estate_asks_before_anything_is_started() -> None:
    nothing = object()
    with pytest.raises(LabError, match="no signer called"):
        Estate(nothing, signer="hsm")  # type: ignore[arg-type]


@pytest.mark.parametrize("binding", rooms("labsim.bindings", "BINDING"))
def test_a_token_is_for_proofs_and_not_for_tls(binding: str) -> None:
    if binding == "mtls":
        with pytest.raises(LabError, match=r"takes no signing callback.*Nothing was changed"):
            refuse_tls(binding)
    else:
        refuse_tls(binding)
