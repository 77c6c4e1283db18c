"""No refusal without a row: each check that the core can name stands in one of these tables."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from labsim import credentials
from labsim.binding import Binding
from labsim.catalogue.listed import catalogue
from labsim.credentials import ACCESS_TOKEN
from labsim.roles import (
    authorization_server,
    client_authentication,
    form,
    forwarded_address,
    forwarded_certificate,
    grants,
    narrowing,
    resource_server,
    revocation,
    revocation_notice,
    source_address,
    tls_client_authentication,
    token_exchange,
)
from labsim.roles.client_authentication import ASSERTION_CHECKS
from labsim.roles.introspected_tokens import INTROSPECTION_CHECKS
from labsim.roles.revocation_notice import REVOCATION_NOTICE
from labsim.roles.tls_client_authentication import CERTIFICATE_CHECKS
from labsim.roles.token_exchange import EXCHANGE_CHECKS
from tests.refusals import refusals_in
from tests.wiring import BINDINGS

ROLES = (
    authorization_server,
    client_authentication,
    form,
    forwarded_address,
    forwarded_certificate,
    grants,
    narrowing,
    resource_server,
    revocation,
    revocation_notice,
    source_address,
    tls_client_authentication,
    token_exchange,
    credentials,
)
TABLES = "".join(file.read_text() for file in Path(__file__).parent.glob("*.py"))
IN_THE_CATALOGUE = {vector.check for vector in catalogue()}


def missing(names: set[str]) -> set[str]:
    return {name for name in names - IN_THE_CATALOGUE if f'"{name}"' not in TABLES}


@pytest.mark.parametrize("module", ROLES, ids=lambda module: module.__name__)
def test_each_refusal_of_a_role_has_its_row(module: object) -> None:
    names = refusals_in(inspect.getsource(module))  # type: ignore[arg-type]
    assert names
    assert missing(names) == set()


@pytest.mark.parametrize("binding", BINDINGS.values(), ids=lambda binding: binding.name)
def test_each_check_of_a_binding_has_its_row(binding: Binding) -> None:
    assert missing({check.name for check in binding.checks}) == set()


def test_each_check_of_token_and_assertion_has_its_row() -> None:
    assert missing({check.name for check in (*ACCESS_TOKEN.checks, *ASSERTION_CHECKS)}) == set()


def test_each_check_of_the_other_endpoints_has_its_row() -> None:
    certificates = [check for every in CERTIFICATE_CHECKS.values() for check in every]
    every = (*EXCHANGE_CHECKS, *INTROSPECTION_CHECKS, *REVOCATION_NOTICE.checks, *certificates)
    assert missing({check.name for check in every}) == set()
