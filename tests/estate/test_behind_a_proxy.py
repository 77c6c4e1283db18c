"""A proxy that ends TLS, on real connections: the certificate's header is its to write (RFC 9440)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import labsim
from labsim.estate.names import CERTIFICATE_FILE, TERMINATOR
from tests.estate.outside import connected, context_of, events_of, refusal_by_tls, written
from tests.own_certificates import FOR_ITSELF, self_signed


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def replayed(lab: labsim.Lab, by: str) -> set[tuple[str, str, str]]:
    """Steal what lies in a container, replay it where it was stolen, and say how it ended."""
    haul = lab.attacker.steal("storefront", by="container_files")
    rows = lab.attacker.replay(haul, by=by)
    rows = rows[rows.relation == "same_resource"]
    return set(zip(rows.outcome, rows.reason, rows.check, strict=True))


@pytest.mark.parametrize(
    ("variant", "forged"),
    [
        ("base", ("rejected", "PROOF_MISSING", "certificate_is_shown")),  # MT-12: from anybody
        ("proxy_strips", ("rejected", "PROOF_MISSING", "certificate_is_shown")),
        ("proxy_passes", ("served", "", "")),  # MT-12, the mistake
    ],
)
def test_a_forged_header_works_where_a_proxy_passes_it_on(
    lab: labsim.Lab, variant: str, forged: tuple[str, str, str]
) -> None:
    lab.vary(variant)
    lab.bind("storefront", "mtls")
    assert {row["outcome"] for row in lab.work_rows("storefront")} == {"served"}
    assert replayed(lab, "forged_certificate_header") == {forged}
    # Without the header nothing is gained, and another certificate is another sender.
    token_alone = ("rejected", "PROOF_MISSING", "certificate_is_shown")
    assert replayed(lab, "token_as_is") == {token_alone}
    own = ("rejected", "BINDING_MISMATCH", "certificate_is_the_bound_one")
    assert replayed(lab, "own_certificate") == {own}
    assert {row["outcome"] for row in lab.work_rows("storefront")} == {"served"}


@pytest.mark.parametrize("binding", ["bearer", "mtls", "dpop", "http_signature"])
@pytest.mark.parametrize("variant", ["proxy_strips", "proxy_passes", "base"])
def test_a_client_of_any_binding_is_served_through_a_proxy(
    lab: labsim.Lab, variant: str, binding: str
) -> None:
    """A proof is for the proxy's URL, and the servers behind it are told that one (RFC 7239)."""
    lab.vary(variant)
    lab.bind("storefront", binding)
    rows = lab.work_rows("storefront")
    assert {lab.event(row["request_id"])["decision"] for row in rows} == {"served"}


@pytest.mark.parametrize(
    ("binding", "reason"),
    [("dpop", "PROOF_TARGET_MISMATCH"), ("http_signature", "BINDING_MISMATCH")],
)
@pytest.mark.parametrize("variant", ["proxy_strips", "proxy_passes"])
def test_a_proof_for_the_proxys_url_is_none_past_the_proxy(
    lab: labsim.Lab, variant: str, binding: str, reason: str
) -> None:
    """Nor where its bearer says that it came through the proxy."""
    lab.vary(variant)
    lab.bind("storefront", binding)
    (row, *_) = lab.work_rows("storefront", "orders")
    assert row["outcome"] == "served"
    inside, outside = lab.estate.urls["orders"], lab.estate.reached_at["orders"]
    head, *fields = row["sent"].partition("\r\n\r\n")[0].split("\r\n")
    host = outside.partition("://")[2]
    assert f"Host: {host}" in fields
    past = [head, "@", *(field for field in fields if not field.startswith("Host: "))]
    past.append(f'Forwarded: host="{host}";proto=https')
    with connected(inside, context_of(str(lab.estate.ca_file))) as peer:
        answer = peer.send("\r\n".join([*past, "", ""]).encode()).answer()
    assert answer.status == 401
    assert lab.event(dict(answer.fields)["request-id"])["reason"] == reason


def test_an_unknown_certificate_is_refused_by_the_proxy_itself(
    lab: labsim.Lab, tmp_path: Path
) -> None:
    lab.vary("proxy_strips")
    unknown = written(tmp_path, "unknown", self_signed(FOR_ITSELF))
    url = lab.estate.reached_at["orders"]
    assert url != lab.estate.urls["orders"]
    assert (
        refusal_by_tls(url, context_of(str(lab.estate.ca_file), unknown))
        == "TLSV1_ALERT_UNKNOWN_CA"
    )
    event = events_of(lab.run_folder, TERMINATOR)[-1]
    assert (event["reason"], event["detail"]) == (
        "tls",
        "CERTIFICATE_VERIFY_FAILED: self-signed certificate",
    )


def test_a_proxys_certificate_is_its_own_and_readable_by_no_other(lab: labsim.Lab) -> None:
    file = lab.run_folder / TERMINATOR / CERTIFICATE_FILE
    assert file.stat().st_mode & 0o077 == 0
