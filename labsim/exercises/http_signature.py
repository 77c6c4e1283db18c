"""Notebook 04: a signature covers what it lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.exercises import claims
from labsim.exercises.changed_requests import try_changes
from labsim.exercises.covered_body import effect
from labsim.exercises.exercise import Matching, Wrong
from labsim.exercises.writing import Written

if TYPE_CHECKING:
    from labsim.lab import Lab

__all__ = [
    "body_is_covered",
    "claim",
    "try_changes",
    "what_is_noticed",
    "where_is_the_key",
    "which_check_refuses",
]

_KEYS = {"dpop": "in_the_request", "mtls": "on_the_connection", "http_signature": "in_the_token"}

where_is_the_key = Matching(
    "http_signature.where_is_the_key",
    "The server checks a signature with a public key. Where does it find that key, under each of "
    "the three bindings?",
    options=("in_the_request", "on_the_connection", "in_the_token"),
    reference=_KEYS,
    solved=(
        "With DPoP and mTLS the token has a thumbprint only, and the key comes along to be "
        "compared. Here the token has the whole key, and the request brings none."
    ),
    why={
        ("dpop", "in_the_token"): (
            "`jkt` in the token is a thumbprint: a hash, with which no signature can be checked. "
            "Where was `jwk` in 02?"
        ),
        ("mtls", "in_the_token"): (
            "`x5t#S256` in the token is a thumbprint: a hash, with which no signature can be "
            "checked. What was shown in 03, and where?"
        ),
        ("mtls", "in_the_request"): (
            "in 03 the certificate was nowhere in the bytes, unless a thief or a proxy wrote it "
            "there."
        ),
        ("http_signature", "in_the_request"): (
            "read Signature-Input once more, parameter by parameter. None is a key."
        ),
        ("http_signature", "on_the_connection"): (
            "this runner shows no certificate, and its request came through your proxy unharmed."
        ),
    },
    look={
        "dpop": "02 had a line of its own for the proof. What did it name first?",
        "mtls": "03 had its title from it. What was it part of?",
        "http_signature": "compare `cnf` above with that of 02 and 03. Which one is longest?",
    },
    wrong=(
        Wrong(
            _KEYS | {"http_signature": "in_the_request"},
            "http_signature: read Signature-Input once more, parameter by parameter. None is a "
            "key.",
        ),
        Wrong(
            _KEYS | {"dpop": "in_the_token"},
            "dpop: `jkt` in the token is a thumbprint: a hash, with which no signature can be "
            "checked. Where was `jwk` in 02?",
        ),
        Wrong(
            _KEYS | {"mtls": "in_the_request"},
            "mtls: in 03 the certificate was nowhere in the bytes, unless a thief or a proxy wrote "
            "it there.",
        ),
    ),
    recalls="02",
    hints=(
        "Look at `cnf` above. In 02 and 03 it had a thumbprint: 43 characters each.",
        "A hash can be compared with a key, but it is none. Which of the three is no hash?",
        "02 had `jwk` in its proof, 03 showed a certificate. This request has neither.",
    ),
)

_REFERENCE = {
    "token_as_is": "signature_is_there",
    "request_as_is": "nonce_is_new",
    "redirected_proof": "signature_is_by_the_bound_key",
    "own_proof": "signature_is_by_the_bound_key",
}
_LISTED = (
    "this check asks whether the address is listed, and it is. What it says now is another thing: "
    "which check would see that?"
)

which_check_refuses = Matching(
    "http_signature.which_check_refuses",
    "Which check refuses each of the four? Answer as a mapping from replay to check.",
    options=(
        "served",
        "signature_is_there",
        "target_is_covered",
        "authorization_is_covered",
        "created_is_recent",
        "request_names_no_key",
        "signature_is_by_the_bound_key",
        "nonce_is_new",
    ),
    reference=_REFERENCE,
    solved=(
        "One check does the work of several of DPoP's: change what is listed, or sign with another "
        "key, and the signature is no longer one over this request by the token's key."
    ),
    why={
        ("token_as_is", "served"): "that was bearer. What does the request above carry besides?",
        ("request_as_is", "created_is_recent"): (
            "the server allows 60 seconds, and you send it at once. What has it seen before?"
        ),
        ("redirected_proof", "target_is_covered"): _LISTED,
        ("redirected_proof", "nonce_is_new"): (
            "true, it was used. But this check comes last, and another fails before it."
        ),
        ("own_proof", "request_names_no_key"): (
            "you sign as the runner does, and the runner's requests name no key either."
        ),
        ("own_proof", "served"): "your signature is flawless. With whose key is it checked?",
    },
    look={
        "token_as_is": "only the token is sent. Which lines of the request are then not there?",
        "request_as_is": "not a byte is new. Which parameter is there to be used once?",
        "redirected_proof": "the base has a line for the address. The server makes its own base.",
        "own_proof": "all is right but the key. Where does the server take its key from?",
    },
    wrong=(
        Wrong(
            _REFERENCE | {"redirected_proof": "target_is_covered"}, f"redirected_proof: {_LISTED}"
        ),
        Wrong(
            _REFERENCE | {"own_proof": "request_names_no_key"},
            "own_proof: you sign as the runner does, and the runner's requests name no key either.",
        ),
        Wrong(
            _REFERENCE | {"request_as_is": "created_is_recent"},
            "request_as_is: the server allows 60 seconds, and you send it at once. What has it "
            "seen before?",
        ),
        Wrong(
            _REFERENCE | {"redirected_proof": "nonce_is_new"},
            "redirected_proof: true, it was used. But this check comes last, and another fails "
            "before it.",
        ),
    ),
    hints=(
        "Look at the signature base above: what in it would each replay change?",
        "Checks that end in `covered` read the list. One check compares what stands behind it.",
        "The server makes the base from what arrives, and takes the key from the token.",
    ),
)

_CHANGED = {
    "dpop_query": "served",
    "dpop_body": "served",
    "signature_query": "signature_is_by_the_bound_key",
    "signature_body": "digest_is_the_bodys",
    "signature_accept": "served",
}

what_is_noticed = Matching(
    "http_signature.what_is_noticed",
    "How does each changed request end? Answer as a mapping from change to check, or served.",
    options=(
        "served",
        "htu_is_the_target_uri",
        "signature_is_by_the_proof_key",
        "target_is_covered",
        "body_is_covered",
        "digest_is_the_bodys",
        "signature_is_by_the_bound_key",
    ),
    reference=_CHANGED,
    solved=(
        "A DPoP proof says method and address, and no more. A signature protects what it lists, "
        "and nothing else: not the line that nobody listed."
    ),
    why={
        ("dpop_query", "htu_is_the_target_uri"): (
            "`htu` is the address without its query (RFC 9449, section 4.2). Compare 02."
        ),
        ("dpop_body", "signature_is_by_the_proof_key"): (
            "the proof is signed, not the request. You did not touch the proof."
        ),
        ("signature_query", "target_is_covered"): (
            "this check asks whether the target is listed, and it is. Its value has changed."
        ),
        ("signature_body", "signature_is_by_the_bound_key"): (
            "nearly: the signature is over the digest's line, and you left that line alone. So "
            "it is still good. What no longer fits the line?"
        ),
        ("signature_body", "body_is_covered"): (
            "the digest is listed, so that the body is covered. But is it this body's?"
        ),
        ("signature_accept", "signature_is_by_the_bound_key"): (
            "the signature is over the base. Does any line of the base say `accept`?"
        ),
    },
    look={
        "dpop_query": "which claims had the proof in 02, and which of them has the query?",
        "dpop_body": "which claims had the proof in 02, and which of them has the body?",
        "signature_query": "`@target-uri` is in the base. What does the server's own base say?",
        "signature_body": "the signature is over a line with a hash. You changed the body only.",
        "signature_accept": "go through the list of components. Is `accept` there?",
    },
    wrong=(
        Wrong(
            _CHANGED | {"dpop_query": "htu_is_the_target_uri"},
            "dpop_query: `htu` is the address without its query (RFC 9449, section 4.2). Compare "
            "02.",
        ),
        Wrong(
            _CHANGED | {"dpop_body": "signature_is_by_the_proof_key"},
            "dpop_body: the proof is signed, not the request. You did not touch the proof.",
        ),
        Wrong(
            _CHANGED | {"signature_body": "signature_is_by_the_bound_key"},
            "signature_body: nearly: the signature is over the digest's line, and you left that "
            "line alone. So it is still good. What no longer fits the line?",
        ),
        Wrong(
            _CHANGED | {"signature_accept": "signature_is_by_the_bound_key"},
            "signature_accept: the signature is over the base. Does any line of the base say "
            "`accept`?",
        ),
    ),
    hints=(
        "For DPoP look at the claims of a proof (02), for a signature at its list.",
        "What is neither a claim nor a component is not protected, whoever signs.",
        "Two of the five are noticed: one because the base differs, one because a hash does.",
    ),
)

_DEF = "def body_is_covered(proof, evidence):\n"

body_is_covered = Written(
    "http_signature.body_is_covered",
    "Write the body: True if the request's body, where it has one, is protected by the signature. "
    "You may use proof.covered (a set of components), evidence.request.body (bytes) and "
    "evidence.request.value(name) (a header's value, or None).",
    function="body_is_covered",
    effect=effect,
    reference=_DEF + '    return "content-digest" in proof.covered or not evidence.request.body\n',
    solved=(
        "Four requests ran through the lab's real verifier with your check in it. The holder was "
        "served with a body and without one; the thief was refused with a body put into a "
        "captured request, and with a digest line of its own beside it."
    ),
    wrong=(
        Wrong(
            _DEF + "    return True\n",
            "The thief was served: a captured request without a body, a body put in, and the "
            "signature still good, because nothing in it is about a body.",
        ),
        Wrong(
            _DEF + '    return "content-digest" in proof.covered\n',
            "It refuses the holder's own request without a body. Where there is no body, there is "
            "nothing to cover.",
        ),
        Wrong(
            _DEF
            + "    request = evidence.request\n"
            + '    return not request.body or request.value("Content-Digest") is not None\n',
            "The thief was served with a body and a Content-Digest line of its own. That the line "
            "is there says nothing: anybody can write it. Who vouches for it?",
        ),
        Wrong(
            _DEF + '    return "Content-Digest" in proof.covered or not evidence.request.body\n',
            "It refuses the holder's own request with a body, whose digest is covered. The names "
            "in `proof.covered` are in lower case, as the signature lists them.",
        ),
        Wrong(
            _DEF + '    "content-digest" in proof.covered or not evidence.request.body\n',
            "It gives nothing back: a function without `return` returns None, which counts as no.",
        ),
    ),
    hints=(
        "Look at the list of the captured request. It had no body: what would be listed with one?",
        "Two cases are fine: there is no body, or its digest is among what is covered.",
        'Return whether "content-digest" is in proof.covered, or else ... what of the body?',
    ),
)


def claim(lab: Lab) -> None:
    """Hold the notebook's claim against this run; silent while it is true, LabError if not."""
    endings = _REFERENCE | {"stolen_key": "served"}
    said = [("http_signature", name, "same_resource", end) for name, end in endings.items()]
    claims.hold(lab, said)
    again = ("http_signature", "request_as_is", "same_resource", "served")
    claims.hold(lab, [again], variant="minimal")
