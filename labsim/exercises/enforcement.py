"""Notebook 05: a key at the client is not enforcement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.exercises import chosen_binding, claims, kept_numbers
from labsim.exercises.cases import CASES, attack, chart, mended
from labsim.exercises.exercise import Matching, Wrong
from labsim.exercises.writing import Written

if TYPE_CHECKING:
    from labsim.lab import Lab

__all__ = [
    "attack",
    "binding_of",
    "chart",
    "claim",
    "kept_until",
    "mended",
    "what_the_token_names",
    "which_check_is_missing",
    "which_check_still_stands",
]

_NAMES = {"dpop": "jkt", "mtls": "x5t#S256", "http_signature": "htsk"}
_ATH = (
    "it stands in the proof, and says which token the proof is for. Whoever has the token can "
    "write it."
)

what_the_token_names = Matching(
    "enforcement.what_the_token_names",
    "Under which name does a token say whose it is, in each of the three bindings?",
    options=("ath", "htu", "htsk", "jkt", "jti", "x5t#S256"),
    reference=_NAMES,
    solved=(
        "All three stand in the token's cnf, which the issuer has signed. A server that enforces "
        "compares one of them with what the sender has shown. One that does not can read them too."
    ),
    why={("dpop", "ath"): _ATH, ("dpop", "htu"): "that is where a proof goes, not whose it is."},
    look={
        "dpop": "02 had a short hash of a key in the token. What was the member of cnf called?",
        "mtls": "03 had the hash of a certificate in the token. It is named after its algorithm.",
        "http_signature": "04 had the whole key in the token, under a name of a draft.",
    },
    recalls="04",
    wrong=(
        Wrong(_NAMES | {"dpop": "ath"}, f"dpop: {_ATH}"),
        Wrong(
            _NAMES | {"mtls": "jkt"},
            "mtls: 03 had the hash of a certificate in the token. It is named after its algorithm.",
        ),
        Wrong(
            _NAMES | {"http_signature": "jkt"},
            "http_signature: 04 had the whole key in the token, under a name of a draft.",
        ),
    ),
    hints=(
        "loot.show() in 02, 03 and 04 had the token's claims. Look there for cnf.",
        "Two are hashes, and one is the key itself.",
        "DPoP: a JWK's thumbprint. mTLS: an X.509 thumbprint with SHA-256. The third is left.",
    ),
)

_STANDS = {
    "token_as_is": "proof_is_there",
    "downgraded_scheme": "scheme_is_the_bindings",
    "own_proof": "served",
    "redirected_proof": "htu_is_the_target_uri",
    "request_as_is": "jti_is_new",
}
_OWN = (
    "that is the check which this server has left out. All the others look at the proof, and yours "
    "is a good one."
)
_OWN_ATH = "ath names the token. You have the token, and can write its hash into a proof of yours."

which_check_still_stands = Matching(
    "enforcement.which_check_still_stands",
    "Which check refuses each of the five, where only proof_key_is_the_bound_one is left out?",
    options=(
        "served",
        "proof_is_there",
        "scheme_is_the_bindings",
        "signature_is_by_the_proof_key",
        "htu_is_the_target_uri",
        "ath_is_this_token",
        "proof_key_is_the_bound_one",
        "jti_is_new",
    ),
    reference=_STANDS,
    solved=(
        "Four of five attacks fail, so that a test with any of those four would call this server "
        "sound. Each check stops its own attack and no other."
    ),
    why={
        ("own_proof", "proof_key_is_the_bound_one"): _OWN,
        ("own_proof", "ath_is_this_token"): _OWN_ATH,
        ("token_as_is", "served"): "this server verifies proofs, and there is none.",
        ("downgraded_scheme", "served"): (
            "the token still has its cnf, and this server reads which binding that means."
        ),
        ("request_as_is", "served"): "nothing was taken out of the memory. Has it seen this proof?",
        ("redirected_proof", "served"): "the proof is the owner's own. What does it say it is for?",
    },
    look={
        "token_as_is": "what is missing in this request?",
        "downgraded_scheme": "it says Bearer; the token says jkt. Which check compares the two?",
        "own_proof": "go through the checks one by one, and ask which one looks at cnf.",
        "redirected_proof": "the proof names an address.",
        "request_as_is": "every byte is the owner's. Only one thing about it is not new.",
    },
    wrong=(
        Wrong(_STANDS | {"own_proof": "proof_key_is_the_bound_one"}, f"own_proof: {_OWN}"),
        Wrong(_STANDS | {"own_proof": "ath_is_this_token"}, f"own_proof: {_OWN_ATH}"),
        Wrong(
            _STANDS | {"request_as_is": "served"},
            "request_as_is: nothing was taken out of the memory. Has it seen this proof?",
        ),
        Wrong(
            dict.fromkeys(_STANDS, "served"),
            "token_as_is: this server verifies proofs, and there is none.",
        ),
    ),
    hints=(
        "The tables of 02 say what each replay sends and what each check compares.",
        "Take the one check out of the list in 02 and walk each request through the others.",
        "Only one of the five comes with a proof that is new, for this address and by another key.",
    ),
)

_MISSING = {"A": "scheme_is_the_bindings", "B": "certificate_is_the_bound_one", "C": "jti_is_new"}
_A_PROOF = (
    "then token_as_is would have been served too: it brings no proof either. What differs between "
    "the two requests?"
)
_B_SHOWN = (
    "without any certificate the thief is refused. It is served with one: what is not asked of it?"
)
_C_RECENT = (
    "45 seconds are within the 60 that every server here allows, and a fresh proof is refused the "
    "second time. What is it that a while makes the server forget?"
)

which_check_is_missing = Matching(
    "enforcement.which_check_is_missing",
    "Which check is missing, or does not work, in each of the three cases?",
    options=(
        "proof_is_there",
        "scheme_is_the_bindings",
        "proof_key_is_the_bound_one",
        "htu_is_the_target_uri",
        "iat_is_recent",
        "jti_is_new",
        "certificate_is_shown",
        "certificate_is_the_bound_one",
    ),
    reference=_MISSING,
    solved=(
        "A reads cnf only if the sender says DPoP (giantswarm/mcp-oauth, issue 383; RFC 9449, "
        "section 7.2). B stamps thumbprints and compares none (Abblix/Oidc.Server, pull request "
        "159; RFC 8705, section 3). C takes a proof for 60 seconds and remembers it for 30 (after "
        "keycloak/keycloak, issue 43505; RFC 9449, section 11.1)."
    ),
    why={
        ("A", "proof_is_there"): _A_PROOF,
        ("A", "proof_key_is_the_bound_one"): "own_proof was refused, by that very check.",
        ("B", "certificate_is_shown"): _B_SHOWN,
        ("B", "proof_key_is_the_bound_one"): "that is DPoP's. Here the connection is the proof.",
        ("C", "iat_is_recent"): _C_RECENT,
    },
    look={
        "A": "one request was served. What does it say of itself that the token contradicts?",
        "B": "one connection was good enough. Whose certificate did it show?",
        "C": "if all were refused, you were quick. Its log said 45 seconds: pass after=45.",
    },
    wrong=(
        Wrong(_MISSING | {"A": "proof_is_there"}, f"A: {_A_PROOF}"),
        Wrong(_MISSING | {"B": "certificate_is_shown"}, f"B: {_B_SHOWN}"),
        Wrong(_MISSING | {"C": "iat_is_recent"}, f"C: {_C_RECENT}"),
        Wrong(
            _MISSING | {"C": "htu_is_the_target_uri"},
            "C: if all were refused, you were quick. Its log said 45 seconds: pass after=45.",
        ),
    ),
    hints=(
        "In each table, find the row that was served and is not the owner's.",
        "Ask of that row which check of 02 or 03 should have refused it, and did not.",
        "A: word against word. B: one thumbprint against another. C: seen before, and forgotten.",
    ),
)

_DEF = "def binding_of(cnf, scheme):\n"
_THREE = (
    '    if "jkt" in cnf:\n        return "dpop"\n'
    '    if "x5t#S256" in cnf:\n        return "mtls"\n'
)

binding_of = Written(
    "enforcement.binding_of",
    "Write binding_of(cnf, scheme): return the binding that the server must verify, or None to "
    "refuse.",
    function="binding_of",
    effect=chosen_binding.effect,
    reference=_DEF + '    if not cnf:\n        return "bearer"\n' + _THREE + "    return None\n",
    solved=(
        "Seven requests ran through the lab's real server with your function in it: four owners "
        "were served, three thieves refused. The issuer's word decides, not the sender's."
    ),
    wrong=(
        Wrong(
            _DEF + '    return "dpop" if scheme == "dpop" else "bearer"\n',
            chosen_binding.THIEVES[0],
        ),
        Wrong(
            _DEF + '    if scheme == "bearer" and cnf:\n        return None\n    return scheme\n',
            chosen_binding.HOLDERS[2],
        ),
        Wrong(
            _DEF
            + "    if len(cnf) > 1:\n        return None\n"
            + '    if not cnf:\n        return "bearer"\n'
            + _THREE
            + "    return None\n",
            chosen_binding.HOLDERS[3],
        ),
        Wrong(_DEF + _THREE + '    return "bearer"\n', chosen_binding.THIEVES[2]),
        Wrong(
            _DEF + '    "jkt" in cnf and scheme == "dpop"\n',
            chosen_binding.NOTHING_BACK,
        ),
    ),
    hints=(
        "Case A asked the scheme first. Who writes the scheme, and who writes cnf?",
        "Four kinds of token: no cnf, a jkt, an x5t#S256, and a cnf with neither of the two.",
        "Three of them have a binding. The fourth is bound to something that you cannot verify ...",
    ),
)

_UNTIL = "def kept_until(iat, now):\n"

kept_until = Written(
    "enforcement.kept_until",
    "Write kept_until(iat, now): until when must the memory keep this proof's number?",
    function="kept_until",
    effect=kept_numbers.effect,
    reference=_UNTIL + "    return iat + 60\n",
    solved="For as long as the proof can be accepted, and no longer: 60 s after its own time.",
    stretch=True,
    wrong=(
        Wrong(_UNTIL + "    return now + 60\n", kept_numbers.AHEAD),
        Wrong(_UNTIL + "    return iat + 30\n", kept_numbers.AGAIN),
        Wrong(_UNTIL + "    return now + 3600\n", kept_numbers.TOO_LONG),
        Wrong(_UNTIL + "    iat + 60\n", kept_numbers.NOTHING_BACK),
    ),
    hints=(
        "A proof is accepted while its iat lies within 60 s of now, on either side.",
        "A client's clock may run ahead: then iat lies in the future, and the proof lives longer.",
        "The last moment at which it is accepted is 60 s after ... which of the two?",
    ),
)


def claim(lab: Lab) -> None:
    """Hold the notebook's claim against this run; silent while it is true, LabError if not."""
    good = [("dpop", name, "same_resource", end) for name, end in _STANDS.items()]
    good = [each for each in good if each[1] != "own_proof"]
    good.append(("dpop", "own_proof", "same_resource", "proof_key_is_the_bound_one"))
    good.append(("mtls", "own_certificate", "same_resource", "certificate_is_the_bound_one"))
    claims.hold(lab, good)
    for relation, end in (("same", "served"), ("other", "audience_is_this_resource")):
        said = ("dpop", "token_as_is", f"{relation}_resource", end)
        claims.hold(lab, [said], verifier="not_enforcing")
    for name, case in CASES.items():
        served = [(case.binding, case.telling, "same_resource", "served")]
        claims.hold(lab, served, verifier=f"case {name}", since=case.after)
