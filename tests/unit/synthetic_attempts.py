"""A small run that never happened, for tests of what is computed from a run.

The outcomes are written down here for the tests only; the real ones are measured.
"""

from __future__ import annotations

import base64
import json
from typing import Any

SOURCE = "RFC 9449 section 4.3"
REFUSED = {
    "token_as_is": ("PROOF_MISSING", "proof_is_there", "invalid_dpop_proof"),
    "request_as_is": ("PROOF_REPLAYED", "jti_is_new", "invalid_dpop_proof"),
    "redirected_proof": ("PROOF_TARGET_MISMATCH", "htu_is_the_target_uri", "invalid_dpop_proof"),
    "own_proof": ("BINDING_MISMATCH", "proof_key_is_the_bound_one", "invalid_token"),
    "downgraded_scheme": ("SCHEME_MISMATCH", "scheme_is_the_bound_one", "invalid_token"),
}
ELSEWHERE = ("TOKEN_AUDIENCE_MISMATCH", "audience_is_this_resource", "invalid_token")
REPLAYS = (*REFUSED, "stolen_key", "new_token_for_own_key")
NEEDS_NO_BINDING = ("token_as_is", "request_as_is", "new_token_for_own_key")
THEFTS = ("wiretap", "log_line", "container_files")
COLUMNS = (("bearer", "none"), ("dpop", "file"), ("dpop", "memory"))
STORIES = {
    "microservices": ("fulfilment", ("orders", "payments")),
    "ai_agent": ("support-agent", ("crm", "collab")),
    "integration": ("lead-sync", ("crm",)),
}
RECORDS = {"orders": 6, "payments": 5, "crm": 8, "collab": 4}


def ids(resource: str) -> list[str]:
    """Return the ids of a resource's records."""
    return [f"{resource}-{number:04}" for number in range(1, RECORDS[resource] + 1)]


def ending(theft: str, binding: str, custody: str, replay: str, relation: str) -> dict[str, Any]:
    """Return how such an attempt ends, as columns of its row."""
    if binding == "bearer" and replay not in NEEDS_NO_BINDING:
        return {"outcome": "not_possible", "reason": "a bearer token asks for no proof"}
    has_key = custody == "file" and theft == "container_files"
    if replay == "stolen_key" and not has_key:
        return {"outcome": "not_possible", "reason": "the loot has no key"}
    if replay == "new_token_for_own_key":
        if theft == "container_files":
            return {"outcome": "served"}
        return {"outcome": "not_possible", "reason": "the loot has no client credential"}
    if relation == "other_resource":
        return _refusal(*ELSEWHERE, "RFC 9068 section 4")
    if binding == "bearer" or replay == "stolen_key":
        return {"outcome": "served"}
    return _refusal(*REFUSED[replay], SOURCE)


def _refusal(reason: str, check: str, error: str, source: str) -> dict[str, Any]:
    refusal = {"outcome": "rejected", "status": 401, "error": error}
    return refusal | {"reason": reason, "check": check, "source": source}


def rows() -> list[dict[str, Any]]:
    """Return every attempt as a plain row."""
    result: list[dict[str, Any]] = []
    for story, (client, calls) in STORIES.items():
        for theft in THEFTS:
            for binding, custody in COLUMNS:
                for replay in REPLAYS:
                    for resource in calls:
                        relation = "same_resource" if resource == calls[0] else "other_resource"
                        row = {
                            "attempt": len(result) + 1,
                            "story": story,
                            "client": client,
                            "theft": theft,
                            "custody": custody,
                            "loot": "token",
                            "binding": binding,
                            "replay": replay,
                            "variant": "base",
                            "verifier": "full",
                            "resource": resource,
                            "relation": relation,
                            "records": 0,
                            "seconds": 7,
                        } | ending(theft, binding, custody, replay, relation)
                        if row["outcome"] == "served":
                            row |= {"status": 200, "records": RECORDS[resource]}
                        result.append(row)
    return result


def exposed(attempts: list[dict[str, Any]]) -> dict[int, list[str]]:
    """Return the ids that each served attempt was sent."""
    return {row["attempt"]: ids(row["resource"]) for row in attempts if row["outcome"] == "served"}


def passing() -> list[dict[str, Any]]:
    """Return what the interceptor read in the answers to its victims."""
    return [
        {
            "client": client,
            "theft": "wiretap",
            "custody": custody,
            "binding": binding,
            "records": ids(calls[0])[:3],
        }
        for client, calls in STORIES.values()
        for binding, custody in COLUMNS
    ]


def reachable() -> dict[str, list[str]]:
    """Return the ids within reach of each client."""
    return {
        client: [one for call in calls for one in ids(call)] for client, calls in STORIES.values()
    }


def holder_rows() -> list[dict[str, Any]]:
    """Return the holder's own requests, before and after the attempts."""
    return [
        {
            "theft": theft,
            "custody": custody,
            "binding": binding,
            "variant": "base",
            "relation": "same_resource",
            "client": client,
            "resource": calls[0],
            "outcome": "served",
            "status": 200,
        }
        for client, calls in STORIES.values()
        for theft in THEFTS
        for binding, custody in COLUMNS
        for _ in range(2)
    ]


def jwt(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Return a JWT that nobody signed."""
    parts = [json.dumps(part).encode() for part in (header, claims)] + [b"not a signature" * 4]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def exchange(row: dict[str, Any]) -> dict[str, Any]:
    """Return the bytes on the wire and the server's event of one attempt."""
    scheme = "Bearer" if row["binding"] == "bearer" else "DPoP"
    audience = f"https://127.0.0.1:4{row['attempt'] % 10000:04}/{row['resource']}"
    token = jwt({"typ": "at+jwt", "alg": "ES256"}, {"aud": audience, "scope": "crm.read"})
    proof = jwt({"typ": "dpop+jwt", "alg": "ES256"}, {"htm": "GET", "htu": audience})
    lines = [
        f"GET /{row['resource']} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: {scheme} {token}",
    ]
    if scheme == "DPoP" and row["replay"] != "token_as_is":
        lines.append(f"DPoP: {proof}")
    if row["outcome"] == "served":
        body = json.dumps([{"id": one, "title": "A record"} for one in ids(row["resource"])])
        answer = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{body}"
    else:
        answer = (
            "HTTP/1.1 401 Unauthorized\r\n"
            f'WWW-Authenticate: {scheme} error="{row.get("error")}"\r\n\r\n'
        )
    event = {
        "reason": row.get("reason", ""),
        "check": row.get("check", ""),
        "source": row.get("source", ""),
        "decision": "serve" if row["outcome"] == "served" else "refuse",
        "role": "resource_server",
        "name": row["resource"],
        "time": 1700000000.25 + row["attempt"],
        "detail": "",
    }
    return {"request": "\r\n".join(lines) + "\r\n\r\n", "response": answer, "event": event}


def exchanges(attempts: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return the exchanges of every attempt that could be built."""
    return {row["attempt"]: exchange(row) for row in attempts if row["outcome"] != "not_possible"}
