"""Notebook 13: the blast radius."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.blast.predicted import predicted
from labsim.exercises import claims
from labsim.exercises.counted import agree, count_each, found
from labsim.exercises.exercise import Choice, Matching, Wrong
from labsim.exercises.late import late, what_stays_open
from labsim.exercises.noticed import alarms, watch
from labsim.exercises.rolled_out import FirstTwo, roll_out

if TYPE_CHECKING:
    from labsim.campaign_result import CampaignResult
    from labsim.lab import Lab

__all__ = [
    "alarms",
    "claim",
    "count_each",
    "found",
    "how_far_today",
    "late",
    "roll_out",
    "two_first",
    "watch",
    "what_is_heard",
    "what_stays_open",
    "why_not_admin",
]

why_not_admin = Choice(
    "blast_radius.why_not_admin",
    "Which check refused the runner's token at admin? Options: audience_is_this_resource, "
    "issuer_is_ours, scope_covers_the_request, signature_is_by_the_issuer.",
    reference="audience_is_this_resource",
    solved=(
        "A token is for one server, as in 01. To get into admin takes a credential that may ask "
        "for a token there, and no record held one."
    ),
    recalls="01",
    wrong=(
        Wrong(
            "scope_covers_the_request",
            "The runner has no scope for admin, it is true. But scopes are looked at last, and "
            "another check fails before that.",
        ),
        Wrong(
            "issuer_is_ours",
            "All seven servers trust the same issuer, and it issued this token.",
        ),
        Wrong(
            "signature_is_by_the_issuer",
            "The token was not changed, so that its signature is good wherever it is sent.",
        ),
    ),
    hints=(
        'Look: friday.attempts[friday.attempts.resource == "admin"][["loot", "replay", "check"]].',
        "01 sent the runner's token for deploy to the vault. What was wrong with it there?",
        "Which claim of a token names one server? Which of the four checks compares it?",
    ),
)

_TODAY = {
    "log_line_dpop": 0,
    "backup_dpop": 110,
    "backup_certificate": 0,
    "code_certificate": 110,
}
_WHO_ASKS = (
    "these are the servers that the runner calls. Whoever reads the vault goes on from there: "
    "look at the path above."
)

how_far_today = Matching(
    "blast_radius.how_far_today",
    "How many of 120 records does each theft expose? Options: 0, 12, 24, 110, 120.",
    options=(0, 12, 24, 110, 120),
    reference=_TODAY,
    solved=(
        "All or nothing. The first thing that opens the vault opens the rest: a key, a secret, or "
        "code that signs. No binding is half a binding."
    ),
    why={
        ("log_line_dpop", 24): (
            "those 24 were the bearer token's. This one names a key, which is in no log."
        ),
        ("log_line_dpop", 110): (
            "so it was on that Friday. Since then the token names a key, which is in no log."
        ),
        ("backup_dpop", 0): (
            "the key is at the signer, and the thief does without. What lies in `client.json`?"
        ),
        ("backup_dpop", 24): _WHO_ASKS,
        ("backup_certificate", 110): (
            "remember the end of 06: which key does the runner authenticate with here, and in "
            "which file does it lie?"
        ),
        ("backup_certificate", 24): (
            "to read even these takes the key of the certificate. Is it in the backup?"
        ),
        ("code_certificate", 0): (
            "there is no key to take. But this code has not been thrown out: it asks, and the "
            "signer opens the connection."
        ),
        ("code_certificate", 24): (
            "in place it reads what the runner may read, and the vault is among that. Then it "
            "goes on elsewhere with what it found."
        ),
    },
    look={
        "log_line_dpop": "what does a log line give, and what does this token ask for besides?",
        "backup_dpop": "list what lies in the folder, and ask of each what it opens.",
        "backup_certificate": "list what lies in the folder. Which of it is secret?",
        "code_certificate": "what can code in the runner do while it runs there?",
    },
    wrong=(
        Wrong(
            _TODAY | {"backup_dpop": 0},
            "backup_dpop: the key is at the signer, and the thief does without. What lies in "
            "`client.json`?",
        ),
        Wrong(
            _TODAY | {"code_certificate": 24},
            "code_certificate: in place it reads what the runner may read, and the vault is among "
            "that. Then it goes on elsewhere with what it found.",
        ),
        Wrong(
            _TODAY | {"code_certificate": 0},
            "code_certificate: there is no key to take. But this code has not been thrown out: it "
            "asks, and the signer opens the connection.",
        ),
        Wrong(
            _TODAY | {"backup_certificate": 110},
            "backup_certificate: remember the end of 06: which key does the runner authenticate "
            "with here, and in which file does it lie?",
        ),
    ),
    hints=(
        "Read Friday's path again: which credential opened the vault, and what came out of it?",
        "Ask of each theft whether anything in it opens the vault. If so, the rest follows.",
        "A secret in a file opens it, code that runs opens it. Two of the four have neither.",
    ),
)

_BOUND = "bound as they should be."

two_first = FirstTwo(
    "blast_radius.two_first",
    "Which two servers should enforce first? Give a list of two names.",
    reference=["collab", "vault"],
    solved=(
        "What lies at collab opens the vault, and what lies in the vault opens collab: enforce at "
        "one of them, and the other lets the thief in again. Crm holds credentials as well, but "
        "for servers that take any token yet."
    ),
    wrong=(
        Wrong(
            ["vault", "admin"],
            "110 of 120 records would still be open. Collab takes any token yet, and in its "
            f"records lies the credential of ci-runner: it gets new tokens at vault, {_BOUND}",
        ),
        Wrong(
            ["orders", "crm"],
            "120 of 120 records would still be open. Collab takes any token yet, and in its "
            f"records lies the credential of support-agent: it gets new tokens at crm, {_BOUND}",
        ),
        Wrong(
            ["crm", "vault"],
            "120 of 120 records would still be open. Collab takes any token yet, and in its "
            "records lies the credential of support-agent and ci-runner: it gets new tokens at "
            f"crm and vault, {_BOUND}",
        ),
    ),
    hints=(
        "Choose two, and look in the table for credentials that may read there. Where do they lie?",
        "Enforcing is no help against a credential that may ask for tokens: close its place too.",
        "Whose credential opens the vault, and where does that lie? And whose opens that place?",
    ),
)

_HEARD = {
    "bearer_token": "served",
    "bound_token": "proof_key_is_the_bound_one",
    "code_inside": "served",
    "good_secret": "served",
    "old_secret": "secret_is_the_clients",
}

what_is_heard = Matching(
    "blast_radius.what_is_heard",
    "How does each try end: served, or refused by which check? Options: served, proof_is_there, "
    "proof_key_is_the_bound_one, certificate_is_the_bound_one, secret_is_the_clients, "
    "token_is_not_expired.",
    options=(
        "served",
        "proof_is_there",
        "proof_key_is_the_bound_one",
        "certificate_is_the_bound_one",
        "secret_is_the_clients",
        "token_is_not_expired",
    ),
    reference=_HEARD,
    solved=(
        "What works looks like the runner and leaves no trace of a thief. What is refused by the "
        "binding, or by a secret that was rotated, is a thing that no holder does."
    ),
    why={
        ("bearer_token", "proof_is_there"): "a bearer token names no key, so nobody asks for one.",
        ("bound_token", "proof_is_there"): (
            "the thief does send a proof, by its own key. Which check looks at that key?"
        ),
        ("bound_token", "served"): (
            "that proof is flawless but for its key. Notebook 02 had you write the check."
        ),
        ("code_inside", "certificate_is_the_bound_one"): (
            "the connection is opened by the runner's own signer, and shows the right certificate."
        ),
        ("code_inside", "proof_key_is_the_bound_one"): (
            "this is mTLS, without proofs. And the key that is used is the runner's own."
        ),
        ("good_secret", "proof_key_is_the_bound_one"): (
            "the new token names the thief's key: the thief asked for it, and was believed."
        ),
        ("good_secret", "secret_is_the_clients"): (
            "it is the runner's secret. Nobody has rotated it in this row."
        ),
        ("old_secret", "served"): "you rotated it. What does the issuer compare it with now?",
        ("old_secret", "token_is_not_expired"): (
            "there is no token yet: the thief asks for one, and is asked who it is."
        ),
    },
    look={
        "bearer_token": "what does a server compare about the sender of a bearer token?",
        "bound_token": "everything is right about this proof but the key that made it.",
        "code_inside": "whose key, whose connection, whose process sends this request?",
        "good_secret": "who is asked for the token, and what does that server know of thieves?",
        "old_secret": "the request ends at the issuer. What does it ask whoever wants a token?",
    },
    wrong=(
        Wrong(
            _HEARD | {"good_secret": "proof_key_is_the_bound_one"},
            "good_secret: the new token names the thief's key: the thief asked for it, and was "
            "believed.",
        ),
        Wrong(
            _HEARD | {"code_inside": "certificate_is_the_bound_one"},
            "code_inside: the connection is opened by the runner's own signer, and shows the "
            "right certificate.",
        ),
        Wrong(
            _HEARD | {"bound_token": "proof_is_there"},
            "bound_token: the thief does send a proof, by its own key. Which check looks at that "
            "key?",
        ),
        Wrong(
            _HEARD | {"old_secret": "served"},
            "old_secret: you rotated it. What does the issuer compare it with now?",
        ),
    ),
    hints=(
        "02 has the check for a proof by another key; 06 has the one for a secret.",
        "Ask of each try: is there anything in it that is not the runner's own?",
        "In three of the five nothing is. The other two bring a wrong key and a wrong secret.",
    ),
)


def claim(lab: Lab, friday: CampaignResult) -> None:
    """Hold the notebook's claim against this run; silent while it is true, LabError if not.

    What was counted and rolled out was compared with what is computed as it was measured.
    """
    expected = predicted(lab.plan, friday.client, friday.theft, "bearer", "none")
    agree(len(friday.records), len(expected.records), "Friday's campaign")
    wanted = {
        "token_as_is": {"served"},
        "own_proof": {"proof_key_is_the_bound_one"},
        "signed_in_place": {"served"},
        "new_token_for_own_key": {"served", "secret_is_the_clients"},
    }
    for row in lab.attacker.rows:
        ended = row["check"] if row["outcome"] == "rejected" else row["outcome"]
        if row["replay"] in wanted and row["seconds"] < claims.FRESH:
            claims.same(row, ended, wanted[row["replay"]])
