"""Notebook 00: the first theft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.exercises import claims
from labsim.exercises.exercise import Choice, Wrong

if TYPE_CHECKING:
    from labsim.lab import Lab

whose_name = Choice(
    "first_theft.whose_name",
    "Deploy writes down who asked. Whose name stands beside your request? Options: attacker, "
    "author, ci-runner, nobody.",
    reference="ci-runner",
    solved=(
        "The name comes from the token, and the token is the runner's. For this server you are "
        "the runner: it neither knows nor asks who holds the token now."
    ),
    wrong=(
        Wrong(
            "attacker",
            "How would it know? Go through the bytes that you sent: none of them is yours.",
        ),
        Wrong(
            "author",
            "The author pasted the command and is a person. The server has never heard of the "
            "ticket. Whose program is named in what you sent?",
        ),
        Wrong(
            "nobody",
            "It does write a name down: one came with the request. Look at the token, decoded.",
        ),
    ),
    hints=(
        "Look at the token, decoded, below the pasted command.",
        "The server knows of the sender what the request says, and nothing else.",
        "One field of the token is called client_id. Whose is it?",
    ),
)

sent_again = Choice(
    "first_theft.sent_again",
    "You send the second command again, not a byte changed. What does deploy say? Options: served, "
    "proof_is_there, proof_key_is_the_bound_one, jti_is_new, token_is_not_expired.",
    reference="jti_is_new",
    solved=(
        "The signature is good, and it is the runner's. But it is good once: the server has seen "
        "it, and the next one takes the key, which the ticket does not have."
    ),
    wrong=(
        Wrong(
            "served",
            "So it was before. Now each request has a signature with a number of its own, and the "
            "runner has used this one. Who keeps count?",
        ),
        Wrong(
            "proof_is_there",
            "It is there: you copied the whole command, and the signature is a line of it.",
        ),
        Wrong(
            "proof_key_is_the_bound_one",
            "You did not sign anything. The signature in the ticket is by the runner's own key.",
        ),
        Wrong(
            "token_is_not_expired",
            "The token is good for an hour, and you send it within seconds.",
        ),
    ),
    hints=(
        "Compare the second command with the first: which line is new?",
        "Everything in this command is right. What has happened to it already?",
        "The new line has a number that is used once, jti. Who has used it?",
    ),
)

what_gets_you_in = Choice(
    "first_theft.what_gets_you_in",
    "What would get you in, again and again? Options: a_newer_ticket, a_key_of_my_own, "
    "the_runners_key, the_runners_network.",
    reference="the_runners_key",
    solved=(
        "The binding is to a key, not to a machine, a network or a person. Whoever has token and "
        "key can sign, and for the server that is the runner."
    ),
    wrong=(
        Wrong(
            "a_newer_ticket",
            "It would hold a newer command, that the runner has sent too. Its signature is as "
            "spent as this one.",
        ),
        Wrong(
            "a_key_of_my_own",
            "You can sign with it, and the signature will be good. But the token names a key, and "
            "it is not yours.",
        ),
        Wrong(
            "the_runners_network",
            "You have it already: all of this runs on one machine. Nobody asked where you are.",
        ),
    ),
    hints=(
        "Your last try lacked one thing: a signature that nobody has used yet.",
        "Who can make a new signature that the token's own field agrees with?",
        "The token names one key. Where is that key now?",
    ),
)

the_first_token = Choice(
    "first_theft.the_first_token",
    "You still have the first token. You send the first command once more. What does deploy say? "
    "Options: served, proof_is_there, jti_is_new, token_is_not_expired.",
    reference="served",
    solved=(
        "The binding is in new tokens. The old one names no key, so the server asks for no "
        "signature, until the hour is over or somebody revokes it."
    ),
    wrong=(
        Wrong(
            "proof_is_there",
            "The server asks for a signature where the token names a key. Look at the first "
            "token: does it name one?",
        ),
        Wrong(
            "jti_is_new",
            "What is used up is a signature, and the first command has none. You have sent it "
            "twice already, and so has its author.",
        ),
        Wrong(
            "token_is_not_expired",
            "It was made a few minutes ago, and lives for an hour. Nobody has ended it.",
        ),
    ),
    stretch=True,
    hints=(
        "Compare both tokens, decoded. The second has a field more.",
        "What was changed when the runner was bound: the server, the old tokens, or the new ones?",
        "The server looks into the token to see whether to ask for a signature. What is in yours?",
    ),
)


def claim(lab: Lab) -> None:
    """Hold the notebook's claim against this run; silent while it is true, LabError if not."""
    claims.hold(
        lab,
        [
            ("bearer", "request_as_is", "same_resource", "served"),
            ("dpop", "request_as_is", "same_resource", "jti_is_new"),
            ("dpop", "stolen_key", "same_resource", "served"),
        ],
    )
