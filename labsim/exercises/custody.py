"""Notebook 06: where keys live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.exercises import claims
from labsim.exercises.exercise import Choice, Matching, Wrong
from labsim.exercises.lock_out import Ordered, respond
from labsim.exercises.one_key import copy_each

if TYPE_CHECKING:
    from labsim.lab import Lab

__all__ = [
    "after_the_eviction",
    "claim",
    "copy_each",
    "lock_out",
    "one_key",
    "respond",
    "what_moving_ends",
]

what_moving_ends = Choice(
    "custody.what_moving_ends",
    "The runner has a new key, in memory. What do the servers say to `stolen_key` with last "
    "night's backup, a minute later? Options: served, proof_key_is_the_bound_one, "
    "token_is_not_expired, not_possible.",
    reference="served",
    solved=(
        "Old token and old key still fit each other, and no server was told anything. As in 02, "
        "their age ends them, or you do: `lab.revoke`."
    ),
    recalls="02",
    wrong=(
        Wrong(
            "proof_key_is_the_bound_one",
            "The check compares the proof's key with the one that this token names. The old token "
            "names the old key, and the thief has both.",
        ),
        Wrong(
            "token_is_not_expired",
            "In 02 two hours had passed. Here it is a minute, and a token lives for an hour.",
        ),
        Wrong(
            "not_possible",
            "Nothing is missing from the backup: token and key are both in it, and no move of "
            "yours takes them out again.",
        ),
    ),
    hints=(
        "Compare with 02: after the new key, what did the stolen token still name in `cnf`?",
        "A new key changes the tokens that are issued from now on. Which token does the thief use?",
        "Old token, old key, an hour not over: go through the checks of 02. Which one fails?",
    ),
)

_AFTER = {
    "stolen_key": "not_possible",
    "signed_in_place": "unreachable",
    "new_token_for_own_key": "served",
}
_OPTIONS = (
    "served",
    "not_possible",
    "unreachable",
    "proof_is_there",
    "proof_key_is_the_bound_one",
    "secret_is_the_clients",
)

after_the_eviction = Matching(
    "custody.after_the_eviction",
    "The key is at a signer, and the thief's code was thrown out. How does each replay end? "
    f"Options: {', '.join(_OPTIONS)}.",
    options=_OPTIONS,
    reference=_AFTER,
    solved=(
        "The key never left the signer, and whoever used it there is out. What is left was never "
        "about the key: the runner's secret, which lay in a file all along."
    ),
    why={
        ("stolen_key", "served"): (
            "that was the key in memory. Read what was taken this time: is there a key?"
        ),
        ("stolen_key", "proof_key_is_the_bound_one"): (
            "to be refused for the wrong key, a proof must be made with some key. Which one was "
            "taken?"
        ),
        ("signed_in_place", "served"): (
            "that was while its code ran in the runner. Whom would the thief ask now?"
        ),
        ("signed_in_place", "not_possible"): (
            "the loot still holds the foothold: an address to knock at. It can be tried. Who "
            "answers?"
        ),
        ("signed_in_place", "proof_is_there"): (
            "a server would have to get a request for that. This one is never sent."
        ),
        ("new_token_for_own_key", "not_possible"): (
            "read what was taken: the client credential was copied along with the files, and a "
            "copy is not thrown out."
        ),
        ("new_token_for_own_key", "unreachable"): (
            "this needs no code in the runner. The thief asks the authorization server itself."
        ),
        ("new_token_for_own_key", "secret_is_the_clients"): (
            "that refuses a wrong secret. You threw out the code and left the secret as it was."
        ),
    },
    look={
        "stolen_key": "look at the loot: which kinds of it are there?",
        "signed_in_place": "who would have to answer the thief, and where does that code run now?",
        "new_token_for_own_key": "what in the files has nothing to do with the key?",
    },
    wrong=(
        Wrong(
            _AFTER | {"new_token_for_own_key": "not_possible"},
            "new_token_for_own_key: read what was taken: the client credential was copied along "
            "with the files, and a copy is not thrown out.",
        ),
        Wrong(
            _AFTER | {"stolen_key": "served"},
            "stolen_key: that was the key in memory. Read what was taken this time: is there a "
            "key?",
        ),
        Wrong(
            _AFTER | {"signed_in_place": "served"},
            "signed_in_place: that was while its code ran in the runner. Whom would the thief ask "
            "now?",
        ),
        Wrong(
            _AFTER | {"new_token_for_own_key": "secret_is_the_clients"},
            "new_token_for_own_key: that refuses a wrong secret. You threw out the code and left "
            "the secret as it was.",
        ),
    ),
    hints=(
        "Read the two tables of loot again: memory above, signer below.",
        "Ask of each: does it need the key, the code, or neither?",
        "One needs a key that was never taken, one needs code that is gone. The third: a file.",
    ),
)

lock_out = Ordered(
    "custody.lock_out",
    "Which steps, in which order, leave the thief nothing? Give a list, for example "
    '["revoke", "evict"].',
    reference=["evict", "rotate", "revoke"],
    solved=(
        "First the code, or it reads whatever you change. Then the secret, or each token that you "
        "revoke is followed by another. Then what was issued before."
    ),
    wrong=(
        Wrong(
            ["evict", "revoke", "rotate"],
            "You revoked while the old secret was still good: the thief got another token before "
            "you rotated, and that one lives for an hour.",
        ),
        Wrong(
            ["rotate", "evict", "revoke"],
            "You rotated while its code still ran in the runner. It read the new secret as well, "
            "and gets tokens with it.",
        ),
        Wrong(
            ["evict", "rotate"],
            "A new secret ends no token. The thief has some that it got before, and each lives "
            "for an hour from then on.",
        ),
        Wrong(
            ["evict", "revoke"],
            "The secret is as good as ever. The thief gets a new token with it, as it did above "
            "when its code had been thrown out.",
        ),
        Wrong(
            ["rotate", "revoke"],
            "Its code still runs in the runner: it signs in place and reads each new secret.",
        ),
    ),
    hints=(
        "Take one step only, run the next cell, and read what the thief still has.",
        "Each step ends one thing. What can the thief get back with what you have not ended yet?",
        "Code gets secrets, and secrets get tokens. What comes first must not be got back.",
    ),
)

_ONE_KEY = {"dpop_at_signer": "served", "mtls_in_file": "served", "mtls_at_signer": "not_possible"}

one_key = Matching(
    "custody.one_key",
    "How does `new_token_for_own_key` end with the files of each set-up? Options: served, "
    "not_possible, certificate_is_the_bound_one, secret_is_the_clients.",
    options=("served", "not_possible", "certificate_is_the_bound_one", "secret_is_the_clients"),
    reference=_ONE_KEY,
    solved=(
        "Under DPoP there are two keys, and the signer has only one of them; the other, with which "
        "the runner authenticates, lies in a file. Under mTLS both are one key, as good as its "
        "place."
    ),
    why={
        ("dpop_at_signer", "not_possible"): (
            "the signer has the key of the proofs. The key of the certificate is another one here, "
            "and the runner must have it somewhere."
        ),
        ("mtls_in_file", "not_possible"): (
            "one key instead of two, but it lies in the folder, and the folder was copied."
        ),
        ("mtls_in_file", "certificate_is_the_bound_one"): (
            "the thief has the runner's key, so that it shows the runner's own certificate. The "
            "new token is bound to that one."
        ),
        ("mtls_at_signer", "served"): (
            "a certificate without its key shows nothing, as in 03. Where is its key?"
        ),
        ("mtls_at_signer", "certificate_is_the_bound_one"): (
            "that check is a resource server's. To come so far takes a token, and to get one takes "
            "a connection that shows the runner's certificate."
        ),
    },
    look={
        "dpop_at_signer": "how many keys does the runner have, and which of them has the signer?",
        "mtls_in_file": "is there a secret any more? What is there instead, and where?",
        "mtls_at_signer": "which files are there, and what is missing from them?",
    },
    wrong=(
        Wrong(
            _ONE_KEY | {"dpop_at_signer": "not_possible"},
            "dpop_at_signer: the signer has the key of the proofs. The key of the certificate is "
            "another one here, and the runner must have it somewhere.",
        ),
        Wrong(
            _ONE_KEY | {"mtls_at_signer": "served"},
            "mtls_at_signer: a certificate without its key shows nothing, as in 03. Where is its "
            "key?",
        ),
        Wrong(
            _ONE_KEY | {"mtls_in_file": "not_possible"},
            "mtls_in_file: one key instead of two, but it lies in the folder, and the folder was "
            "copied.",
        ),
        Wrong(
            _ONE_KEY | {"mtls_in_file": "certificate_is_the_bound_one"},
            "mtls_in_file: the thief has the runner's key, so that it shows the runner's own "
            "certificate. The new token is bound to that one.",
        ),
    ),
    hints=(
        "For each set-up list the runner's keys, and beside each the place where it lies.",
        "A binding puts its own key at the signer. Is that the key the runner authenticates with?",
        "Only one set-up has a single key, and that key in no file.",
    ),
)

_ENDINGS = {
    "stolen_key": {"served"},
    "signed_in_place": {"served", "unreachable"},
    "new_token_for_own_key": {"served", "secret_is_the_clients"},
}


def claim(lab: Lab) -> None:
    """Hold the notebook's claim against this run; silent while it is true, LabError if not.

    No theft takes a key out of a signer, and what the servers refused was never its use.
    """
    for row in lab.attacker.rows:
        known = row["replay"] in _ENDINGS and row["seconds"] < claims.FRESH
        ended = row["check"] if row["outcome"] == "rejected" else row["outcome"]
        if row["custody"] == "signer" and row["replay"] == "stolen_key":
            claims.same(row, ended, {"not_possible"})
        elif known and ended != "not_possible":
            claims.same(row, ended, _ENDINGS[row["replay"]])
