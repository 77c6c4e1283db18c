"""How the victim's own calls ended: told from events, sealed, and without the thief's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from labsim.exercises.victims_call import own_calls
from labsim.haul import Haul
from labsim.jose import sign_compact
from labsim.keys import SigningKey

KEY = SigningKey.generate()
NAMES = ("deploy", "vault")


def loot() -> Haul:
    pieces = [
        {"token": sign_compact({"alg": "ES256"}, {"jti": name}, KEY), "url": f"https://{name}.test"}
        for name in NAMES
    ]
    return Haul("ci-runner", "wiretap", tuple(pieces))


def event(name: str, request_id: str, check: str = "", **more: Any) -> dict[str, Any]:
    return {
        "role": "resource_server",
        "name": name,
        "request_id": request_id,
        "token": name,
        "decision": "rejected" if check else "served",
        "status": 401 if check else 200,
        "check": check,
        "records": [],
        **more,
    }


def lab() -> Any:
    events = [
        event("deploy", "before"),
        event("deploy", "tapped", "certificate_is_shown"),
        event("vault", "tapped too", "certificate_is_shown"),
        event("deploy", "the thief's", "certificate_is_the_bound_one"),
        event("deploy", "afterwards", token="a new one"),
        {"role": "listener", "name": "deploy", "decision": "refused_by_tls"},
    ]
    exchanges = {1: {"event": {"request_id": "the thief's"}}, 2: {"event": {}}}
    return SimpleNamespace(attacker=SimpleNamespace(exchanges=exchanges), events=lambda: events)


def test_sealed_it_says_nothing_of_how_they_ended() -> None:
    assert repr(own_calls(lab(), loot(), None)).startswith("Sealed. Predict above")


def test_the_last_call_with_each_token_is_told_and_the_thiefs_are_left_out() -> None:
    told = own_calls(lab(), loot(), "certificate_is_shown")
    assert told.headline == "You predicted 2; 2 happened as you said."
    assert told.rows() == [
        {
            "server": name,
            "predicted": "certificate_is_shown",
            "happened": "rejected by certificate_is_shown",
            "status": "401",
            "as predicted": "yes",
        }
        for name in NAMES
    ]


def test_a_wrong_word_is_compared_and_no_word_stays_sealed() -> None:
    assert "0 happened" in own_calls(lab(), loot(), "served").headline
    assert "cannot be read" in repr(own_calls(lab(), loot(), "rejected"))
