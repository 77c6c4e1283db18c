"""What a learner's check does: four proofs run through the real binding with it swapped in.

The four are the holder's own; the thief's, flawless but by its own key; the thief's for another
token; and one that names the holder's key and is signed by the thief's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from labsim.binding import Binding, Evidence
from labsim.bindings.dpop import BINDING, parse, token_hash
from labsim.checks import Check
from labsim.exercises.exercise import NotAttempted
from labsim.http_message import Request
from labsim.jose import sign_compact
from labsim.keys import SigningKey
from labsim.rejection import Reason, Rejected

TOKEN: Final = "the stolen token"
URL: Final = "https://deploy.test/records"
NOW: Final = 1_800_000_000


def effect(test: Callable[[Any, Any], Any]) -> str:
    """Run a learner's check inside the real binding on four proofs; return what is wrong.

    Returns an empty text if nothing is. Raises NotAttempted for a check that answers `...`, and
    whatever the check itself raises.
    """
    holder, thief = SigningKey.generate(), SigningKey.generate()
    good = _signed(holder, holder)
    own = _signed(thief, thief)
    other_token = _signed(thief, thief, ath_of="another token")
    forged = _signed(holder, thief)
    evidence = _evidence(good, holder)
    proofs = [parse(each) for each in (good, own, other_token, forged)]
    raw = [test(proof, evidence) for proof in proofs]
    if all(said is ... for said in raw):
        raise NotAttempted
    if all(said is None for said in raw):
        return (
            "It gives nothing back: a function without `return` returns None, which counts as no."
        )
    says = [bool(said) for said in raw]
    verifier = _with(test)
    served = [_serves(verifier, proof, evidence) for proof in proofs]
    if not served[0]:
        return (
            "It refuses the holder too, and a server that refuses everybody is no server. "
            "`confirmation['jkt']` is a thumbprint, 43 characters: compare like with like."
        )
    if not any(served[1:]):
        return ""
    return _what_is_compared(says)


def _what_is_compared(says: list[bool]) -> str:
    _, _, other_token, forged = says
    if other_token and forged:
        return "The thief's own proof was served: your check said yes to every proof it was given."
    if other_token:
        return (
            "The thief's own proof was served. Your check asks whether the proof is signed by the "
            "key it names, and the thief's is: it names the thief's key. Who compares that key?"
        )
    return (
        "The thief's own proof was served. Your check looks at which token the proof is for, and "
        "the thief has that token. A public server made this mistake (giantswarm/mcp-oauth issue "
        "384): `ath` is not the binding."
    )


def _signed(named: SigningKey, signer: SigningKey, ath_of: str = TOKEN) -> Request:
    """Make a request with a proof that names one key and is signed by another, or the same."""
    header = {"typ": "dpop+jwt", "alg": named.algorithm, "jwk": named.public_jwk}
    claims = {"jti": "a proof's own number", "htm": "GET", "htu": URL, "iat": NOW}
    claims |= {"ath": token_hash(ath_of)}
    return Request("GET", URL).adding("DPoP", sign_compact(header, claims, signer))


def _evidence(request: Request, holder: SigningKey) -> Evidence:
    bound = {"cnf": {"jkt": _thumbprint(holder)}}
    return Evidence(request, NOW, token=TOKEN, claims=bound)


def _thumbprint(key: SigningKey) -> str:
    return str(parse(_signed(key, key)).key.thumbprint)


def _with(test: Callable[[Any, Any], Any]) -> Binding:
    written = Check(lambda *given: bool(test(*given)), Reason.BINDING_MISMATCH, "the learner's own")
    rest = BINDING.without("proof_key_is_the_bound_one").binding_checks
    return replace(BINDING, binding_checks=(*rest, written))


def _serves(verifier: Binding, proof: Any, evidence: Evidence) -> bool:
    try:
        verifier.verify(proof, evidence)
    except Rejected:
        return False
    return True
