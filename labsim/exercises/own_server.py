"""Ten questions for a server of one's own, each with the document or the public bug behind it."""

from __future__ import annotations

from typing import Final, NamedTuple


class Asked(NamedTuple):
    """Hold a question, why it is asked, and where that is written."""

    question: str
    why: str
    source: str


QUESTIONS: Final = (
    Asked(
        "Does every resource server compare the token's `cnf` with the key of the proof, or with "
        "the certificate of the connection? Have you seen it refuse one?",
        "A token that is stamped and never compared is a bearer token.",
        "RFC 9449 section 7.1; RFC 8705 section 3; giantswarm/mcp-oauth issue 384",
    ),
    Asked(
        "What happens to a bound token that comes under the scheme Bearer?",
        "Where `cnf` is only read beside a proof, leaving the proof out is enough.",
        "RFC 9449 section 7.2; giantswarm/mcp-oauth issue 383",
    ),
    Asked(
        "Where does each client's key lie, and what else lies beside it?",
        "A key in the folder of the token is stolen with it. The binding is to a key, not to a "
        "machine.",
        "RFC 9449 section 11.4; notebooks 00 and 06",
    ),
    Asked(
        "Who can read the secrets or keys with which clients ask for tokens?",
        "With one of them a thief gets a new token for a key of its own, whatever the binding.",
        "RFC 9449 section 5; notebooks 02 and 06",
    ),
    Asked(
        "Does the server remember proofs, for as long as it would accept them, in one step, and "
        "for all its replicas?",
        "Without memory a captured request is served again while its time is good.",
        "RFC 9449 section 11.1; keycloak/keycloak issue 43505",
    ),
    Asked(
        "Where does TLS end, and does that proxy remove a client-certificate header that it did "
        "not write?",
        "Behind a terminator mutual TLS is trust in a header.",
        "RFC 8705 section 6.5; RFC 9440 section 4; CVE-2026-46579",
    ),
    Asked(
        "Do refresh and token exchange keep the binding?",
        "A bound token that can be traded for an unbound one is not bound.",
        "keycloak/keycloak issues 36475 and 50963; notebook 07",
    ),
    Asked(
        "Which parts of a request does the proof or the signature not cover, and is a request "
        "refused whose signature does not cover what it must?",
        "DPoP signs neither body nor query; an HTTP signature protects what it lists.",
        "RFC 9449 section 4.2; RFC 9421 section 7.2.8; cloudflare/web-bot-auth pull request 114",
    ),
    Asked(
        "When a token is revoked, after how many seconds does the last server know, and who "
        "revokes when somebody leaves?",
        "Binding ends no token. A departed employee's workload still has its key.",
        "RFC 7009; RFC 7662 section 4; OWASP NHI1:2025",
    ),
    Asked(
        "Who is told when a token is refused because of its binding, and what do they do next?",
        "Such a refusal says that a token is out. On the wire it looks like that of a token which "
        "is too old: only the server's own log can tell.",
        "RFC 6750 section 3.1; notebook 13",
    ),
)
