"""Notebook 02: a stolen DPoP token needs its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.exercises import claims
from labsim.exercises.bound_key import effect
from labsim.exercises.exercise import Choice, Matching, Wrong
from labsim.exercises.writing import Written

if TYPE_CHECKING:
    from labsim.lab import Lab

_REQUEST_AS_IS = {
    "iat_is_recent": (
        "the server allows 60 seconds, and you send it within one or two. What has the server "
        "seen before?"
    ),
    "ath_is_this_token": "token and proof were captured together: the hash is that token's.",
    "proof_key_is_the_bound_one": "the proof is the holder's own, signed with the right key.",
    "served": "it was served once, to its holder. Look at `jti` in the proof.",
}
_OWN_PROOF = {
    "ath_is_this_token": "you have the token, so you can hash it: your `ath` is right.",
    "signature_is_by_the_proof_key": (
        "you sign with the key that your proof names, so that the signature is good. Whose key "
        "is it?"
    ),
    "jti_is_new": "you made up a new `jti`. Nobody has used it.",
    "served": "your proof is flawless, but the token says something about a key: `cnf`.",
}
_REFERENCE = {
    "token_as_is": "proof_is_there",
    "request_as_is": "jti_is_new",
    "redirected_proof": "htu_is_the_target_uri",
    "own_proof": "proof_key_is_the_bound_one",
}

which_check_refuses = Matching(
    "dpop.which_check_refuses",
    "Which check refuses each of the four? Answer as a mapping from replay to check.",
    options=(
        "served",
        "proof_is_there",
        "signature_is_by_the_proof_key",
        "htu_is_the_target_uri",
        "iat_is_recent",
        "ath_is_this_token",
        "proof_key_is_the_bound_one",
        "jti_is_new",
    ),
    reference=_REFERENCE,
    solved="Each replay lacks one thing, and one check asks for it.",
    why={
        **{("request_as_is", option): said for option, said in _REQUEST_AS_IS.items()},
        **{("own_proof", option): said for option, said in _OWN_PROOF.items()},
        ("token_as_is", "served"): "that was bearer. What does the request above carry besides?",
        ("redirected_proof", "jti_is_new"): (
            "true, the proof was used. But this check comes last, and another fails before it."
        ),
        (
            "redirected_proof",
            "served",
        ): "the proof names an address. Compare it with where it goes.",
    },
    look={
        "token_as_is": "only the token is sent. Which line of the request is then not there?",
        "request_as_is": "not a byte is new. Which claim in a proof is there to be used once?",
        "redirected_proof": "the proof goes to another address. Which claim names the address?",
        "own_proof": "everything is fresh and right but the key. Who compares the key with what?",
    },
    wrong=(
        Wrong(
            _REFERENCE | {"own_proof": "ath_is_this_token"},
            "own_proof: you have the token, so you can hash it: your `ath` is right.",
        ),
        Wrong(
            _REFERENCE | {"own_proof": "signature_is_by_the_proof_key"},
            "own_proof: you sign with the key that your proof names, so that the signature is "
            "good. Whose key is it?",
        ),
        Wrong(
            _REFERENCE | {"request_as_is": "iat_is_recent"},
            "request_as_is: the server allows 60 seconds, and you send it within one or two. What "
            "has the server seen before?",
        ),
        Wrong(
            _REFERENCE | {"redirected_proof": "jti_is_new"},
            "redirected_proof: true, the proof was used. But this check comes last, and another "
            "fails before it.",
        ),
    ),
    hints=(
        "Look at the decoded proof above, and at the table: each claim has its check.",
        "For each replay ask what the thief lacks: a proof, a new one, one for here, the key.",
        "A proof by your own key passes all checks of the proof alone. One compares it with `cnf`.",
    ),
)


_DEF = "def proof_key_is_the_bound_one(proof, evidence):\n"

proof_key_is_the_bound_one = Written(
    "dpop.proof_key_is_the_bound_one",
    "Write the body: True if the proof's key is the one that the token names, else False. You may "
    "use proof.key.thumbprint, proof.ath, evidence.token and evidence.confirmation (the token's "
    "cnf, a dict).",
    function="proof_key_is_the_bound_one",
    effect=effect,
    reference=_DEF + '    return proof.key.thumbprint == evidence.confirmation.get("jkt")\n',
    solved=(
        "Four proofs ran through the lab's real verifier with your check in it. The holder was "
        "served; the thief was refused with its own key, with its own key for another token, and "
        "with its own signature under the holder's key."
    ),
    wrong=(
        Wrong(
            _DEF + "    return True\n",
            "The thief's own proof was served: your check said yes to every proof it was given.",
        ),
        Wrong(
            _DEF
            + "    from labsim.bindings.dpop import token_hash\n"
            + "    return proof.ath == token_hash(evidence.token)\n",
            "The thief's own proof was served. Your check looks at which token the proof is for, "
            "and the thief has that token. A public server made this mistake (giantswarm/mcp-oauth "
            "issue 384): `ath` is not the binding.",
        ),
        Wrong(
            _DEF + "    return proof.key.verifies(proof.jws.signature, proof.jws.signing_input)\n",
            "The thief's own proof was served. Your check asks whether the proof is signed by the "
            "key it names, and the thief's is: it names the thief's key. Who compares that key?",
        ),
        Wrong(
            _DEF + '    return proof.jws.header["jwk"] == evidence.confirmation["jkt"]\n',
            "It refuses the holder too, and a server that refuses everybody is no server. "
            "`confirmation['jkt']` is a thumbprint, 43 characters: compare like with like.",
        ),
        Wrong(
            _DEF + '    proof.key.thumbprint == evidence.confirmation["jkt"]\n',
            "It gives nothing back: a function without `return` returns None, which counts as no.",
        ),
    ),
    hints=(
        "Look at the token, decoded above: `cnf` names something. What does the proof name?",
        "`cnf` holds the thumbprint of the holder's key; the proof names a key, proof.key.",
        'Return whether proof.key.thumbprint and evidence.confirmation.get("jkt") are ... what?',
    ),
)

at_the_vault = Choice(
    "dpop.at_the_vault",
    "Token for deploy, a flawless proof for vault by the token's own key, sent to vault. Which "
    "check refuses? Options: served, audience_is_this_resource, htu_is_the_target_uri, "
    "proof_key_is_the_bound_one, jti_is_new.",
    reference="audience_is_this_resource",
    solved=(
        "A server reads the token first, and this one was made for another server. That is not "
        "the binding's merit: it was so in 01, without any."
    ),
    wrong=(
        Wrong(
            "served",
            "Token and key fit, and the proof is good. But what else is in the token? Think of "
            "the second server in 01.",
        ),
        Wrong(
            "proof_key_is_the_bound_one",
            "It is the bound one: you have the runner's key. Nothing is wrong with the key.",
        ),
        Wrong(
            "htu_is_the_target_uri",
            "The proof is new, and made for vault: its `htu` is the address of vault.",
        ),
        Wrong("jti_is_new", "You made the proof a moment ago. Vault has seen no other of yours."),
    ),
    recalls="01",
    hints=(
        "Read the token's claims once more. Nothing is wrong with the proof.",
        "A token says for which server it was made.",
        "`aud` is the address of deploy. Which check of 01 looks at that?",
    ),
)

_AFTER = {"stolen_key": "token_is_not_expired", "new_token_for_own_key": "served"}

after_the_new_key = Matching(
    "dpop.after_the_new_key",
    "The runner has a new key, and two hours have passed. How does each replay end?",
    options=(
        "served",
        "token_is_not_expired",
        "proof_is_there",
        "proof_key_is_the_bound_one",
        "jti_is_new",
    ),
    reference=_AFTER,
    solved=(
        "The stolen token and its key died together, by their age. The client's secret did not: "
        "with it the thief gets a new token, bound to a key of its own."
    ),
    why={
        ("stolen_key", "served"): (
            "token and key still fit each other. But how long does a token live? See `exp`."
        ),
        ("stolen_key", "proof_key_is_the_bound_one"): (
            "the stolen token still names the old key, and the thief has that one. A new key "
            "changes new tokens only."
        ),
        ("new_token_for_own_key", "proof_key_is_the_bound_one"): (
            "the new token names the thief's own key: that is what the thief asked for."
        ),
        ("new_token_for_own_key", "token_is_not_expired"): (
            "this token is not the stolen one. It was issued a moment ago."
        ),
    },
    look={
        "stolen_key": "the thief can sign for this token. What else has happened to the token?",
        "new_token_for_own_key": "what of the loot did nobody replace?",
    },
    wrong=(
        Wrong(
            {"stolen_key": "proof_key_is_the_bound_one", "new_token_for_own_key": "served"},
            "stolen_key: the stolen token still names the old key, and the thief has that one. A "
            "new key changes new tokens only.",
        ),
        Wrong(
            {
                "stolen_key": "token_is_not_expired",
                "new_token_for_own_key": "proof_key_is_the_bound_one",
            },
            "new_token_for_own_key: the new token names the thief's own key: that is what the "
            "thief asked for.",
        ),
        Wrong(
            {"stolen_key": "served", "new_token_for_own_key": "served"},
            "stolen_key: token and key still fit each other. But how long does a token live? See "
            "`exp`.",
        ),
    ),
    hints=(
        "Look at what was taken from the container: three kinds of loot.",
        "For each of the three ask: did the new key end it, did the two hours, or did neither?",
        "A token lives an hour. How did the runner itself get its next one?",
    ),
)


def claim(lab: Lab) -> None:
    """Hold the notebook's claim against this run; silent while it is true, LabError if not."""
    refused = [("dpop", replay, "same_resource", check) for replay, check in _REFERENCE.items()]
    key = ("dpop", "stolen_key", "same_resource", "served")
    aged = [("dpop", replay, "same_resource", ending) for replay, ending in _AFTER.items()]
    claims.hold(lab, [*refused, key], aged)
