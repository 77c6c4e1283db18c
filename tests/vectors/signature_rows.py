"""What every test about HTTP signatures needs: good requests, both kinds of key, a refusal."""

from __future__ import annotations

from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from tests.contract.attacks.http_signature import good
from tests.exchange import AS, RS, STATUS, assert_challenged, assert_refused
from tests.wiring import HOLDER, Lab

__all__ = ["HOLDERS", "assert_not_served", "good"]

HOLDERS = {"ES256": HOLDER, "Ed25519": SigningKey.generate("Ed25519")}
ERROR = {AS: "invalid_request", RS: "invalid_token"}
# What refuses a signature that is not one over this request: at each server its own check.
NOT_OVER_THIS = {
    AS: (Reason.PROOF_SIGNATURE_INVALID, "signature_is_by_the_brought_key"),
    RS: (Reason.BINDING_MISMATCH, "signature_is_by_the_bound_key"),
}


def assert_not_served(
    lab: Lab, bad: Request, actor: str, check: str = "", reason: Reason = Reason.PROOF_MALFORMED
) -> None:
    """Assert all views of a refusal; without `check`, that the signature does not verify."""
    reason, check = (reason, check) if check else NOT_OVER_THIS[actor]
    refusal = {"error": ERROR[actor], "reason": reason, "check": check}
    response = assert_refused(lab, bad, status=STATUS[actor], **refusal)
    if actor == RS:
        assert_challenged(response, "HTTPSig", "invalid_token")
