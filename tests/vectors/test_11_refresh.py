"""Section 11 of the catalogue: refresh tokens, their rotation, and the key that comes with them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labsim.estate import storage
from labsim.estate.storage import SqliteGrants
from labsim.http_message import Request, Response
from labsim.keys import SigningKey
from labsim.rejection import Reason
from labsim.roles.grants import Grants
from tests.exchange import DPOP, answer, assert_refused, assert_served, token_request
from tests.jws import Jws
from tests.wiring import CRM, Lab, MemoryGrants

MAKERS: dict[str, Callable[[Path], Grants]] = {
    "in memory": lambda _folder: MemoryGrants(),
    "sqlite": lambda folder: SqliteGrants(folder / "grants.sqlite"),
}


@pytest.fixture(params=MAKERS)
def refreshing(request: pytest.FixtureRequest, tmp_path: Path) -> Lab:
    lab = Lab(MAKERS[request.param](tmp_path))
    lab.grant("first")
    return lab


def refresh(
    lab: Lab, token: str, client: str = "free", key: SigningKey | None = None, **more: str
) -> Request:
    request = token_request(lab, client, grant_type="refresh_token", refresh_token=token, **more)
    return request if key is None else DPOP.attach(request, lab.presentation(None, key))


def following(response: Response) -> str:
    return str(response.json()["refresh_token"])


def assert_invalid(lab: Lab, request: Request, check: str) -> None:
    reason = Reason.GRANT_INVALID
    assert_refused(lab, request, status=400, error="invalid_grant", reason=reason, check=check)


def test_a_refresh_token_is_rotated_at_every_use(refreshing: Lab) -> None:
    tokens = ["first"]
    for _ in range(3):
        tokens.append(following(assert_served(refreshing, refresh(refreshing, tokens[-1]))))
    assert len(set(tokens)) == 4


def test_the_second_use_ends_the_family(refreshing: Lab) -> None:
    """CR-16: the server cannot tell which of the two is the thief."""
    newest = following(assert_served(refreshing, refresh(refreshing, "first")))
    assert_invalid(refreshing, refresh(refreshing, "first"), "refresh_token_is_unused")
    assert_invalid(refreshing, refresh(refreshing, newest), "refresh_token_is_known")
    assert_invalid(refreshing, refresh(refreshing, "first"), "refresh_token_is_known")


def test_another_family_lives_on(refreshing: Lab) -> None:
    refreshing.grant("other")
    assert_served(refreshing, refresh(refreshing, "first"))
    assert_invalid(refreshing, refresh(refreshing, "first"), "refresh_token_is_unused")
    assert_served(refreshing, refresh(refreshing, "other"))


def test_another_clients_refresh_token_is_refused_and_stays_good(refreshing: Lab) -> None:
    """CR-15."""
    refreshing.grant("theirs", client="app", binding="dpop")
    assert_invalid(refreshing, refresh(refreshing, "theirs"), "refresh_token_is_this_clients")
    key = refreshing.holder
    assert_served(refreshing, refresh(refreshing, "theirs", client="app", key=key))


def test_another_clients_spent_refresh_token_ends_nothing(refreshing: Lab) -> None:
    newest = following(assert_served(refreshing, refresh(refreshing, "first")))
    foreign = refresh(refreshing, "first", client="app", key=refreshing.thief)
    assert_invalid(refreshing, foreign, "refresh_token_is_this_clients")
    assert_served(refreshing, refresh(refreshing, newest))


@pytest.mark.parametrize("token", ["unknown", "first ", "FIRST", "\u00e9"])
def test_an_unknown_refresh_token_is_refused(refreshing: Lab, token: str) -> None:
    assert_invalid(refreshing, refresh(refreshing, token), "refresh_token_is_known")
    assert_served(refreshing, refresh(refreshing, "first"))


def test_an_expired_refresh_token_is_refused(refreshing: Lab) -> None:
    newest = following(assert_served(refreshing, refresh(refreshing, "first")))
    refreshing.clock.advance(86400)
    assert_invalid(refreshing, refresh(refreshing, newest), "refresh_token_is_not_expired")


def test_once_bound_a_refresh_without_a_proof_is_refused(refreshing: Lab) -> None:
    """CR-14: the next token would silently be a bearer token."""
    key = refreshing.holder
    bound = following(assert_served(refreshing, refresh(refreshing, "first", key=key)))
    assert_invalid(refreshing, refresh(refreshing, bound), "refresh_keeps_the_binding")
    assert_served(refreshing, refresh(refreshing, bound, key=key))


def test_a_confidential_client_may_bring_a_new_key(refreshing: Lab) -> None:
    """CR-13 and CR-17: the new token is bound to the key that is proven, and to no other."""
    token = "first"
    for key in (None, refreshing.holder, refreshing.thief):
        response = assert_served(refreshing, refresh(refreshing, token, key=key))
        claims: dict[str, Any] = dict(
            Jws.of(response.json()["access_token"], refreshing.issuer_key).claims
        )
        proof = refresh(refreshing, token, key=key)
        expected = DPOP.bind(DPOP.parse(proof)) if key else None
        assert claims.get("cnf") == expected
        token = following(response)


def test_a_refused_refresh_spends_nothing(refreshing: Lab) -> None:
    bad = refresh(refreshing, "first", scope="orders.admin")
    refusal = {"reason": Reason.SCOPE_INVALID, "check": "scopes_are_granted"}
    assert_refused(refreshing, bad, status=400, error="invalid_scope", **refusal)
    assert_served(refreshing, refresh(refreshing, "first"))


def test_a_replayed_proof_does_not_spend_the_refresh_token(refreshing: Lab) -> None:
    request = refresh(refreshing, "first", key=refreshing.holder)
    refreshing.grant("other")
    assert_served(refreshing, request)
    again = refresh(refreshing, "other").adding("DPoP", str(request.value("DPoP")))
    refusal = {"reason": Reason.PROOF_REPLAYED, "check": "jti_is_new"}
    assert_refused(refreshing, again, status=400, error="invalid_dpop_proof", **refusal)
    assert_served(refreshing, refresh(refreshing, "other"))


def test_a_refresh_may_be_for_another_resource_and_for_less_scope(refreshing: Lab) -> None:
    response = assert_served(refreshing, refresh(refreshing, "first", resource=CRM))
    assert response.json()["scope"] == "crm.read"
    narrow = refresh(refreshing, following(response), scope="orders.read")
    response = assert_served(refreshing, narrow)
    assert response.json()["scope"] == "orders.read"
    wide = assert_served(refreshing, refresh(refreshing, following(response)))
    assert wide.json()["scope"] == "orders.read orders.write"


def test_of_many_refreshes_at_once_at_most_one_is_served(refreshing: Lab) -> None:
    requests = [refresh(refreshing, "first") for _ in range(8)]
    statuses: list[int] = []
    together = threading.Barrier(len(requests))

    def send(request: Request) -> None:
        together.wait()
        statuses.append(answer(refreshing, request).status)

    threads = [threading.Thread(target=send, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [400] * 7


def assert_unavailable(lab: Lab, request: Request) -> None:
    refusal = {"reason": Reason.UNAVAILABLE, "check": "storage_answers"}
    error = "temporarily_unavailable"
    response = assert_refused(lab, request, status=503, error=error, **refusal)
    assert response.values("Retry-After") == ["1"]


def test_a_lost_store_of_grants_refuses_every_refresh(tmp_path: Path) -> None:
    file = tmp_path / "grants.sqlite"
    lab = Lab(SqliteGrants(file))
    lab.grant("first")
    hidden = file.rename(tmp_path / "hidden")
    assert_unavailable(lab, refresh(lab, "first"))
    assert_served(lab, token_request(lab, "free"))  # needs no grant that was stored
    hidden.rename(file)
    assert_served(lab, refresh(lab, "first"))


def test_a_locked_store_of_grants_refuses_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_BUSY_SECONDS", 0)
    file = tmp_path / "grants.sqlite"
    lab = Lab(SqliteGrants(file))
    lab.grant("first")
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody_else:
        somebody_else.execute("BEGIN IMMEDIATE")
        assert_unavailable(lab, refresh(lab, "first"))
        somebody_else.execute("ROLLBACK")
    assert_served(lab, refresh(lab, "first"))


class SlowGrants(MemoryGrants):
    """Another request spends the token between this one's look and its own spending."""

    def rotate(self, spent_hash: str, new_hash: str, grant: Any) -> bool:
        super().rotate(spent_hash, f"{new_hash} of the faster one", grant)
        return super().rotate(spent_hash, new_hash, grant)


def test_losing_a_race_for_a_refresh_token_ends_the_family() -> None:
    lab = Lab(SlowGrants())
    lab.grant("first")
    assert_invalid(lab, refresh(lab, "first"), "refresh_token_is_unused")
    assert_invalid(lab, refresh(lab, "first"), "refresh_token_is_known")


def test_a_family_remembers_which_binding_it_had(refreshing: Lab) -> None:
    """A bound grant stays bound, even where its client may choose again."""
    refreshing.grant("bound", binding="dpop")
    assert_invalid(refreshing, refresh(refreshing, "bound"), "refresh_keeps_the_binding")
    refreshing.clients["free"] = replace(refreshing.clients["free"], requires="dpop")
    assert_served(refreshing, refresh(refreshing, "bound", key=refreshing.holder))
