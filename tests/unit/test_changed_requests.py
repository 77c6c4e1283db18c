"""Changed requests at the real bindings: what the exercise calls right is what they really say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim.bindings import dpop
from labsim.exercises import changed_requests, http_signature
from labsim.exercises.changed_requests import CHANGES, refused_by, try_changes

REFERENCE = http_signature.what_is_noticed.reference


@pytest.mark.parametrize("name", CHANGES)
def test_the_reference_answer_is_what_the_binding_says(name: str) -> None:
    assert (refused_by(name) or "served") == REFERENCE[name]


def test_untouched_it_is_sealed_and_gives_nothing_away() -> None:
    sealed = try_changes(dict.fromkeys(CHANGES))
    for text in (repr(sealed), sealed._repr_html_()):
        assert "Sealed. Predict above" in text
        assert "digest" not in text


def test_predicted_it_compares_and_counts_no_records() -> None:
    told = try_changes(REFERENCE)
    assert told.headline == "You predicted 5; 5 happened as you said."
    assert list(told.rows()[0]) == ["changed", "predicted", "happened", "as predicted"]
    assert try_changes(None, reveal=True).headline.startswith("What happened")


def test_a_binding_that_refuses_the_holder_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    later = replace(dpop.BINDING, scheme="DPoP")
    monkeypatch.setitem(CHANGES, "dpop_late", (later, lambda request: request))
    assert refused_by("dpop_late") == ""
    monkeypatch.setattr(changed_requests, "_refusal", lambda *_: "some_check")
    monkeypatch.setitem(CHANGES, "dpop_broken", (later, lambda request: request))
    with pytest.raises(RuntimeError, match="refuses the holder"):
        refused_by("dpop_broken")
