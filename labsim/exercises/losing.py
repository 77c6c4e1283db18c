"""Notebook 07: where binding loses, and what answers each loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.exercises import claims
from labsim.exercises.exercise import Choice, Matching, Wrong
from labsim.exercises.losses import held_back, try_out
from labsim.exercises.what_answers import what_answers_each

if TYPE_CHECKING:
    from labsim.lab import Lab

__all__ = [
    "after_the_eviction",
    "claim",
    "held_back",
    "try_out",
    "what_a_stamp_ends",
    "what_answers_each",
    "what_outlived",
    "who_comes_second",
]

what_outlived = Choice(
    "losing.what_outlived",
    "In 02 the runner got a new key and new tokens, and two hours passed. Which piece of the "
    "stolen folder was still of use? Options: token, key, client_credential, captured_request.",
    reference="client_credential",
    solved=(
        "Nobody replaced the secret with which the runner asks for tokens. Keep it in mind: none "
        "of the answers below is about it."
    ),
    recalls="02",
    wrong=(
        Wrong("token", "It was refused by `token_is_not_expired`: a token lives an hour."),
        Wrong(
            "key",
            "It could still sign, but only for the stolen token, which names it. That token had "
            "expired.",
        ),
        Wrong(
            "captured_request",
            "A folder holds none; and the one from the line was refused at once, by `jti_is_new`.",
        ),
    ),
    hints=(
        "Go back to the last prediction of 02: two replays, one of them was served.",
        "Of two replays, one used the stolen token, and one asked for a token of its own.",
        "With what does the runner ask the authorization server for a token?",
    ),
)

_EVICTED = {
    "signed_in_place": "unreachable",
    "stolen_key": "not_possible",
    "proofs_made_ahead": "served",
}

after_the_eviction = Matching(
    "losing.after_the_eviction",
    "The code is thrown out, and twenty minutes pass. How does each replay end?",
    options=(
        "served",
        "not_possible",
        "unreachable",
        "signature_is_by_the_proof_key",
        "iat_is_recent",
        "proof_key_is_the_bound_one",
        "jti_is_new",
    ),
    reference=_EVICTED,
    solved=(
        "The eviction ended the use of the key, not what was made with it. The signer signs any "
        "time it is asked to, so the code had proofs made for later, one for each minute or two."
    ),
    why={
        ("signed_in_place", "served"): (
            "it was, while the code ran there. You have thrown it out: whom does the thief ask?"
        ),
        ("signed_in_place", "not_possible"): (
            "the thief still knows the address where its code listened, so it can try. Nobody "
            "answers."
        ),
        ("stolen_key", "served"): "look at what was taken. Is there a key in it?",
        ("stolen_key", "proof_key_is_the_bound_one"): (
            "to be refused by a check, a proof must be sent. With which key would it be made?"
        ),
        ("proofs_made_ahead", "iat_is_recent"): (
            "each proof names the time that it was made for, and the thief waits for that time."
        ),
        ("proofs_made_ahead", "jti_is_new"): (
            "each proof has its own `jti`, and no server has seen it yet."
        ),
        ("proofs_made_ahead", "proof_key_is_the_bound_one"): (
            "the runner's own signer signed them, with the very key that the token names."
        ),
        ("proofs_made_ahead", "not_possible"): "look at what was taken: `proofs ahead`.",
        ("proofs_made_ahead", "unreachable"): (
            "these are sent from the thief's own process. Nothing of the runner is needed any more."
        ),
    },
    look={
        "signed_in_place": "this replay happens in the runner's process. Who is still there?",
        "stolen_key": "the signer never gives its key out. What can be built without it?",
        "proofs_made_ahead": "go through the checks of 02 with a proof that the signer made.",
    },
    wrong=(
        Wrong(
            _EVICTED | {"proofs_made_ahead": "iat_is_recent"},
            "proofs_made_ahead: each proof names the time that it was made for, and the thief "
            "waits for that time.",
        ),
        Wrong(
            _EVICTED | {"proofs_made_ahead": "jti_is_new"},
            "proofs_made_ahead: each proof has its own `jti`, and no server has seen it yet.",
        ),
        Wrong(
            _EVICTED | {"signed_in_place": "served"},
            "signed_in_place: it was, while the code ran there. You have thrown it out: whom does "
            "the thief ask?",
        ),
        Wrong(
            _EVICTED | {"stolen_key": "proof_key_is_the_bound_one"},
            "stolen_key: to be refused by a check, a proof must be sent. With which key would it "
            "be made?",
        ),
    ),
    hints=(
        "Read the line of the loot once more: what is there, and what is not?",
        "Ask of each replay what it needs now: the runner's process, the key, or neither.",
        "A proof that the right key has signed, for a time that has just come, used once.",
    ),
)

_ENDS = {"thief": "served", "owner": "jti_is_new"}

who_comes_second = Matching(
    "losing.who_comes_second",
    "The thief sends the held request first, then lets it go on. How does each of the two end?",
    options=("served", "jti_is_new", "iat_is_recent", "proof_key_is_the_bound_one", "not_possible"),
    reference=_ENDS,
    solved=(
        "A proof says who made it, not who brings it. Whoever comes second is the replay, and here "
        "that is the owner: its refusal is the only alarm there is."
    ),
    why={
        ("thief", "jti_is_new"): "in 02 it was, for there the server had had the request already.",
        ("thief", "proof_key_is_the_bound_one"): (
            "the thief changes nothing. The proof is the runner's, by the right key."
        ),
        ("thief", "iat_is_recent"): "the request is held for less than a second.",
        ("owner", "served"): (
            "the same bytes reach the server a second time. What does it remember of the first?"
        ),
        ("owner", "iat_is_recent"): "less than a second has passed. What else is new only once?",
    },
    look={
        "thief": "not a byte is changed, and no server has had it. Which check could fail?",
        "owner": "the server cannot tell the owner from the thief. What does it see twice?",
    },
    wrong=(
        Wrong(
            {"thief": "jti_is_new", "owner": "served"},
            "thief: in 02 it was, for there the server had had the request already.",
        ),
        Wrong(
            {"thief": "served", "owner": "served"},
            "owner: the same bytes reach the server a second time. What does it remember of the "
            "first?",
        ),
        Wrong(
            {"thief": "proof_key_is_the_bound_one", "owner": "served"},
            "thief: the thief changes nothing. The proof is the runner's, by the right key.",
        ),
    ),
    hints=(
        "Compare with `request_as_is` in 02. What is different about this request?",
        "The server sees the same bytes twice, and serves them once.",
        "First come, first served; and the second one fails by the check on the proof's number.",
    ),
)
what_a_stamp_ends = Choice(
    "losing.what_a_stamp_ends",
    "The signer writes the time into each proof itself. The code asks for proofs for later, as "
    "before, and uses one twenty minutes on. How does that end? Options: served, not_possible, "
    "iat_is_recent, jti_is_new, signature_is_by_the_proof_key.",
    reference="iat_is_recent",
    solved=(
        "It asked for twelve twenty and was given twelve o'clock, well signed. That proof is good "
        "for a minute, as any other."
    ),
    stretch=True,
    wrong=(
        Wrong("served", "Which time does each proof name now, whatever the code asked for?"),
        Wrong(
            "not_possible", "The signer signs all that it is asked for. It only fills in a time."
        ),
        Wrong("jti_is_new", "No server has seen these proofs. What else is the same in all?"),
        Wrong(
            "signature_is_by_the_proof_key",
            "The signer signs what it has written, so that the signature is good.",
        ),
    ),
    hints=(
        "Look at `iat` in the proof above: who chose it?",
        "A proof is good for 60 seconds around the time that it names.",
        "All these proofs name the time of the theft.",
    ),
)


def claim(lab: Lab) -> None:
    """Hold the notebook's claim against this run; silent while it is true, LabError if not."""
    same, header = "same_resource", "forged_certificate_header"
    held = ("dpop", "hold_and_forward", same, "served")
    claims.hold(lab, [held], variant="unspent")
    traded = ("dpop", "laundered_by_exchange", same)
    claims.hold(lab, [(*traded, "served")], variant="exchange_for_anyone")
    claims.hold(lab, [(*traded, "caller_may_use_the_subject_token")])
    claims.hold(lab, [("mtls", header, same, "served")], variant="proxy_passes")
    claims.hold(lab, [("mtls", header, same, "certificate_is_shown")], variant="proxy_strips")
