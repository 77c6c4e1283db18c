"""Which change ends each loss of notebook 07; for some there is more than one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from labsim.exercises.exercise import Matching, Wrong
from labsim.exercises.losses import CHANGES

_ANSWERS: Final = {
    "signed_in_place": "evict",
    "proofs_made_ahead": "server_nonce",
    "hold_and_forward": "mtls",
    "laundered_by_exchange": "issuer_asks_who",
    "forged_certificate_header": "proxy_strips",
}
_GOOD_TOO: Final[Mapping[str, frozenset[str]]] = {
    "proofs_made_ahead": frozenset({"stamping_signer", "mtls"}),
}
"""Other changes that end a loss; a test tries every pair on the running lab."""
_REMEMBERS: Final = "your servers remember every proof already, and the thief was served."


class Answered(Matching):
    """Ask for a change for each loss; some losses have more than one that ends them."""

    def _judge(self, answer: Any) -> str:
        if isinstance(answer, Mapping):
            same = {
                loss: self.reference[loss] if said in good_changes(loss) else said
                for loss, said in answer.items()
                if isinstance(said, str)
            }
            answer = {**answer, **same}
        return super()._judge(answer)


def good_changes(loss: object) -> frozenset[str]:
    """Return the changes that end a loss; none for what is no loss."""
    named = str(loss)
    return (
        frozenset({_ANSWERS[named]} | _GOOD_TOO.get(named, frozenset()))
        if (named in _ANSWERS)
        else frozenset()
    )


what_answers_each = Answered(
    "losing.what_answers_each",
    "Which change ends each of the five losses? Answer as a mapping from loss to change.",
    options=tuple(CHANGES),
    reference=_ANSWERS,
    solved=(
        "Five losses, five places: the runner, the proof's time, the connection, the issuer, the "
        "proxy. No binding is weak in all of them, and none is strong in all."
    ),
    why={
        ("signed_in_place", "key_in_a_signer"): (
            "the key lay in a signer above, and the thief had it used there. A safe does not help "
            "against someone who may ask it."
        ),
        ("signed_in_place", "server_nonce"): (
            "the runner's own process answers for the thief, with a nonce as with anything else."
        ),
        ("signed_in_place", "mtls"): "the thief's requests then go over the runner's connection.",
        ("proofs_made_ahead", "evict"): "the code was gone above, and its proofs were served.",
        ("proofs_made_ahead", "key_in_a_signer"): (
            "these proofs were made by a signer, which signs any time that it is asked to."
        ),
        ("proofs_made_ahead", "remember_proofs"): _REMEMBERS,
        ("hold_and_forward", "remember_proofs"): (
            "they did: it was the owner who was refused. The thief came first."
        ),
        ("hold_and_forward", "server_nonce"): (
            "the runner's own proof has the nonce in it, and the thief forwards it whole."
        ),
        ("laundered_by_exchange", "key_in_a_signer"): (
            "no key of the runner's is needed: the new token is bound to the thief's own."
        ),
        ("laundered_by_exchange", "mtls"): (
            "then the new token is bound to the thief's certificate. The old binding was left at "
            "the issuer."
        ),
        ("forged_certificate_header", "key_in_a_signer"): (
            "no key is used. The server believes a line that the proxy let through."
        ),
        ("forged_certificate_header", "mtls"): "this was mTLS: it ended at the proxy.",
    },
    look={
        "signed_in_place": "where is the thief when it happens?",
        "proofs_made_ahead": "what could not be known when the proofs were made?",
        "hold_and_forward": "what can be held back and passed on, and what cannot?",
        "laundered_by_exchange": "who gave the thief its new token, and what was not asked?",
        "forged_certificate_header": "who let the line through?",
    },
    wrong=(
        Wrong(
            _ANSWERS | {"signed_in_place": "key_in_a_signer"},
            "signed_in_place: the key lay in a signer above, and the thief had it used there. A "
            "safe does not help against someone who may ask it.",
        ),
        Wrong(
            _ANSWERS | {"hold_and_forward": "remember_proofs"},
            "hold_and_forward: they did: it was the owner who was refused. The thief came first.",
        ),
        Wrong(
            _ANSWERS | {"laundered_by_exchange": "mtls"},
            "laundered_by_exchange: then the new token is bound to the thief's certificate. The "
            "old binding was left at the issuer.",
        ),
        Wrong(
            _ANSWERS | {"proofs_made_ahead": "evict"},
            "proofs_made_ahead: the code was gone above, and its proofs were served.",
        ),
    ),
    hints=(
        "For each loss find the one who could have said no: runner, signer, server, issuer, proxy.",
        "A change helps only where the thief passes. Which of them does this thief pass?",
        "Two names say where they work: issuer, proxy. Two more: who runs there, what can be held?",
    ),
)
