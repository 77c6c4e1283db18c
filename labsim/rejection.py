"""Why a server refuses: one closed set of reasons, and the one exception that carries them.

A reason has three faces. The wire shows its status and its OAuth error code and nothing more
(RFC 6750 section 3.1, RFC 9449 section 7.1); the server's event says reason, check and source;
the client sees an outcome. No room adds a reason of its own: a new binding refuses with these.
"""

from __future__ import annotations

from enum import StrEnum, auto


class Reason(StrEnum):
    """Name a reason for refusal. `status` and `error` say how a resource server answers it."""

    # Before there is a token to look at.
    ADDRESS_NOT_ALLOWED = auto()
    NO_CREDENTIALS = auto()
    CREDENTIALS_MALFORMED = auto()
    # The token itself, whatever its binding (RFC 9068 section 4).
    TOKEN_MALFORMED = auto()
    TOKEN_TYPE_WRONG = auto()
    TOKEN_SIGNATURE_INVALID = auto()
    TOKEN_ISSUER_UNKNOWN = auto()
    TOKEN_AUDIENCE_MISMATCH = auto()
    TOKEN_EXPIRED = auto()
    TOKEN_NOT_YET_VALID = auto()
    TOKEN_CLAIM_MISSING = auto()
    TOKEN_REVOKED = auto()
    TOKEN_INACTIVE = auto()  # says the issuer, who does not say why (RFC 7662 section 2.2)
    # Which binding the token has, and whether it came as that binding asks.
    BINDING_UNSUPPORTED = auto()
    SCHEME_MISMATCH = auto()
    BINDING_MISMATCH = auto()
    # The proof that came with it.
    PROOF_MISSING = auto()
    PROOF_MALFORMED = auto()
    PROOF_SIGNATURE_INVALID = auto()
    PROOF_METHOD_MISMATCH = auto()
    PROOF_TARGET_MISMATCH = auto()
    PROOF_CONTENT_MISMATCH = auto()
    PROOF_OUTSIDE_WINDOW = auto()
    PROOF_TOKEN_MISMATCH = auto()
    PROOF_REPLAYED = auto()
    PROOF_KEY_REVOKED = auto()
    NONCE_REQUIRED = auto()
    # What the request may do.
    SCOPE_INSUFFICIENT = auto()
    # Only at the authorization server (RFC 6749 section 5.2, RFC 8707 section 2).
    METHOD_NOT_ALLOWED = auto()
    REQUEST_MALFORMED = auto()
    CLIENT_UNKNOWN = auto()
    CLIENT_CREDENTIAL_INVALID = auto()
    CLIENT_NOT_ALLOWED = auto()
    GRANT_UNSUPPORTED = auto()
    GRANT_INVALID = auto()
    SCOPE_INVALID = auto()
    TARGET_INVALID = auto()
    # Any server: what it needs to decide is not there. It then refuses; it never serves unchecked.
    UNAVAILABLE = auto()

    @property
    def status(self) -> int:
        """Return the HTTP status with which a resource server answers this reason."""
        return _STATUS.get(self, 401)

    @property
    def error(self) -> str | None:
        """Return the OAuth error code; None where the binding in use names it, or none is sent."""
        return None if self.is_about_the_proof else _ERROR.get(self, "invalid_token")

    @property
    def is_about_the_proof(self) -> bool:
        """Tell whether the error code is the binding's own (`invalid_dpop_proof`, say)."""
        return self.name.startswith("PROOF_") or self is Reason.NONCE_REQUIRED


_STATUS = {
    Reason.ADDRESS_NOT_ALLOWED: 403,
    Reason.CREDENTIALS_MALFORMED: 400,
    Reason.METHOD_NOT_ALLOWED: 405,
    Reason.REQUEST_MALFORMED: 400,
    Reason.SCOPE_INSUFFICIENT: 403,
    Reason.GRANT_UNSUPPORTED: 400,
    Reason.GRANT_INVALID: 400,
    Reason.SCOPE_INVALID: 400,
    Reason.TARGET_INVALID: 400,
    Reason.CLIENT_NOT_ALLOWED: 400,
    Reason.UNAVAILABLE: 503,
}
_ERROR = {
    # No OAuth code is about the network.
    Reason.ADDRESS_NOT_ALLOWED: None,
    # RFC 6750 section 3.1: a request without authentication gets no error code.
    Reason.NO_CREDENTIALS: None,
    Reason.CREDENTIALS_MALFORMED: "invalid_request",
    Reason.SCOPE_INSUFFICIENT: "insufficient_scope",
    Reason.METHOD_NOT_ALLOWED: "invalid_request",
    Reason.REQUEST_MALFORMED: "invalid_request",
    Reason.CLIENT_UNKNOWN: "invalid_client",
    Reason.CLIENT_CREDENTIAL_INVALID: "invalid_client",
    Reason.CLIENT_NOT_ALLOWED: "unauthorized_client",
    Reason.GRANT_UNSUPPORTED: "unsupported_grant_type",
    Reason.GRANT_INVALID: "invalid_grant",
    Reason.SCOPE_INVALID: "invalid_scope",
    Reason.TARGET_INVALID: "invalid_target",
    Reason.UNAVAILABLE: "temporarily_unavailable",
}


class Rejected(Exception):
    """Refuse a request: the only exception that a decision raises, caught in one place per role.

    `check` names the function or rule that failed, `source` its document section; `detail` is for
    the server's own event and never reaches the wire.
    """

    def __init__(self, reason: Reason, check: str, source: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {check} ({source})" + (f": {detail}" if detail else ""))
        self.reason = reason
        self.check = check
        self.source = source
        self.detail = detail
