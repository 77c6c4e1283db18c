"""Notebook 01: a stolen bearer token works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.exercises import claims
from labsim.exercises.exercise import Choice, Matching, Wrong

if TYPE_CHECKING:
    from labsim.lab import Lab

_LOOK_AT_AUD = (
    "look at `aud` in the first row of the claims. Whose address is it? Compare it with the list "
    "that the first cell printed."
)

where_it_works = Matching(
    "bearer.where_it_works",
    'What do both servers say? Answer as {"deploy": "...", "vault": "..."}.',
    options=(
        "served",
        "signature_is_by_the_issuer",
        "issuer_is_ours",
        "audience_is_this_resource",
        "token_is_not_expired",
    ),
    reference={"deploy": "served", "vault": "audience_is_this_resource"},
    solved=(
        "Deploy is the token's own server, and nothing in the token says who may send it. The "
        "vault trusts the same issuer, but the token is not meant for it."
    ),
    why={
        ("deploy", "signature_is_by_the_issuer"): (
            "you send the token as it is. Its signature is the issuer's, and it stays good "
            "whoever sends it."
        ),
        ("deploy", "audience_is_this_resource"): (
            "`aud` in the first row is the address of deploy itself, so that check holds there."
        ),
        ("deploy", "token_is_not_expired"): (
            "`exp` lies an hour after `iat`, and you have had the token for seconds."
        ),
        ("vault", "served"): _LOOK_AT_AUD,
        ("vault", "signature_is_by_the_issuer"): (
            "both servers trust the same issuer and know its key. The signature is good at both."
        ),
        ("vault", "token_is_not_expired"): (
            "the clock is the same at both servers, and the token is an hour long."
        ),
    },
    look={
        "deploy": "the token was made by the issuer that deploy trusts. Which field would differ?",
        "vault": "the vault has the same issuer as deploy. Which field names one server only?",
    },
    wrong=(
        Wrong({"deploy": "served", "vault": "served"}, f"vault: {_LOOK_AT_AUD}"),
        Wrong(
            {"deploy": "signature_is_by_the_issuer", "vault": "signature_is_by_the_issuer"},
            "deploy: you send the token as it is. Its signature is the issuer's, and it stays good "
            "whoever sends it.",
        ),
        Wrong(
            {"deploy": "served", "vault": "signature_is_by_the_issuer"},
            "vault: both servers trust the same issuer and know its key. The signature is good at "
            "both.",
        ),
    ),
    hints=(
        "Read the first row of the claims, field by field.",
        "A token says for which server it was made. It does not say who may send it.",
        "`aud` is the address of deploy. Which of the four checks fails at any other server?",
    ),
)

what_tells_them_apart = Choice(
    "bearer.what_tells_them_apart",
    "Which row of the table above tells deploy who the thief is? Answer with the row's name, or "
    "with 'nothing'.",
    reference="nothing",
    solved=(
        "Every row that is about the sender says the same. The holder's next request is served as "
        "ever, so that nobody notices."
    ),
    wrong=(
        Wrong("client_id", "It is ci-runner in both: it comes from the token, not from who sends."),
        Wrong("token", "It is the token's own number, and both sent the same token."),
        Wrong(
            "request_id",
            "It is new for each request: two requests by the holder differ in it as well.",
        ),
        Wrong("time", "It differs for any two requests, be they by one sender or by two."),
        Wrong("scheme", "Both say Bearer: the thief copied that word along with the token."),
    ),
    hints=(
        "Go down the table and keep only the rows in which the columns differ.",
        "A row that would differ between two requests of the holder tells no sender apart.",
        "Two rows differ: time and request_id. What would they be for the holder's next request?",
    ),
)

what_would_stop_it = Choice(
    "bearer.what_would_stop_it",
    "Which one change would have made the stolen token useless at deploy itself, at once? "
    "Options: shorter_life, narrower_audience, longer_signature, tls, proof_of_the_sender.",
    reference="proof_of_the_sender",
    solved=(
        "Everything else is about the token, and the thief has all of the token. Only something "
        "that the thief does not have can tell the two apart. Notebook 02 adds that."
    ),
    wrong=(
        Wrong(
            "shorter_life",
            "It ends the theft sooner, not at once. You were served within seconds of taking the "
            "token.",
        ),
        Wrong(
            "narrower_audience",
            "The audience is one server already, and deploy is the one. It kept you out of the "
            "vault, not out of deploy.",
        ),
        Wrong(
            "longer_signature",
            "You forged nothing. A stronger signature protects the token from being changed, and "
            "you sent it unchanged.",
        ),
        Wrong(
            "tls",
            "Your request went over TLS too. TLS hides the token on the way; this one came out of "
            "a log file at its end.",
        ),
    ),
    hints=(
        "Ask of each change: which check would fail when the thief sends the token to deploy?",
        "The thief has every byte of the token, unchanged and in time.",
        "What does the holder have that was not in the log?",
    ),
)

what_it_took = Choice(
    "bearer.what_it_took",
    "At the end of 00 a bound token was served to you. What did it take? Options: the_token_alone, "
    "the_key_alone, token_and_key, a_newer_ticket.",
    reference="token_and_key",
    solved=(
        "The token says which key, and the key makes a signature that nobody has used. Here there "
        "is no key, and so the token alone is enough."
    ),
    wrong=(
        Wrong(
            "the_token_alone",
            "So it is here, and so it was with the first token of 00. The bound one came with a "
            "signature that had been used.",
        ),
        Wrong(
            "the_key_alone",
            "A key opens nothing by itself: the server wants a token first, and then asks for "
            "the key that this token names.",
        ),
        Wrong(
            "a_newer_ticket",
            "Whatever is pasted was sent before, and its signature is used up.",
        ),
    ),
    recalls="00",
    hints=(
        "Think of the folder in the backup. What lay in it?",
        "One thing says what may be read, the other that it is you who may.",
        "You signed, and you sent something along. Which two things did that take?",
    ),
)

two_hours_later = Choice(
    "bearer.two_hours_later",
    "Two hours later you and the runner ask deploy for records. Who is served? Options: both, "
    "neither, runner_only, you_only.",
    reference="runner_only",
    solved=(
        "Your token is too old. The runner has asked for a new one, with a secret that was not in "
        "its log. Whoever gets that secret needs no stolen token at all: see 02."
    ),
    wrong=(
        Wrong("both", "Look at `exp`: your token lives for an hour. How would you get another?"),
        Wrong(
            "neither",
            "The runner works at night too. It gets its next token as it got this one: by asking "
            "the authorization server.",
        ),
        Wrong("you_only", "You have nothing that the runner has not. It has something more."),
    ),
    stretch=True,
    hints=(
        "Compare `iat` and `exp` in the claims.",
        "A token ends. What lets a program have the next one?",
        "The log held tokens. The secret with which the runner asks for them was not in it.",
    ),
)


def claim(lab: Lab) -> None:
    """Hold the notebook's claim against this run; silent while it is true, LabError if not."""
    claims.hold(
        lab,
        [
            ("bearer", "token_as_is", "same_resource", "served"),
            ("bearer", "token_as_is", "other_resource", "audience_is_this_resource"),
        ],
    )
